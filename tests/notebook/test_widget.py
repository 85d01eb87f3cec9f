"""The widget: its view, its script, its end; and where `hooke.explore` makes one."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy
import PIL.Image
import pytest
from fastapi import FastAPI
from torch import nn

import hooke
from hooke.errors import ServeError
from hooke.modalities.image import Image
from hooke.notebook import exploring, widget
from hooke.notebook.exploring import in_notebook
from hooke.server.app import STATIC


def small() -> hooke.Model:
    module = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return hooke.open(module, modality=Image(16, 16, mean=(0.5,) * 3, std=(0.5,) * 3, crop_fraction=1.0))


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a kernel runs."""
    shell = ModuleType("IPython")
    shell.get_ipython = lambda: SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", shell)


def test_a_terminal_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    monkeypatch.delitem(sys.modules, "marimo", raising=False)
    assert not in_notebook()
    monkeypatch.setitem(sys.modules, "marimo", SimpleNamespace(running_in_notebook=lambda: True))
    assert in_notebook()


def test_explore_is_a_widget_in_a_notebook(kernel: None, tmp_path: Path) -> None:
    if not (STATIC / "notebook.js").is_file():
        pytest.fail("the page is not built\n  next: make web", pytrace=False)
    picture = PIL.Image.fromarray(numpy.zeros((20, 20, 3), numpy.uint8))
    found = hooke.explore(small(), [picture], store=hooke.Store(tmp_path), view="/?layer=1", height=500)
    assert isinstance(found, widget.Explorer)
    assert (found.view, found.height) == ("/?layer=1", 500)
    state = found.get_state()
    assert {"_esm", "view", "height"} <= set(state)
    assert len(state["_esm"]) < 600_000
    found.close()


def test_without_the_package_that_shows_it_it_says_so(kernel: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exploring, "find_spec", lambda name: None)
    with pytest.raises(ServeError, match=r"anywidget.*\n.*hooke\[notebook\]"):
        hooke.explore(small())


def test_without_the_built_page_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(widget, "STATIC", tmp_path)
    with pytest.raises(ServeError, match="make web"):
        widget.Explorer(FastAPI())
