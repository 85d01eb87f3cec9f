"""`hooke validate planted`: methods, the user's own too, in pictures of which it is known what decides."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hooke.cli.figures import make, plain, write_figure, write_json
from hooke.cli.report import console, emit, naming, opening, row, table

if TYPE_CHECKING:
    from hooke.validation.planted import PlantedReport

NAME = "planted"
"""What stands in the place of a model; `planted:SET` names one of the benchmark's networks instead."""

IMAGES = 32


def planted(
    methods: Sequence[str] | None, sets: Sequence[str] | None, images: int | None, out: Path | None, seed: int,
    as_json: bool,
) -> None:  # fmt: skip
    """Score methods (names, or functions as package.module:function) in planted sets, and tell what was found."""
    if out is not None:
        make(out)
    with opening(NAME):
        from hooke.modalities.planted import LABELS
        from hooke.validation import planted as benchmark

        offered = _offered(methods)
    chosen = tuple(sets or LABELS)
    with naming(NAME) as tell:

        def watch(name: str, method: str, done: int, total: int) -> None:
            tell(f"{name}: {method}", chosen.index(name) * total + done, len(chosen) * total)

        found = benchmark.planted(offered, sets=chosen, images=images or IMAGES, seed=seed, watch=watch)
    files = [] if out is None else _write(found, out)
    if as_json:
        emit(plain(found.to_data() | {"files": files}))
    else:
        _tell(found, files)


def _offered(names: Sequence[str] | None) -> Any:
    """The usual methods of those names, and functions; None where none is named."""
    if not names:
        return None
    from hooke.models.zoo import named_function
    from hooke.validation.sources import Function

    return [Function(one, named_function(one)) if ":" in one else one for one in names]


def _write(found: "PlantedReport", out: Path) -> list[Path]:
    """Figures and numbers, into a folder."""
    from hooke.plots.planted import placed

    metrics = list(dict.fromkeys(one.metric for one in found.rows))
    rows = [asdict(one) for one in found.rows]
    figures = [write_figure(placed(rows, metric), out / f"{NAME}.{metric.replace(' ', '-')}.png") for metric in metrics]
    return [*figures, write_json(found.to_data(), out / f"{NAME}.json")]


def _tell(found: "PlantedReport", files: Sequence[Path]) -> None:
    numbers = ("score", "95% interval", "chance")
    sheet = table("set", "metric", "method", *numbers, "beside chance", "beside the best control", right=numbers)
    for one in found.rows:
        chance = "" if one.chance != one.chance else f"{one.chance:.3f}"
        beside = f"{one.beside_best} {one.best}" if one.best else ""
        span = f"{one.low:.3f} to {one.high:.3f}"
        row(sheet, one.set, one.metric, one.method, f"{one.score:.3f}", span, chance, one.verdict, beside)
    console().print(sheet)
    passed = sum(found.left_out.values())
    console().print(f"{passed} pictures were passed over, as a network named them wrongly" if passed else "")
    for file in files:
        console().print(str(file))
