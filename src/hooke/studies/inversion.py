"""Pictures of many activation vectors at once, neighbours alike: feature inversion on small canvases, coarse to fine.

Olah, Satyanarayan, Johnson, Carter, Schubert, Ye, Mordvintsev, "The Building Blocks of Interpretability", Distill 2018;
its objective with the cosine and the whitening: Carter, Armstrong, Schubert, Johnson, Olah, "Activation Atlas", 2019.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TypeVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from hooke.engines.threads import SideBySide
from hooke.errors import NumericsError
from hooke.models.calibration import chosen_form
from hooke.models.fast import fast_form, twins
from hooke.models.model import Model
from hooke.models.receptive_fields import field as effective_field
from hooke.models.taps import tapped
from hooke.numeric.seeds import stream
from hooke.results import Layer
from hooke.shapes import Canvases
from hooke.visualization.ascent import FUSED
from hooke.visualization.parametrizations import Fourier
from hooke.visualization.rescue import rescued
from hooke.visualization.transforms import Wobble

FLOOR, TINY = 0.1, 1e-4
LARGEST, STRIDES = 3 / 7, 4
"""A small canvas is at most this part of the model's own (96 px of 224), or so many strides where these are more."""
PIXELS = 32 * 64 * 64
"""That go through the network at once."""

Cells = Float[Tensor, "cell unit"]

Taps = Callable[[Tensor], dict[str, Tensor]]
Found = TypeVar("Found")


@dataclass(frozen=True)
class Inversion:
    """How vectors become pictures: Adam raises dot product x cosine^`power` at the middle position of a small canvas.

    A grid is drawn coarse to fine: first of the means of 4 x 4 parts of it or so, for `coarse` steps, then of twice as
    many, each cell beginning as a mixture of the cells of which it is a part, last of the cells themselves. There are
    `steps` of these last, or, where 0, as many as `work` cells times steps allow, from 8 to 40; in the last quarter the
    canvases stand still, before they move.
    """

    power: float = 4.0
    rate: float = 0.12
    steps: int = 0
    coarse: int = 16
    work: int = 4000
    parametrization: Fourier = field(default_factory=lambda: Fourier(decay=1.5))
    movement: Wobble = field(default_factory=lambda: Wobble(jitter=3.0, scale=(0.95, 1.05), rotation=5.0))

    def last(self, cells: int) -> int:
        """Steps of so many cells at the finest level."""
        return self.steps or min(max(self.work // max(cells, 1), 8), 40)


@dataclass(frozen=True, eq=False)
class Level:
    """A grid at one fineness: which of its cells are there, their vectors, and how each begins.

    `vectors` and `begin` are of the cells that are there, row by row; `begin` [cell, cell of the level before].
    """

    there: Bool[Tensor, "row column"]
    vectors: Cells
    begin: Tensor


@dataclass(frozen=True, eq=False)
class Drawn:
    """The cells of one level after some of its steps: `canvases` as they are.

    `cosines` with their vectors: of the moved canvases, and at the end of a level of the clean ones, whose activations
    are `reached`. `passes`: cells x steps that were made so far, in all.
    """

    level: int
    step: int
    done: bool
    there: Bool[Tensor, "row column"]
    canvases: Canvases
    cosines: Float[Tensor, "cell"]
    reached: Cells | None
    passes: int


@dataclass(frozen=True)
class Spot:
    """A small canvas for a layer: its side in pixels, and the position of the layer in the middle of it."""

    side: int
    position: tuple[int, int]
    seen: int
    """The side of the middle of the canvas that shows what the position looks at."""


def levels(vectors: Float[Tensor, "row column channel"], there: Bool[Tensor, "row column"]) -> list[Level]:
    """The grid from coarse to fine, each level of half as many rows and columns as the next, the first of at most 4."""
    sizes: list[tuple[int, int]] = [(there.shape[0], there.shape[1])]
    while max(sizes[0]) > 4:
        sizes.insert(0, (math.ceil(sizes[0][0] / 2), math.ceil(sizes[0][1] / 2)))
    found: list[Level] = []
    share = there.to(vectors)
    for size in sizes:
        mass = functional.adaptive_avg_pool2d(share[None], size)[0]
        means = functional.adaptive_avg_pool2d((vectors * share[..., None]).permute(2, 0, 1), size).permute(1, 2, 0)
        here = mass > 0
        own = (means / mass.clamp(min=1e-9)[..., None])[here]
        begin = own.new_zeros(len(own), 0) if not found else _mixtures(found[-1].there, here).to(own)
        found.append(Level(here, own, begin))
    return found


def spot(model: Model, layer: str) -> Spot:
    """The small canvas on which vectors of a layer are drawn.

    About as large as the layer's effective receptive field, and of whole strides, so that one position is in its
    middle; the model's own canvas where every position sees all of it.
    """
    row, own = model.layer(layer), min(model.modality.height, model.modality.width)
    if row.receptive_field is None or row.stride is None:
        return Spot(own, ((row.height or 1) // 2, (row.width or 1) // 2), own)
    sight, stride = effective_field(model, layer), row.stride
    first, last = model.layers.region(layer, (0, 0))[0]
    offset = (first + last) / 2
    least = min(STRIDES * stride, own)
    wanted = max(min(1.2 * sight, LARGEST * own), least)
    sides = [stride * count for count in range(1, max(2, own // stride + 1))]
    even = [side for side in sides if abs(((side / 2 - offset) / stride + 0.5) % 1 - 0.5) <= 0.25 and side > offset]
    side = min(even or sides, key=lambda one: (abs(one - wanted), one))
    at = max(0, round((side / 2 - offset) / stride))
    return Spot(side, (at, at), min(side, max(stride, round(min(0.75 * side, 0.8 * sight)))))


def inverted(
    model: Model, layer: str, grid: Sequence[Level], *, by: Inversion = Inversion(), toward: Sequence[Tensor] = (),
    seed: int = 0, every: int = 8,
) -> Iterator[Drawn]:  # fmt: skip
    """Draws the levels one after another; yields every `every` steps and at the end of each level.

    `toward`: for each level, the vectors that the dot products are with, such as whitened ones; default: its own.
    Abandoning the iterator stops the work. Errors: NumericsError for NaN.
    """
    engine = _Engine(model, model.layer(layer), by, seed)
    parameters = torch.zeros(0)
    passes = 0
    for number, level in enumerate(grid):
        steps = by.last(len(level.vectors)) if number == len(grid) - 1 else by.coarse
        aims = toward[number] if toward else level.vectors
        parameters = engine.start(len(aims)) if not number else engine.mixed(parameters, level.begin)
        optimizer = torch.optim.Adam([parameters], lr=by.rate, fused=model.device.type in FUSED)
        still = number == len(grid) - 1
        for step in range(steps):
            cosines, canvases = engine.climb(
                parameters, aims, first=not number, moving=not still or step < 0.75 * steps, show=step % every == 0
            )
            if canvases is not None:
                yield Drawn(number, step, False, level.there, canvases, cosines, None, passes)
            optimizer.step()
            passes += len(aims)
        canvases, reached = engine.clean(parameters)
        cosines = functional.cosine_similarity(reached, level.vectors.to(reached), dim=1)
        yield Drawn(number, steps, True, level.there, canvases, cosines, reached, passes)


class _Engine:
    """The network up to one layer, and the canvases that go through it."""

    def __init__(self, model: Model, layer: Layer, by: Inversion, seed: int) -> None:
        self.model, self.layer, self.by = model, layer, by
        self.spot = spot(model, layer.name)
        self.parametrization = by.parametrization.sized(self.spot.side)
        self.batch = max(1, PIXELS // self.spot.side**2)
        self.threads = SideBySide() if model.device.type == "cpu" else None
        fast = fast_form(model, [layer.name], chosen_form(model))
        self.forms = twins(fast, self.threads.count if self.threads else 1)
        self.begin, self.dice = stream(seed, "inversion", layer.name, "start"), stream(seed, "inversion", layer.name)
        self.axes = [layer.axes.index(axis) for axis in ("batch", "height", "width", "channel")]

    def start(self, cells: int) -> Tensor:
        """All cells begin alike."""
        one = self.parametrization.start(self.spot.side, self.model.modality.channels, [self.begin])
        return one.repeat(cells, *[1] * (one.ndim - 1)).to(self.model.device).requires_grad_()

    def mixed(self, parameters: Tensor, begin: Tensor) -> Tensor:
        """The parameters at which the next level's cells begin."""
        found = begin.to(parameters) @ parameters.detach().flatten(1)
        return found.view(-1, *parameters.shape[1:]).requires_grad_()

    def climb(
        self, parameters: Tensor, aims: Cells, *, first: bool, moving: bool, show: bool
    ) -> tuple[Float[Tensor, "cell"], Canvases | None]:
        """Leaves the gradient of one step in `parameters.grad`; the cosines, and the canvases where they are shown."""
        maps = self.by.movement.maps(self.spot.side, len(aims), self.dice)
        grad = parameters.grad = torch.empty_like(parameters)

        def climbed(part: Tensor) -> tuple[Tensor, Tensor | None]:
            with torch.enable_grad(), rescued() if first else nullcontext():
                some = parameters.detach()[part].requires_grad_()
                canvases = self.parametrization.render(some)
                views = self.by.movement.view(canvases, maps[part]) if moving else canvases
                values, cosine = self._values(self._read(free, views), aims[part])
                (grad[part],) = torch.autograd.grad(-values.sum(), some)
            return cosine.detach(), canvases.detach().cpu() if show else None

        with self._looking() as free:
            found = self._parts(climbed, torch.arange(len(aims)))
        together = torch.cat([cosine for cosine, _ in found]).float().cpu()
        if not bool(torch.isfinite(together).all()):
            raise NumericsError(
                f"drawing vectors of {self.layer.name}", "the model answers NaN or infinity",
                next_step="predict on a photograph to find the layer where it begins; try precision='float32'",
            )  # fmt: skip
        shown = [canvases for _, canvases in found if canvases is not None]
        return together, torch.cat(shown) if show else None

    def clean(self, parameters: Tensor) -> tuple[Canvases, Cells]:
        """The canvases, and what the layer holds in their middles."""

        def seen(part: Tensor) -> tuple[Tensor, Tensor]:
            with torch.no_grad():
                pictures = self.parametrization.render(parameters.detach()[part])
                return pictures.cpu(), self._read(free, pictures).float().cpu()

        with self._looking() as free:
            canvases, reached = zip(*self._parts(seen, torch.arange(len(parameters))), strict=True)
        return torch.cat(canvases), torch.cat(reached)

    def _parts(self, work: Callable[[Tensor], Found], cells: Tensor) -> list[Found]:
        """What is found of each part that goes through the network at once; an even number of equal parts."""
        parts = torch.split(cells, math.ceil(len(cells) / (2 * math.ceil(len(cells) / (2 * self.batch)))))
        return self.threads.each(work, parts) if self.threads else [work(part) for part in parts]

    @contextmanager
    def _looking(self) -> Iterator[SimpleQueue[Taps]]:
        """The forms of the network that nobody runs."""
        with ExitStack() as ends:
            free: SimpleQueue[Taps] = SimpleQueue()
            for form in self.forms:
                free.put(ends.enter_context(tapped(form, [self.layer.name])))
            yield free

    def _read(self, free: SimpleQueue[Taps], canvases: Canvases) -> Cells:
        batch = self.model.modality.normalize(canvases)  # the taps move it
        taps = free.get()
        try:
            held = taps(batch)[self.layer.name].permute(self.axes)
        finally:
            free.put(taps)
        return held[:, self.spot.position[0], self.spot.position[1]].to(self.model.dtype)

    def _values(self, held: Cells, aims: Cells) -> tuple[Float[Tensor, "cell"], Float[Tensor, "cell"]]:
        aims = aims.to(held)
        dot = (held * aims).sum(1) / (torch.linalg.vector_norm(aims, dim=1) + TINY)
        cosine = dot / (torch.linalg.vector_norm(held, dim=1) + TINY)
        return dot * cosine.clamp(min=FLOOR) ** self.by.power, cosine


def _mixtures(
    before: Bool[Tensor, "old_row old_column"], there: Bool[Tensor, "row column"]
) -> Float[Tensor, "cell other"]:
    """How much of each cell that was there before is in each that is there now: bilinear, each row's sum 1."""
    units = torch.eye(before.numel()).reshape(-1, 1, *before.shape)
    whole = functional.interpolate(units, tuple(there.shape), mode="bilinear", align_corners=False)
    weights = whole[:, 0].permute(1, 2, 0)[there][:, before.flatten()]
    return weights / weights.sum(1, keepdim=True)
