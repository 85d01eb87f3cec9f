"""A small site, published once: one photograph in two layers of the small model of the server's tests."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from fastapi import FastAPI

from hooke.publish.publish import Published, publish
from hooke.publish.work import Plan
from hooke.server.app import create_app
from hooke.storage.store import Store
from hooke.studies.inversion import Inversion

PLAN = Plan(("act1", "act2"), units=1)


@pytest.fixture(scope="session", autouse=True)
def quick() -> Iterator[None]:
    """Grids of a few steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hooke.server.grids.METHOD", Inversion(steps=2, coarse=1))
        yield


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where drawings are kept."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="session")
def make_app(toy: ModuleType, derived: None, kept: Path) -> Callable[[], FastAPI]:
    return lambda: create_app(toy.toy(), toy.photographs()[:1], Store(kept), method=toy.method())


@pytest.fixture(scope="session")
def plan() -> Plan:
    return PLAN


@pytest.fixture(scope="session")
def site(make_app: Callable[[], FastAPI], tmp_path_factory: pytest.TempPathFactory) -> Published:
    return publish(make_app(), PLAN, tmp_path_factory.mktemp("site") / "deep" / "site", url="https://example.org/x/")
