"""The line between a page in a notebook and the routes: what is asked is answered as a server would, event by event."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hooke.notebook.line import Line
from hooke.server.app import create_app
from hooke.storage.store import Store


class Page:
    """The other end of a line: asks, and keeps what is said."""

    def __init__(self, make: Callable[[Callable[..., None]], Line]) -> None:
        self.said: list[tuple[dict[str, Any], bytes]] = []
        self.news = threading.Condition()
        self.line = make(self._hear)

    def _hear(self, said: dict[str, Any], buffers: Sequence[bytes]) -> None:
        with self.news:
            self.said.append((said, b"".join(buffers)))
            self.news.notify_all()

    def send(self, number: str, method: str, path: str, body: bytes = b"") -> None:
        self.line.hear({"id": number, "method": method, "path": path}, body)

    def whole(self, number: str) -> tuple[int, str, bytes]:
        """The status, kind and body of an answer, once all of it is there."""

        def parts() -> list[tuple[dict[str, Any], bytes]]:
            return [(said, body) for said, body in self.said if said["id"] == number and "heard" not in said]

        with self.news:
            assert self.news.wait_for(lambda: bool(parts()) and not parts()[-1][0]["more"], timeout=60), self.said
            return parts()[0][0]["status"], parts()[0][0]["kind"], b"".join(body for _, body in parts())


@pytest.fixture
def page(toy: ModuleType, derived: None, tmp_path: Path) -> Iterator[Page]:
    app = create_app(toy.toy(), toy.photographs()[:1], Store(tmp_path), method=toy.method())
    page = Page(lambda say: Line(app, say))
    yield page
    page.line.close()


def test_a_question_is_heard_at_once_and_answered_as_by_a_server(page: Page) -> None:
    page.send("1", "GET", "/api/images")
    assert page.said[0][0] == {"id": "1", "heard": True, "more": True}
    status, kind, body = page.whole("1")
    assert (status, kind) == (200, "application/json")
    (image,) = json.loads(body)
    page.send("2", "GET", image["canvas_url"])
    status, kind, body = page.whole("2")
    assert (status, kind, body[:4]) == (200, "image/png", b"\x89PNG")


def test_a_body_goes_with_a_question(page: Page, toy: ModuleType, tmp_path: Path) -> None:
    toy.photographs()[1][1].save(tmp_path / "second.png")
    page.send("1", "POST", "/api/images?name=mine", (tmp_path / "second.png").read_bytes())
    status, _, body = page.whole("1")
    assert status == 200
    assert json.loads(body)["name"] == "mine"


def test_a_refusal_says_why(page: Page) -> None:
    page.send("1", "GET", "/api/nothing")
    status, _, body = page.whole("1")
    assert status == 404
    assert json.loads(body)["reason"] == "there is no such route"


def test_a_drawing_sharpens_in_parts(page: Page) -> None:
    page.send("1", "POST", "/api/drawings", b'{"addresses": ["act2:3"]}')
    job = json.loads(page.whole("1")[2])["job"]
    page.send("2", "GET", f"/api/events?jobs={job}")
    _, kind, body = page.whole("2")
    assert kind == "text/event-stream"
    assert body.count(b"event: finished") == 1
    assert b"event: end" in body
    assert sum(said["id"] == "2" for said, _ in page.said) > 2


def test_what_is_dropped_is_not_answered_any_more_and_closing_ends_the_threads(page: Page) -> None:
    page.send("1", "POST", "/api/drawings", b'{"addresses": ["act2:4"]}')
    job = json.loads(page.whole("1")[2])["job"]
    page.send("2", "GET", f"/api/events?jobs={job}")
    page.line.hear({"id": "2", "drop": True}, b"")
    page.line.close()
    page.line.close()
    silent = len(page.said)
    time.sleep(0.3)
    assert len(page.said) == silent
    assert "hooke notebook" not in {thread.name for thread in threading.enumerate()}
