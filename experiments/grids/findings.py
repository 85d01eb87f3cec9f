"""How well the cells of activation grids agree with their vectors, over photographs of $HOOKE_SAMPLE.

    python experiments/grids/findings.py --photographs 50

One photograph after another, a random order with a fixed seed; what is in findings.json already is not drawn again.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy
import torch

import hooke
from hooke.modalities.datasets import dataset
from hooke.studies.activation_grid import activation_grids
from hooke.studies.reports.activation_grid import figures

HERE = Path(__file__).parent
FILE = HERE / "findings.json"
NUMBERS = ("cosine", "shuffled", "centred", "told")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=12.0, help="what is left then is left")
    parser.add_argument("--device", default="cpu")
    asked = parser.parse_args()
    known: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {"photographs": {}}
    model, samples, begun = hooke.open(device=asked.device), dataset(), time.monotonic()
    order = torch.randperm(len(samples), generator=torch.Generator().manual_seed(0)).tolist()
    for index in order[: asked.photographs]:
        if str(index) in known["photographs"] or time.monotonic() - begun > 60 * asked.minutes:
            continue
        found = {}
        for grid in activation_grids(model, samples.read(index, model.modality), every=1000):
            if grid.done:
                assert grid.agreement is not None
                found[grid.layer] = figures(grid.agreement) | {"passes": grid.passes}
        known["photographs"][str(index)] = {"layers": found, "device": asked.device}
        known["summary"] = summary(known["photographs"])
        FILE.write_text(json.dumps(known, indent=1) + "\n")
        print(index, {name: round(one["cosine"], 3) for name, one in found.items()}, flush=True)


def summary(photographs: dict[str, Any]) -> dict[str, Any]:
    """The median over photographs of each number of each layer, with the least and the largest."""
    each = list(photographs.values())
    numbers = {
        layer: {
            name: [float(fold([one["layers"][layer][name] for one in each])) for fold in (numpy.median, min, max)]
            for name in NUMBERS
        }
        for layer in each[0]["layers"]
    }
    return {"n": len(each), "median_least_largest": numbers}


if __name__ == "__main__":
    main()
