"""Facets: of all that makes a unit fire, only what lies in a given direction of an earlier layer."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.models.model import Model
from hooke.numeric.fixed import Fixed
from hooke.shapes import Canvases
from hooke.visualization.objectives.matching import channel_axis, channel_means
from hooke.visualization.objectives.objective import Objective, Recorded, Sample


@dataclass(frozen=True)
class Facet(Objective):
    """Pulls the activation of `layer` along `probe`, where that helps `part`; it adds nothing to the score.

    What is raised is the sum of activation x probe x the gradient of `part` where that is positive, the gradient
    counting as fixed (Goh et al. 2021, "Multimodal neurons", their feature facets).
    """

    part: Objective
    layer: str
    probe: Fixed
    axis: int = 0

    @property
    def unit(self) -> bool:
        return False

    @property
    def placed(self) -> bool:
        return self.part.placed

    def layers(self) -> frozenset[str]:
        return self.part.layers() | {self.layer}

    def responses(self, recorded: Recorded) -> Float[Tensor, "*places"]:
        activation = recorded[self.layer]
        if not isinstance(recorded, Sample) or not activation.requires_grad:
            return activation.new_zeros(())
        whole, score = recorded.whole[self.layer], self.part.score(recorded)
        (gradient,) = torch.autograd.grad(score, whole, retain_graph=True, allow_unused=True)
        if gradient is None:  # the unit does not depend on that layer
            return activation.new_zeros(())
        helps = gradient[recorded.index].clamp(min=0)
        probe = self.probe.tensor.to(activation)
        pull = ((activation * helps).movedim(self.axis, -1) * probe).sum()
        return pull - pull.detach()


def facet(
    unit: Objective, model: Model, layer: str, these: Canvases, those: Float[Tensor, "other channel height width"],
    strength: float = 1.0,
) -> Objective:  # fmt: skip
    """A unit's facet: its response, pulled to what sets the canvases `these` apart from `those` at `layer`.

    The probe is the difference of the two means of each channel over the channel's deviation, of length 1.
    """
    ours, others = channel_means(model, layer, these), channel_means(model, layer, those)
    deviation = torch.cat([ours - ours.mean(dim=0), others - others.mean(dim=0)]).square().mean(dim=0).sqrt()
    probe = (ours.mean(dim=0) - others.mean(dim=0)) / (deviation + deviation.mean() * 0.1 + 1e-12)
    probe = probe / probe.norm().clamp(min=1e-12)
    return unit + strength * Facet(unit, layer, Fixed(probe), channel_axis(model, layer))
