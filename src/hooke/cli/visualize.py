"""`hooke visualize`: draw what units look for, into PNG files and a contact sheet."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from hooke.cli.figures import make, writing
from hooke.cli.measuring import Data, Measured, Seeds, qualities
from hooke.cli.methods import Distance, How, Like, Moved, Opacity, Options, Region, Start, Within
from hooke.cli.objectives import (
    Animation,
    At,
    Attempts,
    Batch,
    Coarse,
    Count,
    Name,
    Objectives,
    Others,
    Penalties,
    Photographs,
    Plateau,
    Smooth,
    Snapshots,
    Strength,
    Target,
    To,
    Vector,
    batched,
    filmed,
    frame_every,
    searched,
)
from hooke.cli.options import Device, Folder, Json, Model, Precision, Seed, Steps, Trust
from hooke.cli.planning import Way, planned
from hooke.cli.report import console, emit, opening, progress, row, say, table

if TYPE_CHECKING:
    from hooke.models.model import Model as OpenModel
    from hooke.results import Picture
    from hooke.visualization.ascent import Ascent
    from hooke.visualization.questions import Wanted

SHEET = "contact-sheet.png"
EVERY = 8
"""Steps between two movements of the progress bar."""


def visualize(
    model: Model,
    addresses: Annotated[list[str], Argument(metavar="ADDRESS", help="LAYER:CHANNEL, 'logits:\"tabby\"', ...")],
    out: Folder,
    steps: Steps = None,
    size: Annotated[int | None, Option(min=16, help="Side of the canvas in pixels.")] = None,
    way: Way = None,
    parametrization: How = "fourier",
    transform: Moved = None,
    photograph: Start = None,
    mask: Region = None,
    within: Within = None,
    distance: Distance = None,
    opacity: Opacity = None,
    like: Like = None,
    objective: Name = "response",
    of: Photographs = None,
    against: Others = None,
    at: At = None,
    to: To = None,
    vector: Vector = None,
    count: Count = None,
    strength: Strength = None,
    penalty: Penalties = None,
    attempts: Attempts = 1,
    plateau: Plateau = 0.0,
    target: Target = None,
    smooth_pooling: Smooth = False,
    coarse: Coarse = None,
    batch: Batch = None,
    snapshots: Snapshots = None,
    animation: Animation = None,
    measure: Measured = True,
    recording: Data = None,
    seeds: Seeds = 1,
    seed: Seed = 0,
    device: Device = "cpu",
    precision: Precision = "float32",
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Draw what units look for. Writes a PNG for each address, with its provenance inside, and a contact sheet."""
    make(out)
    with opening(model):
        from hooke.models.opening import open

        opened = open(model, device=device, precision=precision, trust=trust)
        options = Options(parametrization, transform, photograph, mask, within, distance, opacity, like)
        numbers = {"count": count, "strength": strength}
        what = Objectives(objective, (of or [], against or []), tuple(at or ()), to, vector, numbers)
        by, wanted = planned(opened, addresses, options, what, penalty or [], way, (size, steps))
        by = batched(searched(by, attempts, plateau, target, smooth_pooling, coarse), batch, opened, wanted)
        every = frame_every(snapshots, animation)
    pictures, frames = drawn(opened, wanted, by, seed, every)
    files = dict(zip(pictures, (out / name for name in file_names(pictures)), strict=True))
    filmed(frames, files, animation, snapshots is not None)
    measured = pictures if measure and objective == "response" else {}
    found = _figures(opened, addresses, measured, by, (seed, seeds), recording)
    _write(opened, pictures, files, out / SHEET, found)
    _report(pictures, files, out / SHEET, found, as_json)


def file_names(addresses: Iterable[str]) -> list[str]:
    """A file name for each address, safe on every system, different also where only capitals differ."""
    taken: set[str] = set()
    names = []
    for address in addresses:
        stem = re.sub(r"[^A-Za-z0-9._@,+-]+", "-", address).strip("-. ")[:100] or "unit"
        name, number = stem, 2
        while name.casefold() in taken:
            name, number = f"{stem}~{number}", number + 1
        taken.add(name.casefold())
        names.append(f"{name}.png")
    return names


def _report(
    pictures: "dict[str, Picture]", files: dict[str, Path], together: Path, found: dict[str, Any], as_json: bool
) -> None:
    if as_json:
        emit([_entry(one, files[address]) | {"quality": found.get(address)} for address, one in pictures.items()])
        return
    sheet = table("address", "response", "seconds", "file", right=("response", "seconds"))
    for address, picture in pictures.items():
        row(sheet, address, f"{picture.response:#.3g}", f"{picture.seconds:.1f}", files[address])
    console().print(sheet)
    console().print(f"all together: {together}")
    for address, picture in pictures.items():
        if picture.note:
            say(f"{address}: {picture.note}")


def drawn(
    model: "OpenModel", wanted: "list[Wanted]", method: "Ascent", seed: int, every: int | None
) -> "tuple[dict[str, Picture], dict[str, list[Picture]]]":
    """The finished pictures by address, in the order asked; drawn, or read back from the store.

    With `every`, all are drawn, and come with those of every so many steps.
    """
    from hooke.storage.store import Store
    from hooke.visualization.drawing import draw
    from hooke.visualization.questions import asked

    names = [one.address for what in wanted for one in asked(model, what, method, seed).provenances]
    store = None if every else Store()
    finished: dict[str, Picture] = {}
    frames: dict[str, list[Picture]] = {}
    with progress() as bar:
        task = bar.add_task("drawing", total=len(names) * method.steps)
        for moment in draw(model, wanted, by=method, seed=seed, every=every or EVERY, store=store):
            finished.update({one.address: one for one in moment if one.step == method.steps})
            underway = sum(one.step for one in moment if one.step < method.steps)
            bar.update(task, completed=len(finished) * method.steps + underway)
            for one in moment if every else ():
                frames.setdefault(one.address, []).append(one)
    return {name: finished[name] for name in names}, frames


def _figures(
    model: "OpenModel", addresses: list[str], pictures: "dict[str, Picture]", by: "Ascent", seeds: tuple[int, int],
    recording: Path | None,
) -> dict[str, Any]:  # fmt: skip
    """What is measured of the pictures, by their names: of the units themselves, also where penalties were added."""
    units = list(dict.fromkeys(str(model.resolve(address)) for address in addresses))
    names = dict(zip(units, pictures, strict=False))
    figures = qualities(model, {unit: pictures[name] for unit, name in names.items()}, by, *seeds, recording)
    return {names[unit]: one.facts for unit, one in figures.items()}


def _entry(picture: "Picture", file: Path) -> dict[str, object]:
    numbers = {"response": picture.response, "peak": picture.peak, "seconds": picture.seconds}
    return {"address": picture.address, "file": str(file), **numbers, "note": picture.note}


def _write(
    model: "OpenModel", pictures: "dict[str, Picture]", files: dict[str, Path], together: Path, found: dict[str, Any]
) -> None:
    """Each picture's file, and the contact sheet."""
    from hooke.cli.methods import is_transparent, on_paper
    from hooke.cli.sheet import contact_sheet
    from hooke.visualization.files import picture_png

    for address, one in pictures.items():
        png = picture_png(one, transparent=is_transparent(model, one), quality=found.get(address))
        with writing(files[address]):
            files[address].write_bytes(png)
    sheet = contact_sheet([on_paper(model, picture) for picture in pictures.values()], title=model.name)
    with writing(together):
        sheet.save(together)
