"""What the routes share: threads that do not wait for one another, and work that nobody waits for."""

import asyncio
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest
from fastapi import Request

from hooke.server.app import assemble
from hooke.server.computed import known
from hooke.server.microscope import Left, Microscope
from hooke.server.recent import Recent
from hooke.server.wire import EndEvent
from hooke.storage.store import Store


class Asker:
    """As much of a request as `ask` looks at."""

    def __init__(self, gone: bool) -> None:
        self.gone = gone

    async def is_disconnected(self) -> bool:
        return self.gone


@pytest.fixture
def microscope(toy: ModuleType, derived: None, tmp_path_factory: pytest.TempPathFactory) -> Microscope:
    return Microscope(toy.toy(), toy.photographs(), Store(tmp_path_factory.mktemp("store")), method=toy.method())


def test_work_is_not_begun_for_who_has_left_and_not_broken_off_once_begun(microscope: Microscope) -> None:
    go, begun = threading.Event(), threading.Event()
    done: list[str] = []

    def first() -> str:
        begun.set()
        go.wait(10)
        done.append("first")
        return "answer"

    async def ask() -> None:
        thread = microscope.foreground
        one = asyncio.create_task(microscope.ask(cast(Request, Asker(gone=True)), thread, first))
        await asyncio.to_thread(begun.wait, 10)
        two = asyncio.create_task(microscope.ask(cast(Request, Asker(gone=True)), thread, lambda: done.append("two")))
        three = asyncio.create_task(microscope.ask(cast(Request, Asker(gone=False)), thread, lambda: "third"))
        with pytest.raises(Left):
            await two
        assert not three.done()
        go.set()
        assert (await one, await three) == ("answer", "third")

    asyncio.run(asyncio.wait_for(ask(), 10))
    microscope.close()
    assert done == ["first"]


def test_the_peaks_of_a_layer_are_looked_for_once(microscope: Microscope) -> None:
    assert microscope.peaks("act2") is microscope.peaks("act2")
    microscope.close()


def test_a_model_without_photographs_has_no_peaks(toy: ModuleType, derived: None, tmp_path: Path) -> None:
    microscope = Microscope(toy.toy(), [], Store(tmp_path))
    assert microscope.peaks("act2") is None
    microscope.prepare()
    microscope.close()


def test_what_is_asked_twice_at_once_is_worked_out_once(microscope: Microscope) -> None:
    made: list[str] = []

    def work() -> EndEvent:
        made.append("once")
        time.sleep(0.1)
        return EndEvent(job="", cancelled=False)

    async def both() -> list[bytes]:
        return [bytes(one.body) for one in await asyncio.gather(*(known(microscope, "a", work) for _ in range(2)))]

    one, other = asyncio.run(both())
    assert one == other
    assert made == ["once"]
    assert not microscope.turns
    microscope.close()


def test_closing_leaves_no_thread(microscope: Microscope) -> None:
    before = set(threading.enumerate())
    microscope.prepare()
    microscope.queue._thread.start()
    microscope.close()
    end = time.monotonic() + 10
    while set(threading.enumerate()) - before and time.monotonic() < end:
        time.sleep(0.01)
    assert set(threading.enumerate()) - before == set()


def test_recent_values_push_out_those_not_asked_for() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    assert recent.put("c", 3) == 3
    assert [recent.get(name) for name in "abc"] == [1, None, 3]
    assert recent.values() == [1, 3]


def test_routes_are_described_without_a_model_under_stable_names() -> None:
    page = assemble().openapi()
    names = {operation["operationId"] for path in page["paths"].values() for operation in path.values()}
    assert names == {
        "get_grids", "get_grid_sheet",
        "get_model", "list_images", "add_image", "get_canvas", "get_thumbnail",
        "get_dictionary", "get_effects", "ask_drawings",
        "get_drawing", "get_drawing_record", "get_guess", "follow_jobs", "cancel_job",
        "ask_faces", "get_ablation", "get_density", "get_examples", "get_face",
        "get_curve", "get_flow", "get_flow_control", "get_group_effects", "get_groups",
        "get_edited_flow", "get_edited_groups", "get_flow_elsewhere",
        "get_beside", "get_changes", "get_compared",
        "get_confusions", "get_doubt", "get_how_sure", "get_patch", "get_what_if",
        "get_channels", "get_drilled", "get_labels", "get_pairs", "get_pointed", "get_spatial", "get_votes",
        "get_standing", "measure_standing",
        "get_atlas", "get_families", "get_layer",
        "get_quality", "get_selectivity", "get_tuning", "get_weights", "search",
    }  # fmt: skip
    assert {"ProgressEvent", "FinishedEvent", "EndEvent", "ErrorView"} <= page["components"]["schemas"].keys()
    answers = [operation["responses"] for path in page["paths"].values() for operation in path.values()]
    assert all("4XX" in found for found in answers)
