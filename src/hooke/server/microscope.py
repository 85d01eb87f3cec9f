"""What the routes share: one model with its photographs, its recording, its store, its queue and late answers."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Annotated, TypeVar, cast
from weakref import WeakValueDictionary

import PIL.Image
from fastapi import Depends, Request
from pydantic import BaseModel

from hooke.addresses import Place, parse
from hooke.errors import ModelError
from hooke.models.calibration import chosen_form
from hooke.models.fast import fast_form
from hooke.models.model import Model
from hooke.responses.examples import opened
from hooke.responses.recording import Recording
from hooke.results import Picture, Prediction
from hooke.server.jobs import Queue
from hooke.server.recent import Recent
from hooke.server.security import BESIDE
from hooke.server.sheets import Sheets
from hooke.server.shelf import Mirror, Photograph, Shelf
from hooke.server.standing import Growth
from hooke.server.trail import Trail
from hooke.server.wanted import again_of, text_of, wanted
from hooke.server.wire import UnitEffectsView
from hooke.shapes import Canvas
from hooke.storage.store import Store
from hooke.studies.activation_grid import grid_layers
from hooke.studies.flow import GroupFlow
from hooke.studies.guesses import Peaks, photograph_peaks
from hooke.studies.semantic_dictionary import default_layer, is_spatial, unit_effects
from hooke.visualization.ascent import Ascent
from hooke.visualization.drawing import draw, kept, recall
from hooke.visualization.usual import usual

Answer = TypeVar("Answer")

EVERY = 4
"""Steps from one half-finished picture to the next; so soon unwanted work ends."""


class Left(Exception):
    """Whoever asked is gone, so nothing was worked out."""


def is_other(address: str, place: Place) -> bool:
    """Whether an address is of another unit of the same layer."""
    other = parse(address)
    if not isinstance(other, Place) or other.position is not None:
        return False
    return other.layer == place.layer and other.channel != place.channel


class Microscope:
    """One opened model as the server shows it; `method` and `seed` are those of all its pictures, `recording` what it
    did over data. Errors: RecordingError for a recording of another model.

    Three threads: `foreground` answers what is asked of a photograph, `background` looks over all photographs and
    into the store, and the queue's draws, on a copy of the model. None waits long for another.

    A second model is a microscope of its own: `beside` of the first, whose photographs (`of`) are its photographs.
    """

    def __init__(
        self, model: Model, photographs: Sequence[tuple[str, PIL.Image.Image]], store: Store,
        *, method: Ascent | None = None, seed: int = 0, recording: Recording | None = None,
        of: "Microscope | None" = None,
    ) -> None:  # fmt: skip
        if recording is not None:
            opened(recording, model)
        self.model, self.store, self.recording = model, store, recording
        self.method, self.seed = method or usual(model), seed
        self.root = BESIDE if of else ""
        self.beside: Microscope | None = None
        own = ((name, model.modality.canvas(picture)) for name, picture in photographs)
        self.shelf: Shelf = Mirror(of.shelf, model.modality.shape) if of else Shelf(own)
        self.queue = Queue(self._draw, self._keep, batch=self.method.batch, steps=self.method.steps)
        self.foreground = ThreadPoolExecutor(1, "foreground")
        self.background = ThreadPoolExecutor(1, "background")
        self.uploading = asyncio.Semaphore(2)
        self.effects: Recent[tuple[str, str, int, int, str], list[UnitEffectsView]] = Recent(1024)
        self.answers: Recent[str, bytes] = Recent(512)
        self.turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.flows: Recent[tuple[str, tuple[str, ...], int, str], GroupFlow] = Recent(8)
        self.trails: Recent[tuple[str, ...], Trail] = Recent(3)
        self.faces: Recent[str, bytes] = Recent(4096)
        self.grids: Sheets = of.grids if of else Sheets(store)
        self.gridded: Sequence[str] | None = None
        self.growths: Recent[str, Growth] = Recent(2)
        self._predictions: Recent[str, list[Prediction]] = Recent(512)
        self._pictures: Recent[str, Picture] = Recent(256)
        self._peaks: Recent[str, Peaks] = Recent(256)

    async def ask(self, request: Request, thread: ThreadPoolExecutor, work: Callable[[], Answer]) -> Answer:
        """What `work` answers in one of the threads; not begun if the client has left by then (Left)."""
        job = thread.submit(work)
        future = asyncio.wrap_future(job)
        while not (await asyncio.wait([future], timeout=0.25))[0]:
            if await request.is_disconnected() and job.cancel():
                raise Left
        return await future

    def grid_layers(self) -> Sequence[str]:
        """The layers of the activation grids: those that were said (`gridded`), or the usual ones."""
        return grid_layers(self.model) if self.gridded is None else self.gridded

    def prepare(self, layer: str | None = None) -> None:
        """Begins to look over all photographs for the peaks of a layer; without one, for what a page asks first."""
        if layer is not None:
            self.background.submit(self.peaks, layer)
            return
        self.background.submit(lambda: self.peaks(default_layer(self.model)))
        self.background.submit(lambda: fast_form(self.model, [default_layer(self.model)], chosen_form(self.model)))
        for photograph in self.shelf.shown:
            self.foreground.submit(self.predictions, photograph)
        self.foreground.submit(self._derive)
        if self.beside:
            self.beside.prepare()

    def predictions(self, photograph: Photograph) -> list[Prediction]:
        """The five likeliest labels, worked out once; none where the model is no classifier."""
        known = self._predictions.get(photograph.id)
        if known is not None:
            return known
        return self._predictions.put(photograph.id, self.guesses(photograph.canvas))

    def guesses(self, canvas: Canvas) -> list[Prediction]:
        """The five likeliest labels of any canvas; none where the model is no classifier."""
        try:
            return self.model.predict(canvas, count=5)
        except ModelError:
            return []

    def peaks(self, layer: str) -> Peaks | None:
        """The largest responses of a layer's channels to the photographs shown (uploads apart), worked out once."""
        canvases = [photograph.canvas for photograph in self.shelf.shown]
        if not canvases:
            return None
        return self._peaks.get(layer) or self._peaks.put(layer, photograph_peaks(self.model, canvases, layer))

    def picture(self, address: str) -> Picture | None:
        """The finished picture of an address, if it was drawn before; AddressError for an address that is none."""
        seed = self.seed + again_of(address)
        found = recall(self.model, text_of(address), self.store, by=self.method, seed=seed)
        return self._pictures.put(found.provenance.key, found) if found else None

    def others(self, place: Place) -> list[Picture]:
        """Pictures of other units of the same layer, of those that were looked at lately."""
        return [picture for picture in self._pictures.values() if is_other(picture.address, place)]

    def recorded(self, layer: str) -> Recording | None:
        """The recording, if this layer is in it."""
        return self.recording if self.recording and layer in self.recording.layers else None

    def finished(self, key: str) -> Picture | None:
        """A finished picture by its key, from memory or from the store."""
        found = self._pictures.get(key) or kept(self.store, key)
        return found or (self.beside.finished(key) if self.beside else None)

    def compute(self, name: str, work: Callable[[Callable[[int, int], None]], BaseModel]) -> str:
        """The job of one long computation in the drawing thread; its answer will be in `answers` under its name."""
        return self.queue.run(
            name, lambda report: void(self.answers.put(name, work(report).model_dump_json().encode()))
        )

    def stop(self) -> None:
        """Ends drawing and all event streams within a step; returns at once."""
        self.queue.stop()
        if self.beside:
            self.beside.stop()

    def close(self) -> None:
        """Ends every thread and waits for the drawing one."""
        self.foreground.shutdown(wait=False, cancel_futures=True)
        self.background.shutdown(wait=False, cancel_futures=True)
        self.queue.close()
        if self.beside:
            self.beside.close()

    def _derive(self) -> None:
        """The first derivative takes several times as long as those that follow: it is taken before anyone waits."""
        layer = default_layer(self.model)
        if self.shelf.shown and is_spatial(self.model.layer(layer)):
            unit_effects(self.model, self.shelf.shown[0].canvas, layer, (0, 0), [0])

    def _draw(self, addresses: Sequence[str]) -> Generator[list[Picture], None, None]:
        for again in dict.fromkeys(again_of(text) for text in addresses):
            some = [text_of(text) for text in addresses if again_of(text) == again]
            seed = self.seed + again
            for moment in draw(self.model, some, by=self.method, seed=seed, every=EVERY, store=self.store):
                yield [replace(picture, address=wanted(picture.address, again)) for picture in moment]

    def _keep(self, picture: Picture) -> None:
        """So that a picture can be shown also where the store could not keep it."""
        self._pictures.put(picture.provenance.key, replace(picture, address=text_of(picture.address)))


def void(_: object) -> None:
    """Nothing, whatever was worked out."""


def microscope(request: Request) -> Microscope:
    """The microscope of the app that is asked."""
    return cast(Microscope, request.app.state.microscope)


Here = Annotated[Microscope, Depends(microscope)]
