"""Wobble: known movements move known pixels."""

import math

import pytest
import torch

from hooke.numeric.seeds import stream
from hooke.visualization.transforms import Still, Wobble


def view(transform, canvases, steps=1, names=("a",)):
    streams = [stream(0, name) for name in names]
    return transform.view(canvases, transform.draw(canvases.shape[-1], steps, streams)[0])


def test_without_movement_the_view_is_the_canvas():
    canvases = torch.rand(1, 3, 17, 17)
    assert torch.allclose(view(Wobble(jitter=0.0, scale=(1.0, 1.0), rotation=0.0), canvases), canvases, atol=1e-5)
    assert torch.equal(view(Still(), canvases), canvases)


def test_scale_two_doubles_the_size_of_a_disc():
    across = torch.arange(65) - 32
    disc = ((across[:, None] ** 2 + across[None] ** 2).sqrt() < 8).float()[None, None]
    seen = view(Wobble(jitter=0.0, scale=(2.0, 2.0), rotation=0.0), disc)
    assert seen.sum().item() / disc.sum().item() == pytest.approx(4, rel=0.05)


def test_draws_stay_within_their_stated_ranges_and_fill_them():
    wobble = Wobble(jitter=8.0, scale=(0.9, 1.1), rotation=10.0)
    maps = wobble.draw(128, 4000, [stream(0, "a")])[:, 0]
    turn = torch.atan2(maps[:, 1, 0], maps[:, 0, 0]) * 180 / math.pi
    size = 1 / torch.linalg.det(maps[:, :, :2]).sqrt()
    shift = maps[:, :, 2] * 128 / 2
    for values, low, high in ((turn, -10, 10), (size, 0.9, 1.1), (shift, -8, 8)):
        assert low - 1e-3 <= values.min() < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < values.max() <= high + 1e-3


def test_each_sample_draws_from_its_own_stream():
    wobble = Wobble()
    together = wobble.draw(64, 5, [stream(0, "a"), stream(0, "b")])
    assert torch.equal(together[:, 1], wobble.draw(64, 5, [stream(0, "b")])[:, 0])
    assert not torch.equal(together[:, 0], together[:, 1])


def test_the_resampling_is_that_of_torch_in_a_canvas_of_any_shape():
    wobble, canvases = Wobble(), torch.rand(2, 3, 24, 40)
    draws = wobble.draw(40, 1, [stream(0, "a"), stream(0, "b")])[0]
    grid = torch.nn.functional.affine_grid(draws, [2, 3, 24, 40], align_corners=False)
    expected = torch.nn.functional.grid_sample(canvases, grid, padding_mode="reflection", align_corners=False)
    assert torch.allclose(wobble.view(canvases, draws), expected, atol=1e-5)
