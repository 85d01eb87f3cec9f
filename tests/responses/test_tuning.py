"""Tuning against planted truths: what the hand-written network of `planted.edges` looks for is recovered."""

import dataclasses
import math
from pathlib import Path

import PIL.Image
import pytest
import torch
from planted import edges
from torch import nn

import hooke
from hooke.errors import AddressError, HookeError, NumericsError, RecordingError, StimulusError
from hooke.modalities.image import Image
from hooke.models.model import Model
from hooke.models.opening import open
from hooke.responses.estimates import along, band, strengths
from hooke.responses.invariance import invariances
from hooke.responses.placement import place, responses
from hooke.responses.stimuli import Faces, Gratings, Linear, Patches
from hooke.responses.tuning import Sweep, Tuning, draw_settings, tune


@pytest.fixture(scope="module")
def planted() -> Model:
    return edges.look()


@pytest.fixture(scope="module")
def gratings(planted: Model) -> Gratings:
    """At full contrast and the planted frequency."""
    field = place(planted, "1").frame.field
    return Gratings().fixed(contrast=1, frequency=edges.FREQUENCY * field)


@pytest.fixture(scope="module")
def orientation(planted: Model, gratings: Gratings) -> Tuning:
    return tune(planted, "1", gratings, over="orientation", by=Sweep(steps=36, samples=16))


def test_the_tuning_is_the_exact_one(orientation: Tuning) -> None:
    """Of every unit, against its Fourier transform: the shape to 1%, the height to 6% (16 phases are averaged;
    the mixtures answer to different phases at different orientations)."""
    kernels, angles = edges.kernels(), orientation.axes[0].values
    for unit in (*edges.EDGES, *edges.SCALES, *edges.CHIRAL):
        exact = edges.tuning_of(kernels[unit], angles, edges.FREQUENCY)
        found = orientation.mean[unit]
        assert torch.allclose(found / found.max(), exact / exact.max(), atol=0.06 if unit in edges.CHIRAL else 0.01)
        assert float(found.max()) == pytest.approx(float(exact.max()), rel=0.06)


def test_preferred_orientation_width_and_selectivity(orientation: Tuning) -> None:
    """The half width follows from the Gabor's formula: its transform is a Gaussian around its own frequency."""
    found = along(orientation, "orientation")
    angles = torch.arange(0.0, 180.0)
    for unit, planted in zip(edges.EDGES, edges.ORIENTATIONS, strict=True):
        one = found[unit]
        assert (one.preferred.value - planted + 90) % 180 - 90 == pytest.approx(0, abs=0.5)
        assert (one.direction.value - planted + 90) % 180 - 90 == pytest.approx(0, abs=0.5)
        width = math.degrees(2 * math.asin(math.sqrt(math.log(2) / (8 * (math.pi * 3 / 8) ** 2))))
        assert one.half_width.value == pytest.approx(width, abs=1.0)
        exact = edges.tuning_of(edges.kernels()[unit], angles, edges.FREQUENCY)
        vector = (exact * torch.exp(2j * torch.deg2rad(angles))).sum() / exact.sum()
        assert one.selectivity.value == pytest.approx(float(vector.abs()), abs=0.01)
        for estimate in (one.preferred, one.half_width, one.selectivity):
            assert estimate.low <= estimate.value + 1e-3
            assert estimate.value <= estimate.high + 1e-3
        if unit % 2 == 0:  # an odd Gabor's answer to one phase jumps where stripes have turned by 180 degrees
            assert one.preferred.high - one.preferred.low < 3
    assert found[edges.BLOB].selectivity.value < 0.02
    assert math.isnan(found[edges.DEAD].preferred.value)
    assert found[edges.DEAD].selectivity.value == 0
    assert (found[0].measured_in, found[0].width_unit) == ("°", "°")


def test_preferred_frequency_in_octaves(planted: Model) -> None:
    field = place(planted, "1").frame.field
    kind = Gratings().fixed(contrast=1, orientation=90)
    found = along(tune(planted, "1", kind, over="frequency", by=Sweep(steps=25, samples=12)), "frequency")
    for unit, octave in zip(edges.SCALES, edges.OCTAVES, strict=True):
        expected = edges.FREQUENCY * field / 2**octave
        assert math.log2(found[unit].preferred.value / expected) == pytest.approx(0, abs=0.1)
        assert found[unit].width_unit == "octaves"
        assert found[unit].selectivity is None


def test_hue_tuning_is_a_cosine(planted: Model) -> None:
    kind = Patches().fixed(lightness=0.5)
    tuning = tune(planted, "1", kind, over="hue", by=Sweep(steps=36, samples=6))
    for unit, planted_hue in zip(edges.COLOURS, edges.HUES, strict=True):
        one = along(tuning, "hue")[unit]
        assert (one.preferred.value - planted_hue + 180) % 360 - 180 == pytest.approx(0, abs=1)
        assert one.half_width.value == pytest.approx(60, abs=0.5)
        assert one.selectivity.value == pytest.approx(math.pi / 4, abs=0.01)  # of a rectified cosine


def test_the_response_is_the_units_own(planted: Model, gratings: Gratings) -> None:
    """At the middle position; for a neuron at its own; for a direction the weighted sum."""
    whole = tune(planted, "1", gratings, over="orientation", by=Sweep(4, 2))
    some = tune(planted, ["1:3", "1:1"], gratings, over="orientation", by=Sweep(4, 2, batch=3))
    assert torch.allclose(whole.responses[[3, 1]], some.responses, atol=1e-6)
    assert (whole.position, len(whole.units)) == ((32, 32), 20)
    direction = tune(planted, "2*1:3 - 1:1", gratings, over="orientation", by=Sweep(4, 2))
    assert torch.allclose(direction.responses[0], 2 * some.responses[0] - some.responses[1], atol=1e-5)
    neuron = tune(planted, "1:3@20,24", gratings, over="orientation", by=Sweep(4, 2))
    assert torch.allclose(neuron.responses[0], some.responses[0], atol=1e-5)  # the stimulus moves along
    assert (neuron.frame.row, neuron.frame.column) == (20.5, 24.5)
    placement = place(planted, "1:3@20,24")
    canvas = torch.rand(1, 3, 64, 64)
    expected = hooke.activations(planted, planted.modality.normalize(canvas), ["1"])["1"][0, 3, 20, 24]
    assert torch.allclose(responses(planted, placement, canvas)[0, 0], expected)


def test_the_same_seed_gives_the_same_tuning(planted: Model, gratings: Gratings) -> None:
    first, again, other = (
        tune(planted, "1:0", gratings, over="orientation", by=Sweep(4, 3), seed=seed) for seed in (0, 0, 1)
    )
    assert torch.equal(first.responses, again.responses)
    assert first.provenance.key == again.provenance.key
    assert not torch.equal(first.responses, other.responses)
    assert first.provenance.key != other.provenance.key


def test_settings_fill_their_ranges_evenly_and_do_not_depend_on_each_other() -> None:
    settings = draw_settings(Gratings(), ["orientation"], 10, 0)
    assert set(settings) == {"frequency", "phase", "contrast"}
    assert sorted((settings["phase"] // 36).tolist()) == list(range(10))
    fewer = draw_settings(Gratings(), ["orientation", "frequency"], 10, 0)
    assert torch.equal(fewer["phase"], settings["phase"])


def test_two_parameters_at_once(planted: Model) -> None:
    kind = Gratings().fixed(contrast=1)
    tuning = tune(planted, "1:2", kind, over=("orientation", "frequency"), by=Sweep((16, 9), 8))
    assert tuning.responses.shape == (1, 8, 16, 9)
    best = tuning.best("1:2")
    field = tuning.frame.field
    assert best["orientation"] == 45
    assert math.log2(best["frequency"] / (edges.FREQUENCY * field)) == pytest.approx(0, abs=0.25)
    low, high = band(tuning)
    assert low.shape == high.shape == tuning.mean.shape
    assert bool(((low <= tuning.mean + 1e-5) & (tuning.mean <= high + 1e-5)).all())
    assert along(tuning, "frequency")[0].preferred.value == pytest.approx(edges.FREQUENCY * field, rel=0.15)


def test_the_interval_covers_the_truth_as_often_as_it_says(planted: Model, gratings: Gratings) -> None:
    """20 settings of the phase, 60 times: the exact mean lies in about 95% of the intervals (a binomial bound)."""
    exact = float(edges.tuning_of(edges.kernels()[0], torch.tensor([0.0]), edges.FREQUENCY)[0])
    dice = torch.Generator().manual_seed(0)
    answers = (2 * math.pi * torch.rand(60, 1, 20, 1, generator=dice)).cos().clamp(min=0) * exact * math.pi
    base = tune(planted, "1:0", gratings, over="orientation", by=Sweep(2, 2))
    covered = 0
    for number, one in enumerate(answers):
        estimate = strengths(dataclasses.replace(base, responses=one, settings={}), seed=number)[0].best
        covered += estimate.low <= exact <= estimate.high
    assert covered >= 50


def test_invariance(planted: Model) -> None:
    """A rectified sine keeps 1/pi of its best over all phases, half of it over contrast from 0 to 1."""
    field = place(planted, "1").frame.field
    kind = Gratings(contrast=Linear(0, 1)).fixed(frequency=edges.FREQUENCY * field)
    tuning = tune(planted, "1", kind, over="orientation", by=Sweep(8, 16))
    found = invariances(planted, tuning, "1:4")
    assert set(found) == {"phase", "contrast"}
    assert found["phase"].value == pytest.approx(1 / math.pi, abs=0.02)
    assert found["contrast"].value == pytest.approx(0.5, abs=0.01)
    assert found["phase"].low <= found["phase"].value <= found["phase"].high
    assert all(math.isnan(one.value) for one in invariances(planted, tuning, edges.DEAD).values())


def test_a_layer_without_positions_and_a_grey_model() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    model = open(module, modality=Image(16, 16, (0.5,), (0.5,), channels=1), labels=())
    tuning = tune(model, "3:1", Gratings(), over="orientation", by=Sweep(3, 2))
    assert (tuning.position, tuning.frame.field) == (None, 16)
    assert tuning.frame.channels == 1


def test_beside_recorded_data(planted: Model, gratings: Gratings, tmp_path: Path) -> None:
    """Mean, deviation and maximum of each unit over four pictures, of which every position is sampled; a direction has
    a mean only, and another model's recording is refused."""
    pixels = torch.randint(256, (4, 64, 64, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    pictures = [PIL.Image.fromarray(one.numpy()) for one in pixels]
    recording = hooke.record(planted, pictures, at=["1"], out=tmp_path / "recording", positions=64 * 64)
    shown = torch.stack([planted.modality.canvas(picture) for picture in pictures])
    values = hooke.activations(planted, planted.modality.normalize(shown), ["1"])["1"].transpose(0, 1).flatten(1)

    units = ["1:0", "1:9", "2*1:0 - 1:9"]
    plain = tune(planted, units, gratings, over="orientation", by=Sweep(4, 2))
    tuning = tune(planted, units, gratings, over="orientation", by=Sweep(4, 2), recording=recording)
    assert plain.data is None
    assert strengths(plain)[0].sigmas is None
    assert torch.equal(plain.responses, tuning.responses)
    assert tuning.data is not None
    mean = values[[0, 9]].mean(1)
    assert torch.allclose(tuning.data.mean, torch.stack([*mean, 2 * mean[0] - mean[1]]), rtol=1e-4)
    assert torch.allclose(tuning.data.deviation[:2], values[[0, 9]].std(1, correction=0), rtol=1e-3)
    assert torch.allclose(tuning.data.maximum[:2], values[[0, 9]].amax(1), rtol=1e-4)
    edge, _, direction = strengths(tuning)
    assert edge.sigmas == pytest.approx(float((tuning.mean[0].max() - mean[0]) / values[0].std()), rel=1e-3)
    assert edge.share_of_maximum == pytest.approx(float(tuning.mean[0].max() / values[0].max()), rel=1e-3)
    assert math.isnan(direction.sigmas)
    assert math.isnan(direction.share_of_maximum)

    other = open(nn.Sequential(nn.Conv2d(3, 20, 3), nn.ReLU()), modality=planted.modality, labels=())
    with pytest.raises(RecordingError, match="another model"):
        tune(other, "1:0", gratings, over="orientation", by=Sweep(4, 2), recording=recording)


def test_refusals(planted: Model) -> None:
    def refused(
        kind: type[HookeError], *units: str, over: object = "orientation", by: Sweep | None = None
    ) -> HookeError:
        with pytest.raises(kind) as refusal:
            tune(planted, units or "1:0", Gratings(), over=over, by=by)
        return refusal.value

    assert "orientation" in refused(StimulusError, over="orientaton").choices
    assert refused(StimulusError, over=()).choices
    assert refused(StimulusError, over=("phase", "phase")).choices
    refused(StimulusError, by=Sweep(steps=1))
    refused(AddressError, "1:99")
    refused(AddressError, "0:1", "1:1")
    refused(AddressError, "1:0", "1")
    refused(AddressError, "0:0 -> 1:0")
    tuning = tune(planted, "1:0", Gratings(), over="orientation", by=Sweep(2, 1))
    with pytest.raises(StimulusError, match="was not swept"):
        along(tuning, "phase")
    with pytest.raises(AddressError, match="not tuned"):
        tuning.unit("1:1")
    with pytest.raises(StimulusError, match="only one value"):
        tune(planted, "1:0", Gratings().fixed(phase=0), over="phase")
    broken = open(nn.Sequential(nn.Conv2d(3, 1, 3)), modality=Image(8, 8, (0.5,) * 3, (0.5,) * 3), labels=())
    nn.init.constant_(broken.module[0].weight, math.nan)
    with pytest.raises(NumericsError, match="NaN"):
        tune(broken, "0:0", Faces(), over="arrangement", by=Sweep(2, 1))
