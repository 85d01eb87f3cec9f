"""Which units tell a group of classes (dogs, birds, vehicles ...) from all else: chosen on one half, tested on another.

Controls: the same search with shuffled groups, and in three networks of the same architecture with random weights.
Run: HOOKE_SAMPLE=folder python experiments/selectivity/findings.py --work FOLDER
Recordings are kept in --work, so an interrupted run goes on where it was.
"""

import argparse
import csv
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import hooke
from hooke.models.model import Model
from hooke.numeric.ranks import midranks, roc_auc
from hooke.plots.panels import BLUE, MUTED, ORANGE, panels, save, styled
from hooke.responses.record import record
from hooke.responses.recording import Recording

HERE = Path(__file__).parent
SPLITS, RANDOM_NETWORKS, SHOWN = 20, 3, ("dogs", "birds", "vehicles on land")


def manifest(sample: Path, file: Path) -> None:
    """The photographs of the sample whose WordNet id is in one of the groups, and all others without a group."""
    with (HERE / "groups.csv").open(encoding="utf-8") as table:
        groups = {row["wordnet"]: row for row in csv.DictReader(table)}
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["path", "label", "group"])
        for picture in sorted(one for one in sample.glob("*/*") if one.is_file()):
            known = groups.get(picture.parent.name, {"label": picture.parent.name, "group": ""})
            writer.writerow([picture, known["label"], known["group"]])


def network(seed: int | None) -> Model:
    """The default model, or its architecture with random weights."""
    if seed is None:
        return hooke.open()
    torch.manual_seed(seed)
    return hooke.open("timm:tf_efficientnet_lite0?pretrained=false")


def halves(recording: Recording) -> Tensor:
    """[split, input]: which inputs are in the first half; every group is cut in two."""
    cut = torch.zeros(SPLITS, len(recording.names), dtype=torch.bool)
    for split in range(SPLITS):
        dice = torch.Generator().manual_seed(split)
        for group in {one or "" for one in recording.groups}:
            members = torch.tensor([at for at, one in enumerate(recording.groups) if (one or "") == group])
            cut[split, members[torch.randperm(len(members), generator=dice)][: (len(members) + 1) // 2]] = True
    return cut


def search(values: Tensor, positive: Tensor, cut: Tensor, shuffle: bool) -> tuple[Tensor, Tensor]:
    """([group, split] AUC on the second half of the unit that is best on the first, and that unit)."""
    held, chosen = [], []
    for split, first in enumerate(cut):
        kinds = positive
        if shuffle:
            dice, kinds = torch.Generator().manual_seed(10_000 + split), positive.clone()
            for half in (first, ~first):  # each half keeps its number of every group
                members = half.nonzero().flatten()
                kinds[:, members] = positive[:, members[torch.randperm(len(members), generator=dice)]]
        fitted = roc_auc(midranks(values[first]), kinds[:, first]).nan_to_num(0)
        best = fitted.argmax(1)
        picked = values[~first][:, best]
        tested = torch.stack(
            [roc_auc(midranks(picked[:, [at]]), kinds[[at]][:, ~first])[0, 0] for at in range(len(best))]
        )
        held.append(tested)
        chosen.append(best)
    return torch.stack(held, 1), torch.stack(chosen, 1)


def measure(recording: Recording, shuffle: bool = False) -> dict[str, dict[str, Any]]:
    """Layer by layer and group by group: the held-out AUC over the splits, and the unit that was chosen most."""
    names = sorted({one for one in recording.groups if one})
    positive = torch.tensor([[group == name for group in recording.groups] for name in names])
    cut, found = halves(recording), {}
    for layer in recording.layers:
        values = recording.layer(layer).pooled_mean
        assert values is not None
        held, chosen = search(values.float(), positive, cut, shuffle)
        spread = held.quantile(torch.tensor([0.025, 0.5, 0.975], dtype=held.dtype), dim=1).T.tolist()
        favourite, votes = zip(*(row.unique(return_counts=True) for row in chosen), strict=True)
        top = [(int(units[count.argmax()]), int(count.max())) for units, count in zip(favourite, votes, strict=True)]
        found[layer] = {
            name: {"held_out": [round(x, 3) for x in interval], "unit": f"{layer}:{unit}", "chosen_in_splits": times}
            for name, interval, (unit, times) in zip(names, spread, top, strict=True)
        }  # fmt: skip
    return found


def best_layers(found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """For every group the layer whose held-out AUC has the largest median."""
    return {
        name: max((rows[name] for rows in found.values()), key=lambda row: row["held_out"][1])
        for name in next(iter(found.values()))
    }


@styled
def figure(curves: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Any:
    """Held-out AUC of the best unit over depth, with the middle 95% of the splits."""
    drawn, axes = panels(1, len(SHOWN), width=7.2, height=2.3)
    looks = {"trained": BLUE, "random weights": ORANGE, "shuffled groups": MUTED}
    for panel, group in zip(axes[0], SHOWN, strict=True):
        for name, colour in looks.items():
            rows = [layers[group]["held_out"] for layers in curves[name].values()]
            low, middle, high = zip(*rows, strict=True)
            panel.fill_between(range(len(rows)), low, high, color=colour, alpha=0.2, linewidth=0)
            panel.plot(range(len(rows)), middle, color=colour, label=name, linewidth=1.2)
        panel.axhline(0.5, color=MUTED, linewidth=0.6, linestyle=":")
        panel.set(title=group, xlabel="activation layer, by depth", ylim=(0.2, 1.02))
    axes[0, 0].set_ylabel("ROC-AUC of the best unit, held out")
    axes[0, -1].legend(frameon=False, fontsize=7, loc="lower right")
    return drawn


def main() -> None:
    """Records, measures, writes findings.json and the figure beside this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for the recordings")
    work = parser.parse_args().work
    work.mkdir(parents=True, exist_ok=True)
    manifest(Path(os.environ["HOOKE_SAMPLE"]), work / "manifest.csv")
    recordings = []
    for seed in (None, *range(RANDOM_NETWORKS)):
        model = network(seed)
        out = work / ("trained" if seed is None else f"random-{seed}")
        recordings.append(record(model, work / "manifest.csv", out=out, keep="responses"))
        print(recordings[-1].model, out.name, len(recordings[-1].names), "inputs", flush=True)
    trained, *untrained = recordings
    curves = {"trained": measure(trained), "shuffled groups": measure(trained, shuffle=True)}
    controls = [measure(one) for one in untrained]
    curves["random weights"] = controls[0]
    counts = {name: trained.groups.count(name) for name in sorted({one for one in trained.groups if one})}
    report = {
        "inputs": len(trained.names), "splits": SPLITS, "group_sizes": counts, "best": best_layers(curves["trained"]),
        "best_with_shuffled_groups": best_layers(curves["shuffled groups"]),
        "best_with_random_weights": [best_layers(one) for one in controls], "by_layer": curves,
    }  # fmt: skip
    (HERE / "findings.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    save(figure(curves), HERE / "depth.png")


if __name__ == "__main__":
    sys.exit(main())
