"""The weights between two layers' units, with what they rest on and how far they can be trusted."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.circuits.inputs import inputs
from hooke.circuits.trust import Check, Trust, trust
from hooke.circuits.units import Chosen, Units, chosen
from hooke.displayed import Displayed
from hooke.errors import AddressError, LinearityWarning, NumericsError, RecordingError, nearest
from hooke.models.agreement import rounding
from hooke.models.kernels import kernels, weighted_between
from hooke.models.linear import Path, Window, interior, path, windows
from hooke.models.model import Model
from hooke.models.recording import activations
from hooke.provenance import Provenance, describe, versions

REVISION = 1
CHECK = Check()
LOW = 0.5
"""A rank correlation below this makes a warning."""


@dataclass(frozen=True)
class Expanded:
    """Every nonlinearity between source and target replaced by its closest linear operation: ReLU and its like by the
    identity, max pooling by average pooling; attention patterns, gates and deviations of norms held at the values that
    they have on a few `inputs`.

    Source: Voss et al., "Visualizing weights" (Distill 2021), where they are called expanded weights.
    """

    inputs: int = 4


@dataclass(frozen=True)
class Direct:
    """The kernels of the target's own convolution or linear map, its batch norm folded in."""


@dataclass(frozen=True, eq=False)
class Contextual:
    """Every slope as it is where the target answers: the gradient at each target's largest value in each of `inputs`
    inputs of `data`, weighted by that value. (Values that saturate or that see beyond the borders are passed over.)"""

    data: Any = None
    inputs: int = 8


@runtime_checkable
class Recorded(Protocol):
    """What gives the scales of activations: a recording."""

    @property
    def fingerprint(self) -> str: ...
    def layer(self, name: str) -> Any: ...


@dataclass(frozen=True)
class Neighbour:
    """A unit beside another: the sum of the positive weights between them, that of the negative ones, and their
    Euclidean norm."""

    unit: str
    excitation: float
    inhibition: float
    strength: float


@dataclass(frozen=True, eq=False)
class Weights(Displayed):
    """The weights from units of a source layer to units of a target layer.

    `values[t, s, row, column]`: by how much target t changes with one unit of source s at that offset (`rows`,
    `columns`: in positions of the source, from where the target stands; from the source's first position where
    `aligned` is False). In standard deviations of both where `normalized`.
    """

    source: str
    target: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    values: Float[Tensor, "target source height width"]
    rows: tuple[float, ...]
    columns: tuple[float, ...]
    aligned: bool
    normalized: bool
    replaced: tuple[str, ...]
    frozen: tuple[str, ...]
    local: tuple[str, ...]
    inputs: int
    trust: Trust | None
    provenance: Provenance = field(repr=False)

    @property
    def excitation(self) -> Float[Tensor, "target source"]:
        """The sum of the positive weights of each pair."""
        return self.values.clamp(min=0).sum((2, 3))

    @property
    def inhibition(self) -> Float[Tensor, "target source"]:
        """The sum of the negative weights of each pair (0 or less)."""
        return self.values.clamp(max=0).sum((2, 3))

    @property
    def strength(self) -> Float[Tensor, "target source"]:
        """The Euclidean norm of each pair's weights."""
        return self.values.square().sum((2, 3)).sqrt()

    @property
    def net(self) -> Float[Tensor, "target source"]:
        """The sum of each pair's weights."""
        return self.values.sum((2, 3))

    def before(self, target: str, count: int = 10) -> tuple[list[Neighbour], list[Neighbour]]:
        """The sources that excite a target most, and those that inhibit it most, strongest first; a unit that does
        both stands where it does more."""
        return self._neighbours(self.sources, _at(target, self.targets), slice(None), count)

    def after(self, source: str, count: int = 10) -> tuple[list[Neighbour], list[Neighbour]]:
        """The targets that a source excites most, and those that it inhibits most, strongest first; a unit that it does
        both to stands where it does more."""
        return self._neighbours(self.targets, slice(None), _at(source, self.sources), count)

    def among(self, targets: Sequence[str], sources: Sequence[str]) -> "Weights":
        """The weights between some of the units, in the order given."""
        rows, columns = ([_at(one, names) for one in given] for given, names in
                         ((targets, self.targets), (sources, self.sources)))  # fmt: skip
        values = self.values[rows][:, columns]
        kept = None if self.trust is None else replace(self.trust, by_target=self.trust.by_target[rows])
        return replace(self, targets=tuple(targets), sources=tuple(sources), values=values, trust=kept)

    @property
    def statement(self) -> str:
        """What the weights rest on, and how far they can be trusted, in words."""
        return "; ".join([self.assumptions, *([str(self.trust)] if self.trust else [])])

    @property
    def assumptions(self) -> str:
        """What the weights rest on, in words."""
        parts = [f"linear in place of {', '.join(self.replaced)}"] if self.replaced else []
        parts += [f"held at the inputs: {', '.join(self.frozen)}"] if self.frozen else []
        parts += [f"slopes of the inputs: {', '.join(self.local)}"] if self.local else []
        parts += [f"mean over {self.inputs} inputs"] if self.inputs > 1 else []
        return "; ".join(parts) or "nothing but linear operations"

    def _neighbours(
        self, names: Sequence[str], target: "int | slice", source: "int | slice", count: int
    ) -> tuple[list[Neighbour], list[Neighbour]]:
        up, down, length = (each[target, source] for each in (self.excitation, self.inhibition, self.strength))

        def best(by: Tensor, where: Tensor) -> list[Neighbour]:
            order = [at for at in by.argsort(descending=True, stable=True).tolist() if by[at] > 0 and where[at]][:count]
            return [Neighbour(names[at], float(up[at]), float(down[at]), float(length[at])) for at in order]

        return best(up, up >= -down), best(-down, up < -down)


def weights(
    model: Model, source: Units, target: Units, *, by: Expanded | Direct | Contextual | None = None,
    data: Any = None, check: Check | None = CHECK, normalize: Recorded | None = None, seed: int = 0,
) -> Weights:  # fmt: skip
    """The weights from the units of one layer to those of another, whatever lies between.

    `source` and `target` are layers, channels, sums of channels, or several of these of one layer. `check` measures
    how far the linear reading can be trusted, by ablating sources on inputs of `data` (anything that `dataset` takes or
    a normalised batch; default: the photographs that ship), None leaves that out. `normalize`: a recording, whose
    standard deviations make strengths comparable between layers.
    Warns (LinearityWarning) where the rank correlation is below 0.5. Errors: AddressError where the source does not
    come before the target or nothing flows between them; ModelError for quantized modules; RecordingError.
    """
    method = by or Expanded()
    start, end = chosen(model, source), chosen(model, target)
    found = _read(model, start, end, method, data, seed)
    kernel = torch.einsum("sc,tc...->ts...", start.directions, found.weights.cpu().float())
    rated = _rated(model, start, end, kernel, found.windows, check, data, seed)
    scales = _scales(normalize, model, start, end)
    shaped = kernel[(...,) + (None,) * (4 - kernel.ndim)] if kernel.ndim != 3 else kernel[:, :, None]
    axes = [window.offsets for window in found.windows]
    rows, columns = [(0.0,)] * (2 - len(axes)) + axes
    return Weights(
        start.layer, end.layer, start.names, end.names, shaped * scales, tuple(rows), tuple(columns),
        all(window.step for window in found.windows), normalize is not None, found.replaced, found.frozen, found.local,
        found.inputs, rated, _provenance(model, start, end, method, check, seed),
    )  # fmt: skip


def _read(
    model: Model, start: Chosen, end: Chosen, method: Expanded | Direct | Contextual, data: Any, seed: int
) -> Path:
    match method:
        case Direct():
            return _direct(model, start, end)
        case Contextual():
            batch = inputs(model, data if method.data is None else method.data, method.inputs, seed, "slopes")
            return _contextual(model, batch, start, end)
        case _:
            blank = model.modality.blank(1).to(model.device, model.dtype)
            found = path(model, blank, start.layer, end.layer, end.directions)
            if found.frozen or found.local:
                batch = inputs(model, data, method.inputs, seed, "slopes")
                found = path(model, batch, start.layer, end.layer, end.directions)
            return found


def _direct(model: Model, start: Chosen, end: Chosen) -> Path:
    """The kernels of the target, once one target shows that they are what leads there from the source."""
    found, request = kernels(model, end.layer), f"the direct weights from {start.layer} to {end.layer}"
    step = "read what leads there by any way: by=Expanded()"
    between = weighted_between(model, start.layer, end.layer)
    if between != [found.module]:
        listed = ", ".join(between[:4]) or "no layer with weights"
        raise AddressError(request, f"between them lie {listed}", next_step=step)
    beyond = windows(model, start.layer, end.layer)
    blank = model.modality.blank(1).to(model.device, model.dtype)
    checked = path(model, blank, start.layer, end.layer, end.directions[:1])
    values = torch.einsum("uc,csyx->usyx", end.directions, found.weights)
    values = values if len(beyond) == 2 else values[:, :, 0] if len(beyond) == 1 else values[:, :, 0, 0]
    full = values[:1]
    fits = full.shape[2:] == tuple(window.size for window in beyond)
    total = checked.weights.cpu().sum(tuple(range(2, checked.weights.ndim)))
    read = full.sum(tuple(range(2, full.ndim)))
    if not fits or full.shape[1] != total.shape[1] or not _close(read, total, rounding(model)):
        reason = "the kernels do not read the source itself: something that is not a nonlinearity lies between"
        raise AddressError(request, reason, next_step=step)
    return Path(values, beyond, checked.replaced, (), (), 1)


def _contextual(model: Model, batch: Tensor, start: Chosen, end: Chosen) -> Path:
    values = activations(model, batch, [end.layer])[end.layer].float().cpu()
    values = values.movedim(model.layers.find(end.layer).axes.index("channel"), 1)
    spatial = values.shape[2:]
    read = torch.einsum("uc,nc...->un...", end.directions, values).flatten(2) if spatial else None
    if read is None:
        read = torch.einsum("uc,nc->un", end.directions, values)[:, :, None]
    sides = [model.layers.find(start.layer).shape[at] for at, axis in enumerate(model.layers.find(start.layer).axes)
             if axis not in ("batch", "channel")]  # fmt: skip
    inside = (
        interior(windows(model, start.layer, end.layer), sides, spatial).flatten() if spatial else torch.ones(1) > 0
    )
    saturated = (read == read.max()) & ((read == read.max()).sum() > 1)
    peak = read.masked_fill(saturated | ~inside, -torch.inf).max(2)
    share = peak.values.clamp(min=0).nan_to_num(neginf=0)
    total = share.sum(1, keepdim=True)
    if not bool((total > 0).any()):
        reason = f"no unit of {end.layer} that was asked for answers to any of {len(batch)} inputs"
        raise NumericsError("contextual weights", reason, next_step="give data that it answers to")
    where = [[[int(axis) for axis in torch.unravel_index(at, spatial)] for at in one] for one in peak.indices]
    shares = torch.where(total > 0, share / total.clamp(min=1e-12), 0.0)
    found = path(model, batch, start.layer, end.layer, end.directions, linear=False, positions=where, shares=shares)
    return replace(found, local=("every slope",))


def _rated(
    model: Model, start: Chosen, end: Chosen, kernel: Tensor, beyond: tuple[Window, ...], check: Check | None,
    data: Any, seed: int,
) -> Trust | None:  # fmt: skip
    if check is None or (data is None and model.modality.channels not in (1, 3)):
        return None
    batch = inputs(model, data, check.inputs, seed)
    rated = trust(model, batch, start, end, kernel, beyond, check, seed)
    if rated.correlation == rated.correlation and rated.correlation < LOW:
        told = f"the weights from {start.layer} to {end.layer} say little about what the units do: {rated}"
        warnings.warn(LinearityWarning(told), stacklevel=3)
    return rated


def _scales(recorded: Recorded | None, model: Model, start: Chosen, end: Chosen) -> Tensor:
    """[target, source, 1, 1]: deviation of the source over that of the target; 0 for a target that never changes."""
    if recorded is None:
        return torch.ones(1, 1, 1, 1)
    if recorded.fingerprint != model.fingerprint:
        reason = "it is of another model"
        raise RecordingError("normalized weights", reason, next_step=f"record {model.name}: `hooke record`")
    if start.channels is None or end.channels is None:
        raise AddressError("normalized weights", "a recording knows the scales of channels, not of sums")
    source, target = (
        recorded.layer(one.layer).variance.float().sqrt()[list(one.channels or ())] for one in (start, end)
    )
    inverse = torch.where(target > 0, 1 / target.clamp(min=1e-12), 0.0)
    return torch.outer(inverse, source)[:, :, None, None]


def _provenance(
    model: Model, start: Chosen, end: Chosen, method: Expanded | Direct | Contextual, check: Check | None, seed: int
) -> Provenance:
    told = describe(method) if not isinstance(method, Contextual) else {"type": "Contextual", "inputs": method.inputs}
    asked = {"by": told, "check": describe(check), "sources": list(start.names), "targets": list(end.names)}
    edge = f"{start.layer} -> {end.layer}"
    return Provenance(model.fingerprint, edge, asked, REVISION, seed, str(model.dtype)[6:], recorded=versions())


def _close(one: Tensor, other: Tensor, share: float) -> bool:
    return torch.allclose(one.float(), other.float(), rtol=10 * share, atol=share * float(other.abs().max()))


def _at(unit: str, names: Sequence[str]) -> int:
    if unit not in names:
        raise AddressError(unit, "the weights of this unit were not read", choices=nearest(unit, names))
    return names.index(unit)
