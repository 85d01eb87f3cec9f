"""`hooke examples`: what a unit responds to in the recorded data, over its whole range, as a quilt and as JSON."""

from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from hooke.cli.figures import Recorded, make, plain, write_figure, write_json
from hooke.cli.options import Folder, Json
from hooke.cli.report import console, emit, opening, progress, row, say, table
from hooke.cli.visualize import file_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hooke.responses.distributions import Distribution
    from hooke.responses.examples import Example, Examples


def examples(
    recording: Recorded,
    units: Annotated[list[str], Argument(metavar="UNIT", help="LAYER:CHANNEL; several are allowed.")],
    out: Folder,
    count: Annotated[int, Option(min=1, help="Examples for each bin of activation.")] = 6,
    model: Annotated[str, Option(metavar="MODEL", help="The model, where the recording cannot open it again.")] = "",
    data: Annotated[str, Option(metavar="DATA", help="The data, where they moved since.")] = "",
    as_json: Json = False,
) -> None:
    """Show a unit's examples, cropped and masked. Writes UNIT.png, UNIT.density.png and UNIT.json for each unit."""
    make(out)
    with opening(model or str(recording)):
        from hooke.models.opening import open
        from hooke.responses.distributions import distribution
        from hooke.responses.examples import examples as find
        from hooke.responses.examples import opened
        from hooke.responses.recording import open_recording
        from hooke.responses.units import unit

        recorded = open_recording(recording)
        for address in units:
            unit(recorded, address)
        specimen = opened(recorded, open(model) if model else None)
    written = []
    with progress() as bar:
        task = bar.add_task("looking", total=len(units))
        for address, file in zip(units, file_names(units), strict=True):
            found = find(recorded, address, model=specimen, data=data or None, count=count)
            spread = distribution(recorded, address)
            quilt = write_figure(quilt_of(found), out / file)
            density = write_figure(density_of(spread), (out / file).with_suffix(".density.png"))
            facts = numbers(found, spread)
            told = write_json(facts, (out / file).with_suffix(".json"))
            written.append(facts | {"file": str(quilt), "density": str(density), "json": str(told)})
            bar.advance(task)
    if as_json:
        emit(plain(written))
        return
    _tell(written)


def quilt_of(found: "Examples") -> "Figure":
    """The figure of a unit's examples."""
    from hooke.plots.quilt import masked, quilt

    def tiles(these: "tuple[Example, ...]") -> list[Any]:
        shown = [(one.crop, one.mask) for one in these if one.crop is not None and one.mask is not None]
        return [masked(crop[:3].permute(1, 2, 0).numpy(), mask.numpy()) for crop, mask in shown]

    edges = [part.low for part in found.bins] + [part.high for part in found.bins[-1:]]
    return quilt(
        found.address, edges, [part.count for part in found.bins], [tiles(part.examples) for part in found.bins],
        tiles(found.minima), tiles(found.maxima), inputs=found.inputs, field=found.field,
    )  # fmt: skip


def density_of(found: "Distribution") -> "Figure":
    """The figure of a unit's distribution, before and after its nonlinearity."""
    from hooke.plots.density import Counted, density

    after = Counted("after the nonlinearity", found.edges.numpy(), found.after.numpy())
    if found.before is None or found.before_edges is None:
        return density(found.address, [Counted("values", after.edges, after.counts)])
    before = Counted("before the nonlinearity", found.before_edges.numpy(), found.before.numpy())
    return density(found.address, [before, after])


def numbers(found: "Examples", spread: "Distribution") -> dict[str, Any]:
    """Everything that the figures show, as JSON data."""
    from hooke.responses.distributions import SHARES

    moments = ("mean", "deviation", "minimum", "maximum", "active", "skewness", "kurtosis", "bimodality")
    return {
        "unit": found.address,
        "inputs": found.inputs,
        "field": found.field,
        "resting": found.resting,
        "distribution": {
            **{name: getattr(spread, name) for name in moments},
            "quantiles": dict(zip(map(str, SHARES), spread.quantiles.tolist(), strict=True)),
        },
        "maxima": [_entry(one) for one in found.maxima],
        "minima": [_entry(one) for one in found.minima],
        "bins": [
            {"low": one.low, "high": one.high, "count": one.count, "examples": [_entry(each) for each in one.examples]}
            for one in found.bins
        ],
        "failures": [{"name": one.name, "reason": one.reason} for one in found.failures],
    }  # fmt: skip


def _entry(one: "Example") -> dict[str, Any]:
    said = {"input": one.input, "label": one.label, "group": one.group, "value": one.value}
    return {**said, "row": one.row, "column": one.column, "box": list(one.box)}


def _tell(written: list[dict[str, Any]]) -> None:
    sheet = table(
        "unit", "highest", "lowest", "active", "crops", "file", right=("highest", "lowest", "active", "crops")
    )
    for one in written:
        top, bottom = (f"{one[end][0]['value']:.3g}" if one[end] else "" for end in ("maxima", "minima"))
        crops = f"{one['field']} px" if one["field"] else "whole"
        row(sheet, one["unit"], top, bottom, f"{one['distribution']['active']:.1%}", crops, one["file"])
    console().print(sheet)
    for one in written:
        for failure in one["failures"]:
            say(f"left out of {one['unit']}: {failure['name']}: {failure['reason']}")
