"""Recording: planted truths come back exactly, and interruption, workers, merging and damage change nothing."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import torch
from planted.units import CLASSES, INPUTS, SIDE, Units, canvases, pictures
from torch import nn

from hooke.errors import AddressError, DataError, RecordingError
from hooke.modalities.image import Image
from hooke.models.model import Model
from hooke.models.opening import open
from hooke.models.taps import passing
from hooke.responses.record import record
from hooke.responses.recording import Recording, merge, open_recording


def opened(module: nn.Module | None = None) -> Model:
    return open(module or Units(), modality=Image(SIDE, SIDE, (0.0,) * 3, (1.0,) * 3, crop_fraction=1.0), labels=())


def saved(folder: Path, chosen: slice = slice(None)) -> Path:
    """The planted pictures as an ImageFolder tree, in order of their names."""
    for at, (picture, label) in list(enumerate(pictures()))[chosen]:
        (folder / label).mkdir(parents=True, exist_ok=True)
        picture.save(folder / label / f"{at:03d}.png")
    return folder


def content(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def recorded(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    out = tmp_path_factory.mktemp("recording") / "r"
    return record(opened(), data, out=out, positions=16, shard=16, batch=4, threads=1, spatial=True, whole=["act"])


def truth(recording: Recording) -> tuple[torch.Tensor, torch.Tensor]:
    """Values before and after the nonlinearity at the recorded inputs."""
    order = [int(name.split("/")[-1][:3]) for name in recording.names]
    module = Units()
    before = module.conv(canvases()[order]).detach()
    return before, before.clamp(0, 6)


def test_planted_statistics_come_back(recorded: Recording) -> None:
    _, after = truth(recorded)
    one, flat = recorded.layer("act"), after.transpose(0, 1).flatten(1).double()
    assert one.count == INPUTS * SIDE * SIDE
    torch.testing.assert_close(one.mean, flat.mean(1), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(one.variance, flat.var(1, unbiased=False), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(one.minimum, flat.amin(1).float())
    torch.testing.assert_close(one.maximum, flat.amax(1).float())
    torch.testing.assert_close(one.active.double(), (flat > 0).double().mean(1))
    assert one.dead.tolist() == [False, True, False, False]
    means, peaks = after.mean((2, 3)).double(), after.amax((2, 3)).double()
    torch.testing.assert_close(one.second_moment, means.T @ means / INPUTS, rtol=1e-5, atol=1e-6)
    rows = after.flatten(2).transpose(1, 2).flatten(0, 1).double()
    assert one.second_moment_positions is not None
    torch.testing.assert_close(one.second_moment_positions, rows.T @ rows / len(rows), rtol=1e-5, atol=1e-6)
    alive = [0, 2, 3]
    torch.testing.assert_close(
        one.coactivation[alive][:, alive], torch.corrcoef(peaks[:, alive].T), rtol=1e-4, atol=1e-4
    )
    assert not one.coactivation[1].any()


def test_planted_extremes_labels_and_examples_come_back(recorded: Recording) -> None:
    before, _ = truth(recorded)
    one = recorded.layer("act")
    assert torch.equal(one.top.values[3], before[:, 3].amax((1, 2)).topk(16).values)
    for values, best in ((before, one.top), (before, one.bottom)):
        at = (best.inputs[0], torch.zeros(16, dtype=torch.int64), best.rows[0].long(), best.columns[0].long())
        torch.testing.assert_close(values[at], best.values[0])
        assert len(set(best.inputs[0].tolist())) == 16
    assert one.labels.names == CLASSES
    assert one.label_counts.tolist() == [20, 20, 20]
    assert one.label_means[:, 2].tolist() == [0, 0.5, 0]
    assert one.label_peaks[:, 2].tolist() == [0, 0.5, 0]
    store, before_red = one.reservoir, before[:, 0]
    assert int(store.counts[0].sum()) == INPUTS
    held = store.inputs[0] >= 0
    found = before_red[store.inputs[0][held], store.rows[0][held].long(), store.columns[0][held].long()]
    torch.testing.assert_close(found, store.values[0][held])
    low, high = store.edges[0][:-1, None].expand_as(held)[held], store.edges[0][1:, None].expand_as(held)[held]
    assert bool(((found >= low) & (found <= high)).all())


@pytest.mark.parametrize("before", [False, True])
def test_planted_quantiles_come_back_within_the_stated_error(recorded: Recording, before: bool) -> None:
    one, shares = recorded.layer("act"), torch.tensor([0.01, 0.1, 0.5, 0.9, 0.99])
    values = truth(recorded)[0 if before else 1].transpose(0, 1).flatten(1).double()
    exact = values.quantile(shares.double(), dim=1, interpolation="lower").T
    upper = values.quantile(shares.double(), dim=1, interpolation="higher").T
    found = one.quantile(shares, before=before)
    slack = one.quantile_error * torch.maximum(exact.abs(), upper.abs()) + 2**-10
    assert bool(((found >= exact - slack) & (found <= upper + slack)).all())


def test_responses_are_kept_in_half_precision(recorded: Recording) -> None:
    _, after = truth(recorded)
    one = recorded.layer("act")
    assert one.pooled_mean is not None
    assert one.pooled_peak is not None
    assert one.whole is not None
    torch.testing.assert_close(one.pooled_mean, after.mean((2, 3)), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(one.pooled_peak, after.amax((2, 3)), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(torch.from_numpy(one.whole.read()), after, rtol=1e-3, atol=1e-3)


def test_without_statistics_the_matrices_come_from_the_responses(data: Path, tmp_path: Path) -> None:
    one = record(opened(), data, out=tmp_path / "r", keep="responses").layer("act")
    two = record(opened(), data, out=tmp_path / "s", keep="statistics").layer("act")
    assert two.pooled_mean is None
    torch.testing.assert_close(one.second_moment, two.second_moment, rtol=1e-2, atol=1e-3)
    torch.testing.assert_close(one.coactivation, two.coactivation, rtol=1e-2, atol=1e-2)


SCRIPT = """
import sys, time
sys.path[:0] = sys.argv[3:]
from responses.test_record import Path, opened, record
def slowly(done, total):
    print(done, flush=True)
    time.sleep(0.15)
record(opened(), Path(sys.argv[1]), out=sys.argv[2], shard=4, batch=2, threads=1, progress=slowly)
"""


def test_killed_and_resumed_is_the_same_bytes(data: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"shard": 4, "batch": 2, "threads": 1}
    record(opened(), data, out=tmp_path / "whole", **options)
    tests = str(Path(__file__).parents[1])
    for wanted in ("8", "36"):
        done = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(data), str(tmp_path / "cut"), tests], stdout=subprocess.PIPE, text=True
        )
        assert done.stdout
        while (line := done.stdout.readline().strip()) and int(line) < int(wanted):
            pass
        os.kill(done.pid, signal.SIGKILL)
        done.wait()
        done.stdout.close()
    with pytest.raises(RecordingError, match="not finished"):
        open_recording(tmp_path / "cut")
    shards = sorted((tmp_path / "cut" / "shards").glob("*.state"))
    shards[-1].write_bytes(b"damaged")
    seen: list[int] = []
    record(opened(), data, out=tmp_path / "cut", **options, progress=lambda at, _: seen.append(at))
    assert seen[0] >= 32  # what was finished was not done again
    assert content(tmp_path / "cut") == content(tmp_path / "whole")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_workers_change_nothing(data: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"shard": 16, "batch": 4, "threads": 1}
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.GELU())
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.linspace(-1, 1, parameter.numel()).view_as(parameter))
    record(opened(module), data, out=tmp_path / "one", **options)
    record(opened(module), data, out=tmp_path / "two", workers=2, **options)
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_other_nonlinearities_are_seen_on_both_sides(data: Path, tmp_path: Path) -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.SiLU(inplace=True))
    recording = record(opened(module), data, out=tmp_path / "r", positions=16)
    order = [int(name.split("/")[-1][:3]) for name in recording.names]
    before = module[0](canvases()[order]).detach()
    one, flat = recording.layer("1"), nn.functional.silu(before).transpose(0, 1).flatten(1)
    torch.testing.assert_close(one.maximum, flat.amax(1))
    torch.testing.assert_close(one.minimum, flat.amin(1))
    torch.testing.assert_close(one.top.values[:, 0], before.transpose(0, 1).flatten(1).amax(1))
    assert torch.equal(one.histogram().counts.sum(1), one.histogram(before=True).counts.sum(1))


def test_broken_inputs_are_listed_and_left_out(data: Path, tmp_path: Path) -> None:
    folder = saved(tmp_path / "data")
    (folder / "cat" / "000.png").write_bytes(b"no picture")
    (folder / "dog" / "broken.png").write_bytes(b"")
    recording = record(opened(), folder, out=tmp_path / "r", shard=16, whole=["act"])
    assert [one.name for one in recording.failures] == ["cat/000.png", "dog/broken.png"]
    assert len(recording.names) == INPUTS - 1
    _, after = truth(recording)
    one = recording.layer("act")
    assert one.pooled_mean is not None
    assert one.whole is not None
    torch.testing.assert_close(one.pooled_mean, after.mean((2, 3)), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(torch.from_numpy(one.whole.read()), after, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(after[one.top.inputs[3, 0], 3].max(), one.maximum[3])


def test_two_recordings_merge(recorded: Recording, tmp_path: Path) -> None:
    options: dict[str, Any] = {"positions": 16, "spatial": True, "whole": ["act"]}
    parts = [
        record(opened(), saved(tmp_path / f"d{n}", half), out=tmp_path / f"r{n}", **options)
        for n, half in enumerate((slice(0, 25), slice(25, None)))
    ]
    both = merge(parts[0], parts[1], tmp_path / "both")
    assert len(both.names) == INPUTS
    one, whole = both.layer("act"), recorded.layer("act")
    for name in ("mean", "variance", "minimum", "maximum", "active", "second_moment", "coactivation"):
        torch.testing.assert_close(getattr(one, name), getattr(whole, name), rtol=1e-5, atol=1e-5)
    assert torch.equal(one.histogram(True).counts, whole.histogram(True).counts)
    torch.testing.assert_close(one.top.values, whole.top.values)
    assert torch.equal(one.label_counts, whole.label_counts)
    before, after = truth(both)
    torch.testing.assert_close(before[one.top.inputs[3, 0], 3].max(), one.top.values[3, 0])
    assert one.whole is not None
    torch.testing.assert_close(torch.from_numpy(one.whole.read()), after, rtol=1e-3, atol=1e-3)
    with pytest.raises(DataError, match="more than one"):
        both.samples()


def test_other_models_and_other_data_are_refused(data: Path, recorded: Recording, tmp_path: Path) -> None:
    other = Units()
    with torch.no_grad():
        other.conv.weight.mul_(2)
    theirs = record(opened(other), data, out=tmp_path / "theirs", positions=16, spatial=True, whole=["act"])
    with pytest.raises(RecordingError, match="different models"):
        merge(recorded, theirs, tmp_path / "both")
    with pytest.raises(RecordingError, match="of another model"):
        record(opened(), data, out=tmp_path / "theirs", positions=16, spatial=True, whole=["act"])
    folder = saved(tmp_path / "data")
    mine = record(opened(), folder, out=tmp_path / "mine")
    PIL.Image.new("RGB", (SIDE, SIDE), "red").save(folder / "dog" / "new.png")
    with pytest.raises(RecordingError, match="data changed"):
        record(opened(), folder, out=tmp_path / "mine")
    with pytest.raises(DataError, match="changed"):
        mine.samples()
    with pytest.raises(RecordingError, match="positions 4, not 5"):
        record(opened(other), data, out=saved_plan(tmp_path / "theirs", tmp_path / "p", data), positions=5)
    with pytest.raises(AddressError, match="not recorded"):
        recorded.layer("conv")


def saved_plan(_: Path, out: Path, data: Path) -> Path:
    other = Units()
    with torch.no_grad():
        other.conv.weight.mul_(2)
    record(opened(other), data, out=out)
    return out


def test_damage_and_closed_folders_are_told(data: Path, tmp_path: Path) -> None:
    recording = record(opened(), data, out=tmp_path / "r")
    file = next((tmp_path / "r" / "layers").glob("*.state"))
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(RecordingError, match="damaged"):
        open_recording(tmp_path / "r").layer("act")
    assert recording.names
    with pytest.raises(RecordingError, match="no recording"):
        open_recording(tmp_path / "nothing")
    (tmp_path / "busy").mkdir()
    (tmp_path / "busy" / "letter.txt").touch()
    with pytest.raises(RecordingError, match="something else"):
        record(opened(), data, out=tmp_path / "busy")
    with pytest.raises(RecordingError, match="cannot be written"):
        record(opened(), data, out=Path("/proc/nothing/recording"))
    with pytest.raises(RecordingError, match="is not known"):
        record(opened(), data, out=tmp_path / "x", keep="everything")


def test_values_are_seen_as_they_pass() -> None:
    model, seen = opened(), list[tuple[str, str, float]]()
    batch = canvases()[:2]
    with passing(
        model,
        ["conv", "act"],
        lambda name, tensor: seen.append(("in", name, float(tensor.min()))),
        lambda name, tensor: seen.append(("out", name, float(tensor.min()))),
    ) as run:
        run(batch)
    low = float(Units().conv(batch).detach().min())
    assert seen == [("out", "conv", low), ("in", "act", low), ("out", "act", 0.0)]
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.module.modules())
