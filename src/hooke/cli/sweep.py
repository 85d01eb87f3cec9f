"""`hooke sweep`: the units of a layer that matter most, a unit's dose and response, and what units do together."""

from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from hooke.cli.figures import Figures, make, plain, write_figure, write_json
from hooke.cli.options import Device, Json, Model, Precision, Seed, Trust
from hooke.cli.report import console, counting, emit, opening, row, say, table
from hooke.errors import NumericsError

if TYPE_CHECKING:
    from hooke.models.model import Model as Opened
    from hooke.numeric.paired import Interval

FACTORS = "0,0.25,0.5,0.75,1,1.5,2,4"


def sweep(
    model: Model,
    data: Annotated[Path, Argument(metavar="DATA", help="A folder of pictures or a manifest.")],
    units: Annotated[
        str, Argument(metavar="UNITS", help="LAYER: all its units; LAYER:CHANNEL: doses of one; several: their pairs.")
    ],
    on: Annotated[
        str, Option(metavar="WHAT", help="logit (of the right class), probability, accuracy, or a unit's ADDRESS.")
    ] = "logit",
    group: Annotated[str, Option(metavar="NAME", help="Of a layer: only the inputs of this group or label.")] = "",
    by: Annotated[str, Option(metavar="label|group", help="What --group names.")] = "group",
    count: Annotated[int, Option(min=1, help="Of a layer: how many units.")] = 20,
    greedy: Annotated[bool, Option("--greedy", help="Of a layer: grow the set unit by unit.")] = False,
    controls: Annotated[int, Option(min=1, help="Of a layer: how many random, and as many matched, sets.")] = 20,
    factors: Annotated[str, Option(metavar="N,N,...", help="Of one unit: by what it is multiplied.")] = FACTORS,
    seed: Seed = 0,
    device: Device = "cpu",
    precision: Precision = "float32",
    trust: Trust = False,
    out: Figures = None,
    as_json: Json = False,
) -> None:
    """Find which units of a layer matter most, what doses of one unit do, or what units do only together."""
    doses = _doses(factors)
    if out is not None:
        make(out)
    with opening(model):
        from hooke.interventions import sweeps
        from hooke.models.opening import open

        opened = open(model, device=device, precision=precision, trust=trust)
        chosen = _units(opened, units)
    with counting("sweeping") as progress:
        if isinstance(chosen, str) and greedy:
            if group:
                step = "leave one of the two out, or give a folder with that group only"
                raise NumericsError("--greedy --group", "a set is grown over all inputs", next_step=step)
            facts = _grown(on, sweeps.greedy(opened, data, chosen, count, on), chosen)
        elif isinstance(chosen, str):
            found = sweeps.important(
                opened, data, chosen, group or None, count, on, by, controls, seed, progress=progress
            )
            facts = _important(on, found)
        elif len(chosen) == 1:
            facts = _dosed(on, chosen[0], *sweeps.dose_response(opened, data, chosen[0], doses, on, seed))
        else:
            pairs = list(combinations(chosen, 2))
            facts = _paired(on, pairs, sweeps.interactions(opened, data, pairs, on, seed))
    if out is not None:
        write_json(facts, out / "sweep.json")
        write_figure(_figure(facts), out / "sweep.png")
    if as_json:
        emit(plain(facts))
        return
    _tell(facts)


def _units(model: "Opened", text: str) -> str | list[str]:
    """A layer's name; or channels of one layer, with commas between."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) == 1 and ":" not in parts[0]:
        return model.layer(parts[0]).name
    return parts


def _doses(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(one) for one in text.split(","))
    except ValueError as failure:
        raise NumericsError(f"--factors {text}", str(failure), next_step=f"write numbers: {FACTORS}") from failure


def _lines(names: list[str], found: "Interval") -> list[dict[str, Any]]:
    ends = zip(names, found.mean.tolist(), found.low.tolist(), found.high.tolist(), strict=True)
    return [{"name": name, "change": mean, "low": low, "high": high} for name, mean, low, high in ends]


def _important(on: str, found: Any) -> dict[str, Any]:
    joint = found.together
    whole = {
        "name": "all of them", "change": float(joint.mean), "low": float(joint.low), "high": float(joint.high),
        "random": found.random.tolist(), "matched": found.matched.tolist(),
    }  # fmt: skip
    mean = (float(found.random.mean()), float(found.matched.mean()))
    told = (
        f"together {float(joint.mean):.3g} (95%: {float(joint.low):.3g} to {float(joint.high):.3g}); as many random "
        f"units {mean[0]:.3g}, as active {mean[1]:.3g}; p = {found.p:.3f}"
    )
    return {
        "on": on, "kind": "important", "inputs": joint.inputs, "p": found.p, "chosen": found.chosen.tolist(),
        "rows": [*_lines(list(found.units), found.tested), whole],
        "said": f"ranked on one half of the inputs, tested on {joint.inputs} others: {told}",
    }  # fmt: skip


def _grown(on: str, found: list[tuple[int, float]], layer: str) -> dict[str, Any]:
    names = [f"{layer}:{unit}" for unit, _ in found]
    rows = [{"name": name, "change": change, "low": None, "high": None} for name, (_, change) in
            zip(names, found, strict=True)]  # fmt: skip
    said = (
        "each row with all before it; chosen and measured on the same inputs, so the changes are the most they can be"
    )
    return {"on": on, "kind": "greedy", "rows": rows, "said": said}


def _dosed(on: str, unit: str, factors: tuple[float, ...], found: "Interval") -> dict[str, Any]:
    rows = _lines([f"times {one:g}" for one in factors], found)
    return {"on": on, "kind": "doses", "unit": unit, "inputs": found.inputs, "factors": factors, "rows": rows,
            "said": f"{unit} multiplied, over {found.inputs} inputs"}  # fmt: skip


def _paired(on: str, pairs: list[tuple[str, str]], found: "Interval") -> dict[str, Any]:
    rows = _lines([f"{one} + {other}" for one, other in pairs], found)
    said = "both lost, less each alone; below 0: they stand in for each other, above 0: each needs the other"
    return {"on": on, "kind": "pairs", "inputs": found.inputs, "rows": rows, "said": said}


def _tell(facts: dict[str, Any]) -> None:
    sheet = table("unit", "change", "95%", right=("change", "95%"))
    for one in facts["rows"]:
        ends = "" if one["low"] is None else f"{one['low']:.3g} to {one['high']:.3g}"
        row(sheet, one["name"], f"{one['change']:.3g}", ends)
    console().print(sheet)
    say(f"change of {facts['on']}; {facts['said']}")


def _figure(facts: dict[str, Any]) -> Any:
    from hooke.plots.effects import effects

    rows = facts["rows"]
    nan = float("nan")
    ends = [[nan if one[end] is None else one[end] for end in ("change", "low", "high")] for one in rows]
    controls = [[one.get(kind, []) for one in rows] for kind in ("random", "matched")]
    return effects(f"change of {facts['on']}", [one["name"] for one in rows], ends, *controls)
