"""`hooke stimuli`: the synthetic stimuli, their parameters and ranges, and a sheet of pictures of them."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from hooke.cli.figures import make, plain, write_figure
from hooke.cli.options import Json
from hooke.cli.report import console, emit, row, table


def stimuli(
    names: Annotated[
        list[str] | None, Argument(metavar="NAME", help="Only these stimuli; all where not given.")
    ] = None,
    out: Annotated[
        Path | None, Option("--out", metavar="DIR", help="Also draw examples there, as stimuli.png; made if missing.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the synthetic stimuli that units can be tuned over, with their parameters."""
    from hooke.responses.stimuli import STIMULI, stimulus

    kinds = [stimulus(name) for name in names or STIMULI]
    if out is not None:
        from hooke.responses.showing import stimuli_sheet

        make(out)
        write_figure(stimuli_sheet(kinds), out / "stimuli.png")
    if as_json:
        emit(plain({kind.name: {name: _told(among) for name, among in kind.ranges.items()} for kind in kinds}))
        return
    sheet = table("stimulus", "parameter", "range", "unit")
    for kind in kinds:
        for at, (name, among) in enumerate(kind.ranges.items()):
            row(sheet, "" if at else kind.name, name, in_words(asdict(among)), among.unit)  # type: ignore[call-overload]
    console().print(sheet)
    if out is not None:
        console().print(f"examples: {out / 'stimuli.png'}")


def _told(among: object) -> dict[str, object]:
    return {"kind": type(among).__name__.lower(), **asdict(among)}  # type: ignore[call-overload]


def in_words(fields: dict[str, object]) -> str:
    """A range in words."""
    match fields:
        case {"turn": turn}:
            return f"0 to {turn}, round"
        case {"low": low, "high": high}:
            return f"{low} to {high}"
        case {"names": [*names]} | {"names": tuple(names)}:
            return f"one of {len(names)}: {', '.join(map(str, names[:4]))}{', ...' if len(names) > 4 else ''}"
    return str(fields.get("value", ""))
