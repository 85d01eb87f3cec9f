"""Rendering: every unit once, the right picture in the right cell, nothing drawn twice, also after a kill."""

import json
import subprocess
import sys
import time

import PIL.Image
import pytest
import torch
from torch import nn

import hooke
from hooke.addresses import Place
from hooke.errors import AddressError, HookeError
from hooke.modalities.image import Image
from hooke.visualization.ascent import Ascent
from hooke.visualization.parametrizations import Fourier
from hooke.visualization.rendering import file_stem, render, unit_file

METHOD = Ascent(Fourier(size=24), steps=6)


def toy():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Conv2d(5, 3, 3), nn.ReLU())
    return hooke.open(module, modality=Image(24, 24, (0.5,) * 3, (0.5,) * 3))


def test_each_unit_is_a_file_and_a_cell_and_the_bytes_are_those_of_visualize(tmp_path):
    model = toy()
    sheets = render(model, {"1": range(5), "3": [2, 0]}, tmp_path, by=METHOD, cell=24)
    assert [(one.layer, one.columns, len(one.units)) for one in sheets] == [("1", 3, 5), ("3", 2, 2)]
    alone = hooke.visualize(model, "3:0", by=METHOD)
    file = tmp_path / unit_file(Place("3", 0))
    with PIL.Image.open(file) as drawn:
        levels = torch.tensor(list(drawn.convert("RGB").tobytes())).view(24, 24, 3)
        facts = json.loads(drawn.text["hooke"])
    assert torch.equal(levels, (alone.image * 255).round().permute(1, 2, 0).long())
    assert facts["key"] == alone.provenance.key
    assert facts["response"] == alone.response
    entry = sheets[1].units[1]
    assert (entry["address"], entry["x"], entry["y"]) == ("3:0", 24, 0)
    with PIL.Image.open(tmp_path / sheets[1].image) as page:
        cell = page.convert("RGB").crop((24, 0, 48, 24))
    difference = torch.tensor(list(cell.tobytes())).view(24, 24, 3) - levels
    assert difference.abs().float().mean() < 12  # WebP loses a little
    index = json.loads((tmp_path / "index.json").read_text())
    assert [row["units"] for row in index["layers"]] == [5, 2]
    assert index["fingerprint"] == model.fingerprint


def test_what_is_there_is_not_drawn_again_and_what_is_damaged_is(tmp_path):
    model, seen = toy(), []
    render(model, {"1": range(5)}, tmp_path, by=METHOD)
    files = {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in (tmp_path / "units").glob("*/*.png")}
    torn = sorted(files)[3]
    torn.write_bytes(files[torn][1][:200])
    render(model, {"1": range(5)}, tmp_path, by=METHOD, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(4, 5), (5, 5)]
    for file, (written, _) in files.items():
        assert file == torn or file.stat().st_mtime_ns == written
        with PIL.Image.open(file) as drawn:
            drawn.load()
    changed = Ascent(Fourier(size=24), steps=5)
    render(model, {"1": range(5)}, tmp_path, by=changed, progress=lambda done, of: seen.append((done, of)))
    assert seen[2:] == [(0, 5), (4, 5), (5, 5)]


@pytest.mark.alone
def test_after_a_kill_the_rest_is_drawn_and_nothing_is_broken(tmp_path):
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_rendering import METHOD, render, toy\n"
        "render(toy(), {'1': range(5), '3': range(3)}, sys.argv[2], by=METHOD)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(__file__).rsplit("/", 1)[0], str(tmp_path)])
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("units/*/*.png")) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    process.wait()
    sheets = render(toy(), {"1": range(5), "3": range(3)}, tmp_path, by=METHOD)
    assert [len(one.units) for one in sheets] == [5, 3]


@pytest.mark.alone
def test_worker_processes_draw_the_same(tmp_path, default_model):
    channels = {"blocks.0.0.bn1.act": [0, 3, 7, 9, 20], "blocks.1.0.bn1.act": [2]}
    method = Ascent(Fourier(size=32), steps=4)
    here = render(default_model, channels, tmp_path / "here", by=method)
    there = render(default_model, channels, tmp_path / "there", by=method, workers=2)
    for one, other in zip(here, there, strict=True):
        for first, second in zip(one.units, other.units, strict=True):
            assert first["key"] == second["key"]
            assert first["response"] == pytest.approx(second["response"], rel=1e-3, abs=1e-4)


def test_bad_requests_say_so(tmp_path):
    model = toy()
    with pytest.raises(AddressError, match="1:9"):
        render(model, {"1": [9]}, tmp_path, by=METHOD)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HookeError, match="cannot be written"):
        render(model, {"1": [0]}, tmp_path / "file", by=METHOD)
    with pytest.raises(HookeError, match="smaller cell"):
        render(model, {"1": range(5)}, tmp_path / "tall", by=METHOD, cell=9000)


def test_file_names_are_safe():
    assert file_stem("blocks.4.1.bn2.act") == "blocks.4.1.bn2.act"
    assert file_stem("a/b:c") == "a%2fb%3ac"
