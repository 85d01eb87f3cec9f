"""Figures of tunings show the numbers that they were given."""

import io

import numpy
import pytest
import torch
from planted import edges

from hooke.plots.tuning import Curve, Scale, joint, radial, tuning_bars, tuning_curve, tuning_map
from hooke.responses import showing
from hooke.responses.stimuli import Faces, Gratings, Patches
from hooke.responses.tuning import Sweep, Tuning, tune

ANGLES = numpy.arange(8) * 22.5
CURVE = Curve("a unit", ANGLES / 10, ANGLES / 10 - 1, ANGLES / 10 + 1)


def lines(figure) -> list[numpy.ndarray]:
    return [line.get_ydata() for axes in figure.axes for line in axes.lines]


def test_a_curve_goes_round_and_states_its_n() -> None:
    figure = tuning_curve("title", Scale("orientation (°)", ANGLES, 180.0), CURVE, grey=0.5, count=7, preferred=30)
    assert numpy.allclose(lines(figure)[0], [*CURVE.mean, CURVE.mean[0]])
    assert figure.axes[0].get_xlabel() == "orientation (°)"
    assert "n = 7 settings" in figure._suptitle.get_text()
    band = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (CURVE.low.min(), CURVE.high.max())


def test_a_half_turn_is_drawn_twice_around() -> None:
    figure = radial("", Scale("", ANGLES, 180.0), [CURVE, CURVE], count=3)
    (line, *_) = figure.axes[0].lines
    assert len(line.get_xdata()) == 18
    assert line.get_xdata()[-1] == pytest.approx(2 * numpy.pi)


def test_a_map_has_its_values_in_its_cells() -> None:
    mean = numpy.arange(24.0).reshape(8, 3)
    up = Scale("frequency", numpy.array([1.0, 2.0, 4.0]), logarithmic=True)
    figure = tuning_map("", Scale("", ANGLES, 180.0), up, mean, count=1)
    mesh = figure.axes[0].collections[0]
    assert numpy.allclose(mesh.get_array().reshape(3, 8), mean.T)
    assert figure.axes[0].get_ylim() == pytest.approx((2**-0.5, 2**2.5))


def test_bars_and_aligned_curves() -> None:
    names = tuple("abcdefgh")
    figure = tuning_bars("", Scale("", numpy.arange(8.0), names=names), CURVE, grey=0, count=2)
    assert [bar.get_width() for bar in figure.axes[0].patches] == CURVE.mean.tolist()
    curves = numpy.stack([numpy.linspace(0, 1, 5), numpy.linspace(1, 0, 5)])
    curves[0, 0] = numpy.nan
    figure = joint("", "away", numpy.arange(5.0) - 2, curves)
    assert lines(figure)[-1] == pytest.approx([0.5] * 4)
    assert joint("", "away", numpy.arange(5.0), curves[:0]).axes


@pytest.fixture(scope="module")
def turning() -> Tuning:
    return tune(
        edges.look(), ["1:0", "1:2", "1:12"], Gratings(), over=("orientation", "frequency"), by=Sweep((8, 3), 3)
    )


def test_a_tuning_becomes_figures(turning: Tuning) -> None:
    endings = [ending for ending, _ in showing.figures(turning, 0)]
    assert endings == [".png", ".radial.png"]
    map_of = showing.figures(turning, "1:2")[0][1]
    assert numpy.allclose(map_of.axes[0].collections[0].get_array().reshape(3, 8), turning.mean[1].T.numpy())
    together = showing.radial(turning, "orientation", ["1:0", "1:2"], title="two")
    assert [line.get_label() for line in together.axes[0].lines] == [":0", ":2"]
    assert "n = 2 units" in showing.joint(turning, "orientation")._suptitle.get_text()


@pytest.mark.parametrize(
    ("kind", "over", "endings"),
    [
        (Faces(), "arrangement", [".png"]),
        (Patches(), "hue", [".png", ".radial.png"]),
        (Patches(), "size", [".png"]),
    ],
)
def test_every_kind_of_axis_can_be_drawn(kind, over: str, endings: list[str]) -> None:
    tuning = tune(edges.look(), "1:8", kind, over=over, by=Sweep(4, 2))
    drawn = showing.figures(tuning, 0)
    assert [ending for ending, _ in drawn] == endings
    for _, figure in drawn:
        file = io.BytesIO()
        figure.savefig(file, format="svg")
        assert len(file.getvalue()) > 5000


def test_the_curve_of_a_unit_is_its_mean(turning: Tuning) -> None:
    one = showing.curve(turning, 0, 0)
    best = int(turning.mean[0].flatten().argmax()) % 3
    assert torch.allclose(torch.from_numpy(one.mean), turning.mean[0, :, best])
    assert (one.low <= one.mean + 1e-5).all()
