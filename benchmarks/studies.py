"""The tracing studies as they are lived with: how long until what the pointer is on, the first tables, and all of it.

The default model (opened, its layers known) and one photograph; two cores. Wall and processor seconds of every stage,
and its passes. Written to `benchmarks/results/studies.json`. Run: python benchmarks/studies.py [--rounds N]
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

import hooke
from hooke.studies.activation_grid import activation_grids
from hooke.studies.channel_attribution import channel_attribution
from hooke.studies.flow import group_flow
from hooke.studies.groups import group_study
from hooke.studies.how_sure import how_sure
from hooke.studies.layers import tracing_layers
from hooke.studies.semantic_dictionary import default_layer, layer_dictionary, semantic_dictionary
from hooke.studies.spatial_attribution import paths_of, spatial_attribution

TARGETS = {"pointer": 1.0, "tables": 10.0, "all": 30.0, "grids": 90.0}
"""Seconds, on two cores that have nothing else to do."""

Stages = Iterator[tuple[str, int | None]]
"""The name of a stage that is done, and how many passes were made until then."""


def studies(model: hooke.Model, canvas: torch.Tensor) -> dict[str, Callable[[], Stages]]:
    """Each study as its stages."""
    layer, of = default_layer(model), f"logits:{model.predict(canvas, count=1)[0].index}"

    def dictionary() -> Stages:
        whole = layer_dictionary(model, canvas, layer)
        position = divmod(int(whole.magnitudes[..., 0].argmax()), whole.width)
        entries = semantic_dictionary(model, canvas, layer, position)
        yield "pointer", 4
        how_sure(model, canvas, [f"{entry.address}@{position[0]},{position[1]}" for entry in entries], of)
        yield "all", 4 + 17 + 17 + 7

    def spatial() -> Stages:
        layers = tracing_layers(model, 4)
        seen: list[str] = []
        found = None
        for found in spatial_attribution(model, canvas, layers, (layers[2], (3, 3))):
            stage = "pointer" if not seen else "tables" if found.factors is not None else ""
            if stage and stage not in seen:
                seen.append(stage)
                yield stage, found.done
        paths_of(model, canvas, layers, (layers[2], (3, 3)))
        yield "all", found.done + 2 * (1 + 17 + 33) if found else None

    def channels() -> Stages:
        found = None
        for found in channel_attribution(model, canvas, tracing_layers(model, 5), of):
            if not found.drilled:
                yield "pointer", found.passes
        yield "all", found.passes if found else None

    def groups() -> Stages:
        for stage, _ in zip(("pointer", "tables", "all"), group_study(model, canvas, layer), strict=True):
            yield stage, None

    def flow() -> Stages:
        group_flow(model, canvas, of, at=tracing_layers(model, 3))
        yield "tables", None

    def grids() -> Stages:
        passes = sum(grid.passes for grid in activation_grids(model, canvas, every=1000) if grid.done)
        yield "grids", passes

    return {
        "semantic_dictionary": dictionary, "spatial_attribution": spatial, "channel_attribution": channels,
        "groups": groups, "flow": flow, "activation_grid": grids,
    }  # fmt: skip


def lived(work: Callable[[], Stages]) -> dict[str, dict[str, float | int | None]]:
    """Wall and processor seconds from the question to each stage."""
    begun, used = time.perf_counter(), time.process_time()
    found: dict[str, dict[str, float | int | None]] = {}
    for stage, passes in work():
        wall, processor = time.perf_counter() - begun, time.process_time() - used
        found[stage] = {"wall": wall, "processor": processor, "passes": passes}
    return found


def summed(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of the rounds, and the first one, which also makes what is made once."""
    return {
        stage: {
            "wall": statistics.median(one[stage]["wall"] for one in rounds),
            "processor": statistics.median(one[stage]["processor"] for one in rounds),
            "first wall": rounds[0][stage]["wall"], "first processor": rounds[0][stage]["processor"],
            "passes": rounds[0][stage]["passes"], "rounds": len(rounds), "goal": TARGETS[stage],
        }
        for stage in rounds[0]
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    model = hooke.open()
    canvas = model.modality.canvas(dict(hooke.photographs())["cat"])
    model.predict(canvas)
    file = Path(__file__).parent / "results" / "studies.json"
    found = json.loads(file.read_text())["studies"] if arguments.only and file.exists() else {}
    for name, work in studies(model, canvas).items():
        if not arguments.only or name in arguments.only:
            found[name] = summed([lived(work) for _ in range(arguments.rounds)])
            print(name, json.dumps(found[name]), flush=True)
    facts = {
        "machine": platform.machine(), "cores": os.cpu_count(), "threads": torch.get_num_threads(),
        "load": os.getloadavg()[0], "torch": torch.__version__, "studies": found,
    }  # fmt: skip
    file.write_text(json.dumps(facts, indent=1) + "\n")
    print(f"written: {file}")


if __name__ == "__main__":
    main()
