"""`hooke tune`: how units answer to a synthetic stimulus as one or two of its parameters change."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from hooke.cli.figures import make, plain, write_figure, write_json
from hooke.cli.measuring import recorded
from hooke.cli.options import Device, Folder, Json, Model, Precision, Seed, Trust
from hooke.cli.report import console, counting, emit, opening, row, table
from hooke.cli.visualize import file_names
from hooke.errors import StimulusError

if TYPE_CHECKING:
    import PIL.Image

    from hooke.models.model import Model as OpenModel
    from hooke.responses.stimuli import Stimulus
    from hooke.responses.tuning import Tuning

FEW = 16
"""The most units whose invariances are measured: each takes passes of its own."""


def tune(
    model: Model,
    units: Annotated[list[str], Argument(metavar="UNIT", help="LAYER:CHANNEL, ...; several must be of one layer.")],
    out: Folder,
    over: Annotated[
        str, Option(metavar="PARAMETER[,PARAMETER]", help="What is swept: orientation, or radius,orientation.")
    ],
    stimulus: Annotated[
        str, Option(metavar="NAME", help="gratings, lines, curves, ...: `hooke stimuli` lists all.")
    ] = "gratings",
    fix: Annotated[
        list[str] | None, Option(metavar="PARAMETER=VALUE", help="Hold a parameter at one value; may be repeated.")
    ] = None,
    steps: Annotated[int, Option(min=2, help="Values of each swept parameter.")] = 24,
    samples: Annotated[int, Option(min=1, help="Settings of the remaining parameters.")] = 24,
    pictures: Annotated[
        Path | None, Option(metavar="FOLDER", help="Photographs for crops; the shipped ones where not given.")
    ] = None,
    recording: Annotated[
        Path | None, Option(metavar="RECORDING", help="Compare with what `hooke record` saw the units do.")
    ] = None,
    seed: Seed = 0,
    device: Device = "cpu",
    precision: Precision = "float32",
    trust: Trust = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Measure the tuning of units. Writes figures and the numbers as JSON for each unit, and a sheet of the stimuli."""
    make(out)
    with opening(model):
        from hooke.models.opening import open
        from hooke.responses.showing import stimuli_sheet
        from hooke.responses.tuning import Sweep
        from hooke.responses.tuning import tune as measure

        kind = chosen(stimulus, fix or [], pictures)
        opened = open(model, device=device, precision=precision, trust=trust)
        known = recorded(recording)
    names = [name.strip() for name in over.split(",") if name.strip()]
    with counting("showing stimuli") as progress:
        tuning = measure(
            opened, units, kind, over=names, by=Sweep(steps=steps, samples=samples), seed=seed, recording=known,
            progress=progress,
        )  # fmt: skip
    write_figure(stimuli_sheet([kind]), out / "stimuli.png")
    written = _written(opened, tuning, out, seed)
    if as_json:
        emit(plain(written))
        return
    _tell(tuning, written)
    console().print(f"the stimuli: {out / 'stimuli.png'}")


def chosen(name: str, fix: list[str], pictures: Path | None = None) -> "Stimulus":
    """The stimulus of that name with some parameters held; StimulusError with the choices."""
    from hooke.responses.stimuli import Choice, crops, stimulus

    kind = stimulus(name)
    if pictures is not None:
        if name != "crops":
            raise StimulusError(f"--pictures {pictures}", "only crops are cut from photographs", choices=["crops"])
        kind = crops(_photographs(pictures))
    held: dict[str, float | str] = {}
    for text in fix:
        parameter, equals, value = (part.strip() for part in text.partition("="))
        among = kind.range(parameter)
        if not equals or not value:
            raise StimulusError(f"--fix {text}", "write PARAMETER=VALUE", choices=list(kind.ranges))
        try:
            held[parameter] = value if isinstance(among, Choice) else float(value)
        except ValueError:
            raise StimulusError(f"--fix {text}", f"{parameter} is a number") from None
    return kind.fixed(**held)


def _photographs(folder: Path) -> "list[tuple[str, PIL.Image.Image]]":
    from hooke.errors import ImageError
    from hooke.modalities.image import read_picture

    files = sorted(file for file in folder.rglob("*") if file.is_file()) if folder.is_dir() else [folder]
    found = []
    for file in files:
        try:
            found.append((str(file.relative_to(folder)) if file != folder else file.name, read_picture(file)))
        except ImageError:
            if file == folder:
                raise
    if not found:
        raise ImageError(f"--pictures {folder}", "no picture in it can be read")
    return found[:64]


def _written(model: "OpenModel", tuning: "Tuning", out: Path, seed: int) -> list[dict[str, Any]]:
    """One entry for each unit, its files written."""
    from hooke.responses.estimates import along, band, strengths
    from hooke.responses.invariance import invariances
    from hooke.responses.showing import figures, joint
    from hooke.responses.tuning import is_categorical

    axes = {axis.name: along(tuning, axis.name, seed=seed) for axis in tuning.axes}
    best, ends, written = strengths(tuning, seed=seed), band(tuning, seed=seed), []
    for unit, (address, file) in enumerate(zip(tuning.units, file_names(tuning.units), strict=True)):
        kept = invariances(model, tuning, unit, seed=seed) if len(tuning.units) <= FEW else {}
        facts = _facts(tuning) | {
            "unit": address, "best": tuning.best(unit), "strength": asdict(best[unit]),
            "tuning": {name: asdict(found[unit]) for name, found in axes.items()},
            "invariance": {name: asdict(one) for name, one in kept.items()},
            "mean": tuning.mean[unit], "low": ends[0][unit], "high": ends[1][unit],
        }  # fmt: skip
        drawn = [write_figure(figure, (out / file).with_suffix(ending)) for ending, figure in figures(tuning, unit)]
        told = write_json(facts, (out / file).with_suffix(".json"))
        brief = {name: value for name, value in facts.items() if name not in ("mean", "low", "high", "over")}
        written.append(brief | {"figures": [str(one) for one in drawn], "json": str(told)})
    if len(tuning.units) > 1:
        for axis in tuning.axes:
            if not is_categorical(axis):
                write_figure(joint(tuning, axis.name, title=tuning.stimulus.name), out / f"joint.{axis.name}.png")
    return written


def _facts(tuning: "Tuning") -> dict[str, Any]:
    """What is the same for all units, as JSON data."""
    frame = tuning.frame
    swept = {
        axis.name: {
            "unit": axis.range.unit, "values": axis.values,
            "texts": [axis.range.text(float(value)) for value in axis.values],
        }
        for axis in tuning.axes
    }  # fmt: skip
    return {
        "stimulus": tuning.stimulus.name, "field_px": frame.field, "centre_px": [frame.row, frame.column],
        "position": tuning.position, "settings": tuning.responses.shape[1], "over": swept,
        "key": tuning.provenance.key,
    }  # fmt: skip


def _tell(tuning: "Tuning", written: list[dict[str, Any]]) -> None:
    names = [axis.name for axis in tuning.axes]
    numbers = ("response", "grey", *names, "half width", "selectivity")
    sheet = table("unit", *numbers, "file", right=numbers)
    for one in written:
        best = [axis.range.text(one["best"][axis.name]) for axis in tuning.axes]
        first = one["tuning"][names[0]]
        width, share = (first[name]["value"] if first[name] else None for name in ("half_width", "selectivity"))
        shown = [None if value is None or value != value else f"{value:.2g}" for value in (width, share)]
        strength = one["strength"]
        row(
            sheet,
            one["unit"],
            f"{strength['best']['value']:.3g}",
            f"{strength['grey']:.3g}",
            *best,
            *shown,
            one["figures"][0],
        )
    console().print(sheet)
