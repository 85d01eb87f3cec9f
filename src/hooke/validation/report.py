"""The report of a validation: every score of every image, and what they say, as one value with a JSON form."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.displayed import Displayed
from hooke.errors import DataError
from hooke.validation.standing import Standing, standing
from hooke.validation.verdicts import STATISTICS, Row, compare

FORM = "hooke validation 1"


@dataclass(frozen=True)
class Asked:
    """A metric that was asked: its name, whether more is better, its settings, and what chance gets."""

    name: str
    higher: bool
    settings: Any
    chance: str = ""


@dataclass(frozen=True, eq=False)
class Report(Displayed):
    """Scores per image and verdicts. `scores[method][control or ""][metric]` [seed, image]: "" is the method itself.

    `shared[control][metric]`: of controls that serve all methods. NaN: no number. `models`: name and fingerprint, one
    for each model seed; `remarks`: what could not be asked, and why.
    """

    rows: tuple[Row, ...]
    metrics: tuple[Asked, ...]
    methods: Mapping[str, Any]
    controls: Mapping[str, Any]
    scores: Mapping[str, Mapping[str, Mapping[str, Float[Tensor, "seed image"]]]]
    shared: Mapping[str, Mapping[str, Float[Tensor, "seed image"]]]
    images: tuple[str, ...]
    models: tuple[tuple[str, str], ...]
    data: str = ""
    remarks: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    statistics: str = STATISTICS

    def standing(self, method: str) -> Standing:
        """What the rows say of one method, in a sentence."""
        return standing(method, self.rows, self.data, self.images)

    @property
    def width(self) -> Mapping[str, float]:
        """For each metric, the median width of the intervals: differences much smaller cannot be seen."""
        found = {}
        for metric in self.metrics:
            widths = torch.tensor([row.high - row.low for row in self.rows if row.metric == metric.name])
            found[metric.name] = float(widths[widths.isfinite()].median()) if widths.isfinite().any() else math.nan
        return found

    def to_json(self) -> str:
        """All of it as JSON text; numbers that are none are null."""
        facts = {
            "form": FORM, "rows": [asdict(row) for row in self.rows], "metrics": [asdict(one) for one in self.metrics],
            "methods": self.methods, "controls": self.controls, "scores": self.scores,
            "shared": self.shared, "images": self.images, "models": self.models, "data": self.data,
            "remarks": self.remarks, "seconds": dict(self.seconds), "statistics": self.statistics,
        }  # fmt: skip
        return json.dumps(_finite(facts), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Report":
        """Reads what `to_json` wrote; DataError for anything else."""
        try:
            facts = json.loads(text)
            if facts.pop("form") != FORM:
                raise ValueError("another form")
            rows = tuple(_row(one) for one in facts["rows"])
            scores = {
                method: {one: _tensors(these) for one, these in every.items()}
                for method, every in facts["scores"].items()
            }
            return cls(
                rows, tuple(Asked(**one) for one in facts["metrics"]), facts["methods"], facts["controls"], scores,
                {one: _tensors(these) for one, these in facts["shared"].items()}, tuple(facts["images"]),
                tuple((name, print) for name, print in facts["models"]), facts["data"], tuple(facts["remarks"]),
                facts["seconds"], facts["statistics"],
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError) as failure:
            step = "give the JSON that `hooke validate` wrote"
            raise DataError("a report of a validation", f"it cannot be read ({failure})", next_step=step) from failure


def verdicts(
    metrics: Sequence[Asked],
    scores: Mapping[str, Mapping[str, Mapping[str, Tensor]]],
    shared: Mapping[str, Mapping[str, Tensor]],
) -> tuple[Row, ...]:
    """Every method beside every control by every metric that both have numbers for."""
    controls = dict.fromkeys([*shared, *(name for every in scores.values() for name in every if name)])
    rows: list[Row] = []
    for metric in metrics:
        for control in controls:
            pairs = {}
            for method, every in scores.items():
                own = every[""].get(metric.name)
                theirs = every.get(control, shared.get(control, {})).get(metric.name)
                if own is not None and theirs is not None:
                    pairs[method] = (own, theirs)
            rows += compare(metric.name, control, metric.higher, pairs)
    return tuple(sorted(rows, key=lambda row: list(scores).index(row.method)))


def _row(facts: Mapping[str, Any]) -> Row:
    known: dict[str, Any] = {name: math.nan if one is None else one for name, one in facts.items()}
    return Row(**known)


def _tensors(found: Mapping[str, Any]) -> dict[str, Tensor]:
    return {
        name: torch.tensor([[math.nan if one is None else one for one in row] for row in rows], dtype=torch.float64)
        for name, rows in found.items()
    }


def _finite(value: Any) -> Any:
    """JSON data of tensors, mappings and sequences, without NaN and infinity."""
    if isinstance(value, Tensor):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(name): _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
