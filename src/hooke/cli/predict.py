"""`hooke predict`: what a model takes a picture for."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from hooke.cli.options import Device, Json, Model, Precision, Trust
from hooke.cli.report import console, emit, opening, row, table


def predict(
    model: Model,
    image: Annotated[Path, Argument(metavar="IMAGE", help="A picture file.")],
    count: Annotated[int, Option(min=1, help="How many labels.")] = 5,
    device: Device = "cpu",
    precision: Precision = "float32",
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """List the labels that a model gives to a picture, with their probabilities."""
    from hooke.modalities.image import read_picture

    picture = read_picture(image)
    from hooke.models.opening import open

    with opening(model):
        opened = open(model, device=device, precision=precision, trust=trust)
        predictions = opened.predict(opened.modality.canvas(picture), count=count)
    if as_json:
        emit(predictions)
        return
    sheet = table("label", "index", "probability", right=("index", "probability"))
    for one in predictions:
        row(sheet, one.label, one.index, f"{one.probability:.1%}")
    console().print(sheet)
