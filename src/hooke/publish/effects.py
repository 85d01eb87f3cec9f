"""What all units of a semantic dictionary speak for, in one file for a photograph and a layer."""

from typing import Any

from hooke.models.model import Model
from hooke.shapes import Canvas
from hooke.studies.dictionary_effects import dictionary_effects
from hooke.studies.semantic_dictionary import layer_dictionary


def packed_effects(model: Model, canvas: Canvas, layer: str, count: int) -> dict[str, Any]:
    """Labels by number, and for each entry of the dictionary those it supports and opposes, row by row; -1: none."""
    found = dictionary_effects(model, canvas, layer_dictionary(model, canvas, layer, count))
    both = [*found.supports.flatten().tolist(), *found.opposes.flatten().tolist()]
    order = {index: at for at, index in enumerate(sorted(set(both) - {-1}))}
    numbers = [order.get(index, -1) for index in both]
    half = len(numbers) // 2
    return {
        "labels": [{"index": index, "label": model.label(index)} for index in order],
        "each": found.supports.shape[-1],
        "supports": numbers[:half], "opposes": numbers[half:],
        "gains": _shown(found.gains.flatten().tolist(), numbers[:half]),
        "losses": _shown(found.losses.flatten().tolist(), numbers[half:]),
    }  # fmt: skip


def _shown(values: list[float], numbers: list[int]) -> list[float]:
    """Three significant digits, as the page shows them; nothing where there is no label."""
    return [float(f"{value:.3g}") if number >= 0 else 0.0 for value, number in zip(values, numbers, strict=True)]
