"""The canvas: as large as a unit's effective receptive field needs, and no worse for being small."""

import pytest

from hooke.visualization.ascent import Ascent
from hooke.visualization.drawing import visualize
from hooke.visualization.parametrizations import Fourier
from hooke.visualization.questions import canvas_side


@pytest.mark.parametrize(
    ("address", "side"),
    [
        ("blocks.1.1.bn2.act:3", 64),  # an effective field of 15 px
        ("blocks.3.1.bn2.act:3", 96),  # 57 px
        ("blocks.4.1.bn2.act:3", 128),  # a theoretical field of 275 px: not measured
        ("blocks.1.1.bn2.act:3 + blocks.4.1.bn2.act:3", 128),
        ("blocks.1.1.bn2.act:3@5,5", 224),  # a position is one of the model's own input
        ("logits:3", 128),
    ],
)
def test_the_side_follows_the_effective_receptive_field(default_model, address, side):
    assert canvas_side(default_model, default_model.resolve(address), Ascent()) == side


def test_what_is_asked_for_is_given(default_model):
    address = default_model.resolve("blocks.1.1.bn2.act:3")
    assert canvas_side(default_model, address, Ascent(Fourier(size=40))) == 40


def test_a_shallow_unit_is_driven_as_hard_on_its_small_canvas(default_model):
    units = [f"blocks.1.1.bn2.act:{channel}" for channel in (3, 40, 80, 120)]
    small = visualize(default_model, units, by=Ascent(steps=48))
    full = visualize(default_model, units, by=Ascent(Fourier(size=128), steps=48))
    assert [picture.image.shape[-1] for picture in small] == [64] * 4
    ratio = sum(one.response for one in small) / sum(one.response for one in full)
    assert ratio == pytest.approx(1, abs=0.1)
