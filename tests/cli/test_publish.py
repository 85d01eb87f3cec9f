"""`hooke publish`: what it refuses before anything is opened."""

from pathlib import Path

from .conftest import Run


def test_other_pictures_than_those_named_are_not_published(hooke: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_text("no picture")
    out = tmp_path / "site"
    done = hooke("publish", "efficientnet-lite0", str(broken), "--out", str(out))
    assert done.code == 1
    assert "none of these can be read" in done.err
    assert not out.exists()
