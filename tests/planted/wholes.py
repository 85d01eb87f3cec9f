"""Units for a face as a whole, for its parts, and in between, with hand-written weights.

The first layer has one detector for each part: a template of the part drawn in its place, less its surround. The
second one combines them: ReLU(w . detectors - threshold), where the threshold says whether all parts are needed (a
conjunction), some, or one.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from hooke.modalities.image import Image
from hooke.models.model import Model
from hooke.models.opening import open
from hooke.responses.stimuli import Faces, Frame, Linear
from hooke.responses.stimuli.faces import PARTS

SIDE, SIZE = 48, 40
FRAME = Frame(SIDE, SIDE, SIDE / 2, SIDE / 2, SIDE)


def faces(field: float) -> Faces:
    """Faces of the planted size, shown within a pixel of the middle of a field of so many pixels."""
    upright = Faces().fixed(size=SIZE / field, orientation=0, colours="black on white")
    near = Linear(-1 / field, 1 / field, "fields")
    return replace(upright, right=near, up=near)


@dataclass(frozen=True)
class Unit:
    """What a unit is for, and its weights."""

    kind: str
    part: str | None
    weights: tuple[float, ...]
    threshold: float


def shown(arrangement: str) -> Tensor:
    """An arrangement in black on white, in the middle: [1, 3, side, side]."""
    kind = faces(SIDE).fixed(arrangement=arrangement, right=0, up=0)
    return kind.render({parameter: among.grid(1)[:1] for parameter, among in kind.ranges.items()}, FRAME)


def templates() -> Tensor:
    """One template for each part: +1 where it is, a ring of the same total weight around it: [part, 3, side, side]."""
    found = []
    for part in PARTS:
        inside = ((shown(f"only {part}") - 0.5).abs() * 2)[0, :1]
        wide = nn.functional.max_pool2d(inside[None], 7, 1, 3)[0]
        ring = (wide - inside).clamp(min=0)
        sign = 1.0 if part == "disc" else -1.0
        found.append(sign * (inside / inside.sum() - ring / ring.sum()))
    return torch.stack(found).expand(-1, 3, -1, -1) / 3


def draw(count: int, seed: int) -> list[Unit]:
    """Random units: conjunctions of all four parts, units for one part, sums, and conjunctions of three parts."""
    dice = torch.Generator().manual_seed(seed)
    units = []
    for number in range(count):
        weights = (0.85 + 0.3 * torch.rand(4, generator=dice)).tolist()
        share, part = float(torch.rand(1, generator=dice)), int(torch.randint(4, (1,), generator=dice))
        match number % 4:
            case 0:  # without its weakest part nothing is left above the threshold
                threshold = sum(weights) - min(weights) * (0.4 + 0.5 * share)
                units.append(Unit("whole", None, tuple(weights), threshold))
            case 1:
                others = (0.1 * torch.rand(4, generator=dice)).tolist()
                only = tuple(weights[at] if at == part else others[at] for at in range(4))
                units.append(Unit("part", PARTS[part], only, 0.1))
            case 2:
                units.append(Unit("several parts", None, tuple(weights), 0.2 * share))
            case _:
                three = tuple(0.0 if at == part else weights[at] for at in range(4))
                units.append(Unit("several parts", None, three, sum(three) - 0.6))
    return units


def look(units: list[Unit], noise: float, seed: int) -> Model:
    """The network of these units, its layer `3`; every template is mixed with a little of noise."""
    kernels = templates()
    dice = torch.Generator().manual_seed(seed)
    grain = torch.randn(kernels.shape, generator=dice)
    grain = (
        grain / grain.flatten(1).norm(dim=1)[:, None, None, None] * kernels.flatten(1).norm(dim=1)[:, None, None, None]
    )
    detectors = nn.Conv2d(3, 4, SIDE, padding=SIDE // 2)
    combined = nn.Conv2d(4, len(units), 1)
    with torch.no_grad():
        detectors.weight.copy_(kernels + noise * grain)
        detectors.bias.zero_()
        alone = torch.cat([shown(f"only {part}") for part in PARTS]) * 2 - 1
        detectors.weight.mul_(1.4 / (alone * detectors.weight).sum((1, 2, 3))[:, None, None, None])
        combined.weight.copy_(torch.tensor([unit.weights for unit in units])[:, :, None, None])
        combined.bias.copy_(-torch.tensor([unit.threshold for unit in units]))
    module = nn.Sequential(detectors, nn.Hardtanh(0, 1), combined, nn.ReLU())
    return open(module, modality=Image(SIDE, SIDE, (0.5,) * 3, (0.5,) * 3), labels=())
