"""The one loop that ascends: several pictures in a batch, each raising its own objective with its own randomness."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from hooke.errors import NumericsError
from hooke.models.pooling import smoothed
from hooke.provenance import LATER
from hooke.shapes import Canvases, Scores
from hooke.visualization.objectives import CANVAS, Objective, Recorded, Sample, rows
from hooke.visualization.parametrizations import Fourier, Parametrization
from hooke.visualization.parametrizations.parametrization import around
from hooke.visualization.rescue import rescued
from hooke.visualization.search import Ends, Search
from hooke.visualization.transforms import Transform, Wobble

REVISION = 3
"""Of the algorithm: raised whenever the same settings would give other pictures."""

AS_WANTED = -1
"""Steps: as many as the parametrization wants. Coarse ones: as many as the canvas and the unit want."""

CPU = torch.device("cpu")
FUSED = ("cpu", "cuda")
"""Kinds of device for which torch has Adam in one pass."""

STILL = 1e-3
"""A score that changed by less than this share of itself did not change."""

Record = Callable[[Canvases], Mapping[str, Tensor]]
"""Runs canvases (values 0 to 1) through a model as far as needed; layer names to activations."""


@dataclass(frozen=True)
class Ascent:
    """How a picture is optimized: gradient ascent on the mean response under random small movements, with Adam.

    `steps` of Adam at `rate`, by default as many as the parametrization wants (most 128, MACO 256, CPPN 512); `batch`
    pictures in each pass, always exactly so many, so that a picture does not depend on which others are drawn with it;
    the first `rescue` steps on a canvas reopen units that do not fire (`rescue.py`);
    `search` says what else is tried, and when a picture is done. The first `coarse` of the steps are made on a canvas
    of half the side, for a quarter of the work; the others begin with that picture in the middle. By default a quarter
    of the steps where that was measured to serve (`questions.py`), else none.
    """

    parametrization: Parametrization = field(default_factory=Fourier)
    transform: Transform = field(default_factory=Wobble)
    steps: int = AS_WANTED
    rate: float = 0.15
    batch: int = 4
    rescue: int = 16
    search: Search = field(default_factory=Search, metadata=LATER)
    coarse: int = field(default=AS_WANTED, metadata=LATER)

    def __post_init__(self) -> None:
        if self.steps == AS_WANTED:
            object.__setattr__(self, "steps", self.parametrization.steps)
        if self.steps < 1 or self.batch < 1 or self.rescue < 0 or not self.rate > 0:
            raise NumericsError(
                f"Ascent(steps={self.steps}, batch={self.batch}, rescue={self.rescue}, rate={self.rate})",
                "these settings cannot ascend",
                next_step="give steps and batch of at least 1, rescue of at least 0 and a rate above 0",
            )
        if self.parametrization.transparent != self.transform.opaque:
            raise NumericsError(
                f"Ascent({self.parametrization}, {self.transform})",
                "transparent canvases and backgrounds behind them belong together",
                next_step="Ascent(Transparent(Fourier()), Chain((Backgrounds(), Wobble())))",
            )
        if self.coarse > 0 and not (self.coarse < self.steps and self.grows):
            raise NumericsError(
                f"Ascent({self.parametrization}, {self.transform}, steps={self.steps}, coarse={self.coarse})",
                "this cannot begin on a smaller canvas",
                next_step="give more steps than coarse ones, Fourier(), and Wobble() or Still()",
            )

    @property
    def grows(self) -> bool:
        """Whether its pictures can begin on a smaller canvas."""
        return self.parametrization.grows and self.transform.scalable


@dataclass(frozen=True, eq=False)
class State:
    """All that is needed to go on from a step, to the same bytes: the numbers, Adam's means, and who is done."""

    step: int
    tensors: Mapping[str, Tensor]
    ends: Mapping[str, Any]


@dataclass(frozen=True)
class Moment:
    """The pictures after some steps: `step` of the method's `steps`, which the last moment always has.

    On the way the scores are those of the moved views of the last step; at the end those of the clean pictures.
    `still`: the score is what it was before the first step. `stopped`: at which step each picture was done before its
    time, or None. `state()`, until the next moment is asked for: how to go on from here.
    """

    step: int
    canvases: Canvases
    scores: Scores
    peaks: Scores
    still: Bool[Tensor, "batch"]
    stopped: tuple[int | None, ...]
    state: Callable[[], State]


class NotFinite(NumericsError):
    """The scores stopped being numbers."""


def ascend(
    record: Record,
    objectives: Sequence[Objective],
    method: Ascent,
    side: int,
    channels: int,
    streams: Sequence[Generator],
    every: int,
    device: torch.device = CPU,
    known: State | None = None,
) -> Iterator[Moment]:
    """Optimizes the pictures of each objective; yields every `every` steps and, last, at the end.

    `streams` holds one random generator (on the CPU) for each picture, of at most `method.batch`, those of one
    objective together. With a `known` state it goes on from there, given everything else as it was then.
    Errors: NotFinite, a NumericsError, where the scores stop being numbers.
    """
    begun, coarse = known.step if known is not None else 0, max(0, method.coarse)
    given = (record, objectives, side, channels, streams, device)
    small = _Climb(_halved(method), range(coarse), side // 2, *given) if coarse else None
    climb = full = _Climb(method, range(coarse, method.steps), side, *given)
    if small is not None and begun < coarse:
        climb = small
    if known is not None:
        climb.restore(known)
    for step in range(begun, method.steps):
        if small is not None and climb is small and step == coarse:
            full.follow(small)
            climb = full
        canvases, scores, recorded = climb.look(step)
        if step % every == 0:
            yield climb.moment(step, canvases, scores, recorded)
        if climb.ends.wanted and climb is full:
            climb.ends.watch(step, climb.parameters, scores.detach(), lambda: full.clean()[1])
            if climb.ends.over:
                break
        (gradient,) = torch.autograd.grad(-scores.sum(), climb.parameters)
        climb.parameters.grad = gradient.contiguous()  # fused Adam takes it in the order of memory
        climb.optimizer.step()
        climb.ends.restore(climb.parameters)
    climb.ends.restore(climb.parameters)
    yield climb.moment(method.steps, *climb.clean())


class _Climb:
    """The pictures of one batch on their way, for these steps, on a canvas of `side` pixels, shown at `shown`."""

    def __init__(
        self, method: Ascent, steps: range, side: int, record: Record, objectives: Sequence[Objective], shown: int,
        channels: int, streams: Sequence[Generator], device: torch.device,
    ) -> None:  # fmt: skip
        self._record, self._objectives, self._method = record, objectives, method
        self._steps, self._side, self._shown = steps, side, shown
        self._parametrization = method.parametrization.sized(side)
        start = self._parametrization.start(side, channels, streams)
        draws = method.transform.draw(side, len(steps), streams)
        self.parameters = _filled(start, 0, method.batch).to(device).requires_grad_()
        self._draws = _filled(draws, 1, method.batch).to(device)
        self._groups = _groups(objectives)
        self._rows = rows(objectives, device)
        self._count = self._groups[-1].stop
        self._first = torch.zeros(self._count, device=device)
        self.optimizer = torch.optim.Adam([self.parameters], lr=method.rate, fused=device.type in FUSED)
        self.ends = Ends(method.search, self._groups)

    def look(self, step: int) -> tuple[Canvases, Float[Tensor, "picture"], Recorded]:
        """The pictures, and what the model makes of one step's view of them."""
        canvases = self._parametrization.render(self.parameters)
        with ExitStack() as easier:
            if step - self._steps.start < self._method.rescue:
                easier.enter_context(rescued())
            if self._method.search.smooth_pooling:
                easier.enter_context(smoothed())
            recorded = self._record(self._method.transform.view(canvases, self._draws[step - self._steps.start]))
        scores = self._scores(recorded, canvases)
        if step == 0:
            self._first = scores.detach()
        return canvases, scores, recorded

    def clean(self) -> tuple[Canvases, Float[Tensor, "picture"], Recorded]:
        """The pictures, and what the model makes of them unmoved."""
        with torch.no_grad():
            canvases = self._parametrization.render(self.parameters)
            recorded = self._record(self._method.transform.rest(canvases))
            return canvases, self._scores(recorded, canvases), recorded

    def moment(self, step: int, canvases: Canvases, scores: Float[Tensor, "picture"], recorded: Recorded) -> Moment:
        """What there is to be seen after `step` steps."""
        with torch.no_grad():
            if not bool(torch.isfinite(scores).all()):
                raise NotFinite(
                    f"drawing at step {step}",
                    "the model answers NaN or infinity to this picture",
                    next_step="predict on a photograph to find the layer where it begins; try precision='float32'",
                )
            samples = _samples(recorded, canvases, self._count)
            each = zip(self._objectives, self._groups, strict=True)
            peaks = torch.stack([one.peak(sample) for one, group in each for sample in samples[group]])
            still = (scores - self._first).abs() <= STILL * self._first.abs()
            ends = zip(self.ends.stopped, self._objectives, strict=True)
            stopped = tuple(at for at, one in ends for _ in range(one.pictures))
            pictures = canvases.detach()[: self._count].clone()
            if self._side != self._shown:
                pictures = around(pictures, self._shown)
            return Moment(step, pictures, scores.detach().clone(), peaks, still, stopped, lambda: self._state(step))

    def follow(self, coarse: "_Climb") -> None:
        """Goes on from the pictures of a smaller canvas; what was there before the first step is asked of its own."""
        with torch.no_grad():
            self._first = self.look(self._steps.start)[1]
            self.parameters.copy_(self._parametrization.grown(coarse.parameters, self.parameters))

    def restore(self, known: State) -> None:
        """Takes up where `known` left off."""
        with torch.no_grad():
            self.parameters.copy_(known.tensors["parameters"])
        self._first = known.tensors["first"].to(self._first)
        self.ends = Ends(self._method.search, self._groups, dict(known.ends))
        if "held" in known.tensors:
            self.ends.held = known.tensors["held"].to(self.parameters)
        if "mean" in known.tensors:
            device = self.parameters.device if self.parameters.device.type in FUSED else CPU
            self.optimizer.state[self.parameters] = {
                "step": torch.tensor(float(known.step - self._steps.start), device=device),
                "exp_avg": known.tensors["mean"].to(self.parameters),
                "exp_avg_sq": known.tensors["square"].to(self.parameters),
            }

    def _state(self, step: int) -> State:
        tensors = {"parameters": self.parameters, "first": self._first}
        adam = self.optimizer.state.get(self.parameters, {})
        if adam:
            tensors |= {"mean": adam["exp_avg"], "square": adam["exp_avg_sq"]}
        if self.ends.held is not None:
            tensors["held"] = self.ends.held
        copies = {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}
        return State(step, copies, self.ends.known())

    def _scores(self, recorded: Recorded, canvases: Canvases) -> Float[Tensor, "picture"]:
        if self._rows is not None:
            return self._rows(recorded).mean(1)
        samples = _samples(recorded, canvases, self._count)
        each = zip(self._objectives, self._groups, strict=True)
        return torch.cat([one.scores(samples[group]) for one, group in each])


def _halved(method: Ascent) -> Ascent:
    """The same on a canvas of half the side."""
    return replace(method, transform=method.transform.scaled(0.5), coarse=0)


def _groups(objectives: Sequence[Objective]) -> list[slice]:
    """Which places in the batch are each objective's."""
    ends = list(accumulate(one.pictures for one in objectives))
    return [slice(end - one.pictures, end) for one, end in zip(objectives, ends, strict=True)]


def _filled(values: Tensor, axis: int, length: int) -> Tensor:
    """Padded with zeros to `length` along `axis`: grey canvases that stand still and count for nothing."""
    shape = list(values.shape)
    shape[axis] = length - shape[axis]
    return torch.cat([values, values.new_zeros(shape)], dim=axis).detach().contiguous()


def _samples(recorded: Mapping[str, Tensor], canvases: Canvases, count: int) -> list[Sample]:
    whole = {**recorded, CANVAS: canvases}
    apart = {layer: activation.unbind(0) for layer, activation in whole.items()}
    return [Sample({layer: parts[index] for layer, parts in apart.items()}, whole, index) for index in range(count)]
