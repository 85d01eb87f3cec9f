"""Drawing a unit: Hooke against torch-lucent, alternating, and what a step costs beyond the network itself.

Both draw the same units of the default model on a 128 px Fourier canvas with decorrelated colours and the model's own
normalization (mean = deviation = 0.5). The peer upsamples its canvas to 224 px, as it does by default, and takes its
default 512 steps of Adam. Every picture is scored clean (unmoved) in the model itself, at 128 px and upsampled to 224.
"""

import argparse
import itertools
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy
import torch
from torch import Tensor
from torch.nn import functional

import hooke
from hooke.models.fast import fast_form
from hooke.models.model import Model
from hooke.models.taps import tapped
from hooke.numeric.seeds import stream
from hooke.visualization.ascent import Ascent, ascend
from hooke.visualization.objectives import objective
from hooke.visualization.parametrizations import Fourier

CANVAS, PEER_CANVAS, PEER_STEPS, EVERY = 128, 224, 512, 4


class Peer:
    """torch-lucent in a process of its own environment, drawing when it is told to."""

    def __init__(self, python: str) -> None:
        script = Path(__file__).parent / "peers" / "torch_lucent.py"
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([python, str(script)], stdin=pipe, stdout=pipe, text=True)
        self._file = Path(tempfile.mkdtemp()) / "picture.npy"

    def draw(self, unit: str, steps: int = PEER_STEPS) -> tuple[Tensor, float]:
        """The peer's picture of one unit and the seconds it took."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"unit": unit, "steps": steps, "file": str(self._file)}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        picture = torch.from_numpy(numpy.load(self._file)).permute(2, 0, 1)
        return picture, answer["seconds"]


def clean(model: Model, layer: str, channels: list[int], canvases: Tensor) -> Mapping[str, list[float]]:
    """The mean response of each picture's own channel, at 128 px and upsampled to the peer's 224 px."""
    upsampled = functional.interpolate(canvases, PEER_CANVAS, mode="bilinear", align_corners=True)
    scores = {}
    for side, batch in ((CANVAS, canvases), (PEER_CANVAS, upsampled)):
        with torch.no_grad(), tapped(model, [layer]) as taps:
            activation = taps(model.modality.normalize(batch))[layer]
        scores[str(side)] = [activation[i, channel].mean().item() for i, channel in enumerate(channels)]
    return scores


def ours(model: Model, layer: str, channels: list[int]) -> list[tuple[float, int, Mapping[str, list[float]]]]:
    """(seconds so far, step, clean scores) of one batch of units; scoring is not timed."""
    method, fast = Ascent(Fourier(size=CANVAS)), fast_form(model, [layer])
    units = [f"{layer}:{channel}" for channel in channels]
    objectives = [objective(model, model.resolve(unit)) for unit in units]
    track, spent = [], 0.0
    with tapped(fast, [layer]) as taps:

        def record(canvases: Tensor) -> Mapping[str, Tensor]:
            return taps(fast.modality.normalize(canvases))

        streams = [stream(0, unit) for unit in units]
        moments = ascend(record, objectives, method, CANVAS, 3, streams, EVERY)
        while True:
            begun = time.perf_counter()
            moment = next(moments, None)
            spent += time.perf_counter() - begun
            if moment is None:
                return track
            track.append((spent, moment.step, clean(model, layer, channels, moment.canvases)))


def against_peer(model: Model, peer: Peer, layer: str, rounds: int) -> list[dict[str, object]]:
    """One row a unit: what each attains, in how long, and when Hooke reaches what the peer attains."""
    batch = Ascent().batch
    generator = torch.Generator().manual_seed(0)
    order: list[int] = torch.randperm(model.layer(layer).channels or 1, generator=generator).tolist()
    rows: list[dict[str, object]] = []
    ours(model, layer, order[:batch])  # warm
    peer.draw(f"{layer}:{order[0]}", steps=2)
    for round_ in range(rounds):
        channels = order[round_ * batch : (round_ + 1) * batch]
        track = ours(model, layer, channels)
        channel = channels[0]
        picture, seconds = peer.draw(f"{layer}:{channel}")
        theirs = clean(model, layer, [channel], picture[None])
        row: dict[str, object] = {
            "unit": f"{layer}:{channel}",
            "peer_seconds": seconds,
            "seconds": track[-1][0] / batch,
        }
        for side, (score,) in theirs.items():
            row[f"peer_score_{side}"], row[f"score_{side}"] = score, track[-1][2][side][0]
            reached = next((spent for spent, _, scores in track if scores[side][0] >= score), None)
            row[f"seconds_to_peer_score_{side}"] = None if reached is None else reached / batch
            row[f"times_faster_{side}"] = None if reached is None else seconds / (reached / batch)
        rows.append(row)
        print(json.dumps(row), flush=True)
    return rows


def summary(rows: list[dict[str, object]]) -> dict[str, object]:
    """Medians over the units of which the peer drew anything at all: a grey picture of score 0 is easily reached."""
    drawn = [row for row in rows if row[f"peer_score_{CANVAS}"] != 0.0]
    report: dict[str, object] = {"units": len(rows), "units_that_the_peer_drew": len(drawn)}
    for name in ("seconds", "peer_seconds"):
        report[f"median_{name}"] = statistics.median(float(str(row[name])) for row in rows)
    for side in (CANVAS, PEER_CANVAS):
        found = [float(str(row[f"times_faster_{side}"])) for row in drawn if row[f"times_faster_{side}"] is not None]
        report[f"reached_{side}"] = f"{len(found)} of {len(drawn)}"
        report[f"median_times_faster_{side}"] = statistics.median(found) if found else None
    return report


def overhead(model: Model, layer: str, side: int, rounds: int, steps: int = 48) -> dict[str, object]:
    """Seconds of a whole step over those of a bare forward and backward pass of the same truncated network."""
    method, fast = Ascent(Fourier(size=side), steps=steps, rescue=0), fast_form(model, [layer])
    units = [f"{layer}:{channel}" for channel in range(method.batch)]
    objectives = [objective(model, model.resolve(unit)) for unit in units]
    bare, whole = [], []
    with tapped(fast, [layer]) as taps:

        def one_bare(batch: Tensor) -> None:
            activation = taps(batch)[layer]
            torch.autograd.grad(activation[:, 0].mean(), batch)

        def one_whole() -> None:
            streams = [stream(0, unit) for unit in units]
            record: Callable[[Tensor], Mapping[str, Tensor]] = lambda x: taps(fast.modality.normalize(x))  # noqa: E731
            for _ in ascend(record, objectives, method, side, 3, streams, steps + 1):
                pass

        for _ in range(rounds):
            batch = torch.rand(method.batch, 3, side, side).requires_grad_()
            begun = time.perf_counter()
            for _ in range(steps):
                one_bare(batch)
            bare.append((time.perf_counter() - begun) / steps)
            begun = time.perf_counter()
            one_whole()
            whole.append((time.perf_counter() - begun) / steps)
    ratios = [b / a for a, b in itertools.islice(zip(bare, whole, strict=True), 1, None)]
    return {
        "layer": layer, "canvas": side, "batch": method.batch, "bare_ms": 1000 * statistics.median(bare),
        "step_ms": 1000 * statistics.median(whole), "ratio": statistics.median(ratios),
        "ratio_min": min(ratios), "ratio_max": max(ratios),
    }  # fmt: skip


def main() -> None:
    """Runs what was asked and prints one JSON object, also to `--out`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--peer", help="python of an environment with torch-lucent; without it only the overhead is measured"
    )
    parser.add_argument("--layer", default="blocks.4.1.bn2.act", help="the layer of both")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    model = hooke.open()
    report: dict[str, object] = {
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads", "torch": torch.__version__,
        "normalization": "mean = deviation = 0.5, both", "canvas": CANVAS, "peer_upsampled_to": PEER_CANVAS,
    }  # fmt: skip
    layers = [("blocks.1.1.bn2.act", 128), (given.layer, 128), ("blocks.6.0.bn2.act", 128)]
    report["overhead"] = [overhead(model, layer, side, given.rounds + 1) for layer, side in layers]
    if given.peer:
        rows = against_peer(model, Peer(given.peer), given.layer, given.rounds)
        report["peer"] = rows
        report |= summary(rows)
    text = json.dumps(report, indent=1)
    print(text)
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
