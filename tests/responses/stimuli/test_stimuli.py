"""Stimuli: areas against exact areas, turns against torch.rot90, sharpness without jagged edges, clear refusals."""

import dataclasses
import math

import numpy
import PIL.Image
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from hooke.errors import HookeError, StimulusError
from hooke.numeric.seeds import stream
from hooke.provenance import describe
from hooke.responses.stimuli import (
    STIMULI,
    STRAIGHT,
    Choice,
    Circular,
    Curves,
    Dots,
    Faces,
    Fixed,
    Frame,
    Gratings,
    Letters,
    Linear,
    Lines,
    Logarithmic,
    Patches,
    Shapes,
    Stimulus,
    Textures,
    crops,
    stimulus,
)  # fmt: skip

FRAME = Frame(96, 96, 48, 48, 60)
TURNING = {
    "gratings": "orientation", "lines": "orientation", "curves": "orientation", "corners": "orientation",
    "shapes": "orientation", "dots": "orientation", "textures": "orientation", "letters": "orientation",
    "crops": "rotation",
}  # fmt: skip


def drawn(kind: Stimulus, count: int = 1, **given: float) -> dict[str, Tensor]:
    """Values for every parameter: drawn, but for those given."""
    dice = stream(0, kind.name)
    found = {name: among.at(torch.rand(count, generator=dice)) for name, among in kind.ranges.items()}
    return found | {name: torch.full((count,), float(value)) for name, value in given.items()}


def area(kind: Stimulus, **given: float) -> float:
    """The pixels covered by a white form (on grey: white is 0.5 above it)."""
    white = kind.fixed(colour="white")
    picture = white.render(drawn(white, colour=0, **given), FRAME)
    return float((picture[:, 0] - 0.5).sum() / 0.5)


@pytest.mark.parametrize("name", STIMULI)
def test_pictures_are_in_range_deterministic_and_independent_of_the_batch(name: str) -> None:
    kind = stimulus(name)
    assert kind.name == name
    values = drawn(kind, 5)
    pictures = kind.render(values, FRAME)
    assert pictures.shape == (5, 3, 96, 96)
    assert pictures.min() >= 0
    assert pictures.max() <= 1
    assert len({picture.numpy().tobytes() for picture in pictures}) == 5
    assert torch.equal(pictures, stimulus(name).render(values, FRAME))
    alone = kind.render({parameter: value[2:3] for parameter, value in values.items()}, FRAME)
    assert torch.allclose(alone, pictures[2:3], atol=1e-6)


@pytest.mark.parametrize("name", STIMULI)
def test_grey_models_see_the_luma(name: str) -> None:
    kind, grey = stimulus(name), dataclasses.replace(FRAME, channels=1)
    values = drawn(kind, 2)
    colour = kind.render(values, FRAME)
    luma = 0.299 * colour[:, 0] + 0.587 * colour[:, 1] + 0.114 * colour[:, 2]
    assert torch.allclose(kind.render(values, grey)[:, 0], luma, atol=1e-6)
    with pytest.raises(StimulusError, match="4 channels"):
        kind.render(values, dataclasses.replace(FRAME, channels=4))


@pytest.mark.parametrize("name", STIMULI)
def test_a_stimulus_is_data(name: str) -> None:
    """It can be written into a provenance, and every parameter has a range."""
    kind = stimulus(name)
    assert set(describe(kind)) >= {"type", *kind.ranges}
    assert len(kind.ranges) >= 4
    assert dataclasses.is_dataclass(kind)


@pytest.mark.parametrize(("name", "parameter"), TURNING.items())
def test_a_quarter_turn_is_rot90(name: str, parameter: str) -> None:
    kind = stimulus(name)
    still = dict.fromkeys({"right", "up"} & set(kind.ranges), 0.0) if name == "letters" else {}
    values = drawn(kind, 4, **{parameter: 20.0}, **still)
    turned = values | {parameter: values[parameter] + 90}
    expected = torch.rot90(kind.render(values, FRAME), 1, (2, 3))
    assert torch.allclose(kind.render(turned, FRAME), expected, atol=2e-3)


@settings(max_examples=15, deadline=None)
@given(st.floats(0, 180), st.floats(0.5, 12), st.floats(10, 60))
def test_the_area_of_a_line(orientation: float, width: float, length: float) -> None:
    """Also of one that is thinner than a pixel."""
    found = area(Lines(), orientation=orientation, width=width / 60, length=length / 60, offset=0)
    assert found == pytest.approx(width * length, rel=0.03, abs=1)


@settings(max_examples=15, deadline=None)
@given(st.floats(0, 360), st.floats(8, 24), st.floats(0.5, 6))
def test_the_area_of_an_arc(orientation: float, radius: float, width: float) -> None:
    """Its length times its width, and the two half discs of its ends."""
    found = area(Curves(), orientation=orientation, radius=radius / 60, width=width / 60, length=0.4, offset=0)
    assert found == pytest.approx(24 * width + math.pi * width**2 / 4, rel=0.03, abs=1)


def test_an_arc_longer_than_its_circle_is_a_ring() -> None:
    found = area(Curves(), orientation=77, radius=0.2, width=0.05, length=1.4, offset=0)
    assert found == pytest.approx(2 * math.pi * 12 * 3, rel=0.01)


def test_a_straight_arc_is_a_line() -> None:
    curve = Curves().render(drawn(Curves(), radius=STRAIGHT, orientation=30, offset=0, colour=1), FRAME)
    values = drawn(Curves(), radius=STRAIGHT, orientation=30, offset=0, colour=1)
    line = Lines().render(
        {"orientation": torch.tensor([120.0]), "width": values["width"], "length": values["length"] + 1,
         "offset": torch.zeros(1), "colour": torch.ones(1)}, FRAME,
    )  # fmt: skip
    assert torch.allclose(curve[..., 36:60, 36:60], line[..., 36:60, 36:60], atol=0.02)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 3), st.floats(0, 1), st.floats(20, 50), st.floats(0, 360))
def test_the_area_of_a_rounded_polygon(index: int, roundness: float, size: float, orientation: float) -> None:
    """A polygon of inner radius a has n a^2 tan(pi/n); rounding by r adds its circumference times r, and a disc."""
    sides, inner, round_by = index + 3, size / 2 * (1 - roundness), size / 2 * roundness
    side = 2 * inner * math.tan(math.pi / sides)
    exact = sides * inner * side / 2 + sides * side * round_by + math.pi * round_by**2
    found = area(
        Shapes(), sides=index, roundness=roundness, size=size / 60, orientation=orientation, filling=0
    )  # fmt: skip
    if inner / math.cos(math.pi / sides) + round_by < 46:
        assert found == pytest.approx(exact, rel=0.02)


def test_the_area_of_dots_and_patches() -> None:
    found = area(Dots(), spacing=0.4, size=0.5, orientation=0, right=0, up=0)
    assert found == pytest.approx(16 * math.pi * 36, rel=0.01)  # 96 / 24 is 4: sixteen dots
    patch = Patches().render(drawn(Patches(), hue=0, saturation=1, lightness=0.5, size=0.5), FRAME)
    assert float((patch[:, 0] - 0.5).sum() / 0.5) == pytest.approx(math.pi * 225, rel=0.01)


def test_a_grating_is_the_mean_over_each_pixel() -> None:
    """Against the same grating drawn 15 times finer and averaged."""
    values = drawn(Gratings(), orientation=37, frequency=4, phase=50, contrast=1)
    coarse = Gratings().render(values, Frame(12, 12, 6, 6, 9))
    fine = Gratings().render(values, Frame(180, 180, 90, 90, 135))
    averaged = torch.nn.functional.avg_pool2d(fine, 15)
    assert torch.allclose(coarse, averaged, atol=2e-3)


def test_a_grating_repeats_and_turns_as_it_says() -> None:
    frame = Frame(60, 60, 30, 30, 60)
    level = Gratings().render(drawn(Gratings(), orientation=0, frequency=2, phase=0, contrast=1), frame)
    assert torch.allclose(level[..., 0], level[..., 30], atol=1e-5)  # horizontal stripes: the same along a row
    assert torch.allclose(level[:, :, :30], level[:, :, 30:], atol=1e-5)  # two cycles a field
    assert level[0, 0, 29:31, 0].min() > 0.99  # phase 0: bright at the centre
    half = Gratings().render(drawn(Gratings(), orientation=0, frequency=2, phase=180, contrast=0.5), frame)
    assert torch.allclose(half - 0.5, (0.5 - level) / 2, atol=1e-5)


def test_the_contrast_of_a_texture_is_its_deviation() -> None:
    values = drawn(Textures(), 8, frequency=6, contrast=0.1, spread=1) | {"sample": torch.arange(8.0)}
    pictures = Textures().render(values, Frame(192, 192, 96, 96, 60))
    assert float(pictures.std()) == pytest.approx(0.1, rel=0.1)
    assert float(pictures.mean()) == pytest.approx(0.5, abs=0.01)


def test_all_hues_have_the_same_mean() -> None:
    count = 12
    values = {
        "hue": torch.arange(count) * 30.0, "saturation": torch.ones(count), "lightness": torch.full((count,), 0.4),
        "size": torch.ones(count),
    }  # fmt: skip
    middle = Patches().render(values, FRAME)[:, :, 48, 48]
    assert torch.allclose(middle.mean(1), torch.tensor(0.4), atol=1e-5)
    assert middle[0].tolist() == pytest.approx([0.8, 0.2, 0.2], abs=1e-5)
    opponent = middle[:, 0] - (middle[:, 1] + middle[:, 2]) / 2
    assert torch.allclose(opponent, 0.6 * torch.cos(torch.arange(count) * math.pi / 6), atol=1e-5)


def test_lengths_are_in_fields() -> None:
    """Twice the field, twice the picture: every other pixel's mean."""
    values = drawn(Letters(), 3, size=0.6, right=0, up=0)
    small = Letters().render(values, FRAME)
    large = Letters().render(values, Frame(192, 192, 96, 96, 120))
    assert torch.allclose(torch.nn.functional.avg_pool2d(large, 2), small, atol=0.1)
    assert len({picture.numpy().tobytes() for picture in small}) == 3


def test_the_parts_of_a_face() -> None:
    whole, without, only, scrambled = (
        Faces().fixed(arrangement=name, colours="black on white")
        for name in ("face", "without mouth", "only mouth", "scrambled: a row")
    )
    values = drawn(whole, size=1, orientation=0, right=0, up=0, arrangement=0, colours=0)
    face, rest, mouth, row = (kind.render(values, FRAME)[0, 0] for kind in (whole, without, only, scrambled))
    bar = (face - rest).abs() > 0.01
    assert torch.equal(bar, (mouth - 0.5).abs() > 0.01)
    assert float(bar.nonzero()[:, 0].float().mean()) == pytest.approx(48 + 0.2 * 60 - 0.5, abs=0.5)
    assert torch.allclose(face, face.flip(1), atol=1e-5)
    assert float(row.sum()) == pytest.approx(float(face.sum()), rel=1e-3)  # the same ink in other places


def test_crops_of_given_pictures() -> None:
    pixels = numpy.zeros((64, 64, 3), dtype=numpy.uint8)
    pixels[:32, :, 0] = 255  # red above black
    kind = crops([("flag", PIL.Image.fromarray(pixels))])
    still = {"picture": 0, "scale": 1, "right": 0, "up": 0}
    upright = kind.render(drawn(kind, rotation=0, hue=0, **still), FRAME)
    assert upright[0, 0, 10, 48] == pytest.approx(1, abs=1e-3)
    assert upright[0, 0, 85, 48] == pytest.approx(0, abs=1e-3)
    green = kind.render(drawn(kind, rotation=90, hue=120, **still), FRAME)
    assert green[0, :, 48, 10].tolist() == pytest.approx([0, 1, 0], abs=1e-3)  # what was above is to the left
    moved = kind.render(drawn(kind, rotation=0, hue=0, **(still | {"up": 0.25})), FRAME)
    assert moved[0, 0, 60, 48] == pytest.approx(1, abs=1e-3)  # the middle of the red half is at the centre
    assert moved[0, 0, 80, 48] == pytest.approx(0, abs=1e-3)
    with pytest.raises(StimulusError, match="same name"):
        crops([("a", PIL.Image.fromarray(pixels))] * 2)


def test_ranges() -> None:
    assert Circular(180).grid(4).tolist() == [0, 45, 90, 135]
    assert Linear(1, 3).grid(3).tolist() == [1, 2, 3]
    assert Logarithmic(1, 4).grid(3).tolist() == pytest.approx([1, 2, 4])
    assert Logarithmic(1, 4).coordinates(torch.tensor([1.0, 4.0])).tolist() == [0, 2]
    assert Choice(("a", "b")).at(torch.tensor([0.0, 0.4, 0.5, 0.99])).tolist() == [0, 0, 1, 1]
    assert Fixed(7).grid(5).tolist() == [7]
    assert (Fixed(7).varies, Choice(("a",)).varies, Circular(90).varies) == (False, False, True)
    assert (Circular(90).period, Linear(0, 1).period) == (90, None)
    assert (Circular(90).text(45), Linear(0, 1, "fields").text(0.25), Choice(("a",)).text(0)) == (
        "45°",
        "0.25 fields",
        "a",
    )


@pytest.mark.parametrize(
    ("wrong", "choice"),
    [
        (lambda: stimulus("grating"), "gratings"),
        (lambda: Gratings().range("orientatoin"), "orientation"),
        (lambda: Lines().fixed(colour="mauve"), "red"),
        (lambda: Gratings().fixed(phase="x"), ""),
        (lambda: Gratings().render({"orientation": torch.zeros(1)}, FRAME), "phase"),
        (lambda: Linear(1, 1), ""),
        (lambda: Logarithmic(0, 1), ""),
        (lambda: Circular(0), ""),
        (lambda: Choice(()), ""),
    ],
)  # fmt: skip
def test_refusals_name_the_choices(wrong, choice: str) -> None:
    with pytest.raises(HookeError) as refusal:
        wrong()
    assert isinstance(refusal.value, StimulusError)
    assert choice in (refusal.value.choices or ("",))
