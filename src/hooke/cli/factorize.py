"""`hooke factorize`: the groups of a layer, over a photograph or a folder of them, with their addresses."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from hooke.cli.figures import Figures, make, write_figure, write_json
from hooke.cli.options import Device, Json, Model, Precision, Trust
from hooke.cli.report import console, counting, emit, opening, row, say, table
from hooke.errors import HookeError

if TYPE_CHECKING:
    from hooke.factorization.factorization import Factorization
    from hooke.factorization.method import Method
    from hooke.factorization.rank import RankCurve
    from hooke.models.model import Model as OpenModel
    from hooke.shapes import Canvases

SHOWN, STRONGEST = 4, 5
"""Pictures that figures are drawn of, at most; channels of a group that are named."""


def factorize(
    model: Model,
    data: Annotated[Path, Argument(metavar="DATA", help="A picture, a folder of pictures, or a manifest.")],
    at: Annotated[str | None, Option("--at", metavar="LAYER", help="The layer. Default: a middle one.")] = None,
    by: Annotated[
        str, Option("--by", metavar="METHOD", help="nmf, one-sided, pca, ica, kmeans or dictionary.")
    ] = "nmf",
    rank: Annotated[
        str | None,
        Option(metavar="N", help="How many groups; auto: by error and stability. Default: 6 (dictionary: 256)."),
    ] = None,
    name: Annotated[
        str, Option("--name", metavar="WORD", help="A short name for the addresses, instead of a key.")
    ] = "",
    out: Figures = None,
    seed: Annotated[int, Option(min=0, help="Of random starts.")] = 0,
    device: Device = "cpu",
    precision: Precision = "float32",
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Find the groups of a layer: directions whose sum its activations are, and where each of them is."""
    if out is not None:
        make(out)
    method = _method(by, rank)
    with opening(model):
        from hooke.factorization.factorize import factorize as factorized
        from hooke.factorization.rank import factorize_at_best
        from hooke.factorization.rows import canvases_of
        from hooke.models.opening import open
        from hooke.studies.semantic_dictionary import default_layer

        opened = open(model, device=device, precision=precision, trust=trust)
        layer = at or default_layer(opened)
        canvases, _ = canvases_of(opened, data)
    curve: RankCurve | None = None
    if rank == "auto":
        with counting("ranks") as progress:
            found, curve = factorize_at_best(
                opened, canvases, at=layer, by=method, seed=seed, name=name, progress=progress
            )
    else:
        found = factorized(opened, canvases, at=layer, by=method, seed=seed, name=name)
    files = _figures(opened, canvases, found, curve, out) if out is not None else []
    facts = _facts(opened, found, curve, files)
    if out is not None:
        write_json(facts, out / "groups.json")
    if as_json:
        emit(facts)
        return
    _report(facts)
    for file in files:
        say(f"written: {file}")


def _method(by: str, rank: str | None) -> "Method":
    from hooke.factorization import ICA, NMF, PCA, Dictionary, KMeans, OneSidedNMF

    kinds: dict[str, Any] = {
        "nmf": NMF, "one-sided": OneSidedNMF, "pca": PCA, "ica": ICA, "kmeans": KMeans, "dictionary": Dictionary,
    }  # fmt: skip
    if by not in kinds:
        raise HookeError(f"--by {by}", "there is no such method", choices=list(kinds))
    if rank not in (None, "auto") and not (rank.isdecimal() and int(rank) > 0):
        raise HookeError(f"--rank {rank}", "it is no number of groups", choices=["1, 2, 3, ...", "auto"])
    if rank == "auto" and by == "dictionary":
        raise HookeError("--rank auto with --by dictionary", "its rank is not searched for", next_step="give a number")
    method: Method = kinds[by]() if rank in (None, "auto") else kinds[by](int(rank))
    return method


def _facts(model: "OpenModel", found: "Factorization", curve: "RankCurve | None", files: list[Path]) -> dict[str, Any]:
    peaks = found.peaks()
    groups = [
        {
            "address": str(address), "share": float(found.shares[index]),
            "peak": float(found.scores[peaks[index][0], index, peaks[index][1], peaks[index][2]]),
            "at": list(peaks[index]), "units": _units(found, index),
        }
        for index, address in enumerate(found.addresses)
    ]  # fmt: skip
    facts: dict[str, Any] = {
        "model": model.name, "layer": found.layer, "key": found.key, "method": found.provenance.method,
        "inputs": len(found.scores), "error": found.error, "explained": found.explained, "groups": groups,
        "files": [str(file) for file in files],
    }  # fmt: skip
    if curve is not None:
        facts["ranks"] = [vars(one) for one in curve.ranks]
        facts["chosen"], facts["reason"] = curve.chosen, curve.reason
    return facts


def _units(found: "Factorization", index: int) -> list[int]:
    """The channels that are strongest in a group's direction."""
    strongest: list[int] = found.directions[index].topk(min(STRONGEST, found.directions.shape[1])).indices.tolist()
    return strongest


def _figures(
    model: "OpenModel", canvases: "Canvases", found: "Factorization", curve: "RankCurve | None", out: Path
) -> list[Path]:
    from hooke.plots.groups import group_maps, rank_figure

    units = ["channels " + ", ".join(map(str, _units(found, index))) for index in range(len(found.directions))]
    names = [str(address).removeprefix(found.layer) for address in found.addresses]
    title = (
        f"{model.name}  {found.layer}  {len(names)} groups explain {found.explained:.0%} of {_number(len(canvases))}"
    )
    files = []
    several = len(canvases) > 1
    for index, canvas in enumerate(canvases[:SHOWN] if found.scores.shape[2] > 1 and len(names) <= 24 else ()):
        photograph = canvas.movedim(0, -1).expand(-1, -1, 3).cpu().numpy()
        figure = group_maps(photograph, found.scores[index].numpy(), names, units, found.shares.tolist(), title)
        files.append(write_figure(figure, out / (f"groups-{index}.png" if several else "groups.png")))
    if curve is not None:
        rows = [(one.rank, one.explained, one.random, one.stability) for one in curve.ranks]
        files.append(write_figure(rank_figure(rows, curve.chosen), out / "ranks.png"))
    return files


def _number(inputs: int) -> str:
    return "one picture" if inputs == 1 else f"{inputs} pictures"


def _report(facts: dict[str, Any]) -> None:
    sheet = table("address", "share", "peak", "strongest channels", right=("share", "peak"))
    for group in facts["groups"][:24]:
        row(
            sheet,
            group["address"],
            f"{group['share']:.1%}",
            f"{group['peak']:.3g}",
            ", ".join(map(str, group["units"])),
        )
    console().print(sheet)
    many = len(facts["groups"])
    console().print(f"{many} groups explain {facts['explained']:.1%} of {facts['layer']} ({_number(facts['inputs'])})")
    if "reason" in facts:
        console().print(f"rank {facts['chosen']}: {facts['reason']}")
