"""What the default model is tuned to, beside a model of shuffled weights and shuffled tunings.

    python experiments/tuning/findings.py            # writes findings.json and the figures beside this file

Needs no data: all stimuli are synthetic, and the photographs by which the control is normalized ship with scikit-image.
Takes about a quarter of an hour on two cores. Interrupted, it goes on where it was: each layer's numbers are kept in
findings.part.json until all are there.
"""

import copy
import json
import math
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

import hooke
from hooke.cli.figures import plain
from hooke.models.model import Model
from hooke.models.opening import open
from hooke.numeric.seeds import stream
from hooke.plots.panels import save
from hooke.responses import showing
from hooke.responses.engineered import compare
from hooke.responses.estimates import along, resampled, strengths
from hooke.responses.families import Family, Likeness, families, reflections, shuffled
from hooke.responses.gabors import fit_gabors, linear_kernels, random_like
from hooke.responses.stimuli import STRAIGHT, Curves, Faces, Gratings, Patches
from hooke.responses.tuning import Sweep, Tuning, tune
from hooke.responses.wholes import whole_or_part

HERE = Path(__file__).parent
PART = HERE / "findings.part.json"
EARLY = ("bn1.act", "blocks.1.0.bn2.act", "blocks.1.1.bn2.act", "blocks.2.1.bn2.act")
MIDDLE = ("blocks.2.1.bn2.act", "blocks.3.2.bn2.act", "blocks.4.1.bn2.act")
DEEP = ("blocks.4.1.bn2.act", "blocks.5.1.bn2.act")
FILTERS = ("conv_stem", "blocks.0.0.bn1", "blocks.1.0.bn2")


def control(model: Model, seed: int = 0) -> Model:
    """The same architecture with the weights of each convolution shuffled, its normalization measured anew on crops of
    the shipped photographs, so that units are as active as before, but look for nothing that was learned."""
    module = copy.deepcopy(model.module)
    dice = stream(seed, "shuffled weights")
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            flat = part.weight.data.flatten()
            part.weight.data.copy_(flat[torch.randperm(len(flat), generator=dice)].view_as(part.weight))
        if isinstance(part, nn.BatchNorm2d):
            part.reset_running_stats()
            part.momentum = None
    canvases = torch.stack([model.modality.canvas(picture) for _, picture in hooke.photographs()])
    module.train()
    with torch.no_grad():
        module(model.modality.normalize(canvases))
    return open(module.eval(), modality=model.modality, labels=model.labels)


def orientation(model: Model, layer: str) -> Tuning:
    return tune(model, layer, Gratings(), over=("orientation", "frequency"), by=Sweep((16, 6), 8))


def tuned(tuning: Tuning, count: int = 8) -> dict:
    """The selectivity of the units that answer at all, and the sharpest of them."""
    found, best = along(tuning, "orientation"), strengths(tuning)
    alive = [one for one, strong in zip(found, best, strict=True) if strong.best.low > strong.grey + 0.05]
    sharp = sorted(alive, key=lambda one: -one.selectivity.value)
    values = torch.tensor([one.selectivity.value for one in alive] or [math.nan])
    return {
        "units": len(found), "answering": len(alive), "median_selectivity": float(values.median()),
        "selectivity_above_0.5": int((values > 0.5).sum()),
        "sharpest": [
            {"unit": one.unit, "selectivity": _short(one.selectivity), "preferred": _short(one.preferred),
             "half_width": _short(one.half_width)}
            for one in sharp[:count]
        ],
    }  # fmt: skip


def related(tuning: Tuning) -> dict:
    """Families under rotation and scale, and reflected pairs; each again after the tunings are shuffled along it."""
    turned, scaled = families(tuning, "orientation"), families(tuning, "frequency")
    mixed = shuffled(tuning, "orientation", seed=0)
    return {
        "rotation": _counted(turned), "rotation_shuffled": _counted(families(mixed, "orientation")),
        "scale": _counted(scaled),
        "scale_shuffled": _counted(families(shuffled(tuning, "frequency", seed=0), "frequency")),
        "reflected_pairs": len(reflections(tuning, "orientation")),
        "reflected_pairs_shuffled": len(reflections(mixed, "orientation")),
        "largest": [asdict(family) for family in turned[:3]],
    }  # fmt: skip


def curve_like(model: Model, layer: str) -> dict:
    """Units that answer to their best arc at least twice as much as to the best straight line of the same set."""
    curved = tune(model, layer, Curves(), over=("radius", "orientation"), by=Sweep((5, 16), 8))
    straight = tune(model, layer, Curves().fixed(radius=STRAIGHT), over="orientation", by=Sweep(16, 8))
    grey = curved.grey[:, None, None]
    arcs = curved.responses.flatten(2) - grey
    lines = straight.responses.flatten(2) - grey
    picked = [values.gather(2, values.mean(1).argmax(1)[:, None, None].expand(-1, 8, 1)) for values in (arcs, lines)]
    again = [resampled(values, seed=0)[:, :, 0] for values in picked]
    low = (again[0] - 2 * again[1]).quantile(0.025, dim=0)
    arc, line = (values.mean(1)[:, 0] for values in picked)
    turning = along(curved, "orientation")
    found = [
        {"unit": unit, "arc": round(float(arc[at]), 3), "line": round(float(line[at]), 3),
         "radius_fields": round(curved.best(at)["radius"], 3), "direction": curved.best(at)["orientation"],
         "selectivity": _short(turning[at].selectivity)}
        for at, unit in enumerate(curved.units)
        if low[at] > 0 and arc[at] > 0.2 and turning[at].selectivity.low > 0.25
    ]  # fmt: skip
    found.sort(key=lambda one: one["line"] - one["arc"])
    groups = families(curved, "orientation", by=Likeness(threshold=0.85))
    mixed = families(shuffled(curved, "orientation", seed=0), "orientation", by=Likeness(threshold=0.85))
    return {
        "field_px": curved.frame.field, "units": len(curved.units), "curve_like": len(found), "strongest": found[:8],
        "rotation_families": _counted(groups), "rotation_families_shuffled": _counted(mixed),
        "largest": [asdict(one) for one in groups[:3]],
    }  # fmt: skip


def hues(model: Model, layer: str) -> dict:
    """How many units are tuned to hue, and in families under hue; and after shuffling the tunings."""
    tuning = tune(model, layer, Patches(), over=("hue", "size"), by=Sweep((16, 3), 6))
    groups, mixed = families(tuning, "hue"), families(shuffled(tuning, "hue", seed=0), "hue")
    found, best = along(tuning, "hue"), strengths(tuning)
    alive = [one for one, strong in zip(found, best, strict=True) if strong.best.low > strong.grey + 0.05]
    return {
        "answering": len(alive), "selectivity_above_0.5": sum(one.selectivity.value > 0.5 for one in alive),
        "families": _counted(groups), "families_shuffled": _counted(mixed),
    }  # fmt: skip


def faces(model: Model, layer: str) -> dict:
    """The verdicts on all units of a layer that answer to any arrangement, and ten of them: those that answer most."""
    tuning = tune(model, layer, Faces(), over="arrangement", by=Sweep(samples=16))
    loud = [one for one in whole_or_part(tuning) if max(one.responses.values()) > 0.2]
    loud.sort(key=lambda one: -max(one.responses.values()))
    return {
        "answering": len(loud), "verdicts": dict(Counter(one.kind for one in loud)),
        "parts": dict(Counter(one.part for one in loud if one.part)),
        "smallest_rest": round(min((one.rest for one in loud), default=math.nan), 3),
        "ten": [asdict(one) for one in loud[:10]],
    }  # fmt: skip


def filters(model: Model, layer: str) -> dict:
    """Fits with Gabors and likeness to hand-written detectors, of a layer's kernels and of noise."""
    kernels = linear_kernels(model, layer)
    kernels = kernels[kernels.flatten(1).norm(dim=1) > 1e-6]
    fits, noise = fit_gabors(kernels, starts=4), fit_gabors(random_like(kernels), starts=4)
    likes, noise_likes = compare(kernels), compare(random_like(kernels))
    return {
        "side": kernels.shape[-1], "filters": len(kernels), "gabor_r2": _spread([one.r2 for one in fits]),
        "gabor_r2_noise": _spread([one.r2 for one in noise]),
        "cosine": _spread([abs(one.cosine) for one in likes]),
        "cosine_noise": _spread([abs(one.cosine) for one in noise_likes]),
        "nearest": dict(Counter(f"{one.family} {one.colour}" for one in likes)),
        "energy_by_colour": {
            colour: round(sum(one.explained[colour] for one in likes) / len(likes), 3)
            for colour in ("grey", "red-green", "blue-yellow")
        },
    }  # fmt: skip


def _counted(found: list[Family]) -> dict:
    return {"families": len(found), "units": sum(len(one.units) for one in found)}


def _spread(values: list[float]) -> list[float]:
    """The quartiles."""
    return [round(float(value), 3) for value in torch.quantile(torch.tensor(values), torch.tensor([0.25, 0.5, 0.75]))]


def _short(estimate) -> list[float]:
    return [round(number, 2) for number in (estimate.value, estimate.low, estimate.high)]


def draw(model: Model, found: dict) -> None:
    """The figures: a family around a circle, its curves aligned, the strongest curve-like unit, and a face."""
    layer, family = max(
        ((layer, one) for layer, under in found["orientation"].items() for one in under["families"]["largest"]),
        key=lambda pair: len(set(pair[1]["shifts"])) + pair[1]["likeness"],
    )
    units = family["units"]
    tuning = tune(model, units, Gratings(), over=("orientation", "frequency"), by=Sweep((16, 6), 8))
    save(showing.radial(tuning, "orientation", units, title=f"a family of {layer}"), HERE / "family.png")
    save(showing.joint(tuning, "orientation", title=f"the whole family in {layer}, gratings"), HERE / "joint.png")
    best = max(
        (one for under in found["curves"].values() for one in under["strongest"]),
        key=lambda one: one["arc"] - one["line"],
    )
    curved = tune(model, best["unit"], Curves(), over=("radius", "orientation"), by=Sweep((5, 16), 8))
    for ending, figure in showing.figures(curved, 0):
        save(figure, HERE / f"curve{ending}")
    faced = found["faces"][DEEP[-1]]["ten"][0]
    shown = tune(model, faced["unit"], Faces(), over="arrangement", by=Sweep(samples=16))
    save(showing.figures(shown, 0)[0][1], HERE / "face.png")


def _tidy(value):
    """Numbers to four places."""
    match value:
        case dict():
            return {name: _tidy(entry) for name, entry in value.items()}
        case list():
            return [_tidy(entry) for entry in value]
        case float():
            return round(value, 4)
    return value


def orientations(model: Model, layer: str) -> dict:
    tuning = orientation(model, layer)
    return {"field_px": tuning.frame.field, **tuned(tuning), "families": related(tuning)}


QUESTIONS = {
    "orientation": (orientations, EARLY), "hue": (hues, EARLY), "curves": (curve_like, MIDDLE), "faces": (faces, DEEP),
    "filters": (filters, FILTERS),
}  # fmt: skip


def measured(name: str, model: Model, kept: dict) -> None:
    """Answer all questions that have no answer in `kept` yet, and write each answer down at once."""
    found = kept.setdefault(name, {})
    for question, (ask, layers) in QUESTIONS.items():
        for layer in layers:
            if layer in found.setdefault(question, {}):
                continue
            begun = time.perf_counter()
            found[question][layer] = ask(model, layer)
            kept["seconds"] = kept.get("seconds", 0) + round(time.perf_counter() - begun)
            PART.write_text(as_text(kept))
            print(name, question, layer, kept["seconds"], "s", file=sys.stderr)


def as_text(results: dict) -> str:
    return json.dumps(_tidy(plain(results)), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    model = hooke.open()
    results = {"model": model.name, "fingerprint": model.fingerprint}
    if PART.exists():
        results = json.loads(PART.read_text())
        assert results["fingerprint"] == model.fingerprint, f"{PART} is of another model: remove it"
    measured("real", model, results)
    measured("shuffled weights", control(model), results)
    draw(model, results["real"])
    (HERE / "findings.json").write_text(as_text(results))
    PART.unlink()
