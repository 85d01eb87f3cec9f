"""Finding units: by what they prefer (words in labels, groups and definitions), and by which units fire with them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from hooke.addresses import Place
from hooke.errors import DataError, nearest
from hooke.numeric.ranks import auc_interval, midranks, roc_auc
from hooke.responses.recording import LayerRecording, Recording
from hooke.responses.selectivity import ERROR, shuffled
from hooke.responses.units import name, pooled, unit

SHUFFLES = 20
"""Times that the whole search is made with shuffled labels."""


@dataclass(frozen=True)
class Hit:
    """One unit that prefers what was searched for: ROC-AUC with its 95% interval, and the units that fire with it."""

    address: str
    auc: float
    low: float
    high: float
    together: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Found:
    """The units that prefer some inputs over all others, best first.

    `kinds`: the labels and groups that the words were found in; `inputs` of them, of `total`; `units`: how many were
    compared; `chance`: the largest AUC among them for shuffled labels, the median and the largest of several shuffles.
    """

    words: str
    kinds: tuple[str, ...]
    inputs: int
    total: int
    units: int
    chance: tuple[float, float]
    hits: tuple[Hit, ...]


def search(
    recording: Recording, words: str, *, at: Sequence[str] = (), count: int = 20, mean: bool = False,
    definitions: bool = True, seed: int = 0,
) -> Found:  # fmt: skip
    """The `count` units of the layers `at` (none: of all) that best tell inputs that are so called from all others.

    An input is so called where its label, its group, or with `definitions` WordNet's definition of its label has
    every word, or a word that begins with it. Errors: DataError where nothing or everything matches, RecordingError
    where statistics only were kept.
    """
    positive, kinds = matching(recording, words, definitions=definitions)
    layers = [recording.layer(one) for one in (at or recording.layers)]
    draws = torch.cat([positive[None], *(shuffled(positive[None], seed, draw) for draw in range(SHUFFLES))])
    scores = [roc_auc(midranks(pooled(recording, layer, mean=mean)), draws) for layer in layers]
    every = torch.cat([one[0] for one in scores]).nan_to_num(-1)
    by_chance = torch.cat([one[1:] for one in scores], 1).nan_to_num(0).amax(1)
    owners = [(layer, channel) for layer in layers for channel in range(layer.mean.numel())]
    best = every.argsort(descending=True, stable=True)[:count].tolist()
    positives, negatives = positive.sum()[None], (~positive).sum()[None]
    low, high = auc_interval(every[None, best], positives, negatives, ERROR)
    hits = [
        Hit(name(*owners[one]), float(every[one]), float(low[0, at]), float(high[0, at]), together(*owners[one]))
        for at, one in enumerate(best)
    ]
    chance = (float(by_chance.median()), float(by_chance.max()))
    return Found(words, kinds, int(positive.sum()), len(positive), len(owners), chance, tuple(hits))


def matching(
    recording: Recording, words: str, *, definitions: bool = True
) -> tuple[Bool[Tensor, "input"], tuple[str, ...]]:
    """The inputs of which the words are said, and the labels and groups that say them."""
    request, wanted = f'inputs that are "{words}"', _words(words)
    if not wanted:
        raise DataError(request, "give a word that stands in a label")
    said = {one for one in (*recording.labels, *recording.groups) if one is not None}
    known = _definitions(said) if definitions else {}
    kinds = tuple(sorted(one for one in said if _says(wanted, f"{one} {known.get(one, '')}")))
    positive = torch.tensor(
        [label in kinds or group in kinds for label, group in zip(recording.labels, recording.groups, strict=True)],
        dtype=torch.bool,
    )
    if not kinds:
        spoken = sorted({part.strip() for one in said for part in one.split(",")})
        raise DataError(
            request, "no label or group of this recording says so", choices=nearest(words, spoken),
            next_step="give fewer or shorter words; a word also finds those that begin with it",
        )  # fmt: skip
    if bool(positive.all()):
        raise DataError(request, "all inputs are; there is nothing to compare them with")
    return positive, kinds


def together(layer: LayerRecording, channel: int, count: int = 3) -> tuple[tuple[str, float], ...]:
    """The units of the same layer that fire with this one: the correlation of largest values over inputs."""
    others = layer.coactivation[channel].clone()
    others[channel] = -torch.inf
    best = others.topk(min(count, others.numel() - 1))
    return tuple(
        (name(layer, at), value) for value, at in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    )


def companions(
    recording: Recording, address: str | Place, *, at: Sequence[str] = (), count: int = 20
) -> tuple[tuple[str, float], ...]:
    """The units of any recorded layer (or of `at`) that fire with a unit: the rank correlation (Spearman) of their
    largest values over inputs, strongest first. Errors: AddressError, RecordingError where statistics only were kept.
    """
    layer, channel = unit(recording, address)
    own = _standard(midranks(pooled(recording, layer)[:, channel : channel + 1]))
    found: list[tuple[float, str]] = []
    for other in (recording.layer(one) for one in (at or recording.layers)):
        alike = (own.T @ _standard(midranks(pooled(recording, other))))[0]
        if other.layer.name == layer.layer.name:
            alike[channel] = torch.nan
        best = alike.nan_to_num(-2).topk(min(count, alike.numel()))
        pairs = zip(best.values.tolist(), best.indices.tolist(), strict=True)
        found += [(value, name(other, one)) for value, one in pairs]
    found = sorted((one for one in found if one[0] >= -1), key=lambda one: (-one[0], one[1]))
    return tuple((address, value) for value, address in found[:count])


def _standard(ranks: Float[Tensor, "input unit"]) -> Float[Tensor, "input unit"]:
    """Centred columns of length 1; NaN where nothing varies."""
    centred = ranks - ranks.mean(0)
    length: Tensor = centred.square().sum(0).sqrt()
    return centred / length


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _says(wanted: Sequence[str], text: str) -> bool:
    spoken = _words(text)
    return all(any(word.startswith(one) for word in spoken) for one in wanted)


def _definitions(said: set[str]) -> dict[str, str]:
    """WordNet's definitions of those labels that are names of ImageNet's classes."""
    from hooke.modalities.wordnet import definitions

    known = definitions()
    return {one: known[plain] for one in said if (plain := re.sub(r" \(n\d{8}\)$", "", one)) in known}
