"""What is to be drawn: addresses and objectives, on which canvas, which of them together, and under which keys."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from torch import Generator

from hooke.addresses import Address, Edge, Place, Sum, places
from hooke.errors import HookeError, NumericsError
from hooke.models.layers import INPUT
from hooke.models.model import Model
from hooke.models.receptive_fields import field
from hooke.models.taps import tapped
from hooke.numeric.seeds import stream
from hooke.provenance import Provenance, describe, versions
from hooke.visualization.ascent import AS_WANTED, REVISION, Ascent
from hooke.visualization.neurons import LEAST_SIDE, moved, roomy
from hooke.visualization.objectives import Objective, objective
from hooke.visualization.parametrizations import Fourier

DEFAULT_SIDE = 128
"""Of a canvas in pixels; from `LEAST_SIDE` to it, as large as the unit's effective receptive field needs."""

COARSE = 4
"""Of so many steps, one is made on half the canvas."""

Wanted: TypeAlias = str | Address | Objective
"""What can be drawn."""

FAILURES = (RuntimeError, AssertionError, ValueError, IndexError)
"""What models raise for a canvas that they cannot take."""


@dataclass(frozen=True)
class Question:
    """One objective that is to be drawn, with the provenance of each of its pictures."""

    text: str
    objective: Objective
    method: Ascent
    provenances: tuple[Provenance, ...]

    @property
    def side(self) -> int:
        return self.method.parametrization.size or DEFAULT_SIDE

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers to look at, in the order of their names: the input where the objective needs none."""
        return tuple(sorted(self.objective.layers())) or (INPUT,)

    @property
    def keys(self) -> tuple[str, ...]:
        """Under which its pictures are kept."""
        return tuple(provenance.key for provenance in self.provenances)

    def streams(self, seed: int, attempt: int) -> list[Generator]:
        """A random stream for each picture of one attempt, which depends on nothing else."""
        again = [f"attempt {attempt}"] if attempt else []
        names = [[f"picture {place}"] if place else [] for place in range(len(self.provenances))]
        return [stream(seed, self.text, *name, *again) for name in names]


def asked(model: Model, wanted: Wanted, method: Ascent, seed: int) -> Question:
    """The question that drawing `wanted` is. An objective of several pictures has a batch that holds them all.

    The side of the canvas is what the method asks for, else what suits the address and the model. A neuron's position
    is one of the model's own input size; it is drawn in the middle of a canvas that its effective receptive field
    needs, or at that size where it needs all of it; so is everything in a model that takes no other size. All else is
    drawn at 128 px, or at the model's input size where that is smaller; shallow layers at 64 to 128 px, so that their
    effective receptive field has room to move.
    Errors: AddressError for what the model does not have.
    """
    if isinstance(wanted, Objective):
        text, one, own = str(wanted), wanted, {"objective": describe(wanted)}
        side = _side(model, method, one.layers(), one.placed)
    else:
        address = model.resolve(wanted)
        small = _small(model, address, method)
        drawn, side = small or (address, _large(model, address, method))
        text, one, own = str(address), objective(model, drawn), {"drawn": str(drawn)} if small else {}
    count = one.pictures
    batch = count if method.parametrization.coupled else max(method.batch, count)
    free = not isinstance(wanted, Objective) and not one.placed
    coarse = _coarse(model, one, method, side) if free and method.coarse == AS_WANTED else method.coarse
    if coarse > 0 and side % 2:
        raise NumericsError(
            f"{coarse} coarse steps at {side} px", "it has no half", next_step="give an even size, or coarse=0"
        )
    sized = method.parametrization.sized(side)
    none = AS_WANTED  # the field's default is left out of the key: what has no coarse steps is asked as it always was
    method = replace(method, parametrization=sized, batch=batch, coarse=coarse or none)
    dtype = str(model.dtype).removeprefix("torch.")
    asked_of = [{**own, "picture": place} if count > 1 else own for place in range(count)]
    provenances = tuple(
        Provenance(
            model=model.fingerprint, address=text if count == 1 else f"{text}: picture {place + 1} of {count}",
            method={**describe(method), **more}, revision=REVISION, seed=seed, dtype=dtype, recorded=versions(),
        )
        for place, more in enumerate(asked_of)
    )  # fmt: skip
    return Question(text, one, method, provenances)


def together(questions: Sequence[Question]) -> Iterator[list[Question]]:
    """Questions that read the same layers on the same canvas, in batches, in the order asked.

    The pictures of one question are never in two batches; where pictures of a batch depend on one another, only one
    question is in it.
    """
    alike: dict[tuple[tuple[str, ...], int, int, int], list[Question]] = {}
    for one in questions:
        alike.setdefault((one.layers, one.side, one.method.batch, one.method.coarse), []).append(one)
    for group in alike.values():
        batch: list[Question] = []
        for one in group:
            full = sum(len(other.keys) for other in batch) + len(one.keys) > one.method.batch
            if batch and (full or one.method.parametrization.coupled):
                yield batch
                batch = []
            batch.append(one)
        yield batch


def is_single(wanted: object) -> bool:
    """Whether it is one thing to be drawn, not a sequence of them."""
    return isinstance(wanted, str | Place | Sum | Edge | Objective)


def accepts(model: Model, layers: frozenset[str], side: int) -> bool:
    """Whether the model reads canvases of this side as far as `layers`; asked once a model."""
    key = ("accepts", layers, side)
    if key not in model.memo:  # asked twice at worst
        canvases = torch.full((2, model.modality.channels, side, side), 0.5)
        try:
            with torch.no_grad(), tapped(model, sorted(layers)) as taps:
                recorded = taps(model.modality.normalize(canvases).to(model.device, model.dtype))
            model.memo[key] = all(values.numel() > 0 for values in recorded.values())
        except FAILURES as error:
            if isinstance(error, HookeError):
                raise
            model.memo[key] = False
    return bool(model.memo[key])


def _small(model: Model, address: Address, method: Ascent) -> tuple[Address, int] | None:
    """Neurons as those of a smaller canvas, and its side, where nobody asked for a size and the model takes it."""
    small = moved(model, address) if method.parametrization.size is None else None
    if small is None or not accepts(model, frozenset(place.layer for place in places(address)), small[1]):
        return None
    return small


def _large(model: Model, address: Address, method: Ascent) -> int:
    """The side of the canvas on which an address is drawn as it stands."""
    layers = frozenset(place.layer for place in places(address))
    side = _side(model, method, layers, any(place.position is not None for place in places(address)))
    if method.parametrization.size is not None or side != DEFAULT_SIDE:
        return side
    return max(_roomy(model, layer) for layer in layers)


def _side(model: Model, method: Ascent, layers: frozenset[str], placed: bool) -> int:
    if method.parametrization.size is not None:
        return method.parametrization.size
    own = min(model.modality.height, model.modality.width)
    if own <= DEFAULT_SIDE or placed:
        return own
    return DEFAULT_SIDE if accepts(model, layers or frozenset({INPUT}), DEFAULT_SIDE) else own


def _coarse(model: Model, one: Objective, method: Ascent, side: int) -> int:
    """How many steps are made on half the canvas where nobody said: a quarter, where that was measured to serve.

    It was for units of maps at all their positions, in spectra of 128 px; elsewhere, and where a drawing may end early,
    none: what a label is of is to be there once.
    """
    ends = method.search.plateau > 0 or method.search.target is not None
    usual = side == DEFAULT_SIDE and isinstance(method.parametrization, Fourier) and method.grows
    maps = all(model.layers.find(layer).height for layer in one.layers())
    serves = usual and maps and not ends and accepts(model, one.layers(), side // 2)
    return method.steps // COARSE if serves else 0


def _roomy(model: Model, layer: str) -> int:
    """The side, a multiple of 16 px, in which a neuron in the middle sees the canvas alone, however it is moved.

    Fields that are narrower than the canvas are measured, once a model and layer; wider ones are given all of it.
    """
    row = model.layers.find(layer)
    if row.height is None or row.receptive_field is None or row.receptive_field >= DEFAULT_SIDE:
        return DEFAULT_SIDE
    return max(LEAST_SIDE, min(DEFAULT_SIDE, roomy(field(model, layer))))
