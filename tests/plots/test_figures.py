"""Figures of responses: what they show is where it should be, and they can be written in every format."""

from pathlib import Path

import matplotlib
import numpy
import pytest

from hooke.plots.density import Counted, density, rebinned
from hooke.plots.panels import save
from hooke.plots.preference import preference, surprises
from hooke.plots.quilt import masked, quilt


def tile(level: float, side: int = 5) -> numpy.ndarray:
    return numpy.full((side, side, 3), level)


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_a_quilt_is_written_and_leaves_the_settings_alone(tmp_path: Path, ending: str) -> None:
    before = dict(matplotlib.rcParams)
    figure = quilt(
        "a:3", [-2, -1, 1, 3], [5, 50, 2], [[tile(0.1)], [tile(0.5)] * 3, []], [tile(0)], [tile(1), tile(0.9, 200)],
        inputs=7, field=5,
    )  # fmt: skip
    save(figure, tmp_path / f"quilt.{ending}")
    assert (tmp_path / f"quilt.{ending}").stat().st_size > 1000
    assert dict(matplotlib.rcParams) == before
    above, below = figure.axes
    assert len(below.images) == 7
    assert [text.get_text() for text in below.get_xticklabels()] == ["lowest", "-2", "-1", "1", "3", "highest"]
    zeros = [line.get_xdata()[0] for line in below.lines]
    assert zeros == [2.0]
    heights = [bar.get_height() for bar in above.patches]
    assert heights == pytest.approx([5 / 57, 50 / 57, 2 / 57])
    assert "a:3" in below.get_xlabel()
    assert "7 inputs" in below.get_xlabel()


def test_a_quilt_of_a_unit_without_examples() -> None:
    figure = quilt("a:3", [0, 1, 2], [0, 0], [[], []], [], [], inputs=0, field=0)
    assert "whole inputs" in figure.axes[1].get_xlabel()


def test_what_is_masked_fades_but_stays_visible() -> None:
    mask = numpy.array([[0.0, 1.0]])
    shown = masked(numpy.zeros((1, 2, 1)), mask)
    assert shown.shape == (1, 2, 3)
    assert shown[0, 1].tolist() == [0, 0, 0]
    assert 0 < shown[0, 0, 0] < 1


def test_rebinning_keeps_every_value() -> None:
    edges = numpy.array([-8.0, -1, 0, 0.5, 1, 4, 9])
    counts = numpy.array([0, 10, 4, 4, 30, 0])
    wanted, found = rebinned(edges, counts, bins=10)
    assert found.sum() == pytest.approx(48)
    assert wanted[0] == -1
    assert wanted[-1] == 4
    assert found[:2].tolist() == pytest.approx([5, 5])
    assert rebinned(edges, numpy.zeros(6))[1].sum() == 0


def test_the_density_of_uniform_values_is_flat() -> None:
    edges = numpy.linspace(0, 2, 101)
    figure = density(
        "a:3", [Counted("before", edges, numpy.full(100, 10)), Counted("after", edges, numpy.full(100, 1))]
    )
    for axes in figure.axes:
        assert axes.get_yscale() == "log"
        line = axes.patches[-1].get_data()
        assert line.values.tolist() == pytest.approx([0.5] * 80)
    assert figure.axes[0].get_title(loc="left") == "before, n = 1,000"


def test_preference_shows_every_name_with_its_interval_and_chance() -> None:
    values = numpy.linspace(0.9, 0.2, 30)
    names = [f"label {at}" for at in range(30)]
    figure = preference(
        "a:3", names, values, values - 0.1, values + 0.05, chance=numpy.full(30, 0.6), chance_word="shuffled labels"
    )
    (axes,) = figure.axes
    shown = [text.get_text() for text in axes.get_yticklabels()]
    assert shown == [*names[:20], *names[-4:]]
    assert axes.lines[-2].get_xdata().tolist() == pytest.approx([*values[:20], *values[-4:]])
    assert "shuffled labels" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_surprises_show_all_parts(tmp_path: Path) -> None:
    figure = surprises(
        ["a:1", "b:2"], ["no label", "odd"], numpy.array([[0.9, 0.8], [0.7, 0.2]]), numpy.array([0.85, 0.45]), 9
    )
    assert [bar.get_width() for bar in figure.axes[0].patches] == [0.85, 0.45]
    save(figure, tmp_path / "surprise.png")
