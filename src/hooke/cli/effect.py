"""`hooke effect`: what an edit changes, beside the same edit made on other units."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from hooke.cli.figures import Figures, make, plain, write_figure, write_json
from hooke.cli.options import Device, Json, Model, Precision, Seed, Trust
from hooke.cli.report import console, counting, emit, opening, row, say, table

if TYPE_CHECKING:
    from hooke.interventions.effect import EditEffect

MOST = 40
"""Rows that are printed."""

Edited = Annotated[
    list[str],
    Option("--edit", metavar="EDIT", help="Such as 'ablate(LAYER:CHANNEL, mean)'; several are made in their order."),
]


def effect(
    model: Model,
    data: Annotated[Path, Argument(metavar="DATA", help="A folder of pictures, a manifest, or one picture.")],
    edit: Edited,
    on: Annotated[
        str, Option(metavar="WHAT", help="accuracy, probability, logit (of the right class), or a unit's ADDRESS.")
    ] = "accuracy",
    by: Annotated[str, Option(metavar="label|group", help="Also a row for each label, or each group.")] = "",
    controls: Annotated[int, Option(min=0, help="How many random, and as many matched, control edits.")] = 20,
    means: Annotated[
        Path | None, Option(metavar="RECORDING", help="Take means from it, not from the first inputs.")
    ] = None,
    seed: Seed = 0,
    device: Device = "cpu",
    precision: Precision = "float32",
    trust: Trust = False,
    out: Figures = None,
    as_json: Json = False,
) -> None:
    """Measure what an edit changes, with paired intervals, beside random controls and controls that are as active."""
    from hooke.models.edits import parse

    edits = [one for text in edit for one in parse(text)]
    if out is not None:
        make(out)
    from hooke.interventions.effect import effect as measure
    from hooke.models.opening import open

    with opening(model):
        opened = open(model, device=device, precision=precision, trust=trust)
        known = _means(means, opened, edits) if means is not None else None
    with counting("measuring") as progress:
        found = measure(
            opened, data, edit=edits, on=on, by=by or None, controls=controls, means=known, seed=seed,
            progress=progress,
        )  # fmt: skip
    facts = _facts(found)
    if out is not None:
        write_json(facts, out / "effect.json")
        write_figure(_figure(found), out / "effect.png")
    if as_json:
        emit(plain(facts))
        return
    _tell(found)


def _means(recording: Path, model: Any, edits: list[Any]) -> dict[str, Any]:
    """The means of the edited layers, of those that were recorded. RecordingError where another model was."""
    from hooke.models.editing.placing import by_layer
    from hooke.responses.examples import opened
    from hooke.responses.recording import open_recording

    recorded = open_recording(recording)
    opened(recorded, model)
    return {name: recorded.layer(name).mean.float() for name in by_layer(model, edits) if name in recorded.layers}


def _tell(found: "EditEffect") -> None:
    columns = ("inputs", "before", "after", "change", "95%", "random", "as active")
    sheet = table("inputs of", *columns, "verdict", right=columns)
    for line in found.rows[:MOST]:
        change = line.change
        interval = f"{float(change.low):.3g} to {float(change.high):.3g}"
        beside = ["" if one is None else f"{float(one.draws.mean()):.3g}" for one in (line.random, line.matched)]
        numbers = (change.inputs, f"{line.before:.4g}", f"{line.after:.4g}", f"{float(change.mean):.3g}", interval)
        row(sheet, line.name, *numbers, *beside, line.verdict)
    console().print(sheet)
    if len(found.rows) > MOST:
        say(f"and {len(found.rows) - MOST} more: --json tells all")
    say(f"{found.on}: {found.verdict}")
    for remark in (found.note, "" if found.shared else "each pass was a whole one: its operations cannot be followed"):
        if remark:
            say(remark)
    if found.failures:
        say(f"left out: {len(found.failures)} inputs that cannot be read, the first: {found.failures[0]}")


def _facts(found: "EditEffect") -> dict[str, Any]:
    from hooke.errors import EditError
    from hooke.models.edits import spelled
    from hooke.numeric.paired import METHOD

    try:
        text = spelled(found.edit)
    except EditError:
        text = str(found.edit)
    lines = []
    for line in found.rows:
        change = line.change
        entry = {
            "name": line.name, "inputs": change.inputs, "before": line.before, "after": line.after,
            "change": change.mean, "low": change.low, "high": change.high, "verdict": line.verdict,
        }  # fmt: skip
        for name, against in (("random", line.random), ("matched", line.matched)):
            entry[name] = None if against is None else {
                "changes": against.draws, "difference": against.difference.mean, "low": against.difference.low,
                "high": against.difference.high, "p": against.p, "verdict": against.word,
            }  # fmt: skip
        lines.append(entry)
    facts = {
        "edit": text, "on": found.on, "verdict": found.verdict, "rows": lines, "interval": METHOD,
        "shared": found.shared, "note": found.note, "failures": found.failures,
        "provenance": found.provenance.question | {"key": found.provenance.key},
    }  # fmt: skip
    done: dict[str, Any] = plain(facts)
    return done


def _figure(found: "EditEffect") -> Any:
    from hooke.plots.effects import effects

    lines = found.rows[:MOST]
    return effects(
        f"change of {found.on}", [f"{line.name} ({line.change.inputs})" for line in lines],
        [[float(one) for one in (line.change.mean, line.change.low, line.change.high)] for line in lines],
        [[] if line.random is None else line.random.draws.tolist() for line in lines],
        [[] if line.matched is None else line.matched.draws.tolist() for line in lines],
    )  # fmt: skip
