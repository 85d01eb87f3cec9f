"""Are maps of the default model better than looking at nothing? Sixteen methods, seven controls, six metrics.

Run: HOOKE_SAMPLE=folder python experiments/saliency/findings.py --work FOLDER [--images 64] [--sample 0]
Every score is kept in --work as soon as it is there: the same command goes on where it was interrupted, and `--report`
reports what is finished. --sample 1 takes the next photographs, none of which are in the first sample.
"""

import argparse
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

import hooke
from hooke.modalities.datasets import dataset
from hooke.models.model import Model
from hooke.numeric.seeds import stream
from hooke.plots.panels import save
from hooke.plots.validation import Cell, verdicts
from hooke.storage.store import Store
from hooke.validation import controls
from hooke.validation.explainers import explainers
from hooke.validation.faithfulness import (
    Blur,
    Deletion,
    FaithfulnessCorrelation,
    Gap,
    Infidelity,
    Insertion,
    SensitivityN,
    Zero,
)
from hooke.validation.report import Report
from hooke.validation.validate import GROUP, validate
from hooke.validation.verdicts import BETTER, SAME, WORSE

HERE = Path(__file__).parent
METRICS = (
    Deletion(steps=7), Insertion(Zero(), steps=7), Gap(steps=7), FaithfulnessCorrelation(count=60, removal=Blur()),
    Infidelity(count=60, removal=Blur()), SensitivityN(count=16),
)  # fmt: skip
"""Curves take 112 of 784 cells of 8 x 8 pixels at a time; their score is the label's probability."""
AGAINST = (*controls.MAPS, controls.Randomized("cascade"))
CORE = (
    "gradient", "gradient x input", "integrated gradients", "expected gradients", "smoothgrad", "vargrad",
    "guided backprop", "deep-lift", "lrp", "occlusion", "grad-cam", "activation x gradient",
)  # fmt: skip
"""Measured first."""
MORE = ("rise", "smoothgrad squared", "gradient (signed)", "stochastic path")


def photographs(model: Model, work: Path, count: int, sample: int) -> Tensor:
    """The photographs of a sample: in a random order, those that the model names rightly."""
    samples, file = dataset(), work / "photographs.json"
    order = torch.randperm(len(samples), generator=stream(0, "saliency")).tolist()
    known = json.loads(file.read_text()) if file.exists() else {"right": [], "seen": 0}
    while len(known["right"]) < count * (sample + 1) and known["seen"] < len(order):
        at = order[known["seen"]]
        right = model.predict(samples.read(at, model.modality), count=1)[0].label == samples.labels[at]
        known = {"right": known["right"] + ([at] if right else []), "seen": known["seen"] + 1}
        file.write_text(json.dumps(known))
    chosen = known["right"][count * sample : count * (sample + 1)]
    return torch.stack([samples.read(at, model.modality) for at in chosen])


def measured(model: Model, canvases: Tensor, work: Path, count: int, names: list[str]) -> Report:
    """The first `count` photographs by the methods of these names."""
    start = time.monotonic()

    def watch(name: str, done: int, total: int) -> None:
        print(f"{time.monotonic() - start:7.0f} s  {done:3} of {total}  {name}", flush=True)

    return validate(
        model, explainers(model, names), canvases[:count], METRICS, AGAINST,
        ledger=work / "scores.jsonl", watch=watch, store=Store(work / "store"),
    )  # fmt: skip


def finished(work: Path) -> tuple[int, list[str]]:
    """On how many photographs the first methods are finished, by the ledger, and which methods are on as many."""
    lines = [json.loads(line)["name"] for line in (work / "scores.jsonl").read_text().splitlines()]
    groups = min(lines.count(name) for name in ("", *CORE))
    return groups * GROUP, [name for name in (*CORE, *MORE) if lines.count(name) >= groups]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--report", action="store_true", help="Only report what is finished.")
    asked = parser.parse_args()
    work: Path = asked.work / f"sample-{asked.sample}"
    work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    model = hooke.open()
    canvases = photographs(model, asked.work, asked.images, asked.sample)
    if asked.report:
        count, names = finished(work)
    else:
        count, names = len(canvases), [*CORE, *MORE]
        for until in (16, count):
            measured(model, canvases, work, until, list(CORE))
        measured(model, canvases, work, count, list(MORE))
    report = measured(model, canvases, work, count, names)
    (HERE / f"report-{asked.sample}.json").write_text(report.to_json() + "\n")
    cells = [Cell(row.method, row.metric, row.control, row.verdict) for row in report.rows]
    save(verdicts(cells, f"{count} photographs; {report.statistics}"), HERE / f"verdicts-{asked.sample}.png")
    print(table(report))
    others = HERE / f"report-{1 - asked.sample}.json"
    if others.exists():
        print(agreement(report, Report.from_json(others.read_text())))


def table(report: Report) -> str:
    """Means of all methods and controls, and how many controls each method beats, loses to and ties with."""
    names = [metric.name for metric in report.metrics]
    lines = [f"| {' | '.join(('map', *names, 'better', 'same', 'worse'))} |", "|---" * (len(names) + 4) + "|"]
    for method, every in report.scores.items():
        mine = [row.verdict for row in report.rows if row.method == method]
        counts = [str(sum(one == word for one in mine)) for word in (BETTER, SAME, WORSE)]
        lines.append(f"| {' | '.join((method, *_means(every[''], names), *counts))} |")
    for control, scores in report.shared.items():
        lines.append(f"| {' | '.join((f'*{control}*', *_means(scores, names), '', '', ''))} |")
    return "\n".join([*lines, "", *(f"- {report.standing(method).text}" for method in report.scores)])


def _means(scores: Mapping[str, Tensor], names: Sequence[str]) -> list[str]:
    return [f"{float(scores[name].nanmean()):.3f}" if name in scores else "" for name in names]


def agreement(one: Report, other: Report) -> str:
    """How often two samples give the same verdict, opposite ones, and intervals that meet."""
    known = {(row.method, row.metric, row.control): row for row in other.rows}
    pairs = [(row, known[key]) for row in one.rows if (key := (row.method, row.metric, row.control)) in known]
    same = sum(first.verdict == second.verdict for first, second in pairs)
    opposite = sum({first.verdict, second.verdict} == {BETTER, WORSE} for first, second in pairs)
    meet = sum(first.low <= second.high and second.low <= first.high for first, second in pairs)
    return f"of {len(pairs)} comparisons in both samples: {same} same, {opposite} opposite, {meet} intervals meet"


if __name__ == "__main__":
    main()
