"""Contrasts: does a map change between two networks, or two pictures, exactly where what decides changes?

After Yang & Kim, "Benchmarking attribution methods with relative feature importance" (BAM), 2019.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from hooke.errors import NumericsError
from hooke.modalities.planted import Masks
from hooke.models.model import Model
from hooke.numeric.controls import Maps
from hooke.shapes import Canvases
from hooke.validation.bench import Bench
from hooke.validation.faithfulness.metric import Asking, Stack
from hooke.validation.planted.exams import Exam, targets
from hooke.validation.sources import Source

CLIPPED = 0.99
"""The quantile of a map that counts as its largest value."""

SMALL = 0.1
"""A change of a region's share below this part of it counts as none."""

STEPS, RATE, NULL = 150, 0.1, 0.1
"""Of the search for patches that do nothing; and how much they may move any logit."""


@dataclass(frozen=True, eq=False)
class Contrast(Asking):
    """What the contrasts share: an exam, in which they find a bench's pictures again."""

    exam: Exam

    def places(self, bench: Bench) -> Int[Tensor, "image"]:
        """Which pictures of the exam these are. Errors: NumericsError for others."""
        try:
            return torch.tensor([self.exam.places[name] for name in bench.names])
        except KeyError:
            raise NumericsError(self.name, "these are not the pictures of the exam") from None


@dataclass(frozen=True, eq=False)
class ModelContrast(Contrast):
    """The share of a region under the network that it decides for, less that under the one for which it does not (MCS).

    -1 to 1; chance is 0. The region: what decides for the set's network and not for its rival's.
    """

    name = "model contrast"

    @property
    def chance(self) -> str:
        return "0"

    def scores(self, bench: Bench, sources: Sequence[Source], maps: Stack) -> Float[Tensor, "map image"]:
        at, exam = self.places(bench), self.exam
        assert exam.theirs is not None
        region = (exam.sample.masks & ~exam.theirs)[at]
        rival = exam.rivals[[one.fingerprint for one in exam.models].index(bench.model.fingerprint)]
        of = targets(exam.sample.decoys[at])
        theirs = [source.maps(rival, bench.canvases, of) for source in sources]
        return torch.stack(
            [weight(one, region) - weight(other, region) for one, other in zip(maps, theirs, strict=True)]
        )


@dataclass(frozen=True, eq=False)
class InputDependence(Contrast):
    """1 where the region of an object weighs less than the scene that it hides did, for a network that names scenes.

    0 where it weighs more, half where as much (IDR, whose mean is a rate); chance is a half.
    """

    name = "input dependence"

    @property
    def chance(self) -> str:
        return "0.5"

    def scores(self, bench: Bench, sources: Sequence[Source], maps: Stack) -> Float[Tensor, "map image"]:
        at, sample = self.places(bench), self.exam.sample
        region, without = sample.inside[at], sample.without[at]
        before = [source.maps(bench.model, without, bench.of) for source in sources]
        differences = torch.stack(
            [weight(one, region) - weight(other, region) for one, other in zip(maps, before, strict=True)]
        )
        return (differences < 0).double() + (differences == 0).double() / 2


@dataclass(frozen=True, eq=False)
class InputIndependence(Contrast):
    """1 where a patch that does nothing to the network changes the region's share by less than a tenth, else 0 (IIR).

    The patch looks like an object and is fitted until no logit moves by more than 0.1 (else the image has no number).
    A map that never changes gets 1, so it says something only beside the others.
    """

    name = "input independence"

    def scores(self, bench: Bench, sources: Sequence[Source], maps: Stack) -> Float[Tensor, "map image"]:
        at, sample = self.places(bench), self.exam.sample
        region, without = sample.inside[at], sample.without[at]
        patched, moved = bench.once("null patch", lambda: null_patch(bench.model, bench.canvases, without, region))
        found = []
        for source in sources:
            before, after = (
                weight(source.maps(bench.model, canvases, bench.of), region) for canvases in (without, patched)
            )
            small = ((after - before).abs() < SMALL * before) | (after == before)
            found.append(torch.where(moved <= NULL, small.double(), torch.nan))
        return torch.stack(found)


def weight(maps: Maps, region: Masks) -> Float[Tensor, "image"]:
    """The mean over a region of the positive part of each map, clipped at its 99th percentile and scaled to 1.

    0 for a map without positive values.
    """
    positive = maps.double().clamp(min=0)
    top = positive.flatten(1).quantile(CLIPPED, dim=1).view(-1, 1, 1)
    largest = torch.where(top > 0, top, positive.amax((1, 2), keepdim=True))
    scaled = torch.where(largest > 0, positive / largest.clamp(min=1e-300), 0.0).clamp(max=1)
    return (scaled * region).sum((1, 2)) / region.sum((1, 2)).clamp(min=1)


def null_patch(
    model: Model, start: Canvases, without: Canvases, region: Masks
) -> tuple[Canvases, Float[Tensor, "image"]]:
    """Pictures with another region than `without`, found from `start`, to which the model gives the same logits.

    And by how much their logits differ, at most.
    """

    def logits(canvases: Canvases) -> Tensor:
        return model(model.modality.normalize(canvases))

    with torch.no_grad():
        wanted = logits(without)
    where = region[:, None].to(start)
    free = torch.logit(start.clamp(0.02, 0.98)).requires_grad_()
    optimizer = torch.optim.Adam([free], lr=RATE)

    def composed() -> Canvases:
        return where * torch.sigmoid(free) + (1 - where) * without

    with torch.enable_grad():
        for _ in range(STEPS):
            loss = (logits(composed()) - wanted).square().sum()
            (free.grad,) = torch.autograd.grad(loss, free)
            optimizer.step()
    with torch.no_grad():
        found = composed()
        return found, (logits(found) - wanted).abs().amax(1).cpu()


Make = Callable[[Exam], Contrast]
OF: dict[str, tuple[Make, ...]] = {
    "object": (ModelContrast,),
    "scene": (ModelContrast, InputDependence, InputIndependence),
    "texture": (ModelContrast,),
    "shape": (ModelContrast,),
}
"""The contrasts that each set has."""
