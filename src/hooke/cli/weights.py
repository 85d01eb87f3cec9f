"""`hooke weights`: the weights between units, as tiles and numbers, with how far they can be trusted."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from hooke.cli.figures import Figures, make, plain, write_figure, write_json, writing
from hooke.cli.measuring import recorded
from hooke.cli.options import Device, Json, Model, Precision, Seed, Trust
from hooke.cli.report import console, emit, opening, row, say, table

if TYPE_CHECKING:
    from hooke.circuits.weights import Contextual, Direct, Expanded, Weights

FEW = 16
"""Targets that are listed one by one, with all their neighbours; of more, the strongest pairs."""


def weights(
    model: Model,
    source: Annotated[str, Argument(metavar="SOURCE", help="A layer, or units LAYER:CHANNEL,LAYER:CHANNEL,...")],
    target: Annotated[str, Argument(metavar="TARGET", help="A later layer, or units of it.")],
    out: Figures = None,
    count: Annotated[int, Option(min=1, help="How many neighbours of each sign to show.")] = 8,
    direct: Annotated[bool, Option("--direct", help="The kernels of the target's own layer, nothing else.")] = False,
    contextual: Annotated[
        Path | None, Option(metavar="DATA", help="Slopes as they are where the targets answer to these inputs.")
    ] = None,
    normalize: Annotated[
        Path | None, Option(metavar="RECORDING", help="In standard deviations, as `hooke record` saw them.")
    ] = None,
    data: Annotated[
        Path | None, Option(metavar="DATA", help="Inputs for the check. Default: the photographs that ship.")
    ] = None,
    check: Annotated[bool, Option("--check/--no-check", help="Compare with what ablating sources does.")] = True,
    seed: Seed = 0,
    device: Device = "cpu",
    precision: Precision = "float32",
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Read the weights between the units of two layers, whatever lies between them."""
    if out is not None:
        make(out)
    with opening(model):
        from hooke.circuits.weights import CHECK
        from hooke.circuits.weights import weights as read
        from hooke.models.opening import open

        opened = open(model, device=device, precision=precision, trust=trust)
        scales = recorded(normalize)
    found = read(
        opened, _units(source), _units(target), by=_method(direct, contextual), data=data,
        check=CHECK if check else None, normalize=scales, seed=seed,
    )  # fmt: skip
    facts = _facts(found, count)
    if out is not None:
        facts["files"] = [str(file) for file in _written(found, facts, count, out)]
    if as_json:
        emit(plain(facts))
        return
    _tell(found, facts)


def _units(text: str) -> str | list[str]:
    """A layer or one unit; several where commas stand between them (commas in a quoted label are none)."""
    parts = [part.strip() for part in re.split(r',(?=(?:[^"]*"[^"]*")*[^"]*$)', text) if part.strip()]
    return parts[0] if len(parts) == 1 else parts


def _method(direct: bool, contextual: Path | None) -> "Expanded | Direct | Contextual":
    from hooke.circuits.weights import Contextual, Direct, Expanded
    from hooke.errors import NumericsError

    if direct and contextual is not None:
        raise NumericsError("--direct --contextual", "direct kernels have no slopes", next_step="give one of the two")
    return Direct() if direct else Contextual(contextual) if contextual is not None else Expanded()


def _facts(found: "Weights", count: int) -> dict[str, Any]:
    rated = found.trust
    measured = None if rated is None else {
        "correlation": rated.correlation, "low": rated.low, "high": rated.high, "sources": rated.sources,
        "targets": rated.targets, "silent": rated.silent, "inputs": rated.inputs,
    }  # fmt: skip
    units = [
        {"unit": unit, "excite": [vars(one) for one in up], "inhibit": [vars(one) for one in down]}
        for unit in _strongest(found)
        for up, down in [found.before(unit, count)]
    ]
    return {
        "source": found.source, "target": found.target, "sources": len(found.sources), "targets": len(found.targets),
        "rows": found.rows, "columns": found.columns, "aligned": found.aligned, "normalized": found.normalized,
        "linear": found.replaced, "held": found.frozen, "slopes": found.local, "inputs": found.inputs,
        "trust": measured, "statement": found.statement, "units": units, "key": found.provenance.key,
    }  # fmt: skip


def _strongest(found: "Weights") -> list[str]:
    """All targets where they are few, else those that the sources reach most strongly."""
    if len(found.targets) <= FEW:
        return list(found.targets)
    order = found.strength.square().sum(1).argsort(descending=True)[:FEW].tolist()
    return [found.targets[at] for at in order]


def _written(found: "Weights", facts: dict[str, Any], count: int, out: Path) -> list[Path]:
    """The tiles of each unit's neighbours, the matrix of the strongest ones, and all numbers."""
    import numpy

    from hooke.cli.visualize import file_names
    from hooke.plots.weights import MOST, Tiling, neighbours, tiles

    unit = "standard deviations a standard deviation" if found.normalized else "weight"
    names = [one["unit"] for one in facts["units"]]
    tiling = Tiling(found.rows, found.columns, found.aligned, unit, found.statement)
    files = []
    for target, file in zip(names, file_names(names), strict=True):
        tile = found.values[found.targets.index(target)]
        excite, inhibit = (
            [(_short(one.unit), getattr(one, kind), tile[found.sources.index(one.unit)].numpy()) for one in side]
            for kind, side in zip(("excitation", "inhibition"), found.before(target, count), strict=True)
        )
        figure = neighbours(f"{found.source} before {target}", tiling, excite, inhibit)
        files.append(write_figure(figure, out / f"{Path(file).stem}.png"))
    strong = found.strength[[found.targets.index(name) for name in names]].square().sum(0)
    sources = sorted(strong.argsort(descending=True)[:MOST].tolist())
    some = found.among(names, [found.sources[at] for at in sources])
    figure = tiles(
        some.values.numpy(), tiling, targets=[_short(name) for name in some.targets],
        sources=[_short(name) for name in some.sources], title=f"{found.source} to {found.target}",
    )  # fmt: skip
    files.append(write_figure(figure, out / "matrix.png"))
    numbers = out / "weights.npz"
    with writing(numbers):
        numpy.savez_compressed(numbers, values=found.values.numpy(), sources=found.sources, targets=found.targets)
    return [*files, numbers, write_json(facts, out / "weights.json")]


def _tell(found: "Weights", facts: dict[str, Any]) -> None:
    numbers = ("excite", "inhibit", "strength")
    sheet = table("target", "source", *numbers, right=numbers)
    for one in facts["units"]:
        for entry in (*one["excite"], *one["inhibit"]):
            sizes = (entry["excitation"], entry["inhibition"], entry["strength"])
            row(sheet, _short(one["unit"]), entry["unit"], *(f"{size:.3g}" for size in sizes))
    console().print(sheet)
    height, width = found.values.shape[2:]
    say(f"{len(found.sources)} sources to {len(found.targets)} targets, tiles of {height} x {width}; {found.statement}")
    for file in facts.get("files", []):
        console().print(file)


def _short(unit: str) -> str:
    """The channel of an address; the whole text of a sum."""
    layer, colon, channel = unit.rpartition(":")
    return f":{channel}" if colon and channel.isdigit() and " " not in layer else unit
