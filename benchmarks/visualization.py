"""Drawing a unit: Hooke against its peers, alternating, what a step costs beyond the network, and how it scales.

All draw the same units of the default model with its own normalization (mean = deviation = 0.5). torch-lucent draws a
128 px Fourier canvas with decorrelated colours, upsampled to the 224 px that its network looks at, in its default 512
steps; Horama and torch-dreams draw their own canvases with their own default steps. Hooke draws twice: at 128 px with
its defaults, and for the peer's 224 px at 112, laid four times side by side. Every picture is scored clean
(unmoved) in the model itself, the peer's at both sizes, Hooke's at the size at which it was drawn. Seconds are by the
clock and of the processor: other work on the machine shows less in these.
"""

import argparse
import dataclasses
import json
import os
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

CANVAS, PEER_CANVAS, EVERY = 128, 224, 4
PEERS = {"torch_lucent": 512, "horama_fourier": 1000, "torch_dreams_auto": 120}
"""The peers' sides in `peers/`, and their default steps."""
OURS = {CANVAS: (Ascent(steps=128, coarse=32), 1), PEER_CANVAS: (Ascent(steps=160), 2)}
"""By the side of what is scored: the method, and how often its canvas lies side by side in that."""
Seconds = tuple[float, float]
"""By the clock, and of the processor."""


class Peer:
    """A peer in a process of its own environment, drawing when it is told to."""

    def __init__(self, python: str, name: str = "torch_lucent") -> None:
        self.steps = PEERS[name]
        script = Path(__file__).parent / "peers" / f"{name}.py"
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([python, str(script)], stdin=pipe, stdout=pipe, text=True)
        self._file = Path(tempfile.mkdtemp()) / "picture.npy"

    def draw(self, unit: str, steps: int = 0) -> tuple[Tensor, Seconds]:
        """The peer's picture of one unit and the seconds it took."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(
            json.dumps({"unit": unit, "steps": steps or self.steps, "file": str(self._file)}) + "\n"
        )
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        picture = torch.from_numpy(numpy.load(self._file)).permute(2, 0, 1)
        return picture, (answer["seconds"], answer["processor"])


def clean(model: Model, layer: str, channels: list[int], canvases: Tensor) -> list[float]:
    """The mean response of each picture's own channel."""
    with torch.no_grad(), tapped(model, [layer]) as taps:
        activation = taps(model.modality.normalize(canvases))[layer]
    return [activation[i, channel].mean().item() for i, channel in enumerate(channels)]


def at_side(picture: Tensor, side: int) -> Tensor:
    """A peer's picture at one of the sides, made smaller or larger as its own network would see it."""
    smaller = picture.shape[2] > side
    return functional.interpolate(
        picture, side, mode="bilinear", align_corners=not smaller and side == PEER_CANVAS, antialias=smaller
    )


def ours(
    model: Model, layer: str, channels: list[int], side: int, copies: int = 0
) -> list[tuple[Seconds, list[float]]]:
    """(seconds so far, clean scores) of one batch of units at one size; scoring is not timed.

    What is drawn on a smaller canvas, with `copies` of it across, counts as these side by side.
    """
    method, usual = OURS[side]
    copies = copies or usual
    coarse = method.coarse if copies == usual else 0
    method = dataclasses.replace(
        method, parametrization=Fourier(size=side // copies), batch=len(channels), coarse=coarse
    )
    fast = fast_form(model, [layer])
    units = [f"{layer}:{channel}" for channel in channels]
    objectives = [objective(model, model.resolve(unit)) for unit in units]
    track, wall, processor = [], 0.0, 0.0
    with tapped(fast, [layer]) as taps:

        def record(canvases: Tensor) -> Mapping[str, Tensor]:
            return taps(fast.modality.normalize(canvases))

        streams = [stream(0, unit) for unit in units]
        moments = ascend(record, objectives, method, side // copies, 3, streams, EVERY)
        while True:
            begun = time.perf_counter(), time.process_time()
            moment = next(moments, None)
            wall, processor = wall + time.perf_counter() - begun[0], processor + time.process_time() - begun[1]
            if moment is None:
                return track
            across = side // moment.canvases.shape[2]
            whole = moment.canvases.repeat(1, 1, across, across)
            track.append(((wall, processor), clean(model, layer, channels, whole)))


def against_peer(model: Model, peer: Peer, layer: str, rounds: int, copies: int, batch: int) -> list[dict[str, object]]:
    """One row a unit: what each attains, in how long, and when Hooke reaches what the peer attains.

    Of the batch that is drawn together, the first unit is the peer's too; each unit's time is its share of the batch's.
    """
    generator = torch.Generator().manual_seed(0)
    order: list[int] = torch.randperm(model.layer(layer).channels or 1, generator=generator).tolist()
    rows: list[dict[str, object]] = []
    ours(model, layer, order[:batch], CANVAS, copies)  # warm
    peer.draw(f"{layer}:{order[0]}", steps=2)
    for round_ in range(rounds):
        channels = [order[(round_ * Ascent().batch + at) % len(order)] for at in range(batch)]
        picture, seconds = peer.draw(f"{layer}:{channels[0]}")
        row: dict[str, object] = {"unit": f"{layer}:{channels[0]}"}
        row |= {f"peer_{name}": value for name, value in zip(("seconds", "processor"), seconds, strict=True)}
        for side in OURS:
            track = ours(model, layer, channels, side, copies)
            (theirs,) = clean(model, layer, channels[:1], at_side(picture[None], side))
            reached = next((spent for spent, scores in track if scores[0] >= theirs), None)
            row |= {f"peer_score_{side}": theirs, f"score_{side}": track[-1][1][0]}
            for at, name in enumerate(("seconds", "processor")):
                row[f"{name}_{side}"] = track[-1][0][at] / batch
                row[f"{name}_to_peer_score_{side}"] = reached[at] / batch if reached else None
                row[f"times_faster_{name}_{side}"] = seconds[at] / (reached[at] / batch) if reached else None
        rows.append(row)
        print(json.dumps(row), flush=True)
    return rows


def summary(rows: list[dict[str, object]]) -> dict[str, object]:
    """Medians over the units of which the peer drew anything at all: a grey picture of score 0 is easily reached.

    A unit whose score is not reached counts as infinitely slow in the medians.
    """
    drawn = [row for row in rows if row[f"peer_score_{CANVAS}"] != 0.0]
    report: dict[str, object] = {"units": len(rows), "units_that_the_peer_drew": len(drawn)}
    for name in ("seconds", "processor"):
        report[f"median_peer_{name}"] = statistics.median(float(str(row[f"peer_{name}"])) for row in rows)
        for side in OURS:
            found = [row[f"times_faster_{name}_{side}"] for row in drawn]
            report[f"median_{name}_{side}"] = statistics.median(float(str(row[f"{name}_{side}"])) for row in rows)
            report[f"reached_{side}"] = f"{sum(one is not None for one in found)} of {len(drawn)}"
            times = statistics.median(float(str(one or 0.0)) for one in found) if found else 0.0
            report[f"median_times_faster_{name}_{side}"] = times or None
    return report


def overhead(model: Model, layer: str, side: int, rounds: int, steps: int = 8) -> dict[str, object]:
    """A whole step over a bare forward and backward pass of the same truncated network.

    Both take turns, `steps` at a time; what counts is the median of the ratios of neighbours, by the clock and, since
    other work on the machine shows less in it, by the processor time of all threads.
    """
    method, fast = Ascent(Fourier(size=side), steps=(3 * rounds + 4) * steps, rescue=0), fast_form(model, [layer])
    units = [f"{layer}:{channel}" for channel in range(method.batch)]
    objectives = [objective(model, model.resolve(unit)) for unit in units]
    spent: dict[str, list[tuple[float, float]]] = {"bare": [], "step": []}
    with tapped(fast, [layer]) as taps:

        def record(canvases: Tensor) -> Mapping[str, Tensor]:
            return taps(fast.modality.normalize(canvases))

        batch = torch.rand(method.batch, 3, side, side).requires_grad_()
        moments = ascend(record, objectives, method, side, 3, [stream(0, unit) for unit in units], steps)

        def bare() -> None:
            for _ in range(steps):
                activation = taps(batch)[layer]
                torch.autograd.grad(activation[:, 0].mean(), batch)

        ways: dict[str, Callable[[], object]] = {"bare": bare, "step": lambda: next(moments)}
        bare(), next(moments), next(moments)  # warm
        for _ in range(3 * rounds):
            for name, way in ways.items():
                wall, cpu = time.perf_counter(), time.process_time()
                way()
                spent[name].append(((time.perf_counter() - wall) / steps, (time.process_time() - cpu) / steps))
    pairs = list(zip(spent["bare"], spent["step"], strict=True))
    ratios, cpu_ratios = ([step[at] / bare[at] for bare, step in pairs] for at in (0, 1))
    return {
        "layer": layer, "canvas": side, "batch": method.batch,
        "bare_ms": 1000 * statistics.median(bare for bare, _ in spent["bare"]),
        "step_ms": 1000 * statistics.median(step for step, _ in spent["step"]),
        "ratio": statistics.median(ratios), "ratio_min": min(ratios), "ratio_max": max(ratios),
        "cpu_ratio": statistics.median(cpu_ratios),
    }  # fmt: skip


def drawn(name: str, address: str, units: int, batch: int, steps: int) -> tuple[float, float]:
    """Seconds to draw some units of an address' layer, and how many MB more this process took at its peak."""
    model = hooke.open(name)
    layer, first = address.rsplit(":", 1)
    method = Ascent(Fourier(size=min(CANVAS, model.modality.height)), steps=steps, batch=batch)
    hooke.visualize(model, address, by=dataclasses.replace(method, steps=2))  # the form is made, the threads are there
    before = memory()
    begun = time.perf_counter()
    hooke.visualize(model, [f"{layer}:{int(first) + at}" for at in range(units)], by=method)
    return time.perf_counter() - begun, memory("VmHWM") - before


def memory(kind: str = "VmRSS") -> float:
    """MB of this process now, or ("VmHWM") at its peak (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{kind}:")[1].split()[0]) / 1024


def scaling(name: str, address: str, steps: int = 16) -> list[dict[str, object]]:
    """Units per second and peak memory as the batch and the number of units grow, each in a process of its own."""
    rows: list[dict[str, object]] = []
    for units, batch in ((1, 1), (4, 4), (16, 4), (64, 4), (8, 8), (16, 16), (32, 32), (64, 32)):
        asked = json.dumps([name, address, units, batch, steps])
        done = subprocess.run(
            [sys.executable, __file__, "--drawn", asked], stdout=subprocess.PIPE, text=True, check=True
        )
        seconds, extra = json.loads(done.stdout.splitlines()[-1])
        rows.append({
            "model": name, "layer": address.rsplit(":", 1)[0], "units": units, "batch": batch, "steps": steps,
            "milliseconds_a_unit_and_step": 1000 * seconds / units / steps, "units_a_second": units / seconds,
            "extra_mb_at_peak": extra,
        })  # fmt: skip
        print(json.dumps(rows[-1]), flush=True)
    return rows


def main() -> None:
    """Runs what was asked and prints one JSON object, also to `--out`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", help="python of an environment with the peer; without it only Hooke is measured")
    parser.add_argument("--peer-name", default="torch_lucent", choices=list(PEERS))
    parser.add_argument("--layer", default="blocks.4.1.bn2.act", help="the layer of both")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--copies", type=int, default=0, help="draw so small that this many fit side by side across")
    parser.add_argument("--batch", type=int, default=Ascent().batch, help="so many units are drawn together")
    parser.add_argument("--no-overhead", action="store_true", help="what a step costs is not measured")
    parser.add_argument("--scaling", action="store_true", help="memory and units per second; takes minutes")
    parser.add_argument("--model", default="efficientnet-lite0", help="whose scaling is measured")
    parser.add_argument("--unit", default="blocks.4.1.bn2.act:0", help="the first of the units drawn for it")
    parser.add_argument("--drawn", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.drawn:
        print(json.dumps(drawn(*json.loads(given.drawn))))
        return
    model = hooke.open()
    report: dict[str, object] = {
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads", "torch": torch.__version__,
        "load": os.getloadavg()[0],
        "normalization": "mean = deviation = 0.5, both", "canvas": CANVAS, "peer_upsampled_to": PEER_CANVAS,
        "copies": given.copies, "batch": given.batch,
    }  # fmt: skip
    layers = [("blocks.1.1.bn2.act", 64), ("blocks.1.1.bn2.act", 128), (given.layer, 128), ("blocks.6.0.bn2.act", 128)]
    if not given.no_overhead:
        report["overhead"] = [overhead(model, layer, side, given.rounds + 1) for layer, side in layers]
    if given.scaling:
        report["scaling"] = scaling(given.model, given.unit)
    if given.peer:
        report["peer_name"] = given.peer_name
        rows = against_peer(
            model, Peer(given.peer, given.peer_name), given.layer, given.rounds, given.copies, given.batch
        )
        report["peer"] = rows
        report |= summary(rows)
    text = json.dumps(report, indent=1)
    print(text)
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
