"""The application over a small real model, asked without a network."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from hooke.models.model import Model
from hooke.server.app import create_app
from hooke.shapes import Canvas
from hooke.storage.store import Store


@pytest.fixture(scope="session")
def toy_server() -> Path:
    """The script that serves the small model."""
    return Path(__file__).parent / "toy_server.py"


@pytest.fixture(scope="module")
def model(toy: ModuleType) -> Model:
    opened: Model = toy.toy()
    return opened


@pytest.fixture(scope="module")
def canvas(toy: ModuleType, model: Model) -> Canvas:
    return model.modality.canvas(toy.photographs()[0][1])


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
