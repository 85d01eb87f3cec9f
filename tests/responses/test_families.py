"""Families against planted ones: turned, scaled, recoloured and mirrored units are found, and shuffled ones are not."""

import dataclasses

import pytest
import torch
from planted import edges

from hooke.errors import StimulusError
from hooke.models.model import Model
from hooke.responses.families import Likeness, aligned, alike, families, reflections, shuffled
from hooke.responses.placement import place
from hooke.responses.stimuli import Faces, Gratings, Logarithmic, Patches
from hooke.responses.tuning import Sweep, Tuning, tune


def names(units) -> set[str]:
    return {f"1:{unit}" for unit in units}


@pytest.fixture(scope="module")
def planted() -> Model:
    return edges.look()


@pytest.fixture(scope="module")
def turned(planted: Model) -> Tuning:
    field = place(planted, "1").frame.field
    middle = edges.FREQUENCY * field
    kind = Gratings(frequency=Logarithmic(middle / 2.8284, middle * 2.8284)).fixed(contrast=1)
    return tune(planted, "1", kind, over=("orientation", "frequency"), by=Sweep((16, 7), 8))


def test_a_family_under_rotation(turned: Tuning) -> None:
    """The eight edges, each where it was planted; the middle one of the scales has the same size, so it belongs."""
    found = families(turned, "orientation")
    assert set(found[0].units) == names([*edges.EDGES, edges.SCALES[1]])
    first = found[0].units[0]
    planted = {f"1:{unit}": angle for unit, angle in zip(edges.EDGES, edges.ORIENTATIONS, strict=True)} | {"1:15": 90.0}
    for unit, shift in zip(found[0].units, found[0].shifts, strict=True):
        assert (shift - planted[unit] + planted[first] + 90) % 180 - 90 == pytest.approx(0, abs=12)  # a step is 11.25
    assert found[0].likeness > 0.97
    assert not {f"1:{edges.DEAD}", f"1:{edges.BLOB}"} & {unit for family in found for unit in family.units}


def test_a_family_under_scale(turned: Tuning) -> None:
    found = families(turned, "frequency", by=Likeness(threshold=0.9, modulation=0.2))
    (scales,) = [family for family in found if f"1:{edges.SCALES[0]}" in family.units]
    shifts = dict(zip(scales.units, scales.shifts, strict=True))
    assert names(edges.SCALES) <= set(shifts)
    assert shifts["1:14"] - shifts["1:15"] == pytest.approx(0.5, abs=0.01)
    assert shifts["1:15"] - shifts["1:16"] == pytest.approx(0.5, abs=0.01)


def test_a_family_under_hue(planted: Model) -> None:
    tuning = tune(planted, "1", Patches().fixed(lightness=0.5), over=("hue", "size"), by=Sweep((24, 4), 4))
    (found,) = families(tuning, "hue")
    assert found.units == tuple(f"1:{unit}" for unit in edges.COLOURS)
    steps = [after - before for before, after in zip(found.shifts, found.shifts[1:], strict=False)]
    assert steps == pytest.approx([90, 90, 90])


def test_mirror_images_are_told_from_turned_units(turned: Tuning) -> None:
    first, turn, mirror = (f"1:{unit}" for unit in edges.CHIRAL)
    pairs = reflections(turned, "orientation")
    assert {frozenset(pair.units) for pair in pairs} <= {frozenset((first, mirror)), frozenset((turn, mirror))}
    assert len(pairs) == 1
    plain, _ = alike(turned, "orientation")
    assert plain[edges.CHIRAL[0], edges.CHIRAL[1]] > 0.99
    assert plain[edges.CHIRAL[0], edges.CHIRAL[2]] < 0.95


def test_shuffled_tunings_have_no_families(turned: Tuning) -> None:
    control = shuffled(turned, "orientation", seed=0)
    assert torch.equal(control.responses.sort(2).values, turned.responses.sort(2).values)
    assert families(control, "orientation") == []
    assert reflections(control, "orientation") == []


def test_a_unit_that_is_nearly_flat_is_in_no_family(turned: Tuning) -> None:
    """Copies of an edge, turned: with its frequency profile but a hundredth of its orientation tuning, on top of a
    constant answer, and with a tuning that is another at each setting. A copy at half its height belongs, though."""
    whole = turned.responses[[*edges.EDGES, edges.SCALES[1]]]
    moved = turned.responses[2].roll(3, 1)
    flat = moved.mean(1, keepdim=True).expand_as(moved)
    profiled, constant = flat + 0.01 * (moved - flat), moved * 0.1 + moved.max()
    erratic = torch.stack([3 * one.roll(2 * number, 0) for number, one in enumerate(turned.responses[2])])
    strange = [profiled, constant, erratic, 0.5 * moved]
    names = (*(f"edge:{unit}" for unit in range(9)), "profiled", "constant", "erratic", "weaker")
    responses = torch.cat([whole, torch.stack(strange)])
    tuning = dataclasses.replace(turned, units=names, responses=responses, grey=torch.zeros(len(names)))
    plain, _ = alike(tuning, "orientation")
    assert float(plain[2, [9, 10, 12]].min()) > 0.99
    (found,) = families(tuning, "orientation")
    assert set(found.units) == {*names[:9], "weaker"}
    assert {"profiled", "constant"} <= set(families(tuning, "orientation", by=Likeness(modulation=0))[0].units)


def test_spread_over_the_settings_is_not_tuning(turned: Tuning) -> None:
    """Responses that are chance: what is left of them in the mean may be like anything, and takes no part."""
    dice = torch.Generator().manual_seed(0)
    chance = torch.rand(40, 8, 4, 2, generator=dice)
    tuning = dataclasses.replace(
        turned, units=tuple(f"1:{unit}" for unit in range(40)), responses=chance,
        axes=tuple(dataclasses.replace(axis, values=axis.values[::4]) for axis in turned.axes), grey=torch.zeros(40),
    )  # fmt: skip
    assert families(tuning, "orientation", by=Likeness(threshold=0.8, modulation=0)) == []
    assert families(tuning, "orientation", by=Likeness(threshold=0.8, modulation=0, reliability=-100)) != []


def test_curves_aligned_at_their_peaks(turned: Tuning) -> None:
    away, curves = aligned(turned, "orientation")
    assert away.tolist() == pytest.approx([11.25 * step for step in range(-8, 8)])
    assert torch.allclose(curves[list(edges.EDGES), 8], torch.ones(8))
    assert float(curves[list(edges.EDGES)].std(0).max()) < 0.02
    assert bool(curves[edges.DEAD].isnan().all())
    _, open_ended = aligned(turned, "frequency")
    assert bool(open_ended[edges.SCALES[0]].isnan().any())


def test_refusals(turned: Tuning, planted: Model) -> None:
    with pytest.raises(StimulusError, match="goes round"):
        reflections(turned, "frequency")
    with pytest.raises(StimulusError, match="not swept"):
        families(turned, "phase")
    faces = tune(planted, "1:0", Faces(), over="arrangement", by=Sweep(2, 1))
    with pytest.raises(StimulusError, match="names"):
        families(faces, "arrangement")
