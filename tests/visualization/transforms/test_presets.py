"""Presets: the published numbers, as the papers' code has them."""

import pytest
import torch

from hooke.errors import NumericsError
from hooke.numeric.seeds import stream
from hooke.visualization.transforms import (
    PRESETS,
    Affine,
    Chain,
    ColourJitter,
    Jitter,
    Joined,
    Pad,
    Rotate,
    Scale,
    Uniform,
    Wobble,
    preset,
)


def parts(name, kind):
    return [part for part in preset(name).parts if isinstance(part, kind)]


@pytest.mark.parametrize(
    ("name", "pads", "jitters", "scales", "angles"),
    [
        ("lucid", [12], [8, 4], [1 + (step - 5) / 50 for step in range(11)], [*range(-10, 11), *[0] * 5]),
        ("inversion", [8], [8, 2], [0.9, 0.95, 1.05, 1.1, *[1] * 4], [*range(-5, 5), *[0] * 5]),
        (
            "atlas", [16, 1], [4, 4, 8, 8, 8, 2], [0.998**power for power in range(20, 40)],
            [*range(-20, 20), *range(-10, 10), *range(-5, 5), *[0] * 5],
        ),
    ],
)  # fmt: skip
def test_the_published_numbers(name, pads, jitters, scales, angles):
    assert [(part.pixels, part.value) for part in parts(name, Pad)] == [(pixels, 0.5) for pixels in pads]
    for part, pixels in zip(parts(name, Jitter), jitters, strict=True):
        assert part.trim == pixels // 2
        assert part.shift.values == tuple(range(-(pixels // 2), pixels // 2 + 1))
    (scale,), (rotation,) = parts(name, Scale), parts(name, Rotate)
    assert list(scale.factor.values) == pytest.approx(scales)
    assert list(rotation.angle.values) == angles
    assert [type(stage) for stage in preset(name).stages] == [Joined]


def test_the_views_are_as_large_as_published():
    assert preset("lucid").extent(128) == 128 + 24 - 8 - 4
    assert preset("inversion").extent(224) == 224 + 16 - 8 - 2
    assert preset("atlas").extent(80) == 80


def test_the_transformers_preset():
    chain = preset("vit")
    (jitter, offset), roll, clip = chain.parts[:2], chain.parts[2], chain.parts[3]
    assert (jitter.shift, jitter.stretch) == (Uniform(-1.0, 1.0), Uniform(-1.0, 1.0))
    assert isinstance(offset, ColourJitter)
    assert offset.fades
    assert offset.shift.deviation == 0.5
    assert roll.pixels == 32
    seen = chain.view(torch.rand(1, 3, 48, 48), chain.draw(48, 1, [stream(0, "a")])[0])
    assert 0 <= seen.min() <= seen.max() <= 1
    assert type(clip).__name__ == "Clip"


def test_each_preset_gives_views():
    for name in PRESETS:
        transform = preset(name)
        seen = transform.view(torch.rand(1, 3, 64, 64), transform.draw(64, 2, [stream(0, "a")])[1])
        assert seen.shape[2] == transform.extent(64), name
        assert torch.isfinite(seen).all()
    assert preset("hooke") == Wobble()
    assert isinstance(preset("hooke"), Affine)
    assert isinstance(preset("crops"), Chain)


def test_a_name_that_is_none_lists_those_that_are():
    with pytest.raises(NumericsError, match=r"lucidd(.|\n)*hooke, still, lucid(.|\n)*perhaps 'lucid'"):
        preset("lucidd")
