"""Random views of the canvas, so that a picture must please from every near viewpoint."""

from hooke.visualization.transforms.affine import (
    Affine,
    Crop,
    Flip,
    Jitter,
    Joined,
    Pad,
    Rotate,
    Scale,
    Shear,
    Wobble,
)  # fmt: skip
from hooke.visualization.transforms.backgrounds import Backgrounds
from hooke.visualization.transforms.chain import Chain
from hooke.visualization.transforms.filters import Blur, Clip, ColourJitter, Noise, Roll
from hooke.visualization.transforms.presets import PRESETS, preset
from hooke.visualization.transforms.spreads import Choice, Normal, Spread, Uniform
from hooke.visualization.transforms.transform import Still, Transform

__all__ = [
    "PRESETS", "Affine", "Backgrounds", "Blur", "Chain", "Choice", "Clip", "ColourJitter", "Crop", "Flip",
    "Jitter", "Joined", "Noise", "Normal", "Pad", "Roll", "Rotate", "Scale", "Shear", "Spread", "Still", "Transform",
    "Uniform", "Wobble", "preset",
]  # fmt: skip
