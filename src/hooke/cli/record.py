"""`hooke record`: every unit's responses to a folder of inputs, into a recording."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from hooke.cli.options import Device, Json, Model, Precision, Trust
from hooke.cli.report import console, counting, emit, opening, row, say, table

if TYPE_CHECKING:
    from hooke.responses.recording import Recording

SHOWN = 10
"""Failures that are shown; `--json` has all."""


def record(
    model: Model,
    out: Annotated[Path, Option("--out", metavar="RECORDING", help="Folder of the recording; continued if begun.")],
    data: Annotated[
        str | None, Argument(metavar="[DATA]", help="A folder, an ImageFolder tree, a manifest; or $HOOKE_SAMPLE.")
    ] = None,
    layers: Annotated[
        list[str] | None, Option("--layers", metavar="LAYER", help="A layer; may be repeated. All activations if not.")
    ] = None,
    keep: Annotated[
        str, Option(help="both, statistics, or responses (one mean and peak an input, half precision).")
    ] = "both",
    whole: Annotated[
        list[str] | None,
        Option("--whole", metavar="LAYER", help="Keep this layer's whole tensors, too; may be repeated."),
    ] = None,
    workers: Annotated[int, Option(min=0, help="Worker processes; 0 records in this one.")] = 0,
    positions: Annotated[int, Option(min=1, help="Sampled positions of each input.")] = 4,
    seed: Annotated[int, Option(min=0, help="Of the sampled positions and examples.")] = 0,
    device: Device = "cpu",
    precision: Precision = "float32",
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Record the responses of every unit to many inputs: statistics and, if wanted, the responses themselves."""
    with opening(model):
        from hooke.models.opening import open
        from hooke.responses.record import record as recorded

        opened = open(model, device=device, precision=precision, trust=trust)
    with counting("recording") as progress:
        recording = recorded(
            opened, data, at=layers, out=out, keep=keep, whole=whole or (), workers=workers, positions=positions,
            seed=seed, progress=progress,
        )  # fmt: skip
    if as_json:
        emit(_facts(recording))
        return
    sheet = table("layer", "channels", "dead", "mean", "active", right=("channels", "dead", "mean", "active"))
    for name in recording.layers:
        one = recording.layer(name)
        share, mean = float(one.active.mean()), float(one.mean.mean())
        row(sheet, name, one.layer.channels, int(one.dead.sum()), f"{mean:#.3g}", f"{share:.0%}")
    console().print(sheet)
    console().print(f"{len(recording.names):,} inputs, {len(recording.layers)} layers: {recording.folder}")
    for failure in recording.failures[:SHOWN]:
        say(f"not read: {failure.name}: {failure.reason}")
    if len(recording.failures) > SHOWN:
        say(f"and {len(recording.failures) - SHOWN:,} more that could not be read; --json lists all")


def _facts(recording: "Recording") -> dict[str, Any]:
    layers = [(name, recording.layer(name)) for name in recording.layers]
    return {
        "folder": str(recording.folder),
        "model": recording.model,
        "fingerprint": recording.fingerprint,
        "inputs": len(recording.names),
        "layers": [
            {"name": name, "channels": one.layer.channels, "dead": int(one.dead.sum()), "mean": float(one.mean.mean()),
             "active": float(one.active.mean())}
            for name, one in layers
        ],
        "failures": [{"name": one.name, "reason": one.reason} for one in recording.failures],
    }  # fmt: skip
