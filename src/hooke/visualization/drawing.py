"""Draw what units look for: addresses in, pictures out, streamed while they sharpen, kept in the store."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from hooke.addresses import Address, Edge, Place, Sum, places
from hooke.errors import HookeError, NumericsError
from hooke.models.fast import fast_form
from hooke.models.model import Model
from hooke.models.taps import tapped
from hooke.numeric.seeds import stream
from hooke.provenance import Provenance, describe, versions
from hooke.results import Picture
from hooke.shapes import Canvases
from hooke.storage.store import Store
from hooke.visualization.ascent import REVISION, Ascent, Moment, ascend
from hooke.visualization.objectives import Objective, objective

DEFAULT_SIDE = 128


@dataclass(frozen=True)
class _Question:
    """One picture that is wanted."""

    address: Address
    objective: Objective
    method: Ascent
    provenance: Provenance

    @property
    def side(self) -> int:
        return self.method.parametrization.size or DEFAULT_SIDE


def visualize(
    model: Model, addresses: str | Address | Sequence[str | Address], *, by: Ascent | None = None, seed: int = 0,
    store: Store | None = None,
) -> Picture | list[Picture]:  # fmt: skip
    """The picture that each address looks for: one Picture for one address, a list for a sequence of them.

    Pictures are (channel, height, width), values 0 to 1. With a `store`, what was drawn once is read back.
    Errors: AddressError for what the model does not have, NumericsError for NaN and settings that cannot work.
    Source: Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017.
    """
    single = isinstance(addresses, str | Place | Sum | Edge)
    wanted = [addresses] if isinstance(addresses, str | Place | Sum | Edge) else list(addresses)
    method = by or Ascent()
    finished: dict[str, Picture] = {}
    for moment in draw(model, wanted, by=method, seed=seed, every=method.steps, store=store):
        finished.update({picture.provenance.key: picture for picture in moment if picture.step == method.steps})
    pictures = [finished[question(model, address, by=method, seed=seed).key] for address in wanted]
    return pictures[0] if single else pictures


def draw(
    model: Model, addresses: Sequence[str | Address], *, by: Ascent | None = None, seed: int = 0, every: int = 8,
    store: Store | None = None,
) -> Iterator[list[Picture]]:  # fmt: skip
    """Draws addresses batch by batch and yields each batch's pictures every `every` steps; the last of each is final.

    A picture is final where its `step` equals the method's `steps`. What the store has comes first, at once.
    Abandoning the iterator stops the work. Errors: as `visualize`.
    """
    method = by or Ascent()
    questions = {q.provenance.key: q for q in (_question(model, address, method, seed) for address in addresses)}
    known = [picture for key in list(questions) if store is not None and (picture := kept(store, key))]
    if known:
        yield known
    for picture in known:
        del questions[picture.provenance.key]
    for batch in _batches(list(questions.values()), method.batch):
        yield from _draw_batch(model, batch, seed, every, store)


def question(model: Model, address: str | Address, *, by: Ascent | None = None, seed: int = 0) -> Provenance:
    """What drawing `address` with these settings would be asking: its `key` finds the picture in the store."""
    return _question(model, address, by or Ascent(), seed).provenance


def recall(
    model: Model, address: str | Address, store: Store, *, by: Ascent | None = None, seed: int = 0
) -> Picture | None:
    """The finished picture of `address` if the store has it."""
    return kept(store, question(model, address, by=by, seed=seed).key)


def kept(store: Store, key: str) -> Picture | None:
    """The finished picture under the key of its provenance if the store has it."""
    entry = store.get(key)
    if entry is None or "image" not in entry.tensors:
        return None
    facts = entry.facts
    return Picture(
        address=facts["address"], image=entry.tensors["image"], response=facts["response"], peak=facts["peak"],
        step=facts["step"], seconds=facts["seconds"], provenance=Provenance.from_json(facts["provenance"]),
        note=facts["note"],
    )  # fmt: skip


def _question(model: Model, address: str | Address, method: Ascent, seed: int) -> _Question:
    resolved = model.resolve(address)
    side = canvas_side(model, resolved, method)
    method = replace(method, parametrization=method.parametrization.sized(side))
    dtype = str(model.dtype).removeprefix("torch.")
    provenance = Provenance(
        model=model.fingerprint, address=str(resolved), method=describe(method), revision=REVISION, seed=seed,
        dtype=dtype, recorded=versions(),
    )  # fmt: skip
    return _Question(resolved, objective(model, resolved), method, provenance)


def canvas_side(model: Model, address: Address, method: Ascent) -> int:
    """The side of the canvas in pixels: what the method asks for, else what suits the address and the model.

    A neuron's position is one of the model's own input size, so it is drawn at that size; so is everything in a model
    that takes no other size. All else is drawn at 128 px, or at the model's input size where that is smaller.
    """
    if method.parametrization.size is not None:
        return method.parametrization.size
    own = min(model.modality.height, model.modality.width)
    if own <= DEFAULT_SIDE or any(place.position is not None for place in places(address)):
        return own
    layers = frozenset(place.layer for place in places(address))
    return DEFAULT_SIDE if _accepts(model, layers, DEFAULT_SIDE) else own


def _accepts(model: Model, layers: frozenset[str], side: int) -> bool:
    """Whether the model reads canvases of this side as far as `layers`; asked once a model."""
    key = ("accepts", layers, side)
    if key not in model.memo:  # asked twice at worst
        canvases = torch.full((2, model.modality.channels, side, side), 0.5)
        try:
            with torch.no_grad(), tapped(model, sorted(layers)) as taps:
                taps(model.modality.normalize(canvases).to(model.device, model.dtype))
            model.memo[key] = True
        except (RuntimeError, AssertionError, ValueError, IndexError) as error:
            if isinstance(error, HookeError):
                raise
            model.memo[key] = False
    return bool(model.memo[key])


def _batches(questions: Sequence[_Question], size: int) -> Iterator[list[_Question]]:
    """Questions that read the same layers on the same canvas, at most `size` together, in the order asked."""
    groups: dict[tuple[frozenset[str], int], list[_Question]] = {}
    for one in questions:
        groups.setdefault((one.objective.layers(), one.side), []).append(one)
    for group in groups.values():
        for first in range(0, len(group), size):
            yield group[first : first + size]


def _draw_batch(
    model: Model, batch: Sequence[_Question], seed: int, every: int, store: Store | None
) -> Iterator[list[Picture]]:
    layers = sorted(batch[0].objective.layers())
    method, side = batch[0].method, batch[0].side
    fast = fast_form(model, layers)
    streams = [stream(seed, one.provenance.address) for one in batch]
    begun = time.perf_counter()
    with tapped(fast, layers) as taps:

        def record(canvases: Canvases) -> Mapping[str, Tensor]:
            return taps(fast.modality.normalize(canvases.to(fast.device, fast.dtype)))

        objectives, channels = [one.objective for one in batch], model.modality.channels
        try:
            for moment in ascend(record, objectives, method, side, channels, streams, every, fast.device):
                seconds = (time.perf_counter() - begun) / len(batch)
                pictures = _pictures(batch, moment, seconds)
                if moment.step == method.steps and store is not None:
                    for picture in pictures:
                        _keep(store, picture)
                yield pictures
        except IndexError as error:
            names = ", ".join(one.provenance.address for one in batch)
            raise NumericsError(
                f"drawing {names} on a canvas of {side} px", f"the layer has no such position there ({error})",
                next_step=f"use the model's own input size: Fourier(size={model.modality.height})",
            ) from None  # fmt: skip


def _pictures(batch: Sequence[_Question], moment: Moment, seconds: float) -> list[Picture]:
    images = moment.canvases.float().cpu()
    values = zip(batch, images, moment.scores.tolist(), moment.peaks.tolist(), moment.still.tolist(), strict=True)
    return [
        Picture(
            address=one.provenance.address, image=image, response=score, peak=peak, step=moment.step, seconds=seconds,
            provenance=one.provenance, note=_note(moment.step == one.method.steps, still),
        )
        for one, image, score, peak, still in values
    ]  # fmt: skip


def _note(finished: bool, still: bool) -> str:
    """What is wrong with a finished picture: no gradient ever moved it."""
    return (
        "the response is what it was before the first step: the unit may be dead or constant"
        if finished and still
        else ""
    )


def _keep(store: Store, picture: Picture) -> None:
    facts = {
        "address": picture.address, "response": picture.response, "peak": picture.peak, "step": picture.step,
        "seconds": picture.seconds, "note": picture.note, "provenance": picture.provenance.to_json(),
    }  # fmt: skip
    store.put(picture.provenance.key, {"image": picture.image.contiguous()}, facts)
