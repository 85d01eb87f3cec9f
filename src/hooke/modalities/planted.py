"""Planted pictures: generated, with the exact pixels that decide the label; all else is drawn without regard to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Generator, Tensor

from hooke.errors import DataError
from hooke.modalities.scenes import COLOURS, TURN, background, pattern, radii, radius, turned
from hooke.numeric.seeds import stream
from hooke.shapes import Canvases

SIDE = 48
"""Of a planted picture in pixels."""

PLATE = 9
"""Side of a watermark in pixels."""

OBJECTS = ("red circle", "green square", "blue triangle", "yellow cross")
SCENES = ("smooth", "striped", "dotted", "checked")
TEXTURES = SCENES[1:]
OUTLINES = ("circle", "triangle", "cross")
FIRST, SECOND, OTHERS = 0, 2, (1, 3)
"""The two objects of a conjunction, and what stands in for one that is missing."""

LABELS = {
    "object": OBJECTS,
    "scene": SCENES,
    "texture": TEXTURES,
    "shape": OUTLINES,
    "watermark": ("plus", "ring", "bars"),
    "conjunction": ("not both", "red circle and blue triangle"),
}
"""What each set's labels are called. `object` and `scene` are the same pictures, and so are `texture` and `shape`."""

DECOYS = {
    "object": SCENES,
    "scene": OBJECTS,
    "texture": OUTLINES,
    "shape": TEXTURES,
    "watermark": OBJECTS[:3],
    "conjunction": ("the second is missing", "the first is missing", "both are missing"),
}
"""What else is in the pictures and says nothing of the label (of a conjunction, what is wrong where there is none)."""

Labels = Int[Tensor, "picture"]
Masks = Bool[Tensor, "picture height width"]


@dataclass(frozen=True, eq=False)
class Planted:
    """Pictures of one set: values 0 to 1, label, decoy, and where the pixels are that the label decides.

    Another label with the same seed and decoy changes pixels in the masks of the two only, so a network that is right
    can have it from nowhere else. `without`: the same pictures with nothing planted into the background;
    `inside`: where something was.
    """

    canvases: Canvases
    labels: Labels
    decoys: Labels
    masks: Masks
    inside: Masks
    without: Canvases

    def __len__(self) -> int:
        return len(self.canvases)


def plant(
    name: str, labels: Sequence[int] | Labels, seed: int, decoys: Sequence[int] | Labels | None = None
) -> Planted:
    """One picture of the set for each label, by its index in `LABELS`; decoys are drawn from the seed unless given.

    `object`: one of four objects on one of four scenes (after Yang & Kim, "Benchmarking attribution methods with
    relative feature importance", 2019), and the object decides; `scene`: the same, and all but the object decides.
    `texture`: a shape filled with a texture, whose inside decides; `shape`: the same, and the pixels decide that the
    shapes of this size do not all share (after Geirhos et al., "ImageNet-trained CNNs are biased towards texture",
    2019). `watermark`: a small plate over a scene with an object. `conjunction`: two objects, and it takes both.
    Errors: DataError for a set or a label that there is not.
    """
    if name not in LABELS:
        raise DataError(f"the planted set {name!r}", "there is no such set", choices=list(LABELS))
    wanted = _checked(labels, len(LABELS[name]), name, "labels")
    drawn = torch.randint(len(DECOYS[name]), (len(wanted),), generator=stream(seed, "decoys"))
    others = drawn if decoys is None else _checked(decoys, len(DECOYS[name]), name, "decoys")
    if len(others) != len(wanted):
        raise DataError(f"the planted set {name!r}", f"{len(others)} decoys for {len(wanted)} labels")
    canvases, masks, inside, without = DRAWN[name](wanted, others, stream(seed, "planted"))
    return Planted(canvases, wanted, others, masks, inside, without)


def balanced(name: str, count: int, seed: int) -> Labels:
    """So many labels, each as often as the others but for one, in random order."""
    number = len(LABELS[name]) if name in LABELS else 1
    return (torch.arange(count) % number)[torch.randperm(count, generator=stream(seed, "labels"))]


Drawn = tuple[Canvases, Masks, Masks, Canvases]
"""Pictures, what decides, what was planted at all, and the pictures without that."""


def _object(labels: Tensor, decoys: Tensor, dice: Generator) -> Drawn:
    behind = _behind(decoys, dice, 0.4)
    inside, drawn = _pasted(behind, labels, dice)
    return _finished(drawn, behind, inside, inside, dice)


def _scene(labels: Tensor, decoys: Tensor, dice: Generator) -> Drawn:
    canvases, _, inside, without = _object(decoys, labels, dice)
    return canvases, ~inside, inside, without


def _texture(labels: Tensor, decoys: Tensor, dice: Generator) -> Drawn:
    canvases, inside, _, without = _filled(labels, decoys, dice)
    return canvases, inside, inside, without


def _shape(labels: Tensor, decoys: Tensor, dice: Generator) -> Drawn:
    canvases, inside, edges, without = _filled(decoys, labels, dice)
    return canvases, edges, inside, without


def _watermark(labels: Tensor, decoys: Tensor, dice: Generator) -> Drawn:
    count = len(labels)
    scene = _behind(torch.randint(len(SCENES), (count,), generator=dice), dice, 0.2)
    _, behind = _pasted(scene, decoys, dice)
    line = torch.arange(PLATE)
    middle = (line - PLATE // 2).abs()
    glyphs = torch.stack([
        (middle[:, None] <= 1) | (middle[None] <= 1),
        torch.maximum(middle[:, None], middle[None]) >= 3,
        (line[:, None] % 3 == 1).expand(PLATE, PLATE),
    ]).float()  # fmt: skip
    plates = 0.1 + 0.9 * glyphs[labels]
    corner = torch.randint(SIDE - PLATE + 1, (2, count, 1, 1), generator=dice)
    rows, columns = torch.arange(SIDE)[:, None] - corner[0], torch.arange(SIDE)[None] - corner[1]
    inside = (rows >= 0) & (rows < PLATE) & (columns >= 0) & (columns < PLATE)
    spread = plates[torch.arange(count)[:, None, None], rows.clamp(0, PLATE - 1), columns.clamp(0, PLATE - 1)]
    drawn = torch.where(inside[:, None], 0.3 * behind + 0.7 * spread[:, None], behind)
    return _finished(drawn, behind, inside, inside, dice)


def _conjunction(labels: Tensor, decoys: Tensor, dice: Generator) -> Drawn:
    count = len(labels)
    behind = _behind(torch.randint(len(SCENES), (count,), generator=dice), dice, 0.2)
    stands = torch.tensor(OTHERS)[torch.randint(2, (2, count), generator=dice)]
    whole = labels == 1
    first = torch.where(whole | (decoys == 0), FIRST, stands[0])
    second = torch.where(whole | (decoys == 1), SECOND, stands[1])
    swapped = torch.randint(2, (count, 1, 1), generator=dice) * 2.0 - 1
    upright = torch.randint(2, (count, 1, 1), generator=dice).bool()
    drawn, inside = behind, torch.zeros(count, SIDE, SIDE, dtype=torch.bool)
    for kind, half in ((first, swapped), (second, -swapped)):
        size = 7 + 3 * torch.rand(count, 1, 1, generator=dice)
        own, along = ((2 * torch.rand(count, 1, 1, generator=dice) - 1) for _ in range(2))
        apart = half * SIDE / 4 + own * (SIDE / 4 - size)
        along = along * (SIDE / 2 - size)
        where, drawn = _pasted(
            drawn, kind, dice, size, torch.where(upright, apart, along), torch.where(upright, along, apart)
        )
        inside = inside | where
    return _finished(drawn, behind, inside, inside, dice)


DRAWN: dict[str, Callable[[Tensor, Tensor, Generator], Drawn]] = {
    "object": _object,
    "scene": _scene,
    "texture": _texture,
    "shape": _shape,
    "watermark": _watermark,
    "conjunction": _conjunction,
}


def _behind(kinds: Tensor, dice: Generator, least: float) -> Canvases:
    """Smooth backgrounds of any colour with patterns of these kinds, of strength `least` or up to 0.2 more."""
    smooth = background(len(kinds), dice, SIDE)
    strength = least + 0.2 * torch.rand(len(kinds), 1, 1, 1, generator=dice)
    return smooth * (1 - strength * pattern(kinds, dice, SIDE)[:, None])


def _pasted(
    behind: Canvases, kinds: Tensor, dice: Generator, size: Tensor | None = None,
    down: Tensor | float | None = None, across: Tensor | float | None = None,
) -> tuple[Masks, Canvases]:  # fmt: skip
    """Objects before backgrounds, with hard edges; place and size are drawn unless given."""
    count = len(kinds)
    size = 8 + 4 * torch.rand(count, 1, 1, generator=dice) if size is None else size
    room = SIDE / 2 - size
    down, across = (
        (2 * torch.rand(count, 1, 1, generator=dice) - 1) * room if given is None else given for given in (down, across)
    )
    rows, columns = turned((2 * torch.rand(count, 1, 1, generator=dice) - 1) * TURN, down, across, SIDE)
    inside = radius(rows, columns, kinds) < size
    shade = torch.tensor(list(COLOURS.values()))[kinds][:, :, None, None]
    shade = shade + 0.1 * (2 * torch.rand(count, 3, 1, 1, generator=dice) - 1)
    return inside, torch.where(inside[:, None], shade, behind)


def _filled(textures: Tensor, outlines: Tensor, dice: Generator) -> Drawn:
    """Textured shapes on smooth backgrounds: pictures, the inside, what the shapes do not all share, and without."""
    count = len(textures)
    behind = _behind(torch.zeros_like(textures), dice, 0.0)
    size = 13 + 4 * torch.rand(count, 1, 1, generator=dice)
    down, across = ((2 * torch.rand(count, 1, 1, generator=dice) - 1) * (SIDE / 2 - size) for _ in range(2))
    rows, columns = turned((2 * torch.rand(count, 1, 1, generator=dice) - 1) * TURN, down, across, SIDE)
    known = radii(rows, columns)[:, [0, 2, 3]] < size[:, None]
    inside = known[torch.arange(count), outlines]
    marks = (0.6 + 0.4 * torch.rand(count, 1, 1, 1, generator=dice)) * pattern(textures + 1, dice, SIDE)[:, None]
    shade = torch.rand(count, 3, 1, 1, generator=dice)
    towards = (shade.mean(1, keepdim=True) < 0.5).float()
    drawn = torch.where(inside[:, None], shade * (1 - marks) + towards * marks, behind)
    differing = known.any(1) & ~known.all(1)
    return _finished(drawn, behind, inside, differing, dice)


def _finished(drawn: Canvases, behind: Canvases, first: Masks, second: Masks, dice: Generator) -> Drawn:
    """With light and noise, the same in both."""
    light = 0.8 + 0.35 * torch.rand(len(drawn), 1, 1, 1, generator=dice)
    noise = 0.02 * torch.randn(drawn.shape, generator=dice)
    return (drawn * light + noise).clamp(0, 1), first, second, (behind * light + noise).clamp(0, 1)


def _checked(values: Sequence[int] | Tensor, count: int, name: str, what: str) -> Labels:
    found = torch.as_tensor(values, dtype=torch.long)
    if found.ndim != 1 or (len(found) and not 0 <= int(found.min()) <= int(found.max()) < count):
        raise DataError(f"the {what} of the planted set {name!r}", f"they are whole numbers from 0 to {count - 1}")
    return found
