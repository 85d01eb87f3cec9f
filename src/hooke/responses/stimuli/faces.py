"""Faces: a disc, two dots and a bar, arranged as a face; its parts; and the same parts in wrong places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.responses.stimuli.colours import GROUND, ink, over
from hooke.responses.stimuli.painting import Frame, Pixels, Setting, covered, turned
from hooke.responses.stimuli.ranges import Choice, Linear, Logarithmic, Range
from hooke.responses.stimuli.stimulus import Stimulus

Spot = tuple[float, float] | None

PARTS = ("disc", "left eye", "right eye", "mouth")
HOME: dict[str, tuple[float, float]] = {
    "disc": (0.0, 0.0), "left eye": (-0.19, 0.13), "right eye": (0.19, 0.13), "mouth": (0.0, -0.2),
}  # fmt: skip
"""Where the parts of a face lie, in sizes, to the right and up."""

EYE, MOUTH = 0.15, (0.36, 0.09)
"""The diameter of an eye, the width and height of a mouth, in sizes."""

SCRAMBLED: dict[str, dict[str, tuple[float, float]]] = {
    "scrambled: a row": {"left eye": (-0.32, 0.0), "mouth": (0.0, 0.0), "right eye": (0.32, 0.0)},
    "scrambled: a column": {"left eye": (0.0, 0.02), "right eye": (0.0, -0.26), "mouth": (0.0, 0.28)},
    "scrambled: one side": {"left eye": (-0.3, -0.13), "right eye": (-0.3, 0.15), "mouth": (0.15, 0.05)},
    "scrambled: outside": {"left eye": (-0.62, 0.3), "right eye": (0.62, -0.3), "mouth": (0.0, 0.62)},
}
"""All parts of a face, none of the three small ones where it belongs; none of these is a face turned or mirrored."""


def _arrangements() -> dict[str, dict[str, tuple[float, float]]]:
    found = {"face": HOME}
    for part in PARTS:
        found[f"without {part}"] = {name: place for name, place in HOME.items() if name != part}
    for part in PARTS:
        found[f"only {part}"] = {part: HOME[part]}
    found["only eyes"] = {name: HOME[name] for name in ("left eye", "right eye")}
    for name, places in SCRAMBLED.items():
        found[name] = {"disc": HOME["disc"]} | places
    return found


ARRANGEMENTS = _arrangements()

SCHEMES = Choice(("black on white", "white on black", "black on yellow", "black on red"))


@dataclass(frozen=True)
class Faces(Stimulus):
    """A face of a disc, two dots and a bar, or what is left of it; `size` is the disc's diameter, `colours` those of
    the small parts on the disc, `orientation` the tilt."""

    arrangement: Choice = Choice(tuple(ARRANGEMENTS))
    size: Range = Logarithmic(0.5, 1, "fields")
    orientation: Range = Linear(-15, 15, "°")
    right: Range = Linear(-0.08, 0.08, "fields")
    up: Range = Linear(-0.08, 0.08, "fields")
    colours: Choice = SCHEMES

    def paint(
        self, values: Mapping[str, Setting], x: Pixels, y: Pixels, frame: Frame
    ) -> Float[Tensor, "batch 3 height width"]:
        size = values["size"] * frame.field
        x, y = x - values["right"] * frame.field, y - values["up"] * frame.field
        along, across = turned(x, y, values["orientation"])
        chosen = [ARRANGEMENTS[self.arrangement.names[int(index)]] for index in values["arrangement"].flatten()]
        small, large = (
            ink(values["colours"], Choice(tuple(name.split(" on ")[end] for name in self.colours.names)))
            for end in (0, 1)
        )
        picture: Tensor = torch.full((len(chosen), 3, *x.shape[1:]), GROUND)
        for part in PARTS:
            share = _part(part, [places.get(part) for places in chosen], along, across, size)
            picture = over(picture, share, large if part == "disc" else small)
        return picture


def _part(part: str, spots: Sequence[Spot], along: Pixels, across: Pixels, size: Setting) -> Pixels:
    """How much of each pixel a part covers, in each sample; nothing where it has no place."""
    here = torch.tensor([spot is not None for spot in spots])[:, None, None]
    right, up = torch.tensor([spot or (0.0, 0.0) for spot in spots])[:, :, None, None].unbind(1)
    along, across = along - right * size, across - up * size
    if part == "mouth":
        wide, tall = (side / 2 * size for side in MOUTH)
        share = covered(along.abs() - wide) * covered(across.abs() - tall)
    else:
        share = covered(torch.hypot(along, across) - (EYE if part.endswith("eye") else 1.0) * size / 2)
    return share * here
