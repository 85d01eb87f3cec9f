"""Transforms by name: the published sets, and Hooke's own."""

from collections.abc import Callable, Mapping

from hooke.visualization.choosing import chosen
from hooke.visualization.transforms.affine import Crop, Jitter, Pad, Rotate, Scale, Wobble
from hooke.visualization.transforms.chain import Chain
from hooke.visualization.transforms.filters import Clip, ColourJitter, Noise, Roll
from hooke.visualization.transforms.spreads import Choice, Normal, Uniform
from hooke.visualization.transforms.transform import Still, Transform


def lucid() -> Transform:
    """Lucid's `standard_transforms` (Olah et al. 2017)."""
    scales = tuple(1 + (step - 5) / 50 for step in range(11))
    angles = (*range(-10, 11), *[0] * 5)
    return Chain((Pad(12), _jitter(8), Scale(Choice(scales)), Rotate(Choice(angles)), _jitter(4)))


def inversion() -> Transform:
    """Of Lucid's notebook on feature inversion."""
    scales, angles = (0.9, 0.95, 1.05, 1.1, *[1.0] * 4), (*range(-5, 5), *[0] * 5)
    return Chain((Pad(8), _jitter(8), Scale(Choice(scales)), Rotate(Choice(angles)), _jitter(2)))


def atlas() -> Transform:
    """Of the activation atlas (Carter et al. 2019), whose views are as large as its canvas of 80 pixels."""
    scales = tuple(0.998**power for power in range(20, 40))
    angles = (*range(-20, 20), *range(-10, 10), *range(-5, 5), *[0] * 5)
    jitters = (_jitter(4), _jitter(4), _jitter(8), _jitter(8), _jitter(8))
    return Chain((Pad(16), *jitters, Scale(Choice(scales)), Rotate(Choice(angles)), _jitter(2), Pad(1)))


def vit() -> Transform:
    """Of "What do vision transformers learn?" (Ghiasi et al. 2022): colours, then noise on them, then a roll."""
    fading = ColourJitter(Normal(0.5), Choice((0.0,)), fades=True)
    return Chain((ColourJitter(), fading, Roll(32), Clip()))


def tokens(side: int = 64) -> Wobble:
    """For transformers, which see a patch where it lies: smaller movements, of at most 1/32 of the side."""
    return Wobble(jitter=side / 32, scale=(0.95, 1.05), rotation=5.0)


def crops() -> Transform:
    """Random crops of a large canvas with a little noise, as MACO takes them (Fel et al. 2023)."""
    return Chain((Crop(128, Uniform(0.25, 0.5), Normal(0.3)), Noise(0.04)))


PRESETS: Mapping[str, Callable[[], Transform]] = {
    "hooke": Wobble, "still": Still, "lucid": lucid, "inversion": inversion, "atlas": atlas, "vit": vit, "crops": crops,
    "tokens": tokens,
}  # fmt: skip


def preset(name: str, side: int = 64) -> Transform:
    """The transforms of that name: "hooke" (the default), "still", "lucid", "inversion", "atlas", "vit", "crops",
    "tokens".

    `side`: of the model's input in pixels, by a share of which "tokens" moves.
    Errors: NumericsError for a name that is none, with the names that there are.
    """
    make = chosen("transforms", name, PRESETS)
    return tokens(side) if make is tokens else make()


def _jitter(pixels: int) -> Jitter:
    """Lucid's: a random crop that is `pixels` smaller."""
    half = pixels // 2
    return Jitter(Choice(tuple(range(-half, half + 1))), trim=half)
