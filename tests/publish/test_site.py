"""A published site says what the server says; what was interrupted goes on, to the same bytes."""

import asyncio
import errno
import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from hooke.errors import PublishError
from hooke.publish import folder as folders
from hooke.publish import work as works
from hooke.publish.asking import Desk
from hooke.publish.folder import rounded
from hooke.publish.names import file_of
from hooke.publish.publish import Published, publish, publish_whole
from hooke.publish.work import Plan


def answer(folder: Path, request: str) -> Any:
    return json.loads(gzip.decompress((folder / f"{file_of(request)}.gz").read_bytes()))


def content(folder: Path) -> dict[str, bytes]:
    """The files; what answers say is unpacked."""
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {
        name.removesuffix(".gz"): gzip.decompress(body) if name.endswith(".gz") else body
        for name, body in files.items()
    }


def test_it_says_what_the_server_says(site: Published, make_app: Callable[[], FastAPI]) -> None:
    images = answer(site.path, "/api/images")
    assert [one["name"] for one in images] == ["first"]
    request = f"/api/images/{images[0]['id']}/dictionary?layer=act2&count=8"
    with TestClient(make_app(), base_url="http://localhost") as client:
        assert answer(site.path, request) == rounded(client.get(request).json())
        place = {"layer": "act2", "row": 2, "column": 5}
        known = answer(site.path, request)
        first = (2 * known["width"] + 5) * known["count"]
        channels = known["channels"][first : first + 3]
        asked = f"/api/images/{images[0]['id']}/effects"
        live = client.get(asked, params={**place, "channels": ",".join(map(str, channels))}).json()
    told = answer(site.path, f"/effects?image={images[0]['id']}&layer=act2")
    for rank, unit in enumerate(live):
        at = (first + rank) * told["each"]
        for side, values in (("supports", "gains"), ("opposes", "losses")):
            labels = [told["labels"][one] for one in told[side][at : at + told["each"]] if one >= 0]
            assert [one["label"] for one in labels] == [one["label"] for one in unit[side]]
            numbers = told[values][at : at + len(labels)]
            assert numbers == pytest.approx([one["effect"] for one in unit[side]], rel=6e-3)


def test_every_unit_of_a_dictionary_has_its_picture_and_all_units_of_the_layers_a_piece(
    site: Published, make_app: Callable[[], FastAPI]
) -> None:
    pictures = answer(site.path, "/pictures")
    for image in answer(site.path, "/api/images"):
        known = answer(site.path, f"/api/images/{image['id']}/dictionary?layer=act2&count=8")
        assert {f"act2:{channel}" for channel in known["channels"]} <= pictures["drawn"].keys()
    with PIL.Image.open(site.path / pictures["sheets"]["files"][0]) as sheet:
        assert sheet.width == 8 * pictures["sheets"]["side"]
    with TestClient(make_app(), base_url="http://localhost") as client:
        asked = {"addresses": [f"act2:{channel}" for channel in range(16)]}
        seen = [one["photographs_peak"] > 0 for one in client.post("/api/faces", json=asked).json()["drawings"]]
    pieces = pictures["guesses"]["act2"]
    assert pieces["channels"] == [channel for channel in range(16) if seen[channel]]
    assert pieces["count"] == len(pieces["channels"]) < 16
    assert pieces["silent"] == [channel for channel in range(16) if not seen[channel]]
    one = pictures["drawn"]["act2:1"]
    assert one["peak"] is not None
    assert one["steps"] == 6
    assert pictures["provenance"]["method"]["steps"] == 6
    assert "address" not in pictures["provenance"]


def test_a_site_points_nowhere_but_into_itself(site: Published) -> None:
    files = content(site.path)
    assert {"index.html", "first.html", "assets/page.js", ".nojekyll"} <= files.keys()
    for name, body in files.items():
        if name.endswith((".html", ".json")):
            assert b"/api/" not in body.replace(b'"/api/', b"") or name.endswith("hooke-site.json"), name
            for address in re.findall(rb'"((?:pictures|assets|previews)/[^"]+)"', body):
                assert address.decode() in files
    assert PIL.Image.open(io.BytesIO(files["previews/first.jpg"])).size == (1200, 630)
    assert b'content="https://example.org/x/previews/first.jpg"' in files["first.html"]
    assert site.bytes == sum(path.stat().st_size for path in site.path.rglob("*") if path.is_file())
    assert [row["name"] for row in json.loads(files[file_of("/api/model")])["layers"] if row["spatial"]] == [
        "act1",
        "act2",
    ]


def test_how_far_to_trust_the_pictures_of_a_unit(site: Published, make_app: Callable[[], FastAPI]) -> None:
    named = [name for name in content(site.path) if name.startswith("data/unit-quality-")]
    assert len(named) == 2  # one unit of each layer
    here = make_app().state.microscope
    for layer in ("act1", "act2"):
        (name,) = (one for one in named if f"layer={layer}." in one)
        channel = int(name.partition("channel=")[2].partition("-")[0])
        found = answer(site.path, f"/api/unit/quality?layer={layer}&channel={channel}")
        assert found["response"] == pytest.approx(here.picture(f"{layer}:{channel}").response, rel=1e-4)
        assert (found["pictures"], found["others"]) == (3, 3)
        assert 0 <= found["scrambled"] < 1


def test_again_nothing_is_asked_and_nothing_changes(
    site: Published, plan: Plan, make_app: Callable[[], FastAPI], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(site.path)

    async def forbidden(*_: object) -> None:
        raise AssertionError("it was there already")

    monkeypatch.setattr(works, "publish_answer", forbidden)
    monkeypatch.setattr(Desk, "drawn", forbidden)
    publish(make_app(), plan, site.path, url="https://example.org/x/")
    assert content(site.path) == before


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import toy_server
from hooke.publish import work
from hooke.publish.publish import publish
from hooke.server import grids
from hooke.server.app import create_app
from hooke.storage.store import Store
from hooke.studies.inversion import Inversion
grids.METHOD = Inversion(steps=2, coarse=1)
own, left = work.publish_answer, [int(sys.argv[4])]
async def counted(*given):
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    await own(*given)
work.publish_answer = counted
app = create_app(toy_server.toy(), toy_server.photographs()[:1], Store(Path(sys.argv[3])), method=toy_server.method())
publish(app, work.Plan(("act1", "act2"), units=1), Path(sys.argv[2]), url="https://example.org/x/")
"""


def test_after_kill_9_it_goes_on_to_the_same_bytes(
    site: Published, plan: Plan, make_app: Callable[[], FastAPI], kept: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    server = Path(__file__).parents[1] / "server"
    out = tmp_path / "site"
    command = [sys.executable, "-W", "ignore", "-c", KILLED, str(server), str(out), str(kept), "30"]
    done = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    begun = content(out)
    assert 30 <= len(begun) < len(content(site.path))
    asked: list[str] = []
    own = works.publish_answer

    async def counted(desk: Desk, folder: Any, request: str, slim: Any) -> None:
        asked.append(file_of(request))
        await own(desk, folder, request, slim)

    monkeypatch.setattr(works, "publish_answer", counted)
    publish(make_app(), plan, out, url="https://example.org/x/")
    assert asked
    assert not set(asked) & begun.keys()
    assert content(out) == content(site.path)


def test_one_view_is_one_file(make_app: Callable[[], FastAPI], tmp_path: Path) -> None:
    out = tmp_path / "view.html"
    plan = Plan(("act2",), units=0)
    done = publish_whole(make_app(), plan, "/image/first?layer=act2&at=1,1", out)
    text = out.read_text()
    assert done.files == 1
    assert [path.name for path in tmp_path.iterdir()] == ["view.html"]
    found = re.search(r'<script id="published" type="application/json">(.*?)</script>', text)
    assert found
    data = json.loads(found[1])
    assert data["start"] == "/image/first?layer=act2&at=1,1"
    assert all(one["canvas_url"].startswith("data:image/webp;base64,") for one in data["files"][file_of("/api/images")])
    assert "pictures/" not in found[1].replace('"data/pictures', "")


def test_another_file_than_a_page_is_not_overwritten(make_app: Callable[[], FastAPI], tmp_path: Path) -> None:
    out = tmp_path / "thesis.html"
    out.write_text("<h1>all of it</h1>")
    with pytest.raises(PublishError, match="no published page"):
        publish_whole(make_app(), Plan(("act2",), units=0), "/", out)
    with pytest.raises(PublishError, match="it is a folder"):
        publish_whole(make_app(), Plan(("act2",), units=0), "/", tmp_path)
    assert out.read_text() == "<h1>all of it</h1>"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.html"]


def test_a_full_disk_ends_the_run_at_once(
    plan: Plan, make_app: Callable[[], FastAPI], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, own = [20], folders.put_whole

    def filling(path: Path, content: bytes) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        own(path, content)

    monkeypatch.setattr(folders, "put_whole", filling)
    with pytest.raises(PublishError, match="No space left"):
        publish(make_app(), plan, tmp_path / "site")
    assert left == [-1]  # the first refusal was the last try
    assert len(content(tmp_path / "site")) == 20


def test_the_grids_of_a_copy_are_those_of_its_layers(
    site: Published, make_app: Callable[[], FastAPI], tmp_path: Path
) -> None:
    (image,) = answer(site.path, "/api/images")
    grids = answer(site.path, f"/api/images/{image['id']}/grids")["layers"]
    assert answer(site.path, "/api/model")["grid_layers"] == [grid["layer"] for grid in grids] == ["act1", "act2"]
    one = publish(make_app(), Plan(("act2",), units=0), tmp_path / "site").path
    (alone,) = answer(one, f"/api/images/{image['id']}/grids")["layers"]
    assert answer(one, "/api/model")["grid_layers"] == ["act2"]
    assert (alone["layer"], alone["rows"], alone["columns"], alone["done"]) == ("act2", 8, 8, True)
    assert alone["agreement"]["cosine"] is not None
    with PIL.Image.open(one / alone["sheet_url"]) as sheet:
        assert sheet.width % 8 == sheet.height % 8 == 0
    with PIL.Image.open(one / answer(one, "/api/images")[0]["thumbnail_url"]) as small:
        assert max(small.size) <= 104


def test_the_desk_waits_for_what_takes_a_while(make_app: Callable[[], FastAPI]) -> None:
    app = make_app()
    found = asyncio.run(Desk(app).answer("/api/unit/weights?layer=act2&channel=1&after=false"))
    refused = asyncio.run(Desk(app).answer("/api/unit/weights?layer=act2&channel=99&after=false"))
    app.state.microscope.close()
    assert found.status == 200
    assert found.data["layer"] == "act1"
    assert refused.status == 404
