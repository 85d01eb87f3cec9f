"""`hooke compare-visualizations`: the same units drawn by several methods, on one page, with what witnesses see."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from hooke.cli.figures import make, write_json, writing
from hooke.cli.options import Device, Folder, Json, Model, Precision, Seed, Trust
from hooke.cli.report import console, counting, emit, opening, row, say, table

if TYPE_CHECKING:
    from hooke.models.model import Model as OpenModel
    from hooke.validation.comparing import Compared

PAGE, NUMBERS = "comparison.html", "comparison.json"

Names = Annotated[
    list[str] | None,
    Option("--methods", metavar="NAME", help="default, fourier, maco, batchnorm or distribution; may be repeated."),
]


def compare_visualizations(
    model: Model,
    addresses: Annotated[list[str], Argument(metavar="ADDRESS", help="'logits:\"tabby\"', LAYER:CHANNEL, ...")],
    out: Folder,
    methods: Names = None,
    witness: Annotated[
        list[str] | None, Option(metavar="MODEL", help="Another network that looks at the pictures; may be repeated.")
    ] = None,
    of: Annotated[
        list[Path] | None, Option("--of", help="Photographs that distribution chooses from: files or folders.")
    ] = None,
    steps: Annotated[int | None, Option(min=1, help="Steps of every method; each one's own if not given.")] = None,
    seed: Seed = 0,
    device: Device = "cpu",
    precision: Precision = "float32",
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Draw the same units by several methods. Writes a page (HTML), its pictures (PNG) and its numbers (JSON)."""
    make(out)
    with opening(model):
        from hooke.cli.objectives import Canvases
        from hooke.models.opening import open
        from hooke.storage.store import Store
        from hooke.validation.comparing import METHODS, compare

        opened = open(model, device=device, precision=precision, trust=trust)
        others = [open(name, device=device, precision=precision, trust=trust) for name in witness or ()]
    chosen = methods or [name for name in METHODS if of or name != "distribution"]
    if not methods and not of:
        say("distribution is left out: it needs photographs (--of)")
    with counting("drawing") as progress:
        found = compare(
            opened, addresses, methods=chosen, witnesses=others, photographs=Canvases(of or [], opened), steps=steps,
            seed=seed, store=Store(), progress=progress,
        )  # fmt: skip
    rows = _written(opened, found, out)
    if as_json:
        emit({"page": str(out / PAGE), "pictures": rows})
        return
    _report(found)
    console().print(f"the page: {out / PAGE}")


def _written(model: "OpenModel", found: "list[Compared]", out: Path) -> list[dict[str, Any]]:
    """Writes the pictures, the numbers and the page; the rows of the numbers."""
    from hooke.cli.comparison_page import page
    from hooke.cli.visualize import file_names
    from hooke.visualization.files import picture_png

    names = file_names(f"{one.address} {one.method}" for one in found)
    pngs = [picture_png(one.picture) for one in found]
    rows = [_entry(model, one) | {"file": name} for one, name in zip(found, names, strict=True)]
    write_json(rows, out / NUMBERS)
    with writing(out):
        for name, png in zip(names, pngs, strict=True):
            (out / name).write_bytes(png)
        (out / PAGE).write_text(page(f"{model.name}: ways to draw a unit", rows, pngs), encoding="utf-8")
    return rows


def _entry(model: "OpenModel", one: "Compared") -> dict[str, Any]:
    natural = {"natural": one.colours.natural} if one.colours is not None else {}
    return {
        "address": one.address,
        "label": model.label(int(one.address.rpartition(":")[2])) if one.own is not None else "",
        "method": one.method,
        "response": one.response,
        "own": asdict(one.own) if one.own is not None else None,
        "witnesses": [asdict(each) for each in one.witnesses],
        "colours": asdict(one.colours) | natural if one.colours is not None else None,
        "seconds": one.picture.seconds,
        "note": one.picture.note,
        "key": one.picture.provenance.key,
    }


def _report(found: "list[Compared]") -> None:
    numbers = ("response", "saturated", "colour", "seconds")
    shown = table("address", "method", *numbers, "witnesses", right=numbers)
    for one in found:
        look = one.colours
        seen = ", ".join(f"{each.witness} {each.rank} ({each.probability:.0%})" for each in one.witnesses)
        end, distance = (f"{look.saturated:.1%}", f"{look.distance:.2f}") if look is not None else (None, None)
        row(shown, one.address, one.method, f"{one.response:#.3g}", end, distance, f"{one.picture.seconds:.1f}", seen)
    console().print(shown)
    say("witnesses: the rank of the class (1 is first) and its probability; colour: up to 1 as in 95% of photographs")
