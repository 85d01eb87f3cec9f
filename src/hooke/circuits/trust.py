"""How far linear weights can be trusted: what they predict of an ablation, beside what the ablation does."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.circuits.units import Chosen
from hooke.models.linear import Window, cut, interior
from hooke.models.model import Model
from hooke.models.suffix import Prefix, Suffix, suffix_of
from hooke.numeric.ranks import midranks
from hooke.numeric.seeds import stream

COPIES = 32
"""Ablated copies of the inputs that run at once."""


@dataclass(frozen=True)
class Check:
    """How the trust in weights is measured: so many sources are ablated one by one, each on so many inputs."""

    sources: int = 32
    targets: int = 64
    inputs: int = 6
    resamples: int = 400


@dataclass(frozen=True, eq=False)
class Trust:
    """The rank correlation (Spearman) between predicted and measured effects of ablating sources, with its interval.

    The effect of a source on a target: by how much the target changes where it is largest in an input (away from
    borders, where there is such a place), once the source is set to zero everywhere; the mean over inputs. Predicted:
    minus the weights times the source's values around there. `low` and `high` are the 95% interval over resampled
    sources and inputs. `by_target` correlates each target's own effects (NaN for units that nothing changes, or that
    were not measured); `silent` counts the measured targets that no source changed.
    """

    correlation: float
    low: float
    high: float
    by_target: Float[Tensor, "target"]
    sources: int
    targets: int
    silent: int
    inputs: int

    @property
    def measured(self) -> str:
        """On how much, in words."""
        counted = {"source": self.sources, "target": self.targets, "input": self.inputs}
        sources, targets, inputs = (f"{count} {what}{'s' * (count != 1)}" for what, count in counted.items())
        return f"{sources} on {targets}, {inputs}"

    def __str__(self) -> str:
        if self.correlation != self.correlation:
            return f"no ablation changed anything ({self.measured})"
        return (
            f"rank correlation with measured ablations {self.correlation:.2f} [{self.low:.2f}, {self.high:.2f}] "
            f"({self.measured})"
        )


def trust(
    model: Model, batch: Float[Tensor, "input ..."], sources: Chosen, targets: Chosen,
    weights: Float[Tensor, "target source *position"], windows: tuple[Window, ...], by: Check, seed: int = 0,
) -> Trust:  # fmt: skip
    """The trust in the weights of a path, measured on a normalised batch; sources and targets are drawn at random."""
    dice = stream(seed, "trust")
    some = torch.randperm(len(sources.names), generator=dice)[: by.sources].sort().values
    read = torch.randperm(len(targets.names), generator=dice)[: by.targets].sort().values
    batch = batch[: by.inputs]
    suffix = suffix_of(model, sources.layer)
    prefix = suffix.prepare(batch)
    ablations = _Ablations(model, suffix, prefix, sources.directions[some], targets.layer, targets.directions[read])
    ablations.look(windows)
    measured = ablations.measured()
    predicted = ablations.predicted(weights[read][:, some], windows)
    alive = ablations.active()
    measured, predicted = measured[:, alive], predicted[:, alive]
    moved = measured.abs().amax((0, 1)) > 0 if alive.any() else torch.zeros(len(read), dtype=torch.bool)
    by_target = torch.full((len(targets.names),), torch.nan)
    if moved.any():
        each = _spearman(measured.mean(0)[:, moved], predicted.mean(0)[:, moved])
        by_target[read[moved]] = each.float()
    counts = (int(alive.sum()), len(read), int((~moved).sum()), len(batch))
    whole = _interval(measured[:, :, moved], predicted[:, :, moved], by.resamples, dice)
    return Trust(*whole, by_target, *counts)


class _Ablations:
    """Sources set to zero one at a time, and what that does to targets at their peaks."""

    def __init__(
        self, model: Model, suffix: Suffix, prefix: Prefix, directions: Tensor, target: str, read: Tensor
    ) -> None:
        self.suffix, self.prefix, self.target = suffix, prefix, target
        self.channel = model.layers.find(suffix.layer.name).axes.index("channel")
        self.target_channel = model.layers.find(target).axes.index("channel")
        self.directions, self.read = directions.to(prefix.values), read.to(prefix.values)
        with torch.no_grad():
            values = prefix.values.movedim(self.channel, 1)
            share = self.directions / self.directions.square().sum(1, keepdim=True)
            self.amount = torch.einsum("sc,nc...->ns...", share, values)
            """How much of each source there is: [input, source, position...]."""
            self.base = self._targets(prefix.values)
        self.peak = self._flat(self.base).argmax(2)

    def look(self, windows: tuple[Window, ...]) -> None:
        """Measure targets where they are largest and see nothing but the source; at the middle, where their weights
        were read, if these differ between positions."""
        sides = self.base.shape[2:]
        if any(window.step == 0 for window in windows):
            at = 0
            for side in sides:
                at = at * side + side // 2
            self.peak = torch.full_like(self.peak, at)
        else:
            inside = interior(windows, self.amount.shape[2:], sides).flatten().to(self.base.device)
            self.peak = self._flat(self.base).masked_fill(~inside, -torch.inf).argmax(2)

    def measured(self) -> Tensor:
        """The change of each target at its peak: [input, source, target]."""
        inputs, found = len(self.prefix.values), []
        each = max(1, COPIES // inputs)
        before = self._flat(self.base).gather(2, self.peak[:, :, None])[:, :, 0]
        values = self.prefix.values.movedim(self.channel, 1)
        with torch.no_grad():
            for first in range(0, len(self.directions), each):
                some = self.directions[first : first + each]
                away = torch.einsum("sc,ns...->snc...", some, self.amount[:, first : first + each])
                changed = (values[None] - away).flatten(0, 1).movedim(1, self.channel)
                after = self._flat(self._targets(changed)).reshape(len(some), inputs, len(self.read), -1)
                peak = self.peak[None, :, :, None].expand(len(some), -1, -1, 1)
                found.append(after.gather(3, peak)[..., 0] - before)
        return torch.cat(found).movedim(0, 1).double().cpu()

    def predicted(self, weights: Tensor, windows: tuple[Window, ...]) -> Tensor:
        """What the weights [target, source, position...] say of it: [input, source, target]."""
        found = []
        for amounts, peaks in zip(self.amount.cpu(), self.peak.cpu(), strict=True):
            rows = []
            for kernel, peak in zip(weights, peaks, strict=True):
                position = torch.unravel_index(peak, self.base.shape[2:]) if self.base.ndim > 2 else ()
                at = [int(one) for one in position] if len(position) == len(windows) else [0] * len(windows)
                first = [window.first + window.step * here for window, here in zip(windows, at, strict=True)]
                around = cut(amounts, first, [window.size for window in windows])
                rows.append(-(kernel * around).flatten(1).sum(1))
            found.append(torch.stack(rows, 1))
        return torch.stack(found).double()

    def active(self) -> Tensor:
        """Which sources are anything but zero on these inputs."""
        return self._flat(self.amount).abs().amax((0, 2)).cpu() > 0

    @staticmethod
    def _flat(values: Tensor) -> Tensor:
        """[..., unit, position], also where there is one position only."""
        return values.flatten(2) if values.ndim > 2 else values[:, :, None]

    def _targets(self, values: Tensor) -> Tensor:
        found = self.suffix.run(self.prefix, values, at=[self.target])[self.target].movedim(self.target_channel, 1)
        return torch.einsum("tc,nc...->nt...", self.read, found)


def _spearman(one: Float[Tensor, "pair case"], other: Float[Tensor, "pair case"]) -> Float[Tensor, "case"]:
    """The rank correlation of each column; NaN where one of the two is constant."""
    ranks = [midranks(values) for values in (one, other)]
    away = [rank - rank.mean(0) for rank in ranks]
    length = (away[0].square().sum(0) * away[1].square().sum(0)).sqrt()
    return torch.where(length > 0, (away[0] * away[1]).sum(0) / length, torch.nan)


def _interval(measured: Tensor, predicted: Tensor, resamples: int, dice: torch.Generator) -> tuple[float, float, float]:
    """The correlation over all pairs of a source and a target, and its 95% interval (percentile bootstrap)."""
    inputs, sources, targets = measured.shape
    if not sources or not targets:
        return (float("nan"),) * 3
    whole = float(_spearman(measured.mean(0).reshape(-1, 1), predicted.mean(0).reshape(-1, 1)))
    columns = []
    for _ in range(resamples):
        rows = torch.randint(inputs, (inputs,), generator=dice)
        some = torch.randint(sources, (sources,), generator=dice)
        columns.append([values[rows][:, some].mean(0).flatten() for values in (measured, predicted)])
    each = _spearman(*(torch.stack(side, 1) for side in zip(*columns, strict=True)))
    each = each[~each.isnan()]
    if not len(each):
        return whole, float("nan"), float("nan")
    low, high = each.quantile(torch.tensor([0.025, 0.975], dtype=each.dtype)).tolist()
    return whole, low, high
