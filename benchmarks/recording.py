"""Recording all activation layers: its throughput against a bare forward pass, and against hooks that keep everything.

The same decoded batches go through each in turn, round by round, in one process: the user's own module as it is (bare),
the fast form (bare), recording in either form, with all statistics, and captum- and baukit-style hooks that keep every
layer's output for the statistics to come (none is computed here). Peak memory is that of a process of its own.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import hooke
from hooke.models.model import Model
from hooke.numeric.streaming.chance import draws
from hooke.responses.forms import recorded_form
from hooke.responses.gathering import Gatherer, target
from hooke.responses.statistics import Extent, Facts, LayerStatistics

POSITIONS = 4


def bare(model: Model, batches: list[Tensor]) -> None:
    """The forward pass alone."""
    with torch.no_grad():
        for batch in batches:
            model.module(batch)


def recorded(model: Model, batches: list[Tensor], layers: list[str], spatial: bool) -> None:
    """The pass with everything that a recording computes, up to one shard's sums."""
    targets = [target(model, name) for name in layers]
    count = sum(len(batch) for batch in batches)
    inputs = torch.arange(count)
    chance = draws(0, inputs, POSITIONS)
    facts = Facts(inputs, inputs % 500, inputs % 10, chance, (draws(1, inputs, POSITIONS) * (2**31 - 1)).int())
    sums = {one.layer.name: LayerStatistics(one, Extent(500, 10, True, spatial)) for one in targets}
    gatherer = Gatherer(model, targets, frozenset(), POSITIONS)
    gatherer.run(zip(batches, chance.split([len(batch) for batch in batches]), strict=True))
    for name, found in gatherer.take().items():
        sums[name].add(found, facts)


def kept(model: Model, batches: list[Tensor], layers: list[str]) -> None:
    """Forward hooks that keep each layer's output: what captum's and baukit's readers do."""
    store: dict[str, list[Tensor]] = {name: [] for name in layers}
    handles = [
        model.module.get_submodule(name).register_forward_hook(
            lambda _, __, output, name=name: store[name].append(output.clone())
        )
        for name in layers
    ]
    try:
        bare(model, batches)
    finally:
        for handle in handles:
            handle.remove()


def ways(batch: int, count: int) -> dict[str, Callable[[], None]]:
    """Everything that is timed, on the same inputs."""
    model = hooke.open()
    model.module.eval()
    layers = [layer.name for layer in model.layers.activations]
    fast = recorded_form(model, layers)
    dice = torch.Generator().manual_seed(0)
    own = [torch.randn(batch, 3, 224, 224, generator=dice) for _ in range(count // batch)]
    last = [one.to(memory_format=torch.channels_last) for one in own]
    return {
        "bare_own": lambda: bare(model, own),
        "bare_own_channels_last": lambda: bare(model, last),
        "bare_fast": lambda: bare(fast, last),
        "record_own": lambda: recorded(model, last, layers, spatial=False),
        "record_fast": lambda: recorded(fast, last, layers, spatial=False),
        "record_fast_spatial": lambda: recorded(fast, last, layers, spatial=True),
        "keep_everything": lambda: kept(model, own, layers),
    }


def measure(batch: int, count: int, rounds: int) -> dict[str, Any]:
    """Milliseconds an input: medians over the rounds, and ratios of throughput within a round."""
    chosen = ways(batch, count)
    spent: dict[str, list[float]] = {name: [] for name in chosen}
    for round_ in range(rounds + 1):
        for name, run in chosen.items():
            begun = time.perf_counter()
            run()
            if round_:  # the first one warms up
                spent[name].append(1000 * (time.perf_counter() - begun) / count)
    report: dict[str, Any] = {f"{name}_ms": statistics.median(found) for name, found in spent.items()}
    for name, base in (
        ("record_fast", "bare_own"), ("record_fast", "bare_fast"), ("record_own", "bare_own"),
        ("record_own", "bare_own_channels_last"), ("record_fast_spatial", "bare_own"),
        ("record_fast_spatial", "bare_fast"), ("keep_everything", "bare_own"),
    ):  # fmt: skip
        ratios = [b / a for a, b in zip(spent[name], spent[base], strict=True)]
        report[f"{name}_to_{base}"] = statistics.median(ratios)
    return report


def peak(name: str, batch: int, count: int) -> float:
    """Peak memory in MB of a process that does one of the ways once."""
    arguments = [sys.executable, __file__, "--only", name, "--batch", str(batch), "--inputs", str(count)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Runs everything and prints one JSON object, also to `--out`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--inputs", type=int, default=256, help="inputs in a round: one block of a recording")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="of torch; 0: as many as it takes by itself")
    parser.add_argument("--only", help="run one way once and print its peak memory in MB")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    if given.only:
        ways(given.batch, given.inputs)[given.only]()
        status = Path("/proc/self/status").read_text()  # Linux; getrusage would tell the parent's peak, too
        print(int(status.split("VmHWM:")[1].split()[0]) / 1024)
        return
    small = min(given.inputs, 64)
    report: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads",
        "torch": torch.__version__, "batch": given.batch, "inputs": given.inputs, "rounds": given.rounds,
        "load": os.getloadavg()[0],
        **measure(given.batch, given.inputs, given.rounds),
        "memory_inputs": [small // 2, small],
        "memory_mb": {
            name: [peak(name, given.batch, count) for count in (small // 2, small)]
            for name in ("bare_fast", "record_fast", "keep_everything")
        },
    }  # fmt: skip
    text = json.dumps(report, indent=1)
    print(text)
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
