"""What a unit prefers: class selectivity, ROC-AUC for every label with intervals, ambiguity; each beside a control."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from hooke.addresses import Place
from hooke.errors import DataError
from hooke.numeric.ranks import auc_interval, midranks, roc_auc
from hooke.responses.recording import LayerRecording, Recording
from hooke.responses.units import name, pooled, unit

ERROR = 0.05
"""The chance that an interval misses."""

METHOD = "Newcombe 2006, method 5 (score interval of the Mann-Whitney statistic), 95%"
CAVEAT = "the best of several labels is large by chance alone: compare it with the shuffled labels"


@dataclass(frozen=True, eq=False)
class Selectivity:
    """How one unit's values differ between labels (or groups), sorted by ROC-AUC, largest first.

    `auc`: the chance that the unit is larger on an input of the label than on another input; `low` to `high` holds it
    with 95%, `surely` is the lower end of the interval that holds for all labels together (Bonferroni).
    `index` is the class selectivity index, `ambiguity` the effective number of labels that share the unit.
    `shuffled_*` are the 2.5%, 50% and 97.5% quantiles of index and ambiguity for shuffled labels. `chance` is the AUC
    that the best of the shuffled labels stays below in 95% of shuffles, for a label of this count; `p` the share of
    shuffles whose best label stands out at least as much as the unit's (AUCs in units of their standard error by
    chance, so that rare labels do not drown common ones; the largest of all labels, after Westfall & Young 1993).
    """

    address: str
    names: tuple[str, ...]
    counts: Int[Tensor, "label"]
    means: Float[Tensor, "label"]
    auc: Float[Tensor, "label"]
    low: Float[Tensor, "label"]
    high: Float[Tensor, "label"]
    surely: Float[Tensor, "label"]
    inputs: int
    index: float
    ambiguity: float
    p: float
    chance: Float[Tensor, "label"]
    shuffled_index: Float[Tensor, "3"]
    shuffled_ambiguity: Float[Tensor, "3"]


def selectivity(
    recording: Recording, address: str | Place, *, groups: bool = False, mean: bool = False, shuffles: int = 200,
    seed: int = 0,
) -> Selectivity:  # fmt: skip
    """The selectivity of one unit for the labels (or `groups`) of the inputs.

    ROC-AUC compares each input's largest value (with `mean`: its mean over positions); index and ambiguity are of means
    over positions, as they are defined. Inputs without a label count as "another". Errors: AddressError,
    RecordingError where statistics only were kept, DataError where the inputs have fewer than two labels.
    """
    layer, channel = unit(recording, address)
    names, positive = kinds(recording, groups=groups)
    values = pooled(recording, layer, mean=mean)[:, channel : channel + 1]
    averages = pooled(recording, layer, mean=True)[:, channel : channel + 1]
    ranks, counts = midranks(values), positive.sum(1)
    auc, means = roc_auc(ranks, positive), kind_means(averages, positive)
    low, high = auc_interval(auc, counts, len(ranks) - counts, ERROR)
    surely, _ = auc_interval(auc, counts, len(ranks) - counts, ERROR / len(names))
    order = auc[:, 0].argsort(descending=True, stable=True)
    control = _shuffled(ranks, averages, positive, shuffles, seed)
    error = _error(counts, len(ranks))
    best = float(((auc[:, 0] - 0.5) / error).nan_to_num(-torch.inf).max())
    return Selectivity(
        name(layer, channel), tuple(names[at] for at in order.tolist()), counts[order], means[order, 0],
        auc[order, 0], low[order, 0], high[order, 0], surely[order, 0], len(ranks),
        float(class_selectivity(means)), float(ambiguity(means)),
        float(((control[0] >= best).sum() + 1) / (shuffles + 1)),
        (0.5 + control[0].quantile(0.95) * error[order]).clamp(max=1), *(_range(one) for one in control[1:]),
    )  # fmt: skip


def kinds(recording: Recording, *, groups: bool = False) -> tuple[tuple[str, ...], Bool[Tensor, "kind input"]]:
    """The labels (or groups) in order, and which inputs have them; DataError where there are fewer than two."""
    said = recording.groups if groups else recording.labels
    names = tuple(sorted({one for one in said if one is not None}))
    if len(names) < 2:
        what = "groups" if groups else "labels"
        raise DataError(
            f"the {what} of {recording.folder}",
            f"the inputs have {len(names)} different {what}; two or more are needed",
            next_step="record a tree of labelled folders, or a manifest with path, label and group",
        )
    place = {one: at for at, one in enumerate(names)}
    positive = torch.zeros(len(names), len(said), dtype=torch.bool)
    for at, one in enumerate(said):
        if one is not None:
            positive[place[one], at] = True
    return names, positive


def kind_means(values: Float[Tensor, "input unit"], positive: Bool[Tensor, "kind input"]) -> Float[Tensor, "kind unit"]:
    """The mean over the inputs of each kind."""
    return positive.double() @ values.double() / positive.sum(1, keepdim=True)


def class_selectivity(means: Float[Tensor, "label unit"]) -> Float[Tensor, "unit"]:
    """(largest - mean of the others) / (largest + mean of the others): 0 is no preference, 1 is one label only.

    `means` are the mean activities per label. NaN where a mean is below 0 (the index is made for values from 0 up)
    or all are 0. Source: Morcos, Barrett, Rabinowitz & Botvinick, "On the importance of single directions for
    generalization", ICLR 2018.
    """
    largest = means.amax(0)
    others = (means.sum(0) - largest) / (len(means) - 1)
    return ((largest - others) / (largest + others)).where((means.amin(0) >= 0) & (largest > 0), torch.nan)


def ambiguity(means: Float[Tensor, "label unit"]) -> Float[Tensor, "unit"]:
    """The effective number of labels that share a unit: exp(entropy) of their shares in what exceeds the mean label.

    1 is one label only; NaN where all labels are alike. Source: Hill, "Diversity and evenness", Ecology 1973 (order 1).
    """
    excess = (means - means.mean(0)).clamp(min=0)
    share = excess / excess.sum(0)
    entropy = -torch.special.xlogy(share, share).sum(0)
    return torch.exp(entropy)


def layer_auc(
    recording: Recording, layer: LayerRecording, positive: Bool[Tensor, "kind input"], *, mean: bool = False
) -> Float[Tensor, "kind unit"]:
    """ROC-AUC of all units of a layer for several kinds of input; RecordingError where statistics only were kept."""
    return roc_auc(midranks(pooled(recording, layer, mean=mean)), positive)


def shuffled(positive: Bool[Tensor, "kind input"], seed: int, draw: int) -> Bool[Tensor, "kind input"]:
    """The same kinds with the same sizes on inputs drawn by lot."""
    dice = torch.Generator().manual_seed(seed * 1_000_003 + draw)
    return positive[:, torch.randperm(positive.shape[1], generator=dice)]


def _shuffled(
    ranks: Tensor, averages: Tensor, positive: Tensor, shuffles: int, seed: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Largest standardized AUC, index and ambiguity of one unit for shuffled labels, one entry a shuffle."""
    error = _error(positive.sum(1), len(ranks))
    largest, indices, shared = [], [], []
    for draw in range(shuffles):
        other = shuffled(positive, seed, draw)
        means = kind_means(averages, other)
        largest.append(((roc_auc(ranks, other)[:, 0] - 0.5) / error).nan_to_num(-torch.inf).max())
        indices.append(class_selectivity(means)[0])
        shared.append(ambiguity(means)[0])
    return torch.stack(largest), torch.stack(indices), torch.stack(shared)


def _error(counts: Tensor, inputs: int) -> Tensor:
    """The standard error of ROC-AUC where nothing is preferred."""
    return ((inputs + 1) / (12.0 * counts * (inputs - counts))).sqrt()


def _range(values: Tensor) -> Tensor:
    return values.double().nanquantile(torch.tensor([0.025, 0.5, 0.975], dtype=torch.float64))
