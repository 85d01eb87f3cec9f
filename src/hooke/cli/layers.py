"""`hooke layers`: the places in a model that have an address."""

from typing import TYPE_CHECKING, Annotated

from typer import Option

from hooke.cli.options import Device, Json, Model, Precision, Trust
from hooke.cli.report import console, emit, opening, row, say, table

if TYPE_CHECKING:
    from hooke.results import Layer


def layers(
    model: Model,
    everything: Annotated[bool, Option("--all", help="Every module, also those without an address, and why.")] = False,
    device: Device = "cpu",
    precision: Precision = "float32",
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """List a model's layers: the input, the activations and the logits, from first to last."""
    from hooke.models.opening import open

    with opening(model):
        opened = open(model, device=device, precision=precision, trust=trust)
        rows = list(opened.layers)
    chosen = rows if everything else _main(rows)
    if as_json:
        emit(chosen)
        return
    numbers = ("channels", "height", "width", "stride", "field", "parameters")
    sheet = table("layer", "kind", *numbers, *(["no address because"] if everything else []), right=numbers)
    for one in chosen:
        size = (one.channels, one.height, one.width, one.stride, one.receptive_field, f"{one.parameters:,}")
        row(sheet, one.name, one.kind, *size, *([one.reason] if everything else []))
    console().print(sheet)
    units = sum(one.channels or 0 for one in chosen if one.name not in ("input", "logits"))
    say(f"{opened.name}: {len(chosen)} of {len(rows)} layers shown" + ("" if everything else f", {units:,} channels"))


def _main(rows: "list[Layer]") -> "list[Layer]":
    """The activations between input and logits; all that have an address where a model has no activation modules."""
    addressable = [one for one in rows if one.addressable]
    main = [one for one in addressable if one.activation or one.name in ("input", "logits")]
    return main if any(one.activation for one in main) else addressable
