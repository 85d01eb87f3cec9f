"""/api/model: the opened model and its tower of layers."""

from collections.abc import Sequence
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

import hooke
from hooke.circuits.tying import total, tying
from hooke.models.layers import INPUT, LOGITS
from hooke.models.model import Model
from hooke.responses.recording import Recording
from hooke.results import Layer
from hooke.server.answers import packed
from hooke.server.microscope import Here
from hooke.server.wire import LayerView, ModelView, RecordingView
from hooke.studies.semantic_dictionary import default_layer, is_spatial

router = APIRouter()


@router.get("/api/model", response_model=ModelView)
async def get_model(here: Here, request: Request) -> Response:
    """The opened model; its layers from the input to the logits."""
    found = await here.ask(request, here.foreground, lambda: model_view(here.model, here.grid_layers(), here.recording))
    found = found.model_copy(update={"beside": here.beside.model.name if here.beside else None})
    return packed(request, found.model_dump_json().encode())


@router.get("/api/labels")
async def get_labels(here: Here) -> list[str]:
    """All labels, each at its index."""
    return list(here.model.labels)


def model_view(model: Model, grids: Sequence[str], recording: Recording | None = None) -> ModelView:
    """The model as the page shows it: every addressable layer that has channels."""
    rows = [row for row in model.layers.addressable if row.channels is not None]
    tied = total(tying(row for row in rows if row.name not in (INPUT, LOGITS)))
    command = f"hooke record {model.name} PHOTOGRAPHS --out FOLDER; hooke explore {model.name} --recording FOLDER"
    return ModelView(
        name=model.name,
        fingerprint=model.fingerprint,
        parameters=model.parameters,
        label_count=len(model.labels),
        input_height=model.modality.height,
        input_width=model.modality.width,
        layers=[_layer_view(row) for row in rows],
        default_layer=default_layer(model),
        grid_layers=list(grids),
        version=hooke.__version__,
        unique=tied.unique,
        neurons=tied.neurons,
        recording=_recorded(recording) if recording else None,
        record_command=command,
    )


def _recorded(recording: Recording) -> RecordingView:
    labels = len(set(recording.labels) - {None})
    data = Path(recording.data).name or "data"
    return RecordingView(data=data, inputs=len(recording.names), labels=labels, layers=list(recording.layers))


def _layer_view(row: Layer) -> LayerView:
    return LayerView(
        name=row.name,
        kind=row.kind,
        axes=list(row.axes),
        channels=row.channels or 0,
        height=row.height,
        width=row.width,
        stride=row.stride,
        receptive_field=row.receptive_field,
        parameters=row.parameters,
        activation=row.activation,
        spatial=is_spatial(row),
    )
