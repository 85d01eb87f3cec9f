"""`hooke study`: one study of a model and a photograph, into a folder of figures and numbers."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from hooke.cli.figures import make, plain, write_figure, write_json, writing
from hooke.cli.options import Device, Folder, Json, Model, Precision, Seed, Trust
from hooke.cli.report import console, emit, naming, opening, row, table
from hooke.errors import AddressError
from hooke.studies.registry import STUDIES, Asked, Study
from hooke.studies.registry import study as named

if TYPE_CHECKING:
    from hooke.models.model import Model as OpenModel
    from hooke.shapes import Canvas
    from hooke.studies.registry import Report

NAMES = ", ".join(f"{one.name} ({one.grammar})" for one in STUDIES)


def study(
    name: Annotated[str, Argument(metavar="NAME", help=f"A name, or its atom/content/presentation: {NAMES}.")],
    model: Model,
    image: Annotated[Path, Argument(metavar="IMAGE", help="A picture; a folder of them for a study of many.")],
    out: Folder,
    layers: Annotated[list[str] | None, Option("--layers", help="Only this layer; may be repeated.")] = None,
    of: Annotated[
        list[str] | None, Option("--of", metavar="ADDRESS", help="A target, such as a label; may be repeated.")
    ] = None,
    at: Annotated[str | None, Option("--at", metavar="ROW,COLUMN", help="A position of the layer.")] = None,
    count: Annotated[int | None, Option("--count", min=1, help="How many units, groups or cells are shown.")] = None,
    steps: Annotated[int | None, Option("--steps", min=1, help="Steps of an optimization.")] = None,
    seed: Seed = 0,
    device: Device = "cpu",
    precision: Precision = "float32",
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Carry out one study of a model and a photograph. Writes its figures, its pictures, and NAME.json."""
    wanted = named(name)
    asked = Asked(tuple(layers or ()), tuple(of or ()), _position(at), count, steps, seed)
    make(out)
    with opening(model):
        from hooke.modalities.datasets import dataset
        from hooke.modalities.pictures import read_picture
        from hooke.models.opening import open

        opened = open(model, device=device, precision=precision, trust=trust)
        seen = dataset(image) if wanted.many else opened.modality.canvas(read_picture(image))
    begun = time.perf_counter()
    with naming(wanted.name) as tell:

        def watch(doing: str, done: int, total: int) -> None:
            tell(f"{wanted.name}: {doing}", done, total)

        found = wanted.report(opened, seen, asked, watch)
    _answer(opened, wanted, found, time.perf_counter() - begun, out, as_json)


def _answer(
    model: "OpenModel", wanted: Study, found: "Report", seconds: float, out: Path, as_json: bool
) -> None:  # fmt: skip
    files = [write_figure(figure, out / f"{name}.png") for name, figure in found.figures.items()]
    files += [_write_picture(canvas, out / f"{name}.png") for name, canvas in found.pictures.items()]
    files.append(out / f"{wanted.name}.json")
    about = {"study": wanted.name, "model": model.name, "fingerprint": model.fingerprint, "seconds": seconds}
    facts = {**about, **found.facts, "files": [str(file) for file in files]}
    write_json(facts, files[-1])
    if as_json:
        emit(plain(facts))
        return
    sheet = table("", wanted.sentence)
    for key, value in found.facts.items():
        if isinstance(value, str | int | float):
            row(sheet, key, f"{value:.3g}" if isinstance(value, float) else value)
    row(sheet, "seconds", f"{seconds:.1f}")
    console().print(sheet)
    for file in files:
        console().print(f"written: {file}")


def _write_picture(canvas: "Canvas", file: Path) -> Path:
    from hooke.modalities.image import to_png

    with writing(file):
        file.write_bytes(to_png(canvas, transparent=canvas.shape[0] in (2, 4)))
    return file


def _position(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdecimal() for part in parts):
        raise AddressError(f"--at {text}", "it is no position", next_step="write ROW,COLUMN, such as 5,7")
    return int(parts[0]), int(parts[1])
