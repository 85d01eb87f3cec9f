"""Where to look next: the units whose behaviour is least explained so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from hooke.numeric.ranks import auc_interval, midranks
from hooke.responses.distributions import oddness
from hooke.responses.recording import LayerRecording, Recording
from hooke.responses.selectivity import ERROR, layer_auc
from hooke.responses.units import name

FEWEST = 5
"""Inputs that a label must have to explain a unit."""

FAMILY = 5
"""Units of the layer that fire most with a unit: its family, where none is given."""


@dataclass(frozen=True)
class Part:
    """One reason for surprise: its name, what was measured, and its rank in the layer (0 least to 1 most)."""

    name: str
    measure: float
    rank: float
    meaning: str


@dataclass(frozen=True)
class Surprise:
    """One unit; `score` is the mean rank of its parts (0 to 1), `label` what explains it best (with ROC-AUC)."""

    address: str
    score: float
    parts: tuple[Part, ...]
    label: str = ""
    auc: float = 0.5


@dataclass(frozen=True)
class Surprises:
    """The least explained units, most surprising first, of `units`; `dead` more never fire and were left out.

    `missing` names the parts that could not be measured, and why.
    """

    units: int
    dead: int
    missing: tuple[str, ...]
    found: tuple[Surprise, ...]


def surprise(
    recording: Recording, *, at: Sequence[str] = (), count: int = 20, tunings: Mapping[str, float] | None = None,
    families: Sequence[Sequence[str]] = (), mean: bool = False,
) -> Surprises:  # fmt: skip
    """The `count` units of the layers `at` (none: of all) that labels, tuning and kinship explain least.

    The parts, each ranked within its layer so that layers can be compared, are
    - no label: 1 - 2 (a - 0.5), a the lower end of the best label's or group's ROC-AUC that holds for all of them
      together (Bonferroni); labels of fewer than five inputs explain nothing;
    - no tuning: 1 - what its tuning explains of it (0 to 1, by address, in `tunings`; 0 for units that are not there);
    - odd distribution: see `hooke.responses.distributions.oddness`;
    - unlike its family: 1 - mean co-activation with the given family, or with the five units that fire most with it.
    Errors: AddressError for layers that were not recorded.
    """
    layers = [recording.layer(one) for one in (at or recording.layers)]
    kinds, positive = _kinds(recording)
    kept = all(layer.pooled_peak is not None for layer in layers)
    missing = []
    if not kept or not kinds:
        why = "the recording keeps statistics only" if kinds else f"no label or group has {FEWEST} inputs"
        missing.append(f"no label: {why}")
    if tunings is None:
        missing.append("no tuning: none was given")
    related = {one: family for family in families for one in family}
    found: list[Surprise] = []
    dead = 0
    for layer in layers:
        alive = (~layer.dead).nonzero()[:, 0]
        dead += layer.mean.numel() - alive.numel()
        if alive.numel():
            measured = (kinds, positive) if kept and kinds else None
            found += _of_layer(recording, layer, alive, measured, tunings, related, mean)
    found.sort(key=lambda one: (-one.score, one.address))
    return Surprises(len(found), dead, tuple(missing), tuple(found[:count]))


def _of_layer(
    recording: Recording, layer: LayerRecording, alive: Tensor, measured: tuple[tuple[str, ...], Tensor] | None,
    tunings: Mapping[str, float] | None, related: Mapping[str, Sequence[str]], mean: bool,
) -> list[Surprise]:  # fmt: skip
    """Every living unit of a layer with its score."""
    addresses = [name(layer, channel) for channel in alive.tolist()]
    parts: list[tuple[str, Tensor, str]] = []
    best = [("", 0.5)] * len(addresses)
    if measured is not None:
        kinds, positive = measured
        auc = layer_auc(recording, layer, positive, mean=mean)[:, alive].nan_to_num(0.5)
        counts = positive.sum(1)
        surely, _ = auc_interval(auc, counts, positive.shape[1] - counts, ERROR / len(kinds))
        top, which = surely.max(0)
        best = [(kinds[kind], float(auc[kind, at])) for at, kind in enumerate(which.tolist())]
        parts.append(("no label", 1 - 2 * (top - 0.5).clamp(min=0), "1 - 2 (sure ROC-AUC of its best label - 0.5)"))
    if tunings is not None:
        explained = torch.tensor([tunings.get(one, 0.0) for one in addresses], dtype=torch.float64)
        parts.append(("no tuning", 1 - explained, "1 - what its tuning explains"))
    parts.append(("odd distribution", oddness(layer)[alive].double(), "largest robust z-score of its shape"))
    lonely = 1 - _kinship(layer, related)[alive]
    parts.append(("unlike its family", lonely, "1 - mean co-activation with its family"))
    ranks = [midranks(measure[:, None])[:, 0].sub(0.5) / len(addresses) for _, measure, _ in parts]
    scores = torch.stack(ranks).mean(0)
    return [
        Surprise(
            address, float(scores[at]),
            tuple(
                Part(title, float(measure[at]), float(rank[at]), meaning)
                for (title, measure, meaning), rank in zip(parts, ranks, strict=True)
            ),
            *best[at],
        )
        for at, address in enumerate(addresses)
    ]  # fmt: skip


def _kinship(layer: LayerRecording, related: Mapping[str, Sequence[str]]) -> Float[Tensor, "channel"]:
    """The mean co-activation of each unit with its family."""
    alike = layer.coactivation.double().clone().nan_to_num(0)
    alike.fill_diagonal_(-torch.inf)
    count = min(FAMILY, alike.shape[0] - 1)
    if count < 1:
        return torch.ones(1, dtype=torch.float64)
    found = alike.topk(count, 1).values.mean(1)
    places = {name(layer, channel): channel for channel in range(alike.shape[0])} if related else {}
    for address, channel in places.items():
        others = [places[one] for one in related.get(address, ()) if one in places and one != address]
        if others:
            found[channel] = alike[channel, others].mean()
    return found


def _kinds(recording: Recording) -> tuple[tuple[str, ...], Bool[Tensor, "kind input"]]:
    """Labels and groups with enough inputs, and which inputs have them."""
    rows: dict[str, list[bool]] = {}
    for said in (recording.labels, recording.groups):
        for kind in sorted({one for one in said if one is not None}):
            held = [one == kind for one in said]
            if FEWEST <= sum(held) <= len(said) - FEWEST:
                rows.setdefault(kind, held)
    return tuple(rows), torch.tensor(list(rows.values()), dtype=torch.bool).reshape(len(rows), len(recording.names))
