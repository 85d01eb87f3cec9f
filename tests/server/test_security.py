"""Strangers at the door: other names, other sites, too many bytes."""

from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from hooke.server.wire import ErrorView


@pytest.mark.parametrize(
    ("host", "served"),
    [
        ("localhost:8742", True),
        ("LOCALHOST", True),
        ("127.0.0.1:1", True),
        ("[::1]:8742", True),
        ("evil.example", False),
        ("evil.example:8742", False),
        ("localhost.evil.example", False),
        ("localhost@evil.example", False),
        ("192.168.0.7", False),
        ("", False),
        ("[::1", False),
    ],
)
def test_the_server_answers_only_to_its_own_names(client: TestClient, host: str, served: bool) -> None:
    answer = client.get("/api/model", headers={"Host": host})
    assert answer.status_code == (200 if served else 403)
    if not served:
        assert "does not answer to the name" in ErrorView.model_validate_json(answer.content).reason


def test_a_page_of_another_name_is_refused_as_well(client: TestClient) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize(
    ("hosts", "host", "served"),
    [
        (["192.168.0.7"], "192.168.0.7:8742", True),
        (["lab.example"], "Lab.example", True),
        (["lab.example"], "192.168.0.7", False),
        (["0.0.0.0"], "192.168.0.7:8742", True),
        (["::"], "[fe80::1]:8742", True),
        (["0.0.0.0"], "evil.example", False),
    ],
)
def test_further_names_are_those_it_listens_on(
    make_app: Callable[..., FastAPI], hosts: list[str], host: str, served: bool
) -> None:
    client = TestClient(make_app(hosts=hosts))
    assert client.get("/api/nothing", headers={"Host": host}).status_code == (404 if served else 403)


@pytest.mark.parametrize(
    ("headers", "served"),
    [
        ({}, True),
        ({"Origin": "http://localhost:8742"}, True),
        ({"Origin": "https://localhost:8742", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "http://localhost:9999"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "http://localhost:8742", "Sec-Fetch-Site": "same-site"}, False),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/api/drawings"), ("DELETE", "/api/jobs/x")])
def test_only_the_page_itself_may_change_things(
    client: TestClient, method: str, path: str, headers: dict[str, str], served: bool
) -> None:
    answer = client.request(method, path, headers=headers)
    assert (answer.status_code == 403) != served
    assert ErrorView.model_validate_json(answer.content).reason


def test_another_site_may_not_even_read(client: TestClient) -> None:
    assert client.get("/api/model", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code in (200, 503)  # a link to the page


def test_every_answer_carries_the_security_headers(client: TestClient) -> None:
    answers = [client.get(path) for path in ("/", "/api/model", "/api/nothing")]
    answers.append(client.get("/", headers={"Host": "evil.example"}))
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "script-src" not in policy  # so: 'self' alone
        assert "object-src 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in answer.headers


def test_only_one_figure_alone_may_be_framed_and_only_by_pages_of_this_machine(client: TestClient) -> None:
    def ancestors(path: str) -> list[str]:
        *_, last = client.get(path).headers["content-security-policy"].split("; ")
        name, *sources = last.split(" ")
        assert name == "frame-ancestors"
        return sources

    assert (
        ancestors("/")
        == ancestors("/?embed=0")
        == ancestors("/unit/embed=1/3")
        == ancestors("/api/model")
        == ["'self'"]
    )
    framed = ancestors("/image/cat?view=group/activation/map&embed=1")
    assert framed[0] == "'self'"
    assert set(framed[1:]) == {
        "http://localhost:*", "https://localhost:*", "http://127.0.0.1:*", "https://127.0.0.1:*"
    }  # fmt: skip
    foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"}
    assert client.get("/api/model?embed=1", headers=foreign).status_code == 403


def test_bodies_over_the_limit_are_refused_before_they_are_read(client: TestClient) -> None:
    read = []

    def body() -> Iterator[bytes]:
        read.append(1)
        yield b"x"

    headers = {"Content-Length": str(64 * 2**20 + 1)}
    answer = client.post("/api/images", content=body(), headers=headers)
    assert answer.status_code == 413
    assert "64 MB" in ErrorView.model_validate_json(answer.content).reason


def test_bodies_without_an_announced_length_are_cut_off(client: TestClient) -> None:
    def body(size: int) -> Iterator[bytes]:
        for _ in range(size):
            yield bytes(2**20)

    answer = client.post("/api/images", content=body(66))
    assert answer.status_code == 413
    assert "64 MB" in ErrorView.model_validate_json(answer.content).reason
    assert client.post("/api/drawings", content=body(1)).status_code == 413
