"""Drawings of planted networks, of which the best picture is known."""

import itertools
from dataclasses import replace

import pytest
import torch
from torch import nn
from visualization.by_hand import Free, opened, turned

from hooke.errors import NumericsError
from hooke.models.recording import activations
from hooke.numeric.fixed import Fixed
from hooke.storage.store import Store
from hooke.visualization import Ascent, Fourier, Still, draw, visualize
from hooke.visualization.objectives import (
    L2,
    Alignment,
    Direction,
    Distance,
    Diversity,
    Interpolation,
    TotalVariation,
    accentuation,
    batchnorm_prior,
    caricature,
    facet,
    inversion,
    matching,
    objective,
    style,
)

STILL = Ascent(Fourier(size=16), Still(), steps=80, rate=0.1)
"""No movement."""

FREE = Ascent(Free(size=16), Still(), steps=100, rate=0.1)
"""Neither movement nor correlated colours: what is optimal is found."""


@pytest.fixture(scope="module")
def colours():
    """Three channels that are three perpendicular mixtures of red, green and blue."""
    return opened(turned())


@pytest.fixture(scope="module")
def photograph():
    """A smooth picture, values 0.1 to 0.9."""
    ramp = torch.linspace(0.1, 0.9, 16)
    return torch.stack([ramp.expand(16, 16), ramp.expand(16, 16).T, ramp.flip(0).expand(16, 16)])


@pytest.fixture(scope="module")
def deep():
    torch.manual_seed(1)
    return opened(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU())


def layer_of(model, layer, picture):
    return activations(model, model.modality.normalize(picture[None]), [layer])[layer][0]


def alike(one, other):
    return torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1].item()


def test_a_direction_is_found(colours):
    weights = colours.module[0].weight[:, :, 0, 0]
    wanted = weights @ torch.tensor([1.0, -1.0, -1.0])  # red, and neither green nor blue
    for power in (0.0, 2.0):
        image = visualize(colours, Direction("0", Fixed(wanted), power), by=FREE).image
        red, green, blue = image.mean(dim=(1, 2))
        assert red > 0.9
        assert max(green, blue) < 0.1


def test_negative_units_are_lowered(deep):
    up, down = visualize(deep, ["2:1", "-2:1"], by=STILL)
    grey = layer_of(deep, "2", torch.full((3, 16, 16), 0.5))[1].mean().item()
    assert up.response > grey
    assert -down.response < grey
    assert layer_of(deep, "2", down.image)[1].mean().item() == pytest.approx(-down.response, rel=1e-4)


def test_inversion_reconstructs_through_a_layer_that_can_be_undone(colours, photograph):
    picture = visualize(colours, inversion(colours, "0", photograph), by=FREE)
    assert (picture.image - photograph).abs().max() < 0.01
    assert picture.response == pytest.approx(0.0, abs=1e-3)


def test_a_caricature_exaggerates(colours, photograph):
    centred = opened(turned(), modality=replace(colours.modality, mean=(0.5,) * 3))
    image = visualize(centred, caricature(centred, "0", photograph), by=replace(FREE, steps=30)).image
    assert alike(image, photograph) > 0.8
    assert (image - 0.5).abs().mean() > 1.3 * (photograph - 0.5).abs().mean()


def test_style_is_met_without_the_content(deep, photograph):
    wanted = style(deep, ["1", "3"], photograph)
    picture = visualize(deep, wanted, by=STILL)
    first = next(iter(draw(deep, [wanted], by=STILL, every=1000)))[0]
    assert picture.response > 0.2 * first.response  # five times nearer
    assert (picture.image - photograph).abs().mean() > 0.05


def test_accentuation_stays_nearer_than_the_unit_alone(deep, photograph):
    unit = objective(deep, "3:2")
    near = visualize(deep, accentuation(unit, deep, "1", photograph, strength=1.0), by=STILL)
    free = visualize(deep, unit, by=STILL)
    away = Distance("1", Fixed(layer_of(deep, "1", photograph)))
    distances = [away.score({"1": layer_of(deep, "1", one.image)}).item() for one in (near, free)]
    assert distances[0] < 0.5 * distances[1]
    assert unit.score({"3": layer_of(deep, "3", near.image)}) > unit.score({"3": layer_of(deep, "3", photograph)})


def dissimilarity(model, layer, pictures):
    together = [{layer: layer_of(model, layer, picture.image)} for picture in pictures]
    return Diversity(layer, len(pictures)).scores(together).sum().item()


def test_diversity_makes_pictures_less_alike(deep):
    unit = objective(deep, "3:2")
    same = visualize(deep, unit + 0.0 * Diversity("1", 4), by=STILL)
    different = visualize(deep, unit + 10.0 * Diversity("1", 4), by=STILL)
    assert len(same) == len(different) == 4
    assert dissimilarity(deep, "1", different) > dissimilarity(deep, "1", same) + 0.05


def test_alignment_makes_neighbours_more_alike(deep):
    way = Interpolation(objective(deep, "3:1"), objective(deep, "3:2"), 4)
    free, aligned = (visualize(deep, way + weight * Alignment("1", 4), by=STILL) for weight in (0.0, 30.0))

    def apart(pictures):
        maps = [layer_of(deep, "1", picture.image) for picture in pictures]
        return sum((a - b).square().mean().item() for a, b in itertools.pairwise(maps))

    assert apart(aligned) < 0.5 * apart(free)


def test_interpolation_begins_and_ends_with_the_units_themselves(deep):
    one, other = objective(deep, "3:1"), objective(deep, "3:2")
    pictures = visualize(deep, Interpolation(one, other, 3), by=STILL)
    firsts = [one.score({"3": layer_of(deep, "3", picture.image)}).item() for picture in pictures]
    lasts = [other.score({"3": layer_of(deep, "3", picture.image)}).item() for picture in pictures]
    assert firsts[0] == max(firsts)
    assert lasts[2] == max(lasts)
    assert pictures[1].response == pytest.approx((firsts[1] + lasts[1]) / 2, rel=1e-3)


def test_penalties_are_heeded(deep):
    unit = objective(deep, "3:2")
    plain, smooth, grey = (
        visualize(deep, one, by=STILL).image for one in (unit, unit - 20 * TotalVariation(), unit - 100 * L2())
    )
    assert smooth.diff(dim=1).abs().mean() < 0.5 * plain.diff(dim=1).abs().mean()
    assert (grey - 0.5).abs().mean() < 0.5 * (plain - 0.5).abs().mean()


def test_the_batchnorm_prior_brings_statistics_near():
    torch.manual_seed(0)
    model = opened(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU())
    data = 0.5 + 0.1 * torch.randn(64, 3, 16, 16)
    model.module.train()(data)
    model.module[1].momentum = 1.0
    model.module.train()(data)
    model.module.eval()
    unit = objective(model, "2:1")
    prior = batchnorm_prior(model, unit)
    plain, steadied = visualize(model, unit, by=STILL), visualize(model, unit - 20.0 * prior, by=STILL)
    off = [prior.score({"0": layer_of(model, "0", one.image)}).item() for one in (plain, steadied)]
    assert off[1] < 0.3 * off[0]


def test_a_distribution_is_matched(deep, photograph):
    naturals = torch.stack([photograph, photograph.flip(1)])
    wanted = matching(deep, ["1"], naturals)
    picture = visualize(deep, wanted, by=replace(STILL, steps=150))
    assert picture.response > -0.05
    grey = wanted.score({"1": layer_of(deep, "1", torch.full((3, 16, 16), 0.5))}).item()
    assert grey < -0.1


def test_a_facet_turns_a_unit_of_two_minds():
    """The unit fires for red or for blue; its facets are one of them each."""
    model = opened(nn.Conv2d(3, 2, 1, bias=False), nn.ReLU(), nn.Conv2d(2, 1, 1, bias=False))
    with torch.no_grad():
        model.module[0].weight.copy_(torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])[:, :, None, None])
        model.module[2].weight.fill_(1.0)
    red, blue = torch.zeros(2, 3, 16, 16), torch.zeros(2, 3, 16, 16)
    red[:, 0], blue[:, 2] = 1.0, 1.0
    unit = objective(model, "2:0")
    short = replace(FREE, steps=6)
    for these, those, channel in ((red, blue, 0), (blue, red, 2)):
        wanted = facet(unit, model, "1", these, those, strength=2.0)
        image = visualize(model, wanted, by=short).image
        means = image.mean(dim=(1, 2))
        assert means[channel] > means[2 - channel] + 0.05


def test_a_group_is_the_same_bytes_alone_and_among_others_and_is_never_split(deep):
    three = objective(deep, "3:2") + 10.0 * Diversity("3", 3)
    two = objective(deep, "3:4") + 10.0 * Diversity("3", 2)
    quick = Ascent(Fourier(size=16), steps=6, batch=4)
    alone = visualize(deep, three, by=quick)
    among = visualize(deep, ["3:1", three, two, "3:5"], by=quick)
    assert [picture.address for picture in among][1:4] == [f"{three}: picture {place} of 3" for place in (1, 2, 3)]
    for one, other in zip(alone, among[1:4], strict=True):
        assert torch.equal(one.image, other.image)
    sizes = [len(pictures) for pictures in draw(deep, [two, three, "3:1"], by=quick, every=100)]
    assert sizes == [2, 2, 4, 4]  # each batch at its first and at its last step
    assert len({picture.provenance.key for picture in among}) == len(among)


def test_a_group_larger_than_the_batch_gets_a_batch_of_its_own(deep):
    six = objective(deep, "3:2") + Diversity("3", 6)
    pictures = visualize(deep, six, by=Ascent(Fourier(size=16), steps=2))
    assert len(pictures) == 6
    assert pictures[0].provenance.question["method"]["batch"] == 6


def test_objectives_are_kept_and_read_back(deep, tmp_path):
    two = objective(deep, "3:4") + 10.0 * Diversity("3", 2)
    quick, store = Ascent(Fourier(size=16), steps=3), Store(tmp_path)
    first = visualize(deep, [two, inversion(deep, "3", torch.full((3, 16, 16), 0.3))], by=quick, store=store)
    again = list(draw(deep, [two], by=quick, store=store))
    assert len(again) == 1
    assert [one.image.tolist() for one in again[0]] == [one.image.tolist() for one in first[:2]]
    other = inversion(deep, "3", torch.full((3, 16, 16), 0.4))  # another photograph is another question
    assert visualize(deep, other, by=quick, store=store).provenance.key != first[2].provenance.key


def test_a_photograph_of_another_size_is_refused_in_words(deep):
    wanted = inversion(deep, "3", torch.full((3, 16, 16), 0.3))
    with pytest.raises(NumericsError, match="size of the photograph"):
        visualize(deep, wanted, by=Ascent(Fourier(size=24), steps=2))
