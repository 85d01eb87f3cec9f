"""Which requests the page makes for a photograph, a layer and a unit: a line here publishes one more figure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

COUNT = 8
"""Units that the page reads for a place."""


@dataclass(frozen=True)
class At:
    """What a page is about; `layers` are all that are published, shallow first, `labels` those predicted."""

    image: str = ""
    layer: str = ""
    channel: int = 0
    layers: tuple[str, ...] = ()
    labels: tuple[int, ...] = ()
    recorded: bool = False


@dataclass(frozen=True)
class Figure:
    """The requests of one figure at a place, and about how many seconds an answer takes (a first guess)."""

    name: str
    requests: Callable[[At], Iterable[str]]
    seconds: float = 1.0


def of_image(name: str, **query: object) -> Callable[[At], Sequence[str]]:
    """A study of a photograph; values of the query that are functions are asked for theirs at the place."""

    def requests(at: At) -> Sequence[str]:
        given = {key: value(at) if callable(value) else value for key, value in query.items()}
        return [f"/api/images/{quote(at.image)}/{name}?{urlencode(given)}"]

    return requests


def of_unit(what: str, **query: object) -> Callable[[At], Sequence[str]]:
    """A measurement of a unit."""
    return lambda at: [f"/api/unit/{what}?{urlencode({'layer': at.layer, 'channel': at.channel, **query})}"]


def _layer(at: At) -> str:
    return at.layer


def _where_recorded(requests: Callable[[At], Sequence[str]]) -> Callable[[At], Sequence[str]]:
    return lambda at: requests(at) if at.recorded else []


SITE = (Figure("the model", lambda at: ["/api/model", "/api/images"], 2),)
DICTIONARIES = (Figure("semantic dictionary", of_image("dictionary", layer=_layer, count=COUNT), 1),)
LAYERS = (Figure("units of a layer", lambda at: [f"/api/layer?{urlencode({'layer': at.layer})}"], 1),)
IMAGES_AND_LAYERS: tuple[Figure, ...] = ()
IMAGES: tuple[Figure, ...] = ()
UNITS = (
    Figure("what feeds a unit", of_unit("weights", after="false"), 8),
    Figure("what a unit feeds", of_unit("weights", after="true"), 8),
    Figure("what breaks without a unit", of_unit("ablation"), 8),
    Figure("how often a unit fires", _where_recorded(of_unit("density")), 0.2),
    Figure("examples of a unit", _where_recorded(of_unit("examples")), 2),
    Figure("labels of a unit", _where_recorded(of_unit("selectivity")), 2),
)
