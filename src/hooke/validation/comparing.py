"""Several ways to draw the same units, side by side: what each picture does to the model, to witnesses, to the eye."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from hooke.addresses import Address
from hooke.errors import HookeError
from hooke.models.model import Model
from hooke.results import Picture
from hooke.shapes import Canvas
from hooke.storage.store import Store
from hooke.validation.bench import logit
from hooke.validation.pictures import responses
from hooke.validation.transfer import Colours, Witnessed, colours, same_class, witnessed
from hooke.visualization.ascent import Ascent
from hooke.visualization.classes import CLASS_METHODS, class_method
from hooke.visualization.drawing import visualize
from hooke.visualization.objectives import Objective, objective
from hooke.visualization.usual import usual

PLAIN = "default"
"""The name of what `hooke visualize` draws when nothing else is said."""

METHODS = (PLAIN, *CLASS_METHODS)


@dataclass(frozen=True)
class Compared:
    """One picture: of which unit, by which method, and what there is to say of it.

    `response` is the unit's own on the clean picture, without what the method adds. `own` is the model's ranking of
    the class, `witnesses` are the others'; None and empty where the address is no class.
    """

    address: str
    method: str
    picture: Picture
    response: float
    own: Witnessed | None
    witnesses: tuple[Witnessed, ...]
    colours: Colours | None


def compare(
    model: Model, addresses: Sequence[str | Address], *, methods: Sequence[str] = METHODS,
    witnesses: Sequence[Model] = (), photographs: Iterable[Canvas] = (), steps: int | None = None, seed: int = 0,
    store: Store | None = None, progress: Callable[[int, int], None] | None = None,
) -> list[Compared]:  # fmt: skip
    """Each address drawn by each method ("default" and the class methods), address by address.

    `photographs` may be gone through once for each address that `distribution` draws. `progress` is told how many
    pictures are done, of how many. Errors: HookeError for unknown methods and missing photographs, AddressError.
    """
    for name in methods:
        _checked(name)
    places = [model.resolve(address) for address in addresses]
    found: list[Compared] = []
    for place in places:
        for name in methods:
            by, wanted = _plan(model, name, place, photographs, steps)
            picture = visualize(model, wanted, by=by, seed=seed, store=store)
            assert isinstance(picture, Picture)
            found.append(_judged(model, place, name, picture, witnesses))
            if progress:
                progress(len(found), len(places) * len(methods))
    return found


def _plan(
    model: Model, name: str, place: Address, photographs: Iterable[Canvas], steps: int | None
) -> tuple[Ascent, Address | Objective]:
    if name == PLAIN:
        by = usual(model)
        return (by if steps is None else replace(by, steps=steps)), place
    method = class_method(name, steps)
    return method.ascent(model), method.objective(model, place, photographs)


def _judged(model: Model, place: Address, name: str, picture: Picture, witnesses: Sequence[Model]) -> Compared:
    canvases = picture.image[None]
    index = logit(place)
    own = witnessed(model, canvases, [index])[0] if index is not None else None
    others = []
    for witness in witnesses if index is not None else ():
        theirs = same_class(witness, model, index) if index is not None else None
        if theirs is not None:
            others += witnessed(witness, canvases, [theirs])
    clean = own.logit if own is not None else float(responses(model, objective(model, place), canvases)[0])
    return Compared(str(place), name, picture, clean, own, tuple(others), colours(picture.image))


def _checked(name: str) -> None:
    if name not in METHODS:
        raise HookeError(f"method {name!r}", "there is none of this name", choices=METHODS)
