"""`hooke surprise`: the units whose behaviour is least explained so far, with the reasons and their examples."""

from typing import TYPE_CHECKING

from hooke.cli.figures import Count, Figures, Layers, Means, Recorded, make, plain, write_figure, write_json
from hooke.cli.options import Json
from hooke.cli.report import console, emit, progress, row, say, table
from hooke.cli.visualize import file_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hooke.responses.surprise import Surprises


def surprise(
    recording: Recorded,
    layers: Layers = None,
    count: Count = 12,
    mean: Means = False,
    out: Figures = None,
    as_json: Json = False,
) -> None:
    """List the units that labels, distribution and kinship explain least: where to look next. --out adds examples."""
    if out is not None:
        make(out)
    from hooke.responses.recording import open_recording
    from hooke.responses.surprise import surprise as find

    recorded = open_recording(recording)
    found = find(recorded, at=layers or (), count=count, mean=mean)
    facts = {
        "units": found.units, "dead": found.dead, "missing": list(found.missing),
        "found": [vars(one) | {"parts": [vars(part) for part in one.parts]} for one in found.found],
    }  # fmt: skip
    if out is not None and found.found:
        from hooke.cli.examples import quilt_of
        from hooke.responses.examples import examples, opened

        write_json(facts, out / "surprise.json")
        write_figure(_figure(found), out / "surprise.png")
        model, names = opened(recorded), [one.address for one in found.found]
        with progress() as bar:
            task = bar.add_task("looking", total=len(names))
            for address, file in zip(names, file_names(names), strict=True):
                write_figure(quilt_of(examples(recorded, address, model=model)), out / file)
                bar.advance(task)
    if as_json:
        emit(plain(facts))
        return
    parts = [part.name for part in found.found[0].parts] if found.found else []
    sheet = table("unit", "score", *parts, "best label", right=("score", *parts))
    for one in found.found:
        best = f"{one.label} ({one.auc:.2f})" if one.label else ""
        row(sheet, one.address, f"{one.score:.2f}", *(f"{part.rank:.2f}" for part in one.parts), best)
    console().print(sheet)
    say(f"{found.units:,} living units ranked in their layers (1: least explained); {found.dead:,} dead ones left out")
    for reason in found.missing:
        say(f"not measured: {reason}")


def _figure(found: "Surprises") -> "Figure":
    import numpy

    from hooke.plots.preference import surprises

    parts = [part.name for part in found.found[0].parts]
    ranks = numpy.array([[part.rank for part in one.parts] for one in found.found])
    scores = numpy.array([one.score for one in found.found])
    return surprises([one.address for one in found.found], parts, ranks, scores, found.units)
