"""What if: what a model says of one photograph, and holds at a place, with and without edits, beside random others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.addresses import Place, places
from hooke.displayed import Displayed
from hooke.errors import EditError
from hooke.interventions.controls import elsewhere
from hooke.models.editing.coherence import coherent
from hooke.models.editing.edit import Edit, edited_by
from hooke.models.editing.kinds import Ablate, Patch, ProjectOut, Replace, Resample, Steer, Within
from hooke.models.editing.placing import GroupEdit, by_layer
from hooke.models.editing.prepared import prepared
from hooke.models.editing.splice import Splice
from hooke.models.layers import LOGITS, index
from hooke.models.model import Model
from hooke.models.suffix import Prefix, Suffix, suffix_of
from hooke.shapes import Canvas
from hooke.studies.same_size import alike, exchanges, kind
from hooke.studies.semantic_dictionary import has_logits

CONTROLS = 20
"""So many random others, so that standing out of all of them is p < 0.05."""

OTHERS = {
    "group": "other groups", "unit": "other units", "unit here": "other units there", "place": "other places",
}  # fmt: skip
"""What the random others are, by the kind of what is edited."""

TOGETHER = 11
"""So many lists of edits run in one pass."""


@dataclass(frozen=True, eq=False)
class Transplant(Edit):
    """Put into a place what a place of the same layer holds for another input; `held` is that layer for it.

    `source`: its position there; None: the same place.
    """

    address: str | Place
    held: Tensor
    source: tuple[int, ...] | None = None

    def change(self, values: Tensor, channel: int | None) -> Tensor:
        raise AssertionError("it is settled first")

    def settled(self, model: Model) -> Replace:
        """The edit with its values."""
        place = model.resolve(self.address)
        assert isinstance(place, Place)
        row = model.layer(place.layer)
        return Replace(place, self.held[index(row, replace(place, position=self.source or place.position))])


@dataclass(frozen=True, eq=False)
class Felt(Edit):
    """An edit that is felt at one place only: what an edge brings there, along all ways between; all else stays.

    The place holds what it would hold if the edit were made (path patching: Goldowsky-Dill, MacLeod, Sato & Arora,
    "Localizing model behavior with path patching", 2023).
    """

    edit: Edit
    at: Place

    @property
    def address(self) -> Place:  # type: ignore[override]
        """Where it is felt."""
        return self.at

    def change(self, values: Tensor, channel: int | None) -> Tensor:
        raise AssertionError("it is settled first")

    def settled(self, model: Model, suffix: Suffix, prefix: Prefix) -> Edit:
        """The edit with its values, for a model from before the edited layer on."""
        row, bare = model.layer(self.at.layer), replace(self.at, component=None)
        values = suffix.run(prefix, prefix.values, [row.name], [self.edit])[row.name]
        if self.at.component is None:
            return Replace(bare, values[index(row, bare)])
        groups, number = model.grouped(self.at)
        channel = row.axes.index("channel")
        amounts = groups.amounts(values, channel).select(channel, number)
        spot = [entry for axis, entry in zip(row.axes, index(row, bare), strict=True) if axis != "channel"]
        return GroupEdit(bare, Replace(bare, amounts[tuple(spot)]), groups, number)


@dataclass(frozen=True, eq=False)
class Seen:
    """One number of each channel, or label, before and after the edits, and after each of the random others."""

    before: Float[Tensor, "row"]
    after: Float[Tensor, "row"]
    random: Float[Tensor, "draw row"]


@dataclass(frozen=True, eq=False)
class WhatIf(Displayed):
    """What edits change for one photograph: the logits (None: no classifier), and a place's vector.

    `beside` says what the random others are, or why there are none.
    """

    edits: tuple[Edit, ...]
    logits: Seen | None
    vector: Seen | None
    beside: str


@dataclass(frozen=True, eq=False)
class _Each(Edit):
    """Edits of one layer, others for each sample of a pass: `own` in turn."""

    address: Place
    model: Model
    own: tuple[tuple[tuple[Place, Edit], ...], ...]

    def change(self, values: Tensor, channel: int | None) -> Tensor:
        row = self.model.layer(self.address.layer)
        count = len(self.own)
        return torch.stack([edited_by(values[at::count], row, own) for at, own in enumerate(self.own)], 1).flatten(0, 1)


@dataclass(frozen=True, eq=False)
class Variants:
    """Edits as they are made of one photograph (the first of `made`), and the same elsewhere (`beside` says where).

    What comes before the first edited layer is there, for all.
    """

    model: Model
    suffix: Suffix
    prefix: Prefix
    made: Sequence[Sequence[Edit]]
    beside: str

    def values(self, lists: Sequence[Sequence[Edit]], reads: Sequence[str]) -> dict[str, Tensor]:
        """What layers hold with each of several lists of edits, one sample for each."""
        parts: list[dict[str, Tensor]] = []
        size = TOGETHER if self.suffix.together else 1
        for start in range(0, len(lists), size):
            some = lists[start : start + size]
            values = self.prefix.values.repeat(len(some), *[1] * (self.prefix.values.ndim - 1))
            with torch.no_grad():
                parts.append(self.suffix.run(self.prefix, values, reads, each(self.model, some)))
        return {name: torch.cat([part[name] for part in parts]) for name in reads}


def each(model: Model, lists: Sequence[Sequence[Edit]]) -> list[Edit]:
    """Several lists of edits as those of one batch: its samples have them in turn."""
    some = [by_layer(model, edits) for edits in lists]
    layers = dict.fromkeys(layer for one in some for layer in one)
    return [_Each(Place(at), model, tuple(tuple(one.get(at, ())) for one in some)) for at in layers]


def what_if(
    model: Model,
    canvas: Canvas,
    edits: Sequence[Edit],
    at: Place | None = None,
    controls: int = CONTROLS,
    seed: int = 0,
) -> WhatIf:
    """What edits change in the logits of one photograph and in the vector of a position `at`, beside random others.

    What comes before the first edited layer runs once; everything after it in few passes for all. A mean is that over
    the positions of this photograph. A random other is the same edits made elsewhere: in other units, positions or
    groups of about the same size, with the vectors of other places of the other photograph, or with the numbers of a
    direction in another order.
    Errors: EditError for edits that contradict, touch nothing, or cannot be made here; AddressError.
    """
    reads = _reads(model, at)
    tried = variants(model, canvas, edits, reads, controls, seed)
    found = tried.values([(), *tried.made], reads)
    vector = found[at.layer][index(model.layer(at.layer), at)] if at else None
    return WhatIf(tuple(edits), _seen(found.get(LOGITS)), _seen(vector), tried.beside)


def variants(
    model: Model, canvas: Canvas, edits: Sequence[Edit], reads: Sequence[str], controls: int = 0, seed: int = 0
) -> Variants:
    """The edits, and at most `controls` times the same made elsewhere, with the values that they take from data.

    `reads`: the layers that will be looked at. Errors: as `what_if`.
    """
    for edit in edits:
        _possible(edit)
    coherent(model, [Ablate(edit.at) if isinstance(edit, Felt) else _settled(model, edit) for edit in edits])
    batch = model.modality.normalize(canvas[None]).to(model.device, model.dtype)
    ends = dict.fromkeys(edit.at.layer for edit in edits if isinstance(edit, Felt))
    layers = list(dict.fromkeys([*by_layer(model, _causes(model, edits)), *ends]))
    first = min([*layers, *reads], key=lambda name: model.layers.site(name).order)
    suffix = suffix_of(model, first)
    prefix = suffix.prepare(batch)
    with torch.no_grad():
        later = [name for name in layers if name != first]
        held = {first: prefix.values, **(suffix.run(prefix, prefix.values, later) if later else {})}
        others, beside = _others(model, edits, held, controls, seed) if edits and controls else ([], "")
        means = {name: _means(model, name, held[name]) for name in layers if model.layer(name).channels}
        made = [
            [
                replace(edit, edit=cause).settled(model, suffix, prefix) if isinstance(edit, Felt) else cause
                for edit, cause in zip(one, prepared(model, _causes(model, one), batch, means), strict=True)
            ]
            for one in (edits, *others)
        ]
    return Variants(model, suffix, prefix, made, beside)


def _possible(edit: Edit) -> None:
    """EditError for an edit that is not made here."""
    inner = _inner(edit)
    if isinstance(inner, Resample | Patch | Splice):
        step = "mute it (ablate), scale it, clamp it, or transplant a place of another photograph"
        raise EditError(
            f"{type(inner).__name__}({edit.address})", "one photograph alone cannot have it", next_step=step
        )


def _settled(model: Model, edit: Edit) -> Edit:
    return edit.settled(model) if isinstance(edit, Transplant) else edit


def _causes(model: Model, edits: Sequence[Edit]) -> list[Edit]:
    """The edits as they are made where they begin, wherever they are felt."""
    return [_settled(model, edit.edit if isinstance(edit, Felt) else edit) for edit in edits]


def _reads(model: Model, at: Place | None) -> list[str]:
    """The layers to look at: the logits, where there are any, and that of the position."""
    reads = [LOGITS] if has_logits(model) else []
    return [*reads, at.layer] if at else reads or [model.layers[-1].name]


def _means(model: Model, layer: str, values: Tensor) -> Tensor:
    return values.movedim(model.layer(layer).axes.index("channel"), 0).flatten(1).mean(1)


def _seen(rows: Tensor | None) -> Seen | None:
    if rows is None:
        return None
    rows = rows.float().cpu()
    return Seen(rows[0], rows[1], rows[2:])


def _others(
    model: Model, edits: Sequence[Edit], held: Mapping[str, Tensor], count: int, seed: int
) -> tuple[list[list[Edit]], str]:
    """The edits made elsewhere, `count` times at most, and in words where."""
    dice = torch.Generator().manual_seed(seed)
    named = [place for edit in edits for place in _named(model, edit)]
    draws: list[dict[Place, Place]] = exchanges(model, named, held, count, seed) if named else [{}] * count
    vectors = {at: _vectors(model, edit, dice) for at, edit in enumerate(edits) if _is_vector(edit)}
    if not draws or not all(vectors.values()):
        return [], "nothing of this size to compare it with"
    if not named and vectors:
        draws = draws[: max(map(len, vectors.values()))]
    kinds = dict.fromkeys(OTHERS[kind(place)] for place in named)
    if named:
        *most, last = kinds
        kinds = dict.fromkeys([*most, f"{last} about as strong"])
    if vectors:
        kinds["vectors of other places of that photograph"] = None
    if any(isinstance(_inner(edit), Steer | ProjectOut) for edit in edits):
        kinds["the same numbers along other channels"] = None
    found = []
    for number, draw in enumerate(draws):
        sources = {at: pool[number % len(pool)].position for at, pool in vectors.items()}
        found.append([_moved(model, edit, draw, sources.get(at), dice) for at, edit in enumerate(edits)])
    return found, " and ".join(kinds)


def _inner(edit: Edit) -> Edit:
    return edit.edit if isinstance(edit, Within | Felt) else edit


def _is_vector(edit: Edit) -> bool:
    return isinstance(edit, Transplant) and edit.source is not None


def _named(model: Model, edit: Edit) -> list[Place]:
    """The places that others can stand for."""
    if _is_vector(edit) or isinstance(_inner(edit), Steer | ProjectOut):
        return []
    return list(places(model.resolve(_inner(edit).address)))


def _vectors(model: Model, edit: Edit, dice: torch.Generator) -> list[Place]:
    """The other places whose vectors could be transplanted."""
    place = model.resolve(edit.address)
    assert isinstance(edit, Transplant)
    assert isinstance(place, Place)
    return alike(model, Place(place.layer, position=edit.source), {place.layer: edit.held}, dice)


def _moved(
    model: Model, edit: Edit, draw: Mapping[Place, Place], source: tuple[int, ...] | str | None, dice: torch.Generator
) -> Edit:
    """The edit made elsewhere."""
    if isinstance(edit, Felt):
        return replace(edit, edit=_moved(model, edit.edit, draw, source, dice))
    if isinstance(edit, Transplant) and edit.source is not None:
        assert isinstance(source, tuple)
        return replace(edit, source=source)

    def shuffled(_: str, weights: Tensor) -> Tensor:
        return weights[torch.randperm(len(weights), generator=dice)]

    return elsewhere(model, edit, draw.__getitem__, shuffled)
