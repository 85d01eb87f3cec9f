"""/api/images/{image}/dictionary and /effects: what a layer sees in a photograph, and what its units speak for."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from hooke.errors import AddressError
from hooke.results import Effect
from hooke.server.computed import asked
from hooke.server.microscope import Here, Microscope
from hooke.server.shelf import Photograph
from hooke.server.wire import DictionaryView, EffectView, UnitEffectsView
from hooke.studies.semantic_dictionary import layer_dictionary, unit_effects

router = APIRouter()

MOST_UNITS = 32
LABELS = 3


@router.get("/api/images/{image}/dictionary", response_model=DictionaryView)
async def get_dictionary(
    here: Here, request: Request, image: str, layer: str, count: Annotated[int, Query(ge=1, le=MOST_UNITS)] = 8
) -> Response:
    """The strongest units at every position of a layer; the layer needs height and width."""
    photograph = here.shelf.get(image)
    name = f"dictionary {image} {layer} {count}"
    found = await asked(here, request, name, lambda: _dictionary(here, photograph, layer, count))
    here.prepare(layer)
    return found


@router.get("/api/images/{image}/effects")
async def get_effects(
    here: Here,
    request: Request,
    image: str,
    layer: str,
    row: int,
    column: int,
    channels: Annotated[str, Query(description="Numbers with commas between them.", max_length=1000)],
) -> list[UnitEffectsView]:
    """What units at one position speak for and against: activation x gradient of the logits, over all labels."""
    photograph, wanted = here.shelf.get(image), _numbers(channels)
    key = (image, layer, row, column, channels)
    known = here.effects.get(key)
    if known is None:
        known = await here.ask(
            request, here.foreground, lambda: _effects(here, photograph, layer, (row, column), wanted)
        )
        here.effects.put(key, known)
    return known


def _dictionary(here: Microscope, photograph: Photograph, layer: str, count: int) -> DictionaryView:
    found = layer_dictionary(here.model, photograph.canvas, layer, count)
    return DictionaryView(
        layer=layer,
        height=found.height,
        width=found.width,
        count=found.channels.shape[-1],
        channels=found.channels.flatten().tolist(),
        magnitudes=found.magnitudes.flatten().tolist(),
        peak=found.peak,
        norms=found.norms.flatten().tolist(),
    )


def _effects(
    here: Microscope, photograph: Photograph, layer: str, position: tuple[int, int], channels: list[int]
) -> list[UnitEffectsView]:
    entries = unit_effects(here.model, photograph.canvas, layer, position, channels, LABELS)
    return [
        UnitEffectsView(
            channel=entry.channel,
            magnitude=entry.magnitude,
            supports=[_view(effect) for effect in entry.supports],
            opposes=[_view(effect) for effect in entry.opposes],
        )
        for entry in entries
    ]


def _view(effect: Effect) -> EffectView:
    return EffectView(label=effect.label, index=effect.index, effect=effect.effect)


def _numbers(text: str) -> list[int]:
    parts = text.split(",")
    if not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts) or len(parts) > MOST_UNITS:
        reason = f"these are not 1 to {MOST_UNITS} channel numbers"
        raise AddressError(f"channels {text!r}", reason, next_step="write them as 1,2,3")
    return [int(part) for part in parts]
