"""`hooke publish`: the microscope as a folder of static files, or one view of it as one file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from hooke.cli.explore import meant, readable
from hooke.cli.figures import make
from hooke.cli.measuring import recorded
from hooke.cli.options import DEFAULT_MODEL, Device, Json, Precision, Recording, Seed, Steps, Trust
from hooke.cli.report import emit, naming, opening, say
from hooke.errors import PublishError

if TYPE_CHECKING:
    import PIL.Image

    from hooke.models.model import Model
    from hooke.publish.publish import Published
    from hooke.publish.work import Plan

USUAL = 6
"""Of the shipped photographs, so many are published."""


def publish(
    out: Annotated[Path, Option("--out", metavar="PATH", help="A folder; with --single-file, an HTML file.")],
    model: Annotated[str, Argument(metavar="MODEL", help="As for the other commands.")] = DEFAULT_MODEL,
    images: Annotated[
        list[Path] | None, Argument(metavar="IMAGES", help="Pictures, or folders of them. Default: six that ship.")
    ] = None,
    layers: Annotated[
        list[str] | None,
        Option("--layers", metavar="LAYER", help="A layer; may be repeated. Four if not."),
    ] = None,
    units: Annotated[int, Option(min=0, help="Units of each layer that get the whole evidence on their page.")] = 2,
    single_file: Annotated[bool, Option("--single-file", help="One self-contained HTML of one view.")] = False,
    view: Annotated[str, Option(metavar="PATH", help="The view, as /image/cat?layer=LAYER or /unit/LAYER/12.")] = "/",
    url: Annotated[str, Option(help="Where the folder will be served: link previews then have whole addresses.")] = "",
    steps: Steps = None,
    recording: Recording = None,
    seed: Seed = 0,
    device: Device = "cpu",
    precision: Precision = "float32",
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Write the microscope into a folder that any file server serves, without a model; continues what was begun."""
    model, paths = meant(model, images)
    if view != "/" and not single_file:
        raise PublishError(f"publish the view {view}", "a folder holds all views", next_step="add --single-file")
    given = _given(paths)
    make(out.parent if single_file else out)
    with opening(model):
        from dataclasses import replace

        from hooke.models.opening import open
        from hooke.publish.publish import publish, publish_whole
        from hooke.server.app import create_app
        from hooke.storage.store import Store
        from hooke.visualization.usual import usual

        known = recorded(recording)
        opened = open(model, device=device, precision=precision, trust=trust)
        method = usual(opened)
        method = replace(method, steps=steps or method.steps)
    shown, plan = _planned(opened, given, layers or [], units, view if single_file else "")
    app = create_app(opened, shown, Store(), hosts=("localhost",), method=method, seed=seed, recording=known)
    with naming("publishing") as tell:

        def report(done: float, total: float, what: str) -> None:
            tell(what, done, total)

        if single_file:
            done = publish_whole(app, plan, view, out, report=report)
        else:
            done = publish(app, plan, out, url=f"{url.rstrip('/')}/" if url else "", report=report)
    _say(done, plan, as_json, whole=single_file)


def _say(done: "Published", plan: "Plan", as_json: bool, *, whole: bool) -> None:
    """What was left out, and what there is now."""
    for request, reason in done.failures.items():
        say(f"left out: {request}: {reason}")
    if as_json:
        facts = {"path": str(done.path), "bytes": done.bytes, "files": done.files, "layers": list(plan.layers)}
        facts["failures"] = dict(done.failures)
        emit({**facts, "seconds": {name: round(spent, 2) for name, spent in done.seconds.items()}})
    else:
        print(f"{done.path}   {done.bytes / 1e6:.1f} MB in {done.files} files")
        if not whole:
            say(f"python -m http.server --directory {done.path}   shows it")


def _given(paths: list[Path]) -> "list[tuple[str, PIL.Image.Image]]":
    """The pictures that are named. Errors: PublishError where none of them can be read: others are not published."""
    read = readable(paths)
    if paths and not read:
        named = ", ".join(map(str, paths))
        raise PublishError(
            f"publish {named}", "none of these can be read", next_step="name pictures, or folders of them"
        )
    return read


def _planned(
    model: "Model", given: "list[tuple[str, PIL.Image.Image]]", layers: list[str], units: int, view: str
) -> "tuple[list[tuple[str, PIL.Image.Image]], Plan]":
    """The photographs (those given, or the shipped ones) and layers to publish: of one view only what it shows."""
    from hooke.modalities.image import photographs
    from hooke.publish.publish import looked_at
    from hooke.publish.site import usual_layers
    from hooke.publish.work import Plan
    from hooke.studies.semantic_dictionary import default_layer, spatial_layer

    shown = given or photographs()
    if not view:
        names = tuple(spatial_layer(model, name).name for name in layers) or usual_layers(model)
        return shown if given else shown[:USUAL], Plan(names, units)
    known = [row.name for row in model.layers.addressable if row.channels is not None]
    image, layer, channel = looked_at(view, [name for name, _ in shown], known)
    one = [pair for pair in shown if pair[0] == image][:1] or shown[:1]
    if channel is None:
        return one, Plan((spatial_layer(model, layer or default_layer(model)).name,), units=0)
    return one, Plan((layer or "",), units=0, named=((layer or "", channel),))
