"""How results are displayed: a picture that is one, the numbers that are theirs, and no HTML of anybody else's."""

import base64
import io
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy
import PIL.Image
import pytest
import torch
from torch import nn

import hooke
from hooke.displayed import Displayed
from hooke.factorization.nmf import NMF
from hooke.modalities.image import Image
from hooke.notebook import displays
from hooke.results import DictionaryEntry, Effect
from hooke.studies.activation_grid import Grid
from hooke.studies.groups import group_study
from hooke.studies.how_sure import Sure
from hooke.visualization.parametrizations import Fourier


@pytest.fixture(scope="module")
def model() -> hooke.Model:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        module = nn.Sequential(
            nn.Conv2d(3, 6, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3)
        )
    modality = Image(16, 16, mean=(0.5,) * 3, std=(0.5,) * 3, crop_fraction=1.0)
    return hooke.open(module, modality=modality, labels=["<b>ant</b>", "bee", "cat"])


@pytest.fixture(scope="module")
def canvas(model: hooke.Model) -> torch.Tensor:
    return torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))


def pictures(shown: str) -> list[numpy.ndarray]:
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', shown)
    return [numpy.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(one))).convert("RGB")) for one in found]


def test_a_picture_is_shown_larger_and_unchanged(model: hooke.Model) -> None:
    method = hooke.Ascent(parametrization=Fourier(size=16), steps=2, batch=1, rescue=0)
    found = hooke.visualize(model, "1:2", by=method)
    assert isinstance(found, hooke.Picture)
    shown = found._repr_html_()
    (picture,) = pictures(shown)
    assert picture.shape == (224, 224, 3)
    expected = found.image.clamp(0, 1).mul(255).round().permute(1, 2, 0).numpy()
    assert numpy.array_equal(picture[::14, ::14], expected)
    assert "1:2" in shown
    assert f"{found.response:.4g}" in shown


def test_credit_is_orange_where_for_and_blue_where_against(model: hooke.Model, canvas: torch.Tensor) -> None:
    found = hooke.attribute(model, canvas, of="logits:1", to="1")
    (picture,) = pictures(found._repr_html_())
    side = picture.shape[0] // 7
    credit = found.values[0].sum(0)
    most, least = (divmod(int(one), 7) for one in (credit.argmax(), credit.argmin()))
    red, _, blue = (picture[most[0] * side, most[1] * side, one].astype(int) for one in range(3))
    assert (red > blue) == bool(credit.max() > 0)
    if credit.min() < 0:
        red, _, blue = (picture[least[0] * side, least[1] * side, one].astype(int) for one in range(3))
        assert blue > red


def test_it_is_said_where_the_colours_of_credit_end(model: hooke.Model, canvas: torch.Tensor) -> None:
    found = hooke.attribute(model, canvas, of="logits:1", to="input")
    assert "white none; colours end at the largest magnitude" in found._repr_html_()
    large = replace(found, values=found.values.repeat(1, 1, 5, 5))
    assert "white none; colours end at the 99.5th percentile" in large._repr_html_()


def test_a_grid_shows_the_middles_of_its_cells() -> None:
    red, blue, green = torch.eye(3)[[0, 2, 1], :, None, None]
    cells = green.repeat(2, 1, 8, 8)
    cells[0, :, 2:6, 2:6], cells[1, :, 2:6, 2:6] = red, blue
    grid = Grid("1", 1, 2, cells, torch.ones(2), None, seen=4, level=0, levels=1, step=1, passes=1, share=1.0)
    (picture,) = pictures(grid._repr_html_())
    assert picture.shape == (224, 448, 3)
    assert (picture[:, :200] == [255, 0, 0]).all()
    assert (picture[:, -200:] == [0, 0, 255]).all()


def test_groups_and_a_study_of_them_are_maps(model: hooke.Model, canvas: torch.Tensor) -> None:
    shown = hooke.factorize(model, canvas, at="1", by=NMF(2))._repr_html_()
    assert pictures(shown)
    assert "explained" in shown
    *_, study = group_study(model, canvas, "1", 2)
    assert pictures(study._repr_html_())


def test_numbers_and_texts_are_a_table_and_never_markup(model: hooke.Model) -> None:
    shown = DictionaryEntry("1:2", 2, 1.23456, (Effect("<b>ant</b>", 0, 0.5),))._repr_html_()
    assert "&lt;b&gt;ant&lt;/b&gt; +0.5" in shown
    assert "<b>ant" not in shown
    assert "1.235" in shown
    assert "6 x" not in model._repr_html_()
    assert "parameters" in model._repr_html_()
    assert "0.25" in Sure("1:2", 0.25, 0.5, 0.75)._repr_html_()


def test_every_kind_that_has_a_look_of_its_own_is_displayed() -> None:
    from importlib import import_module

    for name in displays._LOOKS:
        home, _, kind = name.rpartition(".")
        assert issubclass(getattr(import_module(f"hooke.{home}"), kind), Displayed), name


def test_any_result_has_a_table(model: hooke.Model) -> None:
    (layer,) = [one for one in model.layers if one.name == "1"]
    shown = layer._repr_html_()
    assert "ReLU" in shown
    assert displays.html(SimpleNamespace()).startswith("<div")
