"""The one loop that ascends: several pictures in a batch, each raising its own objective with its own randomness."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool
from torch import Generator, Tensor

from hooke.errors import NumericsError
from hooke.shapes import Canvases, Scores
from hooke.visualization.objectives import Objective
from hooke.visualization.parametrizations import Fourier, Parametrization
from hooke.visualization.rescue import rescued
from hooke.visualization.transforms import Transform, Wobble

REVISION = 2
"""Of the algorithm: raised whenever the same settings would give other pictures."""

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

    `steps` of Adam at `rate`; `batch` pictures in each pass, always exactly so many, so that a picture does not
    depend on which others are drawn with it; the first `rescue` steps reopen units that do not fire (`rescue.py`).
    """

    parametrization: Parametrization = field(default_factory=Fourier)
    transform: Transform = field(default_factory=Wobble)
    steps: int = 128
    rate: float = 0.15
    batch: int = 4
    rescue: int = 16

    def __post_init__(self) -> None:
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


@dataclass(frozen=True)
class Moment:
    """The pictures after some steps: `step` of the method's `steps`.

    On the way the scores are those of the moved views of the last step; at the end those of the clean pictures.
    `still`: the score is what it was before the first step.
    """

    step: int
    canvases: Canvases
    scores: Scores
    peaks: Scores
    still: Bool[Tensor, "batch"]


def ascend(
    record: Record,
    objectives: Sequence[Objective],
    method: Ascent,
    side: int,
    channels: int,
    streams: Sequence[Generator],
    every: int,
    device: torch.device = CPU,
) -> Iterator[Moment]:
    """Optimizes one picture for each objective; yields every `every` steps and, last, at the end.

    `streams` holds one random generator (on the CPU) for each of at most `method.batch` objectives.
    Errors: NumericsError where the scores stop being numbers.
    """
    count = len(objectives)
    parametrization = method.parametrization.sized(side)
    start = parametrization.start(side, channels, streams)
    draws = method.transform.draw(side, method.steps, streams)
    parameters = _filled(start, 0, method.batch).to(device).requires_grad_()
    draws = _filled(draws, 1, method.batch).to(device)
    first = torch.zeros(count, device=device)
    optimizer = torch.optim.Adam([parameters], lr=method.rate, fused=device.type in FUSED)
    for step in range(method.steps):
        canvases = parametrization.render(parameters)
        with rescued() if step < method.rescue else nullcontext():
            recorded = record(method.transform.view(canvases, draws[step]))
        samples = _samples(recorded, count)
        scores = torch.stack([one.score(sample) for one, sample in zip(objectives, samples, strict=True)])
        first = scores.detach() if step == 0 else first
        if step % every == 0:
            yield _moment(step, canvases[:count], scores, objectives, samples, first)
        (parameters.grad,) = torch.autograd.grad(-scores.sum(), parameters)
        optimizer.step()
    with torch.no_grad():
        canvases = parametrization.render(parameters)
        samples = _samples(record(method.transform.rest(canvases)), count)
        scores = torch.stack([one.score(sample) for one, sample in zip(objectives, samples, strict=True)])
    yield _moment(method.steps, canvases[:count], scores, objectives, samples, first)


def _filled(values: Tensor, axis: int, length: int) -> Tensor:
    """Padded with zeros to `length` along `axis`: grey canvases that stand still and count for nothing."""
    shape = list(values.shape)
    shape[axis] = length - shape[axis]
    return torch.cat([values, values.new_zeros(shape)], dim=axis).detach()


def _samples(recorded: Mapping[str, Tensor], count: int) -> list[dict[str, Tensor]]:
    apart = {layer: activation.unbind(0) for layer, activation in recorded.items()}
    return [{layer: activations[index] for layer, activations in apart.items()} for index in range(count)]


def _moment(
    step: int, canvases: Canvases, scores: Scores, objectives: Sequence[Objective],
    samples: Sequence[Mapping[str, Tensor]], first: Scores,
) -> Moment:  # fmt: skip
    with torch.no_grad():
        if not bool(torch.isfinite(scores).all()):
            raise NumericsError(
                f"drawing at step {step}",
                "the model answers NaN or infinity to this picture",
                next_step="predict on a photograph to find the layer where it begins; try precision='float32'",
            )
        peaks = torch.stack([one.peak(sample) for one, sample in zip(objectives, samples, strict=True)])
        still = (scores - first).abs() <= STILL * first.abs()
        return Moment(step, canvases.detach().clone(), scores.detach().clone(), peaks, still)
