"""The application over a small real model, asked without a network."""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from hooke.server.app import create_app
from hooke.storage.store import Store
from hooke.studies.semantic_dictionary import semantic_dictionary

TOY_SERVER = Path(__file__).parent / "toy_server.py"


@pytest.fixture(scope="session")
def toy_server() -> Path:
    """The script that serves the small model."""
    return TOY_SERVER


@pytest.fixture(scope="session")
def toy() -> ModuleType:
    """The module of that script: `toy()`, `photographs()`, `method()`."""
    spec = importlib.util.spec_from_file_location("toy_server", TOY_SERVER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def derived(toy: ModuleType) -> None:
    """Torch warns at its first forward derivative, which is taken here, where no other thread undoes the filters."""
    model, (_, picture) = toy.toy(), toy.photographs()[0]
    semantic_dictionary(model, model.modality.canvas(picture), "act2", (0, 0), count=1)


@pytest.fixture
def make_app(toy: ModuleType, derived: None, tmp_path: Path) -> Callable[..., FastAPI]:
    """Makes an application; `hosts` and `static` as `create_app`."""

    def make(**options: object) -> FastAPI:
        store = Store(tmp_path / "store")
        return create_app(toy.toy(), toy.photographs(), store, method=toy.method(), **options)  # type: ignore[arg-type]

    return make


@pytest.fixture
def client(make_app: Callable[..., FastAPI]) -> Iterator[TestClient]:
    with TestClient(make_app(), base_url="http://localhost:8742") as client:
        yield client
