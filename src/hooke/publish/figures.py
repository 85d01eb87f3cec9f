"""Which requests the page makes for a photograph, a layer and a unit: a line here publishes one more figure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args
from urllib.parse import quote, urlencode

from hooke.addresses import Place
from hooke.validation.standing import Use

COUNT = 8
"""Units that the page reads for a place."""
GROUPS = 6
"""Groups that it shows at first."""
ARGUING = 3
"""Units for, and units against, that it shows of a layer at first."""


@dataclass(frozen=True)
class At:
    """What a page is about; `layers` are all that are published, shallow first, `labels` those predicted, likeliest
    first, `busiest` the row and column where the layer fires most, `arguing` the units that argue most for the first
    label and against it."""

    image: str = ""
    layer: str = ""
    channel: int = 0
    layers: tuple[str, ...] = ()
    labels: tuple[int, ...] = ()
    busiest: tuple[int, int] | None = None
    arguing: tuple[tuple[str, int], ...] = ()
    recorded: bool = False
    labelled: bool = False


def mentioned(data: Any) -> Iterator[str]:
    """The units that an answer names: by their addresses, or by their layers and channels."""
    if isinstance(data, dict):
        layer, channel, address = (data.get(key) for key in ("layer", "channel", "address"))
        if isinstance(layer, str) and isinstance(channel, int):
            yield str(Place(layer, channel))
        if isinstance(address, str):
            yield address
    for inner in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from mentioned(inner)


def nothing(data: Any) -> Iterator[str]:
    """No unit."""
    yield from ()


@dataclass(frozen=True)
class Figure:
    """The requests of one figure at a place, and about how many seconds an answer takes (a first guess).

    `drawn`: the units of an answer whose pictures are published with it. `slim`: what is left of an answer.
    """

    name: str
    requests: Callable[[At], Iterable[str]]
    seconds: float = 1.0
    drawn: Callable[[Any], Iterable[str]] = mentioned
    slim: Callable[[Any], Any] = lambda data: data


def of_image(name: str, **query: Any) -> Callable[[At], Sequence[str]]:
    """A study of a photograph; values of the query that are functions are asked for theirs at the place."""

    def requests(at: At) -> Sequence[str]:
        given = {key: value(at) if callable(value) else value for key, value in query.items()}
        asked = f"?{urlencode(given)}" if given else ""
        return [f"/api/images/{quote(at.image)}/{name}{asked}"]

    return requests


def of_unit(what: str, **query: object) -> Callable[[At], Sequence[str]]:
    """A measurement of a unit."""
    return lambda at: [f"/api/unit/{what}?{urlencode({'layer': at.layer, 'channel': at.channel, **query})}"]


def asked_about(name: str) -> Callable[[At], Sequence[str]]:
    """A study of each predicted label, and of the two likeliest, each rather than the other."""

    def requests(at: At) -> Sequence[str]:
        pairs = [(at.labels[0], at.labels[1]), (at.labels[1], at.labels[0])] if len(at.labels) > 1 else []
        alone = [of_image(name, of=label)(at)[0] for label in at.labels]
        return alone + [of_image(name, of=of, rather=rather)(at)[0] for of, rather in pairs]

    return requests


def where(holds: Callable[[At], bool], requests: Callable[[At], Sequence[str]]) -> Callable[[At], Sequence[str]]:
    """The requests where something holds, else none."""
    return lambda at: requests(at) if holds(at) else []


def _layer(at: At) -> str:
    return at.layer


def _first(at: At) -> int:
    return at.labels[0]


def _depth(at: At) -> int:
    """Of the flow, as the page begins with: three layers, if so many are published."""
    return max(2, min(3, len(at.layers)))


def _recorded(at: At) -> bool:
    return at.recorded


def _said(at: At) -> bool:
    return bool(at.labels)


def _drilled(at: At) -> Sequence[str]:
    return [of_image("channels/unit", layer=layer, channel=channel)(at)[0] for layer, channel in at.arguing]


def _busiest(at: At) -> Sequence[str]:
    row, column = at.busiest or (0, 0)
    return of_image("how-sure", layer=at.layer, row=row, column=column)(at)


def _standing(at: At) -> Sequence[str]:
    queries = [{"method": "activation x gradient", "use": use} for use in get_args(Use)]
    queries += [{**query, "layer": layer} for query in queries for layer in at.layers]
    return [f"/api/standing?{urlencode(query)}" for query in queries]


def arguing(data: Any) -> Iterator[tuple[str, int]]:
    """The units that argue most, for and against, in each layer."""
    for layer in data.get("layers", ()):
        for side in ("supporting", "opposing"):
            yield from ((layer["name"], unit["channel"]) for unit in layer[side][:ARGUING])


def _arguing(data: Any) -> Iterator[str]:
    return (str(Place(layer, channel)) for layer, channel in arguing(data))


def _without_maps(data: Any) -> Any:
    """What supports a unit, without the maps of those that do: they are in the figure that it is drilled from."""
    return {**data, "layers": [{**layer, "responses": None} for layer in data["layers"]]}


def _shown_groups(data: Any) -> Iterator[str]:
    """The groups at as many as are shown at first, or the nearest number of them."""
    ranks = data.get("ranks", ())
    if ranks:
        yield from (one["address"] for one in min(ranks, key=lambda one: abs(one["rank"] - GROUPS))["groups"])


SITE: tuple[Figure, ...] = (
    Figure("the model", lambda at: ["/api/model", "/api/images", "/api/labels"], 2),
    Figure("how methods stand", _standing, 0.1),
)
DICTIONARIES: tuple[Figure, ...] = (
    Figure("semantic dictionary", of_image("dictionary", layer=_layer, count=COUNT), 1),
)
LAYERS: tuple[Figure, ...] = (
    Figure("units of a layer", lambda at: [f"/api/layer?{urlencode({'layer': at.layer})}"], 1),
)
ARGUMENTS = Figure("channel attribution", where(_said, asked_about("channels")), 1, drawn=_arguing)
IMAGES: tuple[Figure, ...] = (
    Figure("spatial attribution", of_image("spatial"), 6),
    Figure("influences between places", of_image("spatial/pairs"), 12),
    Figure("units drilled", where(_said, _drilled), 0.5, drawn=nothing, slim=_without_maps),
    Figure("flow", where(_said, of_image("flow", depth=_depth, count=GROUPS, of=_first)), 20),
    Figure("shuffled flow", where(_said, of_image("flow/control", depth=_depth, count=GROUPS, of=_first)), 10),
    Figure("activation grids", of_image("grids"), 300, drawn=nothing),
    Figure("photographs alike", of_image("doubt"), 0.2),
    Figure("labels confused", where(lambda at: at.labelled, of_image("confusions")), 10),
)
IMAGES_AND_LAYERS: tuple[Figure, ...] = (
    Figure("groups", of_image("groups", layer=_layer), 5, drawn=_shown_groups),
    Figure("how many groups", of_image("groups/curve", layer=_layer), 4),
    Figure("effects of groups", of_image("groups/effects", layer=_layer, count=GROUPS), 5, drawn=nothing),
    Figure("how sure", where(lambda at: at.busiest is not None, _busiest), 5),
)
UNITS: tuple[Figure, ...] = (
    Figure("what feeds a unit", of_unit("weights", after="false"), 8),
    Figure("what a unit feeds", of_unit("weights", after="true"), 8),
    Figure("what breaks without a unit", of_unit("ablation"), 8),
    Figure("how often a unit fires", where(_recorded, of_unit("density")), 0.2),
    Figure("examples of a unit", where(_recorded, of_unit("examples")), 2),
    Figure("labels of a unit", where(_recorded, of_unit("selectivity")), 2),
)


def trusted(at: At) -> str:
    """The request of how far to trust the pictures of a unit, which is asked once they are drawn."""
    return of_unit("quality")(at)[0]
