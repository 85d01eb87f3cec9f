"""Whole or part: right for at least 95 of 100 planted units, whatever their weights."""

import pytest
from planted import wholes

from hooke.errors import StimulusError
from hooke.models.model import Model
from hooke.responses.placement import place
from hooke.responses.stimuli import Faces
from hooke.responses.tuning import Sweep, Tuning, tune
from hooke.responses.wholes import whole_or_part


def shown(model: Model, samples: int, seed: int = 0) -> Tuning:
    """All units, shown faces of the planted size."""
    kind = wholes.faces(place(model, "3").frame.field)
    return tune(model, "3", kind, over="arrangement", by=Sweep(samples=samples), seed=seed)


@pytest.mark.parametrize("seed", range(3))
def test_planted_units_are_told_apart(seed: int) -> None:
    """Conjunctions, parts, sums and conjunctions of three: 120 random ones in each of three networks."""
    units = wholes.draw(120, seed)
    verdicts = whole_or_part(shown(wholes.look(units, noise=0.2, seed=seed), 6, seed))
    for kind in ("whole", "part", "several parts"):
        pairs = [(unit, verdict) for unit, verdict in zip(units, verdicts, strict=True) if unit.kind == kind]
        right = [unit.kind == verdict.kind and unit.part == verdict.part for unit, verdict in pairs]
        assert sum(right) >= 0.95 * len(right), kind
    assert min(verdict.rest for verdict in verdicts if verdict.kind != "whole") > 0.5
    assert all(verdict.rest <= 0.5 for verdict in verdicts if verdict.kind == "whole")
    assert sum(verdict.certainty for verdict in verdicts) / len(verdicts) > 0.9


def test_silent_units_and_other_arrangements() -> None:
    units = [
        wholes.Unit("silent", None, (1.0, 1.0, 1.0, 1.0), 9.0),
        wholes.Unit("other arrangement", None, (0.5, 0.5, -2.0, 0.0), 0.6),
    ]
    verdicts = whole_or_part(shown(wholes.look(units, noise=0, seed=0), 4))
    assert [verdict.kind for verdict in verdicts] == ["silent", "other arrangement"]
    best = max(verdicts[1].responses, key=verdicts[1].responses.__getitem__)
    assert best == "without right eye"


def test_refusals() -> None:
    model = wholes.look(wholes.draw(1, 0), noise=0, seed=0)
    with pytest.raises(StimulusError, match="over their arrangement"):
        whole_or_part(tune(model, "3", Faces(), over="size", by=Sweep(2, 1)))
    with pytest.raises(StimulusError, match="only one value"):
        tune(model, "3", Faces().fixed(arrangement="face"), over="arrangement", by=Sweep(2, 1))
