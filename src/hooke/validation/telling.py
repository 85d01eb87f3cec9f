"""Can units be told apart by their pictures: by the model's own responses, and by how another network sees them?"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from hooke.errors import NumericsError
from hooke.models.model import Model
from hooke.models.recording import activations
from hooke.numeric.intervals import Estimate, bootstrap
from hooke.numeric.similarity import cosines
from hooke.shapes import Canvas
from hooke.validation.sights import BATCH, Images, planes

SIDE = 128
"""To which a witness sees every crop enlarged or shrunk, in pixels."""

Seen: TypeAlias = Mapping[str, Float[Tensor, "image number"]]
"""What a witness's layers hold of images, as means over positions."""

Examples: TypeAlias = Mapping[str, Float[Tensor, "unit example number"]]
"""The same of each unit's natural examples."""


def by_response(
    responses: Float[Tensor, "picture unit"], data: Float[Tensor, "image unit"]
) -> Float[Tensor, "picture"]:
    """Each picture is attributed to the unit that it moves most, in standard deviations of its responses to data.

    Responses are means over positions, which is what pictures are drawn to raise. Picture i is of unit i: 1 where it
    is attributed to that, a part where several tie, else 0.
    """
    mean, deviation = data.double().mean(0), data.double().std(0)
    moved = (responses.double() - mean) / deviation.where(deviation > 0, torch.inf)
    return told(moved)


def by_witness(pictures: Seen, examples: Examples) -> Float[Tensor, "picture"]:
    """Each picture is attributed to the unit whose examples look most like it to a witness; else as `by_response`."""
    return told(resemblance(pictures, examples))


def told(scores: Float[Tensor, "picture unit"]) -> Float[Tensor, "picture"]:
    """1 where picture i scores highest for unit i, 1 / n where n units tie for it, else 0."""
    highest = scores == scores.amax(1, keepdim=True)
    return highest.diagonal().double() / highest.sum(1).clamp(min=1)


def resemblance(pictures: Seen, examples: Examples) -> Float[Tensor, "picture unit"]:
    """How much each picture looks like each unit's examples: the cosine with their mean, averaged over layers.

    Every number is less its mean over all examples, in units of their deviation.
    """
    found = []
    for layer, seen in pictures.items():
        shown = examples[layer]
        scaled = _scaled(shown, shown).mean(1)
        found.append(cosines(_scaled(seen, shown), scaled))
    return torch.stack(found).nanmean(0).nan_to_num(0)


def likeness(pictures: Seen, examples: Examples) -> Estimate:
    """How alike pictures of different units look to a witness: the mean cosine of pairs, scaled as `resemblance`.

    Examples of different units are near 0. The interval is over units.
    """
    return bootstrap(_beside_others(pictures, examples))


def example_likeness(examples: Examples) -> Estimate:
    """The same among natural examples of different units, one of each at a time."""
    count = next(iter(examples.values())).shape[1]
    found = [
        _beside_others({layer: shown[:, at] for layer, shown in examples.items()}, examples) for at in range(count)
    ]
    return bootstrap(torch.stack(found).nanmean(0))


def witnessed(witness: Model, crops: Images, layers: Sequence[str] | None = None) -> Seen:
    """What a witness's layers (default: `stages`) hold of crops, each at 128 px, averaged over positions.

    Errors: NumericsError for no crops.
    """
    if not crops:
        raise NumericsError("what a witness sees", "there are no crops", next_step="give one at least")
    wanted = list(layers or stages(witness))
    found: dict[str, list[Tensor]] = {layer: [] for layer in wanted}
    for start in range(0, len(crops), BATCH):
        sized = [_sized(crop) for crop in crops[start : start + BATCH]]
        batch = witness.modality.normalize(torch.stack(sized)).to(witness.device, witness.dtype)
        for layer, values in activations(witness, batch, wanted).items():
            found[layer].append(planes(witness.layers.find(layer), values).float().mean((2, 3)).cpu())
    return {layer: torch.cat(parts) for layer, parts in found.items()}


def stages(witness: Model) -> list[str]:
    """The last activation layer at each stride, from fine to coarse; the last addressable layer where there is none."""
    last = {layer.stride: layer.name for layer in witness.layers.activations if layer.stride is not None}
    return list(last.values()) or [witness.layers.addressable[-1].name]


def grouped(seen: Seen, units: int) -> Examples:
    """What was seen of examples, unit after unit, as many of each."""
    return {layer: values.view(units, -1, values.shape[1]) for layer, values in seen.items()}


def _beside_others(seen: Seen, examples: Examples) -> Float[Tensor, "picture"]:
    """The mean cosine of each picture with the others, averaged over layers."""
    found = torch.stack([cosines(*[_scaled(one, examples[layer])] * 2) for layer, one in seen.items()])
    return found.nanmean(0).fill_diagonal_(torch.nan).nanmean(1)


def _scaled(values: Tensor, examples: Float[Tensor, "unit example number"]) -> Tensor:
    every = examples.flatten(0, 1).double()
    deviation = every.std(0)
    return (values.double() - every.mean(0)) / deviation.where(deviation > 0, torch.inf)


def _sized(crop: Canvas) -> Float[Tensor, "colour side side"]:
    size = (SIDE, SIDE)
    return functional.interpolate(crop[None], size, mode="bilinear", antialias=True, align_corners=False)[0].clamp(0, 1)
