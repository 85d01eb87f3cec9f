"""The pieces of publishing: a folder that is continued, estimates, views, the HTML."""

import errno
import io
import json
import re
from pathlib import Path

import PIL.Image
import pytest

from hooke.errors import PublishError
from hooke.publish import ledger as ledgers
from hooke.publish.folder import QUESTION, Folder, rounded, writing
from hooke.publish.ledger import Ledger
from hooke.publish.names import file_of
from hooke.publish.pages import Built, Head, page, whole
from hooke.publish.preview import preview
from hooke.publish.publish import looked_at

HEAD = Head('a "cat" & <dog>', "words", "/image/cat", "hooke explore toy", "previews/cat.jpg", "https://a.b/c/")


def test_a_folder_is_continued_with_the_same_question_only(tmp_path: Path) -> None:
    Folder(tmp_path / "site", {"layers": ["a"]}).put("data/x.json", b"1")
    assert Folder(tmp_path / "site", {"layers": ["a"]}).has("data/x.json")
    with pytest.raises(PublishError, match="what differs: layers"):
        Folder(tmp_path / "site", {"layers": ["b"]})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(PublishError, match="not empty"):
        Folder(tmp_path / "mine", {})
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_what_a_killed_run_left_half_written_is_cleared_away(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / f"{QUESTION}.12.partial").write_text("{")  # the very first file
    folder = Folder(site, {"layers": ["a"]})
    folder.put("data/x.json", b"1")
    (site / "data/y.json.13.partial").write_text("[1, ")
    Folder(site, {"layers": ["a"]})
    assert sorted(path.name for path in site.rglob("*")) == ["data", QUESTION, "x.json"]


def test_a_folder_that_cannot_be_read_and_a_disk_that_is_full_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", refused)
        with pytest.raises(PublishError, match="Permission denied"), writing(tmp_path):
            Folder(tmp_path, {})
    monkeypatch.setattr("hooke.publish.folder.put_whole", full)
    with pytest.raises(PublishError, match="No space left") as told, writing(tmp_path):
        Folder(tmp_path, {})
    assert "run the same again" in told.value.next_step


def test_an_answer_that_somebody_changed_is_told(tmp_path: Path) -> None:
    folder = Folder(tmp_path, {})
    folder.keep("/api/model", {"name": "a"})
    assert folder.answer("/api/model") == {"name": "a"}
    folder.put(f"{file_of('/api/model')}.gz", b'{"name": ')
    with pytest.raises(PublishError, match="no answer") as told:
        folder.answer("/api/model")
    assert "delete" in told.value.next_step


def test_pictures_that_nothing_shows_are_taken_away(tmp_path: Path) -> None:
    folder = Folder(tmp_path, {})
    shown, other = folder.picture(b"shown"), folder.picture(b"other")
    (tmp_path / "pictures" / "mine.txt").write_text("kept")
    folder.keep("/pictures", {"sheets": {"files": [shown]}})
    folder.prune()
    assert folder.has(shown)
    assert not folder.has(other)
    assert folder.has("pictures/mine.txt")


def test_numbers_are_short() -> None:
    assert rounded([0.123456789, 3.0, 12345678.0, float("nan"), {"a": -0.00012345678}, True, 7]) == [
        0.12346, 3, 12346000, None, {"a": -0.00012346}, True, 7
    ]  # fmt: skip
    assert json.dumps(rounded(2.0)) == "2"


def test_the_rest_is_estimated_by_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 14.0, 20.0, 21.0])
    monkeypatch.setattr(ledgers.time, "monotonic", lambda: next(clock))
    heard: list[tuple[float, float, str]] = []
    ledger = Ledger(lambda done, total, what: heard.append((done, total, what)))
    ledger.expect("slow", 3, 100)
    ledger.expect("quick", 10, 1)
    assert (ledger.left, ledger.pieces) == (310, 13)
    with ledger.doing("slow"):
        pass
    assert ledger.left == 2 * 4 + 10
    with ledger.doing("quick", 5):
        pass
    assert ledger.left == pytest.approx(2 * 4 + 5 * 0.2)
    assert heard[-1] == (5, pytest.approx(14), "quick")


def test_views_are_read_as_the_address_bar_writes_them() -> None:
    names, layers = ["cat", "my dog"], ["act1", "a/b"]
    assert looked_at("/", names, layers) == (None, None, None)
    assert looked_at("/image/my%20dog?layer=act1&at=1,2", names, layers) == ("my dog", "act1", None)
    assert looked_at("#/unit/a%2Fb/12", names, layers) == (None, "a/b", 12)
    assert looked_at("/layer/act1", names, layers) == (None, "act1", None)
    with pytest.raises(PublishError, match="cat"):
        looked_at("/image/cta", names, layers)
    with pytest.raises(PublishError, match="address bar"):
        looked_at("/circuit", names, layers)


def test_a_page_trusts_only_its_own_files_and_quotes_what_it_is_told() -> None:
    text = page(HEAD, ["b402747c"])
    assert '"known":["b402747c"]' in text
    assert "default-src 'none'; script-src 'self';" in text
    assert "<dog>" not in text
    assert '<meta property="og:image" content="https://a.b/c/previews/cat.jpg">' in text
    assert not re.search(r'(src|href)="(/|http)', text)


def test_a_whole_page_names_its_script_by_its_hash_and_cannot_be_broken_out_of() -> None:
    text = whole(HEAD, Built("x='</script>'", "a{}", "<svg/>"), {"data/a.json": "</script><script>alert(1)</script>"})
    assert text.count("</script>") == 2
    assert text.count("sha256-") == 2
    assert "connect-src 'none'" in text
    assert "'self'" not in text
    found = re.search(r'<script id="published" type="application/json">(.*?)</script>', text)
    assert found
    assert json.loads(found[1])["files"]["data/a.json"] == "</script><script>alert(1)</script>"


def test_a_preview_has_the_size_that_readers_of_previews_want() -> None:
    cat = PIL.Image.new("RGB", (224, 224), "teal")
    content = preview(cat, (0.25, 0.25, 0.5, 0.5), [cat] * 9, "What a model with a very long name sees " * 3, "cat")
    picture = PIL.Image.open(io.BytesIO(content))
    assert picture.size == (1200, 630)
    assert picture.format == "JPEG"
    red, green, blue = picture.getpixel((40 + 550 // 4, 40 + 550 * 3 // 8))  # type: ignore[misc]
    assert red > 150 > green > blue  # the frame of the place
