"""`hooke selectivity`: what a unit prefers, or which units prefer something."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from hooke.cli.figures import Count, Figures, Layers, Means, Recorded, make, plain, write_figure, write_json
from hooke.cli.options import Json, Seed
from hooke.cli.report import console, emit, row, say, table
from hooke.cli.visualize import file_names
from hooke.errors import HookeError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hooke.responses.recording import Recording
    from hooke.responses.search import Found
    from hooke.responses.selectivity import Selectivity

ROWS = 20


def selectivity(
    recording: Recorded,
    unit: Annotated[str, Argument(metavar="[UNIT]", help="LAYER:CHANNEL: what it prefers.")] = "",
    label: Annotated[
        str, Option(help="Words: which units prefer inputs whose label, group or definition says so.")
    ] = "",
    groups: Annotated[bool, Option("--groups", help="Compare groups of inputs, not labels.")] = False,
    layers: Layers = None,
    count: Count = ROWS,
    mean: Means = False,
    shuffles: Annotated[int, Option(min=1, help="How often the labels are shuffled for the control.")] = 200,
    seed: Seed = 0,
    out: Figures = None,
    as_json: Json = False,
) -> None:
    """Tell what a UNIT prefers (ROC-AUC for each label, selectivity, ambiguity), or which units prefer a --label."""
    if bool(unit) == bool(label):
        raise HookeError("hooke selectivity", "it is about one UNIT or one --label", next_step="give one of the two")
    if out is not None:
        make(out)
    from hooke.responses.recording import open_recording

    recorded = open_recording(recording)
    if label:
        _search(recorded, label, layers or [], count, mean, seed, out, as_json)
        return
    from hooke.responses.search import companions
    from hooke.responses.selectivity import CAVEAT, METHOD
    from hooke.responses.selectivity import selectivity as measure

    found = measure(recorded, unit, groups=groups, mean=mean, shuffles=shuffles, seed=seed)
    together = companions(recorded, unit, at=layers or (), count=5)
    facts = _numbers(found) | {"together": [list(one) for one in together], "interval": METHOD, "caveat": CAVEAT}
    _write(facts, _figure(found), found.address, out)
    if as_json:
        emit(plain(facts))
        return
    _tell(found, together, count)


def _tell(found: "Selectivity", together: tuple[tuple[str, float], ...], count: int) -> None:
    from hooke.responses.selectivity import CAVEAT

    columns = ("inputs", "mean", "ROC-AUC", "95%", "by chance")
    sheet = table("label", *columns, right=columns)
    for at, name in enumerate(found.names[:count]):
        interval = f"{float(found.low[at]):.2f} to {float(found.high[at]):.2f}"
        mean, auc, chance = (float(one[at]) for one in (found.means, found.auc, found.chance))
        numbers = (f"{mean:.3g}", f"{auc:.3f}", interval, f"{chance:.3f}")
        row(sheet, name, int(found.counts[at]), *numbers)
    console().print(sheet)
    index, shared = (_three(one) for one in (found.shuffled_index, found.shuffled_ambiguity))
    say(f"{found.address}: {found.inputs:,} inputs, {len(found.names)} labels; the best is chance: p = {found.p:.3g}")
    say(f"class selectivity index {found.index:.2f} (shuffled labels {index})")
    say(f"effective number of labels {found.ambiguity:.1f} (shuffled labels {shared})")
    say("fires with " + ", ".join(f"{address} ({value:.2f})" for address, value in together))
    say(f"{CAVEAT}: up to {float(found.chance[0]):.2f} here")


def _three(values: Any) -> str:
    low, middle, high = (float(one) for one in values)
    return f"{middle:.2f}, 95% in {low:.2f} to {high:.2f}"


def _search(
    recorded: "Recording", label: str, layers: list[str], count: int, mean: bool, seed: int, out: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    from hooke.responses.search import SHUFFLES, search

    found = search(recorded, label, at=layers, count=count, mean=mean, seed=seed)
    hits = [vars(hit) | {"together": [list(one) for one in hit.together]} for hit in found.hits]
    facts = vars(found) | {"hits": hits, "kinds": list(found.kinds), "chance": list(found.chance)}
    _write(facts, _found_figure(found), label, out)
    if as_json:
        emit(plain(facts))
        return
    sheet = table("unit", "ROC-AUC", "95%", "fires with", right=("ROC-AUC", "95%"))
    for hit in found.hits:
        together = ", ".join(f"{address} ({value:.2f})" for address, value in hit.together)
        row(sheet, hit.address, f"{hit.auc:.3f}", f"{hit.low:.2f} to {hit.high:.2f}", together)
    console().print(sheet)
    kinds = ", ".join(f'"{kind}"' for kind in found.kinds[:8]) + (", ..." if len(found.kinds) > 8 else "")
    say(f"{found.inputs:,} of {found.total:,} inputs are {kinds}; {found.units:,} units compared")
    say(f"shuffled labels: the best unit has {found.chance[0]:.3f}, at most {found.chance[1]:.3f} in {SHUFFLES} times")


def _figure(found: "Selectivity") -> "Figure":
    from hooke.plots.preference import preference

    names = [f"{name} ({count})" for name, count in zip(found.names, found.counts.tolist(), strict=True)]
    index, shared = found.shuffled_index.tolist(), found.shuffled_ambiguity.tolist()
    note = (
        f"selectivity index {found.index:.2f} (shuffled {index[0]:.2f} to {index[2]:.2f}), "
        f"effective labels {found.ambiguity:.1f} (shuffled {shared[0]:.1f} to {shared[2]:.1f})"
    )
    return preference(
        f"{found.address}, {found.inputs:,} inputs", names, found.auc.numpy(), found.low.numpy(), found.high.numpy(),
        chance=found.chance.numpy(), chance_word="best of shuffled labels (95%)", note=note,
    )  # fmt: skip


def _found_figure(found: "Found") -> "Figure":
    import numpy

    from hooke.plots.preference import preference

    values = numpy.array([[hit.auc, hit.low, hit.high] for hit in found.hits]).reshape(-1, 3)
    return preference(
        f'"{found.words}": {found.inputs} of {found.total} inputs', [hit.address for hit in found.hits],
        values[:, 0], values[:, 1], values[:, 2], chance=numpy.full(len(found.hits), found.chance[1]),
        chance_word="best unit for shuffled labels", note=f"best of {found.units:,} units",
    )  # fmt: skip


def _numbers(found: "Selectivity") -> dict[str, Any]:
    columns = ("names", "counts", "means", "auc", "low", "high", "surely", "chance")
    lists = [plain(getattr(found, column)) for column in columns]
    keys = ("label", "inputs", "mean", "auc", "low", "high", "surely", "chance")
    rest = {name: plain(value) for name, value in vars(found).items() if name not in columns}
    return {**rest, "labels": [dict(zip(keys, entry, strict=True)) for entry in zip(*lists, strict=True)]}


def _write(facts: dict[str, Any], figure: "Figure", name: str, out: Path | None) -> None:
    if out is None:
        return
    (file,) = file_names([name])
    write_json(facts, (out / file).with_suffix(".selectivity.json"))
    write_figure(figure, (out / file).with_suffix(".selectivity.png"))
