"""Everything that runs a model runs on whatever device it was opened on, and says there what it says on the CPU."""

import pytest
import torch

from hooke import edits
from hooke.cli.layers import effective_sides as layer_sides
from hooke.modalities.image import photographs
from hooke.models.opening import open
from hooke.models.receptive_fields import effective_receptive_field
from hooke.models.recording import activations
from hooke.models.taps import tapped
from hooke.responses.crops import view
from hooke.responses.record import record
from hooke.studies.semantic_dictionary import semantic_dictionary
from hooke.visualization import Ascent, Fourier, fitting_batch, visualize
from hooke.visualization.objectives import Interpolation, Material, named, objective, penalized
from hooke.visualization.objectives.named import OBJECTIVES
from hooke.visualization.parametrizations import PARAMETRIZATIONS, Transparent, parametrization
from hooke.visualization.search import Search
from hooke.visualization.transforms import PRESETS, Backgrounds, Chain, Wobble, preset

LAYER = "blocks.1.1.bn2.act"
UNITS = [f"{LAYER}:{channel}" for channel in (6, 78)]

PLACES = [
    pytest.param(("cpu", "bfloat16"), id="cpu-bfloat16"),
    pytest.param(
        ("cuda", "float32"), id="cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")
    ),
    pytest.param(
        ("mps", "float32"), id="mps",
        marks=pytest.mark.skipif(not torch.backends.mps.is_available(), reason="no MPS here"),
    ),
]  # fmt: skip
"""Everywhere but where all other tests run: float32 on the CPU."""

NUMBER = {torch.float32: 1e-2, torch.bfloat16: 0.3}
"""How far a tensor may be from the CPU's, in shares of its largest value (TF32 and other orders of summing)."""

PIXEL = {torch.float32: 0.02, torch.bfloat16: 0.1}
"""How far a pixel (0 to 1) of a short drawing may be from the CPU's, on average over the picture."""


@pytest.fixture(scope="module", params=PLACES)
def elsewhere(request, default_model):
    device, precision = request.param
    given = default_model
    return open(given.module, device=device, precision=precision, modality=given.modality, labels=given.labels)


@pytest.fixture(scope="module")
def cat(default_model):
    return default_model.modality.canvas(photographs()[0][1])


@pytest.fixture(scope="module")
def part(cat):
    """A piece of the photograph, as large as the canvases that are drawn here."""
    return cat[:, 80:144, 80:144]


def close(found, expected, tolerance):
    found = found.detach().float().cpu()
    assert found.shape == expected.shape
    assert float((found - expected.detach()).abs().max()) <= tolerance * float(expected.abs().max())


def test_pictures_and_their_responses_are_those_of_the_cpu(default_model, elsewhere):
    method = Ascent(Fourier(size=64), steps=8)
    ours = visualize(default_model, UNITS, by=method)
    for one, other in zip(ours, visualize(elsewhere, UNITS, by=method), strict=True):
        assert other.image.device.type == "cpu"
        assert float((one.image - other.image.float()).abs().mean()) <= PIXEL[elsewhere.dtype]
        assert other.response == pytest.approx(one.response, rel=10 * NUMBER[elsewhere.dtype])


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_draws(elsewhere, name):
    picture = visualize(elsewhere, UNITS[0], by=Ascent(Fourier(size=96), preset(name), steps=2))
    assert bool(torch.isfinite(picture.image).all())


@pytest.mark.parametrize("name", PARAMETRIZATIONS)
def test_every_parametrization_draws(elsewhere, name):
    between = Interpolation(objective(elsewhere, UNITS[0]), objective(elsewhere, UNITS[1]), 2)
    pictures = visualize(elsewhere, [between], by=Ascent(parametrization(name).sized(64), steps=2, batch=2))
    assert all(bool(torch.isfinite(picture.image).all()) for picture in pictures)


def test_transparent_pictures_early_ends_and_attempts(elsewhere):
    search = Search(attempts=2, plateau=0.5, patience=1, smooth_pooling=True)
    see_through = Ascent(Transparent(Fourier(size=64)), Chain((Backgrounds(), Wobble())), steps=4, search=search)
    picture = visualize(elsewhere, UNITS[0], by=see_through)
    assert picture.image.shape == (4, 64, 64)


WHOLE = ("direction", "inversion", "caricature", "style")
"""Objectives of a whole layer."""


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_draws(elsewhere, part, name):
    vector = torch.ones(elsewhere.layer(LAYER).channels or 0)
    material = Material([part], [part.flip(2)], (LAYER,), {"count": 2}, UNITS[1], vector)
    wanted = named(elsewhere, name, LAYER if name in WHOLE else UNITS[0], material)
    wanted = penalized(elsewhere, wanted, {"tv": 0.1, "l1": 0.1, "batchnorm": 0.01})
    pictures = visualize(elsewhere, [wanted], by=Ascent(Fourier(size=64), steps=2, batch=2))
    assert all(bool(torch.isfinite(picture.image).all()) for picture in pictures)


def test_predictions_layers_and_edits_agree(default_model, elsewhere, cat):
    assert elsewhere.predict(cat)[0].index in [one.index for one in default_model.predict(cat)[:3]]
    count = default_model.layer(LAYER).channels or 0
    direction = torch.ones(count)
    changes = [
        edits.Ablate(UNITS[0]), edits.Steer(LAYER, direction, 2.0), edits.ProjectOut(LAYER, direction),
        edits.Replace(UNITS[1], torch.ones(1, 1, 1)),
    ]  # fmt: skip
    seen = []
    for model in (default_model, elsewhere):
        batch = model.modality.normalize(cat[None])  # the taps move it
        with torch.no_grad(), tapped(model, [LAYER, "logits"], changes) as taps:
            seen.append(taps(batch) | {"plain": activations(model, batch, [LAYER])[LAYER]})
    for name, expected in seen[0].items():
        close(seen[1][name], expected, NUMBER[elsewhere.dtype])


def test_a_semantic_dictionary_agrees(default_model, elsewhere, cat):
    found = {}
    for model in (default_model, elsewhere):
        entries = semantic_dictionary(model, cat, "blocks.4.1.bn2.act", (6, 6), count=4)
        found[model.dtype, model.device.type] = [entry.magnitude for entry in entries]
        assert all(entry.supports for entry in entries)
    ours, theirs = found.values()
    assert theirs == pytest.approx(ours, rel=10 * NUMBER[elsewhere.dtype])


def test_a_recording_agrees(default_model, elsewhere, tmp_path):
    pictures = [picture for _, picture in photographs()[:2]]
    means = []
    for model in (default_model, elsewhere):
        out = tmp_path / f"{model.device.type} {model.dtype}"
        recording = record(model, pictures, at=[LAYER], whole=[LAYER], out=out, batch=4, threads=2)
        means.append(recording.layer(LAYER).mean.float())
    close(means[1], means[0], NUMBER[elsewhere.dtype])


def test_receptive_fields_are_measured(elsewhere):
    example = elsewhere.modality.blank(2).to(elsewhere.device, elsewhere.dtype)
    expected = effective_receptive_field(elsewhere, LAYER, example)
    row = elsewhere.layer(LAYER)
    assert view(elsewhere, row).side == expected
    assert layer_sides(elsewhere, [row]) == {LAYER: expected}


def test_the_batch_that_fits_is_found(elsewhere):
    assert fitting_batch(elsewhere, UNITS, Ascent(Fourier(size=64))) >= 1
