"""The options of `hooke visualize` that say how: what each of them makes of the method, and the files that come out."""

from pathlib import Path

import numpy
import PIL.Image
import pytest
import torch

from hooke.cli.methods import Options, method
from hooke.errors import NumericsError
from hooke.models.opening import open
from hooke.visualization import Ascent, Fourier, Wobble
from hooke.visualization.parametrizations import (
    MACO,
    Coloured,
    FromPhotograph,
    L2Ball,
    LInfinityBall,
    Masked,
    Transparent,
    fitted_colours,
)  # fmt: skip
from hooke.visualization.transforms import Backgrounds, Chain, preset
from hooke.visualization.transforms.presets import tokens

UNIT = "blocks.1.0.bn1.act:3"


@pytest.fixture(scope="module")
def mask(tmp_path_factory) -> Path:
    """A picture that is white on its left half."""
    file = tmp_path_factory.mktemp("masks") / "left.png"
    pixels = numpy.zeros((64, 64), dtype=numpy.uint8)
    pixels[:, :32] = 255
    PIL.Image.fromarray(pixels).save(file)
    return file


def made(model, parametrization="fourier", transform="hooke", size=64, **more):
    return method(model, Options(parametrization, transform, **more), size)


def test_transformers_have_movements_of_their_own():
    assert made(open("tiny-vit"), transform=None) == Ascent(Fourier(size=64), preset("tokens"))


def test_the_movements_of_transformers_are_shares_of_the_side(default_model):
    assert made(default_model, transform="tokens").transform == preset("tokens", 224) == tokens(224)
    assert tokens(224).jitter == 7.0


def test_without_options_it_is_the_default(default_model):
    assert made(default_model, transform=None) == Ascent(Fourier(size=64))
    assert made(default_model, size=None) == Ascent()
    assert made(default_model) == Ascent(Fourier(size=64))


def test_each_option_is_a_part_of_the_method(default_model, cat, mask):
    by = made(default_model, "maco", "lucid")
    assert (by.parametrization, by.transform) == (MACO(size=64), preset("lucid"))
    assert made(default_model, opacity=0.3) == Ascent(
        Transparent(coverage=0.3).sized(64), Chain((Backgrounds(), Wobble()))
    )
    begun = made(default_model, photograph=cat).parametrization
    assert isinstance(begun, FromPhotograph)
    assert begun.part == Fourier(size=64, contrast=0.0)
    assert begun.photograph.tensor.shape == (3, 64, 64)
    phases = made(default_model, "maco", photograph=cat).parametrization
    assert isinstance(phases, MACO)
    assert (phases.size, phases.photograph) == (64, begun.photograph)
    drawn = made(default_model, photograph=cat, mask=mask).parametrization
    assert isinstance(drawn, Masked)
    assert drawn.mask.tensor.mean(dim=0).tolist() == [1.0] * 32 + [0.0] * 32
    near = made(default_model, photograph=cat, within=0.1).parametrization
    assert isinstance(near, LInfinityBall)
    assert near.radius == 0.1
    assert isinstance(made(default_model, photograph=cat, distance=3.0).parametrization, L2Ball)
    like = made(default_model, like=cat).parametrization
    assert isinstance(like, Coloured)
    canvas = default_model.modality.canvas(PIL.Image.open(cat))
    assert torch.allclose(like.matrix.tensor, fitted_colours(canvas[None]).tensor, atol=1e-5)
    assert made(default_model, "maco", like=cat).parametrization.spectrum.tensor.shape == (3, 224, 113)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"parametrization": "fourrier"}, r"fourrier(.|\n)*fourier, pixels(.|\n)*perhaps 'fourier'"),
        ({"transform": "atlass"}, r"atlass(.|\n)*vit(.|\n)*perhaps 'atlas'"),
        ({"within": 0.1}, "--photograph"),
        ({"mask": Path("x.png")}, "--photograph"),
        ({"photograph": True, "within": 0.1, "distance": 1.0}, "exclude one another"),
        ({"photograph": True, "opacity": 0.5}, "a photograph is opaque"),
    ],
)
def test_what_does_not_go_together_is_refused_in_words(default_model, cat, options, words):
    with pytest.raises(NumericsError, match=words):
        made(default_model, **(options | ({"photograph": cat} if "photograph" in options else {})))


def test_a_transparent_picture_is_a_transparent_file(hooke, tmp_path):
    run = ("visualize", "efficientnet-lite0", UNIT, "--out", tmp_path, "--steps", 4, "--size", 48, "--opacity", 0.25)
    answer = hooke(*run, "--json")
    assert answer.code == 0, answer.err
    with PIL.Image.open(answer.json[0]["file"]) as picture:
        assert picture.mode == "RGBA"
        assert numpy.asarray(picture)[..., 3].mean() / 255 == pytest.approx(0.25, abs=0.01)


def test_outside_a_mask_the_file_is_the_photograph(hooke, tmp_path, cat, mask, default_model):
    run = ("visualize", "efficientnet-lite0", UNIT, "--out", tmp_path, "--steps", 4, "--size", 48)
    answer = hooke(*run, "--photograph", cat, "--mask", mask, "--json")
    assert answer.code == 0, answer.err
    known = made(default_model, photograph=cat, size=48).parametrization.photograph.tensor
    with PIL.Image.open(answer.json[0]["file"]) as picture:
        pixels = numpy.asarray(picture)
    assert numpy.array_equal(pixels[:, 26:], (known.permute(1, 2, 0)[:, 26:] * 255).round().byte().numpy())
    assert not numpy.array_equal(pixels[:, :22], (known.permute(1, 2, 0)[:, :22] * 255).round().byte().numpy())


def test_a_preset_that_is_none_is_an_error_with_the_presets(hooke, tmp_path):
    answer = hooke("visualize", "efficientnet-lite0", UNIT, "--out", tmp_path, "--transform", "lucidd")
    assert answer.code == 1
    assert "lucid, inversion, atlas, vit" in answer.err
