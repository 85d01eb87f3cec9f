"""The canvas: as large as a unit's effective receptive field needs, and no worse for being small."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from visualization.by_hand import PLAIN, Free, opened

from hooke.models.recording import activations
from hooke.visualization import Still
from hooke.visualization.ascent import Ascent
from hooke.visualization.drawing import visualize
from hooke.visualization.parametrizations import Fourier
from hooke.visualization.questions import asked


@pytest.mark.parametrize(
    ("address", "side"),
    [
        ("blocks.1.1.bn2.act:3", 64),  # an effective field of 15 px
        ("blocks.3.1.bn2.act:3", 96),  # 57 px
        ("blocks.4.1.bn2.act:3", 128),  # a theoretical field of 275 px: not measured
        ("blocks.1.1.bn2.act:3 + blocks.4.1.bn2.act:3", 128),
        ("blocks.1.1.bn2.act:3@5,5", 64),  # a neuron has a canvas of its own
        ("blocks.1.1.bn2.act:3@0,5", 224),  # it sees the border of the model's own input
        ("blocks.6.0.bn2.act:3@3,3", 224),  # it needs all of it
        ("blocks.1.1.bn2.act:3@28,20 - blocks.1.0.bn2.act:8@28,28", 80),  # two that stand 32 px apart
        ("logits:3", 128),
    ],
)
def test_the_side_follows_the_effective_receptive_field(default_model, address, side):
    assert asked(default_model, address, Ascent(), 0).side == side


def test_what_is_asked_for_is_given(default_model):
    address = default_model.resolve("blocks.1.1.bn2.act:3")
    assert asked(default_model, address, Ascent(Fourier(size=40)), 0).side == 40


def test_a_shallow_unit_is_driven_as_hard_on_its_small_canvas(default_model):
    units = [f"blocks.1.1.bn2.act:{channel}" for channel in (3, 40, 80, 120)]
    small = visualize(default_model, units, by=Ascent(steps=48))
    full = visualize(default_model, units, by=Ascent(Fourier(size=128), steps=48))
    assert [picture.image.shape[-1] for picture in small] == [64] * 4
    ratio = sum(one.response for one in small) / sum(one.response for one in full)
    assert ratio == pytest.approx(1, abs=0.1)


def test_a_neuron_is_drawn_as_a_full_canvas_draws_it_inside_its_receptive_field():
    """The neuron sees 7 x 7 px; from grey and without movement both pictures are the very same numbers there."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, stride=2, padding=1), nn.ReLU()]
    model = opened(*layers, modality=replace(PLAIN, height=96, width=96))
    method = Ascent(Free(), Still(), steps=30)
    small = visualize(model, "3:5@20,30", by=method)
    full = visualize(model, "3:5@20,30", by=replace(method, parametrization=Free(size=96)))
    (top, bottom), (left, right) = model.layers.region("3", (20, 30))
    assert (small.image.shape[-1], full.image.shape[-1], bottom - top) == (64, 96, 5)
    seen = full.image[:, top:bottom, left:right]
    changed = (small.image - 0.5).abs().sum(0).nonzero()
    first, last = changed.amin(0), changed.amax(0) + 1
    assert torch.equal(last - first, torch.tensor([5, 5]))  # nothing else of the canvas was ever moved
    there = small.image[:, first[0] : last[0], first[1] : last[1]]
    assert (there - seen).abs().max() < 1e-5
    assert (seen - 0.5).abs().mean() > 0.2
    assert small.response == pytest.approx(full.response, rel=1e-5)
    assert small.address == full.address == "3:5@20,30"
    assert small.provenance.key != full.provenance.key


def test_what_a_neuron_answers_to_its_small_canvas_it_answers_in_the_model_s_own_input(default_model):
    layer = "blocks.2.0.bn2.act"
    picture = visualize(default_model, f"{layer}:8@14,20", by=Ascent(steps=32))
    side = picture.image.shape[-1]
    assert side == 64
    regions = [default_model.layers.region(layer, position) for position in ((14, 20), (3, 3))]
    (top, left), (own_top, own_left) = [[first for first, _ in region] for region in regions]
    whole = torch.full(default_model.modality.shape, 0.5)
    down, across = top - own_top, left - own_left
    whole[:, down : down + side, across : across + side] = picture.image
    values = activations(default_model, default_model.modality.normalize(whole[None]), [layer])[layer]
    assert values[0, 8, 14, 20].item() == pytest.approx(picture.response, rel=1e-3)
    assert picture.response > 3
