"""`hooke predict` on a cat, and on what is no picture."""

import json

import numpy
import PIL.Image

CATS = ("tabby", "tiger cat", "Egyptian cat")


def test_the_cat_is_a_cat(hooke, cat) -> None:
    predictions = hooke("predict", "efficientnet-lite0", cat, "--json").json
    assert [set(one) for one in predictions] == [{"label", "index", "probability"}] * 5
    assert any(cat in one["label"] for one in predictions[:3] for cat in CATS)
    assert [one["probability"] for one in predictions] == sorted(
        (one["probability"] for one in predictions), reverse=True
    )


def test_words_for_people(hooke, cat) -> None:
    answer = hooke("predict", "efficientnet-lite0", cat, "--count", "2")
    assert len(answer.out.strip().splitlines()) == 4
    assert "%" in answer.out
    assert answer.err == ""


def test_a_text_file_is_no_picture(hooke, tmp_path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a picture")
    answer = hooke("predict", "efficientnet-lite0", file)
    assert answer.code == 1
    assert "notes.txt" in answer.err


def test_a_truncated_jpeg_names_its_file(hooke, tmp_path) -> None:
    whole, cut = tmp_path / "whole.jpg", tmp_path / "cut.jpg"
    PIL.Image.fromarray(numpy.random.default_rng(0).integers(0, 255, (256, 256, 3), dtype=numpy.uint8)).save(whole)
    cut.write_bytes(whole.read_bytes()[:9000])
    answer = hooke("predict", "efficientnet-lite0", cut, "--json")
    assert answer.code == 1
    assert json.loads(answer.err)["error"] == "ImageError"
    assert "cut.jpg" in answer.err
