"""Every parametrization on the real model: a few steps raise the response, and a picture does not mind its batch."""

from dataclasses import replace

import pytest
import torch

import hooke
from hooke.numeric.fixed import Fixed
from hooke.visualization import Ascent, draw, visualize
from hooke.visualization.parametrizations import (
    CPPN,
    MACO,
    Coloured,
    Fourier,
    FromPhotograph,
    L2Ball,
    LInfinityBall,
    LowResolution,
    Masked,
    Pixels,
    Pyramid,
    Superposition,
    Transparent,
    fitted_colours,
    fitted_spectrum,
)  # fmt: skip
from hooke.visualization.transforms import Backgrounds, Chain, Wobble, preset

SIDE = 48
UNITS = ("blocks.2.0.bn2.act:7", "blocks.2.0.bn2.act:8")


@pytest.fixture(scope="module")
def photograph(default_model):
    modality = replace(default_model.modality, height=SIDE, width=SIDE)
    return modality.canvas(hooke.photographs()[0][1])


def methods(photograph):
    """Each parametrization by name, with the transforms that it wants."""
    known = Fixed(photograph)
    half = Fixed((torch.arange(SIDE) < SIDE // 2).float().expand(SIDE, SIDE))
    spectrum, colours = fitted_spectrum(photograph[None]), fitted_colours(photograph[None])
    plain = {
        "fourier": Fourier(), "pixels": Pixels(), "coarse": LowResolution(), "pyramid": Pyramid(),
        "function": CPPN(depth=3, width=12), "phases": MACO(), "own phases": MACO(spectrum=spectrum),
        "sum": Superposition((Fourier(), LowResolution())), "own colours": Coloured(Fourier(), colours),
        "photograph": FromPhotograph(known), "masked": Masked(known, half), "near": LInfinityBall(known),
        "round": L2Ball(known, radius=4.0),
    }  # fmt: skip
    moved = {name: (one, Wobble(jitter=2.0)) for name, one in plain.items()}
    moved["transparent"] = (Transparent(), Chain((Backgrounds(), Wobble(jitter=2.0))))
    moved |= {name: (Fourier(), preset(name)) for name in ("lucid", "inversion", "atlas", "vit")}
    return {name: Ascent(one.sized(SIDE), by, steps=24, rescue=0) for name, (one, by) in moved.items()}


NAMES = [*methods(torch.rand(3, SIDE, SIDE))]


@pytest.mark.parametrize("name", NAMES)
def test_a_few_steps_raise_the_response_and_neighbours_do_not_matter(default_model, photograph, name):
    method = methods(photograph)[name]
    alone = visualize(default_model, UNITS[1], by=method)
    start = visualize(default_model, UNITS[1], by=replace(method, steps=1))
    assert alone.response > start.response + 0.02
    assert 0 <= alone.image.min() < alone.image.max() <= 1
    among = visualize(default_model, [UNITS[0], UNITS[1]], by=method)[1]
    assert torch.equal(alone.image, among.image)


def test_crops_of_a_large_canvas_are_scored_at_the_size_of_the_views(default_model):
    from hooke.visualization.transforms import Crop, Uniform

    method = Ascent(Fourier(size=96), Chain((Crop(SIDE, Uniform(0.4, 0.6)),)), steps=12)
    first, last = (moment[0] for moment in draw(default_model, UNITS[:1], by=method, every=12))
    assert last.image.shape == (3, 96, 96)
    assert last.response > first.response
