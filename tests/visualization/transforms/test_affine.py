"""Movements in the plane: known movements move known pixels, and any number of them is one map."""

import math

import pytest
import torch

from hooke.numeric.seeds import stream
from hooke.visualization.transforms import (
    Chain,
    Choice,
    Crop,
    Flip,
    Jitter,
    Joined,
    Normal,
    Pad,
    Rotate,
    Scale,
    Shear,
    Still,
    Uniform,
    Wobble,
)


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


def only(value):
    return Choice((value,))


def test_a_quarter_turn_is_a_quarter_turn():
    canvases = torch.rand(1, 3, 16, 16)
    assert torch.allclose(view(Rotate(only(90.0)), canvases), torch.rot90(canvases, 1, (2, 3)), atol=1e-4)


def test_a_flip_a_shift_and_a_pad_are_exact():
    canvases = torch.rand(1, 2, 8, 8)
    assert torch.allclose(view(Flip(chance=1.0), canvases), canvases.flip(3), atol=1e-5)
    assert torch.allclose(view(Flip(chance=0.0), canvases), canvases, atol=1e-5)
    shifted = view(Jitter(only(2)), canvases)
    assert torch.allclose(shifted[..., :6, :6], canvases[..., 2:, 2:], atol=1e-5)
    padded = view(Pad(3, value=0.25), canvases)
    assert padded.shape == (1, 2, 14, 14)
    assert torch.allclose(padded, torch.nn.functional.pad(canvases, [3] * 4, value=0.25), atol=1e-5)


def test_a_jitter_with_trim_is_a_crop():
    canvases = torch.rand(1, 1, 12, 12)
    seen = view(Jitter(only(-2), trim=3), canvases)
    assert torch.allclose(seen, canvases[..., 1:7, 1:7], atol=1e-5)


def test_scales_apart_and_shears_have_their_matrices():
    streams = [stream(0, "a")]
    apart = Scale(Uniform(0.5, 2.0), apart=True).draw(32, 200, streams)[:, 0]
    assert (apart[:, 0, 0] != apart[:, 1, 1]).all()
    same = Scale(Uniform(0.5, 2.0)).draw(32, 200, streams)[:, 0]
    assert torch.equal(same[:, 0, 0], same[:, 1, 1])
    (slant,) = Shear(only(45.0)).draw(32, 1, streams)[:, 0]
    assert torch.allclose(slant, torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]]), atol=1e-6)


def test_a_crop_shows_its_square_and_at_rest_the_whole():
    canvases = torch.rand(1, 1, 32, 32)
    corner = view(Crop(8, only(0.25), only(-1.0)), canvases)
    assert torch.allclose(corner, canvases[..., :8, :8], atol=1e-5)
    maps = Crop(8, Uniform(0.2, 0.6), Normal(5.0)).draw(32, 500, streams=[stream(0, "a")])[:, 0]
    reach = maps[:, 0, 0] + maps[:, :, 2].abs().amax(dim=1)
    assert reach.max() <= 1 + 1e-6, "a square left the canvas"
    whole = Crop(8).rest(torch.full((1, 1, 32, 32), 0.3))
    assert whole.shape == (1, 1, 8, 8)
    assert torch.allclose(whole, torch.tensor(0.3))


def test_a_composition_is_the_product_of_the_matrices_and_one_resampling(monkeypatch):
    parts = (Pad(4), Jitter(Uniform(-3, 3), trim=1), Scale(Uniform(0.8, 1.2)), Rotate(Uniform(-20, 20)), Shear())
    chain = Chain(parts)
    assert [type(stage) for stage in chain.stages] == [Joined]
    draws = chain.draw(24, 3, [stream(0, "a")])
    expected, side, again = torch.eye(3).expand(3, 3, 3), 24, stream(0, "a")
    for part in parts:
        last = torch.tensor([0.0, 0.0, 1.0]).expand(3, 1, 3)
        expected = expected @ torch.cat([part.maps(side, 3, again), last], dim=1)
        side = part.extent(side)
    assert torch.allclose(draws[:, 0].reshape(3, 2, 3), expected[:, :2], atol=1e-6)

    calls, sampled = [], torch.nn.functional.grid_sample
    monkeypatch.setattr(
        torch.nn.functional, "grid_sample", lambda *given, **named: calls.append(1) or sampled(*given, **named)
    )
    seen = chain.view(torch.rand(1, 3, 24, 24), draws[0])
    assert len(calls) == 1
    assert seen.shape == (1, 3, 30, 30)
    assert chain.extent(24) == 30


def test_composed_exact_movements_are_those_one_after_another():
    canvases = torch.rand(2, 3, 16, 16)
    parts = (Pad(2, 0.5), Rotate(only(90.0)), Flip(1.0), Jitter(only(1), trim=2))
    seen = view(Chain(parts), canvases, names=("a", "b"))
    expected = torch.nn.functional.pad(canvases, [2] * 4, value=0.5)
    expected = torch.rot90(expected, 1, (2, 3)).flip(3)[..., 3:19, 3:19]
    assert torch.allclose(seen, expected, atol=1e-4)
