"""Is an activation atlas a map? Its pictures, its neighbours, and what its vectors speak for, beside controls.

    HOOKE_SAMPLE=folder python experiments/atlas/findings.py

One measurement after another; what is in findings.json already is not made again.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy
import PIL.Image
import torch
from torch import Tensor

import hooke
from hooke.modalities.datasets import dataset
from hooke.modalities.samples import Samples
from hooke.models.recording import activations
from hooke.models.suffix import Suffix, suffix_of
from hooke.numeric.similarity import cosines, spearman
from hooke.shapes import Canvas
from hooke.studies.activation_atlas import (
    DRAWING,
    UMAP,
    Layout,
    Principal,
    Vectors,
    activation_atlas,
    atlas_picture,
    averaged,
    gathered,
)
from hooke.studies.activation_grid import grid_layers
from hooke.studies.inversion import Inversion
from hooke.studies.reports.activation_grid import figures
from hooke.studies.semantic_dictionary import default_layer

HERE = Path(__file__).parent
FILE = HERE / "findings.json"
SIDE, LEAST, SEEDS = 20, 3, (0, 1, 2)
PAIRS, DRAWS = 12, 1000
PHOTOGRAPHS, EACH = 100, 3
"""Of which vectors are taken out of the network, and how many of each."""


@dataclass(frozen=True)
class Chance:
    """A layout that knows nothing: every vector anywhere."""

    def __call__(self, vectors: Tensor, axes: int, seed: int) -> Tensor:
        return torch.rand(len(vectors), axes, generator=torch.Generator().manual_seed(seed))


LAYOUTS: dict[str, Layout] = {"umap": UMAP(), "principal": Principal(), "chance": Chance()}
DRAWN, SHOWN = ("umap", "chance"), "blocks.4.2.bn2.act"
"""Whose maps are also drawn, and the layer whose drawings are kept as pictures."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", nargs="*", default=[], help="layers, credits, pairs")
    asked = parser.parse_args()
    known: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {}
    model, samples = hooke.open(device=asked.device), dataset()

    def keep(name: str, found: Callable[[], dict[str, Any]]) -> None:
        if name not in known:
            known[name] = {"device": asked.device, **found()}
            FILE.write_text(json.dumps(known, indent=1) + "\n")
            print(name, known[name], flush=True)

    def wanted(name: str) -> bool:
        return not asked.only or name in asked.only

    default, layers = default_layer(model), grid_layers(model)
    for layer in filter(wanted, layers):
        vectors = gathered(model, samples, layer)
        for name in LAYOUTS:
            keep(f"map of {layer} by {name}", partial(mapped, vectors, name))
        for name in DRAWN:
            keep(f"pictures of {layer} by {name}", partial(pictured, model, vectors, name))
    if wanted("credits"):
        canvases = [samples.read(index, model.modality) for index in shuffled(len(samples))[:PHOTOGRAPHS]]
        for layer in dict.fromkeys([*layers[:2], default, *layers[2:]]):
            keep(f"credits in {layer}", partial(credited, model, canvases, layer))
    if wanted("pairs"):
        labels = pairs(model, samples)
        of = [f"logits:{label}" for label in labels.flatten().tolist()]
        for layer in (default, layers[-1]):
            vectors = gathered(model, samples, layer, of)
            for number, pair in enumerate(labels.tolist()):
                other = labels[(number + 1) % PAIRS].tolist()
                two = vectors.of([2 * number, 2 * number + 1])
                name = f"{layer}, {pair[0]} rather than {pair[1]}"
                keep(name, partial(opposed, model, samples, two, pair, other, drawn=layer == default))


def shuffled(count: int) -> list[int]:
    return torch.randperm(count, generator=torch.Generator().manual_seed(0)).tolist()


def mapped(vectors: Vectors, name: str) -> dict[str, Any]:
    """How many cells the map has, and how alike (cosine, without the mean of all) what lies in one or beside is.

    `within`: vectors and the mean of the others of their cell; `beside`: the means of neighbouring cells. Each of three
    seeds.
    """
    found: dict[str, list[float]] = {"cells": [], "within": [], "beside": []}
    apart = vectors.values - vectors.values.mean(0)
    for seed in SEEDS:
        means, there, counts, homes = averaged(apart, LAYOUTS[name](vectors.values, 2, seed), SIDE, LEAST)
        inside = homes >= 0
        own, some = homes[inside], apart[inside]
        many = counts[there][own][:, None]
        among = torch.nn.functional.cosine_similarity(some, (means[there][own] * many - some) / (many - 1), dim=1)
        spots = there.nonzero().double()
        near = torch.cdist(spots, spots, p=torch.inf) == 1
        found["cells"].append(int(there.sum()))
        found["within"].append(float(among.mean()))
        found["beside"].append(float(cosines(means[there], means[there])[near].mean()))
    return found


def pictured(model: hooke.Model, vectors: Vectors, name: str) -> dict[str, Any]:
    """How the cells' pictures agree with their means."""
    *_, atlas = activation_atlas(model, vectors, side=SIDE, least=LEAST, layout=LAYOUTS[name], every=1000)
    assert atlas.agreement is not None
    if vectors.layer == SHOWN:
        canvas = (255 * atlas_picture(atlas, 40)[:3]).round().byte()
        PIL.Image.fromarray(canvas.permute(1, 2, 0).numpy()).save(HERE / f"{name}.jpg", quality=78, optimize=True)
    return {"vectors": len(vectors.values), "cells": len(atlas.means), **figures(atlas.agreement)}


def credited(model: hooke.Model, canvases: Sequence[Canvas], layer: str) -> dict[str, Any]:
    """What a vector speaks for by its gradient, beside what is lost without it: rank correlations, 95% intervals.

    Of the likeliest label's logit less that of a random one. `plain`: activation x gradient; `against the mean`:
    gradient x what is more than the mean vector. Lost where the vector is set to zero, and to the mean vector.
    """
    suffix, dice = suffix_of(model, layer), torch.Generator().manual_seed(0)
    prefixes = [suffix.prepare(normalized(model, canvas[None])) for canvas in canvases]
    mean = torch.stack([prefix.values.mean((0, 2, 3)) for prefix in prefixes]).mean(0)
    found: dict[str, list[float]] = {"plain": [], "against the mean": [], "zero": [], "mean": []}
    for prefix, canvas in zip(prefixes, canvases, strict=True):
        pair = [model.predict(canvas, count=1)[0].index, int(torch.randint(1000, (), generator=dice))]
        leaf = prefix.values.detach().requires_grad_()
        with torch.enable_grad():
            said = suffix.run(prefix, leaf, ["logits"])["logits"][0]
            (slope,) = torch.autograd.grad(said[pair[0]] - said[pair[1]], leaf)
        for row, column in torch.randint(leaf.shape[2], (EACH, 2), generator=dice).tolist():
            vector, gradient = leaf.detach()[0, :, row, column], slope[0, :, row, column]
            found["plain"].append(float(vector @ gradient))
            found["against the mean"].append(float((vector - mean) @ gradient))
            for name, other in (("zero", torch.zeros_like(mean)), ("mean", mean)):
                found[name].append(lead(said.detach() - without(suffix, prefix, (row, column), other), pair))
    return {
        f"{credit}, {truth}": interval(found[credit], found[truth])
        for credit in ("plain", "against the mean") for truth in ("zero", "mean")
    }  # fmt: skip


def opposed(
    model: hooke.Model, samples: Samples, vectors: Vectors, pair: list[int], other: list[int], *, drawn: bool
) -> dict[str, Any]:
    """Whether the network hears what the axis of a two-class atlas says: rank correlations with a cell's column.

    `lost`: of the difference of the two logits that is lost where one of the cell's vectors becomes the mean vector;
    `pictures`: of that difference for the cell's picture; each beside that of two other classes (`foreign`). `chance`:
    95% of shuffled columns stay below it. Pictures only where they are `drawn`.
    """
    by = DRAWING if drawn else Inversion(steps=1, coarse=1)
    *_, atlas = activation_atlas(model, vectors, side=SIDE, least=LEAST, by=by, every=1000)
    assert atlas.agreement is not None
    column = atlas.there.nonzero()[:, 1]
    firsts = torch.tensor([int((atlas.homes == cell).nonzero()[0]) for cell in range(len(column))])
    suffix, mean = suffix_of(model, vectors.layer), vectors.values.mean(0).to(model.device)
    gone: dict[str, list[float]] = {"lost": [], "lost, foreign": []}
    for index, row, place in vectors.places[firsts].tolist():
        prefix = suffix.prepare(normalized(model, samples.read(index, model.modality)[None]))
        own = prefix.values[0, :, row, place]
        fall = without(suffix, prefix, (row, place), own) - without(suffix, prefix, (row, place), mean)
        gone["lost"].append(lead(fall, pair))
        gone["lost, foreign"].append(lead(fall, other))
    heard = {name: torch.tensor(values) for name, values in gone.items()}
    if drawn:
        said = answers(model, atlas.cells)
        for name, some in (("pictures", pair), ("pictures, foreign", other)):
            heard[name] = said[:, some[0]] - said[:, some[1]]
    dice = torch.Generator().manual_seed(0)
    by_chance = [ranked(column[torch.randperm(len(column), generator=dice)], column) for _ in range(DRAWS)]
    return {
        "cells": len(column), **(figures(atlas.agreement) if drawn else {}),
        **{name: ranked(column, one) for name, one in heard.items()}, "chance": float(numpy.quantile(by_chance, 0.95)),
    }  # fmt: skip


def pairs(model: hooke.Model, samples: Samples) -> Tensor:
    """Pairs of the likeliest labels of photographs in a random order, each label once [pair, 2]."""
    said: dict[int, None] = {}
    for index in shuffled(len(samples)):
        said[model.predict(samples.read(index, model.modality), count=1)[0].index] = None
        if len(said) == 2 * PAIRS:
            break
    return torch.tensor(list(said)).view(PAIRS, 2)


def without(suffix: Suffix, prefix: Any, place: tuple[int, int], other: Tensor) -> Tensor:
    """The logits where one position holds another vector [label]."""
    changed = prefix.values.detach().clone()
    changed[0, :, place[0], place[1]] = other
    with torch.no_grad():
        return suffix.run(prefix, changed, ["logits"])["logits"][0]


def lead(logits: Tensor, pair: Sequence[int]) -> float:
    """Of the first of two labels over the second."""
    return float(logits[pair[0]] - logits[pair[1]])


def answers(model: hooke.Model, canvases: Tensor) -> Tensor:
    """What the network says of small canvases, side by side until they fill its own."""
    tall, wide = (-(-side // canvases.shape[-1]) for side in (model.modality.height, model.modality.width))
    found = []
    for some in canvases.split(64):
        whole = some.repeat(1, 1, tall, wide)[:, :, : model.modality.height, : model.modality.width]
        found.append(activations(model, normalized(model, whole), ["logits"])["logits"].float().cpu())
    return torch.cat(found)


def normalized(model: hooke.Model, canvases: Tensor) -> Tensor:
    return model.modality.normalize(canvases).to(model.device, model.dtype)


def ranked(one: Tensor, other: Tensor) -> float:
    return float(spearman(one[None].double(), other[None].double()))


def interval(one: Sequence[float], other: Sequence[float]) -> list[float]:
    """A rank correlation with its 95% interval, photographs drawn again."""
    values = torch.tensor([one, other]).view(2, -1, EACH)
    dice = torch.Generator().manual_seed(0)
    again = []
    for _ in range(DRAWS):
        some = values[:, torch.randint(values.shape[1], (values.shape[1],), generator=dice)].flatten(1)
        again.append(ranked(some[0], some[1]))
    low, high = numpy.quantile(again, [0.025, 0.975])
    return [ranked(values[0].flatten(), values[1].flatten()), float(low), float(high)]


if __name__ == "__main__":
    main()
