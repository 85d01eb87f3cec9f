"""`hooke validate`: are maps of what a model looks at better than looking at nothing?"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from hooke.cli.figures import make, write_figure, write_json
from hooke.cli.options import Device, Json, Model, Precision, Seed, Trust
from hooke.cli.report import console, emit, naming, opening, row, say, table
from hooke.errors import NumericsError, nearest

if TYPE_CHECKING:
    from hooke.models.model import Model as OpenModel
    from hooke.validation.faithfulness.metric import Metric
    from hooke.validation.report import Report
    from hooke.validation.sources import Explained

PLANTED = "planted"
"""In the place of a model: the benchmark with planted truth."""

IMAGES = 8
"""By default: the fewest on which there are verdicts."""
STEPS = 14
"""Of each curve by default, as `hooke.validation.validate.standard` has them."""
USES = ("maps", "channels", "units", "positions", "groups")
USUAL = ("activation x gradient",)
"""What is asked of parts by default."""
METRICS = (
    "deletion", "insertion", "gap", "faithfulness", "sensitivity-n", "infidelity", "max-sensitivity", "randomization",
    "randomization-absolute", "randomization-ssim", "entropy", "road", "pointing", "mass",
)  # fmt: skip


def validate(
    model: Model,
    data: Annotated[
        str | None, Argument(metavar="DATA", help="A folder, manifest or picture; default: the shipped photographs.")
    ] = None,
    methods: Annotated[
        list[str] | None, Option("--methods", metavar="NAME", help="A method; may be repeated. Default: all.")
    ] = None,
    metrics: Annotated[
        list[str] | None, Option("--metrics", metavar="NAME", help=", ".join(METRICS) + "; may be repeated.")
    ] = None,
    sets: Annotated[
        list[str] | None, Option("--sets", metavar="SET", help="Of `hooke validate planted`: only this set.")
    ] = None,
    images: Annotated[
        int | None, Option("--images", min=1, help=f"How many pictures; default {IMAGES}, and few: see the intervals.")
    ] = None,
    of: Annotated[
        str | None, Option("--of", metavar="ADDRESS", help="What is explained; default: the top label.")
    ] = None,
    use: Annotated[
        str, Option("--use", help=", ".join(USES) + ": what credits are read as; parts are tried by ablation.")
    ] = USES[0],
    to: Annotated[
        str | None, Option("--to", metavar="PLACE", help="Whose credit: input or a layer; default: each method's own.")
    ] = None,
    steps: Annotated[int, Option("--steps", min=2, help="Of each curve of deletion and insertion.")] = STEPS,
    out: Annotated[
        Path | None, Option("--out", metavar="REPORT", help="Folder for HTML, PNG, JSON, and what is done already.")
    ] = None,
    seed: Seed = 0,
    device: Device = "cpu",
    precision: Precision = "float32",
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Put methods of attribution beside controls, and tell whose maps are better than looking at nothing."""
    if model == PLANTED:
        from hooke.cli.planted import planted

        planted(methods, sets, images, out, seed, as_json)
        return
    if out is not None:
        make(out)
    parts = _of_parts(use)
    with opening(model):
        from hooke.models.opening import open
        from hooke.validation.explainers import explainers

        opened = open(model, device=device, precision=precision, trust=trust)
        sources = explainers(opened, methods or (USUAL if parts else None))
        asked = None if parts else _metrics(opened, metrics, steps)
    seen, count = _data(opened, data), images or IMAGES
    if parts:
        report = _parts(opened, sources, seen, use, to or sources[0].to, of, count, seed)
    else:
        sources = [replace(one, to=to or one.to) for one in sources]
        report = _validated(opened, sources, seen, asked, of, count, seed, out)
    _told(report, [] if out is None else _write(report, out), as_json)


def _of_parts(use: str) -> bool:
    """Whether credits of parts are tried, and not maps. Errors: NumericsError for a use that there is not."""
    if use not in USES:
        raise NumericsError(f"--use {use}", "there is no such use", choices=USES)
    return use != USES[0]


def _validated(
    model: "OpenModel", sources: Sequence[Any], data: Any, metrics: "Sequence[Metric] | None", of: str | None,
    images: int, seed: int, out: Path | None,
) -> "Report":  # fmt: skip
    from hooke.validation.validate import validate as validated

    ledger = None if out is None else out / "scores.jsonl"
    with naming("controls") as watch:
        return validated(model, sources, data, metrics, of=of, images=images, seed=seed, ledger=ledger, watch=watch)


def _parts(
    model: "OpenModel", sources: "Sequence[Explained]", data: Any, use: Any, to: str, of: str | None, images: int,
    seed: int,
) -> "Report":  # fmt: skip
    from hooke.validation.parts import validate_parts

    methods = {one.name: one.by for one in sources}
    with naming(use) as watch:
        return validate_parts(
            model, data, to=to, use=use, methods=methods, of=of, images=images, seed=seed, watch=watch
        )


def _data(model: "OpenModel", data: str | None) -> Any:
    """What `hooke.validate` reads; the shipped photographs where nothing is named."""
    if data is not None:
        return data
    from hooke.modalities.image import photographs

    return [picture for _, picture in photographs()]


def _metrics(model: "OpenModel", names: Sequence[str] | None, steps: int) -> "tuple[Metric, ...] | None":
    """The metrics of those names. Errors: NumericsError for names that there are not."""
    from hooke.validation import faithfulness as our
    from hooke.validation.validate import cells, standard

    height, width = model.modality.height, model.modality.width
    known: dict[str, Metric] = dict(
        zip(
            ("deletion", "gap", "insertion", "faithfulness", "sensitivity-n", "infidelity", "pointing", "mass"),
            standard(height, width, masks=True, steps=steps), strict=True,
        )
    )  # fmt: skip
    known |= {
        "max-sensitivity": our.MaxSensitivity(), "randomization": our.Randomization(),
        "randomization-absolute": our.Randomization("absolute"), "randomization-ssim": our.Randomization("ssim"),
        "entropy": our.Complexity(), "road": our.ROAD(cell=cells(height, width)),
    }  # fmt: skip
    if not names:
        return tuple(known[name] for name in METRICS[:6]) if steps != STEPS else None
    for name in names:
        if name not in known:
            raise NumericsError(f"--metrics {name}", "there is no such metric", choices=nearest(name, METRICS, 12))
    return tuple(known[name] for name in dict.fromkeys(names))


def _told(report: "Report", files: list[Path], as_json: bool) -> None:
    if as_json:
        emit(json.loads(report.to_json()) | {"standings": _standings(report), "files": [str(file) for file in files]})
    else:
        _tell(report, files)


def _write(report: "Report", out: Path) -> list[Path]:
    """The figure, the page and the numbers."""
    from hooke.cli.validation_page import write_page
    from hooke.plots.validation import Cell, verdicts

    cells = [Cell(row.method, row.metric, row.control, row.verdict) for row in report.rows]
    figure = write_figure(verdicts(cells, f"{len(report.images)} images; {report.statistics}"), out / "verdicts.png")
    return [
        write_page(report, figure, out / "report.html"), figure,
        write_json(json.loads(report.to_json()), out / "report.json"),
    ]  # fmt: skip


def _standings(report: "Report") -> dict[str, Mapping[str, Any]]:
    from dataclasses import asdict

    return {method: asdict(report.standing(method)) for method in report.scores}


def _tell(report: "Report", files: Sequence[Path]) -> None:
    sheet = table("method", "passes", "what is known", right=("passes",))
    for method in report.scores:
        found = report.standing(method)
        row(sheet, method, f"{len(found.passed)} of {len(found.metrics)}", found.text.removeprefix(f"{method} "))
    console().print(sheet)
    widths = ", ".join(f"{metric} {width:.2g}" for metric, width in report.width.items())
    say(f"{len(report.images)} images; median width of an interval: {widths}; more --images make them narrower")
    if any(not report.standing(method).passed and not report.standing(method).fails for method in report.scores):
        say("undecided is no verdict: on fewer than 16 images a tie may hide a difference that matters")
    for remark in report.remarks:
        say(remark)
    for file in files:
        console().print(str(file))
