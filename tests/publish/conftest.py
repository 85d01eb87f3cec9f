"""A small site, published once: one photograph in two layers of the small model of the server's tests."""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from fastapi import FastAPI

from hooke.publish import figures
from hooke.publish.publish import Published, publish
from hooke.publish.work import Plan
from hooke.server.app import create_app
from hooke.storage.store import Store
from hooke.studies.semantic_dictionary import semantic_dictionary

PLAN = Plan(("act1", "act2"), units=1)
TOY = Path(__file__).parents[1] / "server/toy_server.py"


@pytest.fixture(scope="session")
def toy() -> ModuleType:
    spec = importlib.util.spec_from_file_location("toy_server", TOY)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model, (_, picture) = module.toy(), module.photographs()[0]
    semantic_dictionary(model, model.modality.canvas(picture), "act2", (0, 0), count=1)  # torch warns at its first one
    return module


@pytest.fixture(scope="session", autouse=True)
def quick() -> Iterator[None]:
    """Without the grids, which take long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "IMAGES", tuple(line for line in figures.IMAGES if line.name != "activation grids"))
        yield


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where drawings are kept."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="session")
def make_app(toy: ModuleType, kept: Path) -> Callable[[], FastAPI]:
    return lambda: create_app(toy.toy(), toy.photographs()[:1], Store(kept), method=toy.method())


@pytest.fixture(scope="session")
def plan() -> Plan:
    return PLAN


@pytest.fixture(scope="session")
def site(make_app: Callable[[], FastAPI], tmp_path_factory: pytest.TempPathFactory) -> Published:
    return publish(make_app(), PLAN, tmp_path_factory.mktemp("site") / "deep" / "site", url="https://example.org/x/")
