"""Crops: pieces of photographs, turned, scaled, moved and recoloured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy
import PIL.Image
import torch
from jaxtyping import Float
from torch import Tensor

from hooke.errors import StimulusError
from hooke.modalities.image import photographs
from hooke.responses.stimuli.colours import hue_turned
from hooke.responses.stimuli.painting import Frame, Pixels, Setting, sampled, unit
from hooke.responses.stimuli.ranges import Choice, Circular, Linear, Logarithmic, Range
from hooke.responses.stimuli.stimulus import Stimulus

SIDE = 512
"""Longest side, in pixels, at which photographs are kept."""


@dataclass(frozen=True, eq=False)
class Photograph:
    """A photograph to cut from: its name and its pixels in RGB, values 0 to 1; `of` makes one from a picture."""

    name: str
    pixels: Float[Tensor, "3 height width"] = field(repr=False)

    @classmethod
    def of(cls, name: str, picture: PIL.Image.Image) -> "Photograph":
        """The picture with its longest side at most 512 pixels."""
        small = picture.convert("RGB")
        small.thumbnail((SIDE, SIDE))
        return cls(name, torch.from_numpy(numpy.array(small)).permute(2, 0, 1).float() / 255)


@dataclass(frozen=True)
class Crops(Stimulus):
    """A photograph that fills the canvas. At `scale` 1 its shorter side spans the canvas; `right` and `up` say which
    point of it (in its shorter sides, from its middle) lies at the stimulus' centre, around which it is turned by
    `rotation`; `hue` turns its colours. Where it ends it is mirrored. Make it with `crops`."""

    photographs: tuple[Photograph, ...]
    picture: Choice
    rotation: Range = Circular(360)
    scale: Range = Logarithmic(0.7, 2.8)
    right: Range = Linear(-0.25, 0.25, "sides")
    up: Range = Linear(-0.25, 0.25, "sides")
    hue: Range = Circular(360)

    def paint(
        self, values: Mapping[str, Setting], x: Pixels, y: Pixels, frame: Frame
    ) -> Float[Tensor, "batch 3 height width"]:
        short = min(frame.height, frame.width) * values["scale"]
        known = {photograph.name: photograph.pixels for photograph in self.photographs}
        names = [self.picture.names[int(index)] for index in values["picture"].flatten()]
        painted = []
        for sample, name in enumerate(names):
            pixels, one = known[name], slice(sample, sample + 1)
            rows = pixels.shape[1] / min(pixels.shape[1:])
            cosine, sine = unit(values["rotation"][one])
            right, up = values["right"][one] * short[one], values["up"][one] * short[one]
            away = (x + right * cosine - up * sine, y + right * sine + up * cosine)
            painted.append(sampled(pixels[None], *away, short[one] * rows, values["rotation"][one], mirrored=True))
        return hue_turned(torch.cat(painted), values["hue"])


def crops(pictures: Sequence[tuple[str, PIL.Image.Image]] = ()) -> Crops:
    """Crops of these named pictures, or of the photographs that ship with scikit-image.

    Errors: StimulusError where two pictures have the same name.
    """
    return _crops(tuple(Photograph.of(name, picture) for name, picture in pictures)) if pictures else _shipped()


@cache
def _shipped() -> Crops:
    return _crops(tuple(Photograph.of(name, picture) for name, picture in photographs()))


def _crops(found: tuple[Photograph, ...]) -> Crops:
    names = tuple(photograph.name for photograph in found)
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise StimulusError("crops of pictures", "two of them have the same name", choices=twice)
    return Crops(found, Choice(names))
