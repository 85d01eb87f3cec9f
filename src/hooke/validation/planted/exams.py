"""An exam: planted pictures of one set that all networks concerned name rightly, with what is explained in each."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import torch
from torch import Tensor

from hooke.addresses import Place
from hooke.errors import DataError, NumericsError
from hooke.modalities.planted import LABELS, Masks, Planted, balanced, plant
from hooke.models.layers import LOGITS
from hooke.models.model import Model
from hooke.models.opening import open
from hooke.models.planted import ORIGIN
from hooke.models.planted import seeds as shipped
from hooke.validation.sources import digest

RIVALS = {"object": "scene", "scene": "object", "texture": "shape", "shape": "texture"}
"""Sets of the same pictures, of which another part decides."""


@dataclass(frozen=True, eq=False)
class Exam:
    """Pictures of a set, its networks (one for each seed), those of the set with the same pictures, and the targets.

    `theirs`: where the truth lies for the rivals. `left_out`: how many pictures were passed over, as a network named
    them wrongly.
    """

    name: str
    sample: Planted
    models: tuple[Model, ...]
    rivals: tuple[Model, ...]
    theirs: Masks | None
    left_out: int

    @property
    def of(self) -> tuple[str, ...]:
        """What is explained: the logit of each picture's label."""
        return targets(self.sample.labels)

    @cached_property
    def places(self) -> dict[str, int]:
        """Which picture each is, by its digest."""
        return {digest(one): at for at, one in enumerate(self.sample.canvases)}


def exam(name: str, images: int = 32, seeds: Sequence[int] | None = None, seed: int = 0) -> Exam:
    """So many pictures of a set that its networks, and those of its rival, all name rightly.

    `seeds`: of the networks (None: all that ship of the set and its rival). Of a conjunction only pictures that have
    both objects: there both decide. Errors: NumericsError where too few are
    named rightly; ModelError and DataError for seeds and sets that there are not.
    """
    if name not in LABELS:
        raise DataError(f"the planted set {name!r}", "there is no such set", choices=list(LABELS))
    rival = RIVALS.get(name)
    seeds = sorted(set(shipped(name)) & set(shipped(rival or name))) if seeds is None else seeds
    models = tuple(opened(name, one) for one in seeds)
    rivals = tuple(opened(rival, one) for one in seeds) if rival else ()
    drawn = 2 * images
    labels = torch.ones(drawn, dtype=torch.long) if name == "conjunction" else balanced(name, drawn, seed)
    sample = plant(name, labels, seed)
    right = _right(models, sample.canvases, sample.labels) & _right(rivals, sample.canvases, sample.decoys)
    kept = right.nonzero()[:images, 0]
    if len(kept) < images:
        reason = f"only {len(kept)} of {drawn} pictures are named rightly by all networks"
        raise NumericsError(f"{images} pictures of {name!r}", reason, next_step="train networks that know the set")
    theirs = plant(rival, sample.decoys, seed, sample.labels).masks[kept] if rival else None
    return Exam(name, _chosen(sample, kept), models, rivals, theirs, int((~right[: int(kept[-1]) + 1]).sum()))


@cache
def opened(name: str, seed: int) -> Model:
    """One of the networks that ship, opened once."""
    return open(f"{ORIGIN}:{name}-{seed}")


def _chosen(sample: Planted, kept: Tensor) -> Planted:
    """Some of the pictures."""
    parts = (sample.canvases, sample.labels, sample.decoys, sample.masks, sample.inside, sample.without)
    return Planted(*(part[kept] for part in parts))


def targets(labels: Tensor) -> tuple[str, ...]:
    """The addresses of labels' logits."""
    return tuple(str(Place(LOGITS, int(one))) for one in labels)


def _right(models: Sequence[Model], canvases: Tensor, labels: Tensor) -> Tensor:
    """Whether all models name each picture so."""
    right = torch.ones(len(canvases), dtype=torch.bool)
    with torch.no_grad():
        for model in models:
            right &= model(model.modality.normalize(canvases)).argmax(1).cpu() == labels
    return right
