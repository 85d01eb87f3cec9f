"""Coarse to fine: first steps on half the canvas, then with it in the middle, and the same guarantees as without."""

import itertools

import pytest
import torch
from torch import nn
from visualization.by_hand import opened

from hooke.errors import NumericsError
from hooke.modalities.image import Image
from hooke.numeric.seeds import stream
from hooke.visualization import Ascent, Fourier, Search, question, visualize
from hooke.visualization.ascent import ascend
from hooke.visualization.objectives import Response
from hooke.visualization.parametrizations import MACO, Natural, Pixels
from hooke.visualization.transforms import preset

WIDE = Image(160, 160, (0.0,) * 3, (1.0,) * 3)
UNITS = [Response("out", (channel, None, None)) for channel in (1, 2)]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 5), nn.ReLU(), nn.Conv2d(8, 8, 3))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return opened(
        nn.Conv2d(3, 8, 5, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4), modality=WIDE
    )


def run(network, method, units=UNITS, every=2, known=None):
    streams = [stream(0, str(one)) for one in units]
    return ascend(lambda canvases: {"out": network(canvases)}, units, method, 32, 3, streams, every, known=known)


@pytest.mark.parametrize("part", [Fourier(), Fourier(decay=1.5)])
def test_a_spectrum_grown_is_its_picture_in_the_middle_of_what_it_begins_with(part):
    small = part.start(16, 3, [stream(0, "a"), stream(0, "b")]) * 20
    begun = part.start(48, 3, [stream(0, "c"), stream(0, "d")])
    large = part.render(part.grown(small, torch.zeros_like(begun)))
    across = (torch.arange(48) - 23.5).square()
    away = (across[:, None] + across).sqrt()
    expected = nn.functional.pad(part.render(small), (16, 16, 16, 16))
    assert (large - expected)[..., away <= 7].abs().max() < 1e-5
    assert (large - 0.5)[..., away >= 14].abs().max() < 1e-5
    halfway = (away - 10.5).abs() < 0.3  # of a cosine from 1 to 0: a half, before the sigmoid
    tiled = part.render(small).logit().repeat(1, 1, 3, 3)[..., halfway]
    assert (large[..., halfway].logit() - tiled / 2).abs().max() < 0.1 * tiled.abs().max()
    both = part.render(part.grown(small, begun)).logit() - part.render(begun).logit()
    assert (both - large.logit()).abs().max() < 1e-3


@pytest.mark.parametrize("part", [Fourier(), Natural(Fourier())])
def test_going_on_from_any_state_gives_the_same_bytes_and_so_does_any_company(network, part):
    method = Ascent(part, steps=12, coarse=4)
    moments = [(moment, moment.state()) for moment in run(network, method)]
    assert [moment.step for moment, _ in moments] == [0, 2, 4, 6, 8, 10, 12]
    last = moments[-1][0]
    for moment, state in moments[:-1]:
        again = list(run(network, method, known=state))
        assert torch.equal(again[0].canvases, moment.canvases)
        assert torch.equal(again[-1].canvases, last.canvases)
        assert again[-1].scores.tolist() == last.scores.tolist()
    alone = list(run(network, method, UNITS[1:], every=100))[-1]
    assert torch.equal(alone.canvases[0], last.canvases[1])


def test_coarse_pictures_are_shown_side_by_side_and_then_told_apart(network):
    moments = list(run(network, Ascent(steps=8, coarse=4, rate=0.3)))
    for moment in moments:
        quarters = [moment.canvases[..., down : down + 16, across : across + 16]
                    for down, across in itertools.product((0, 16), (0, 16))]  # fmt: skip
        same = all(torch.equal(quarters[0], other) for other in quarters[1:])
        assert same == (moment.step < 4), moment.step
    assert (moments[-1].scores > moments[2].scores).all()


def test_a_unit_that_nothing_moves_is_still_also_where_its_border_counts(network):
    border = lambda canvases: {"out": nn.functional.pad(0 * canvases + 1, (1, 1, 1, 1))}  # noqa: E731
    streams = [stream(0, str(one)) for one in UNITS]
    last = list(ascend(border, UNITS, Ascent(steps=8, coarse=4), 32, 3, streams, 100))[-1]
    assert last.still.tolist() == [True, True]


def test_a_unit_that_the_small_canvas_cannot_wake_is_woken_on_the_large_one():
    def dark_then_bright(canvases):
        light = canvases.mean((1, 2, 3), keepdim=True)
        return {"out": nn.functional.relu(20 * light - 11 if canvases.shape[2] == 32 else -1000 - 20 * light)}

    unit = Response("out", (0, None, None))
    streams = [stream(0, "a")]
    last = list(ascend(dark_then_bright, [unit], Ascent(steps=60, coarse=20), 32, 3, streams, 100))[-1]
    assert last.scores[0] > 1


def test_early_ends_are_looked_for_on_the_whole_canvas_only(network):
    constant = 0.0 * UNITS[0] + 1.0
    method = Ascent(steps=20, coarse=8, search=Search(plateau=0.01, patience=3))
    last = list(run(network, method, [constant]))[-1]
    assert last.stopped == (13,)


def test_it_is_the_default_for_maps_at_128_pixels_and_nowhere_else(model):
    def coarse(address, **settings):
        return question(model, address, by=Ascent(**settings)).method.get("coarse")

    wide = Fourier(size=128)
    assert coarse("1:3", parametrization=wide) == 32
    assert coarse("1:3 - 1:4", parametrization=wide, steps=18) == 4
    assert coarse("1:3", parametrization=wide, coarse=5) == 5
    plain = question(model, "1:3", by=Ascent(wide, coarse=0))
    assert "coarse" not in plain.method  # so what was drawn before there were such steps has the same key
    assert coarse("1:3", parametrization=Fourier(size=96)) is None
    assert coarse("1:3", parametrization=MACO(size=128)) is None
    assert coarse("1:3", parametrization=wide, transform=preset("lucid")) is None
    assert coarse("1:3", parametrization=wide, search=Search(target=1.0)) is None
    assert coarse("1:3@2,2", parametrization=wide) is None
    assert coarse("logits:2", parametrization=wide) is None


def test_what_cannot_begin_coarse_is_refused_in_words(model):
    for settings in ({"steps": 8, "coarse": 8}, {"parametrization": MACO(), "coarse": 8}, {"transform": preset("vit")}):
        with pytest.raises(NumericsError, match="cannot begin on a smaller canvas"):
            Ascent(**({"coarse": 4} | settings))
    with pytest.raises(NumericsError, match="no half"):
        visualize(model, "1:3", by=Ascent(Fourier(size=65), steps=4, coarse=2))


class Claiming(Pixels):
    """Says that it grows, and not how."""

    @property
    def grows(self):
        return True


def test_one_s_own_parametrization_that_does_not_say_how_it_grows_is_told(model):
    with pytest.raises(NumericsError, match=r"Claiming(.|\n)*no way to grow(.|\n)*coarse=0"):
        visualize(model, "1:3", by=Ascent(Claiming(size=64), steps=4, coarse=2))
