"""What an edit changes, beside the same edit made on other units."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.addresses import Address
from hooke.displayed import Displayed
from hooke.errors import AddressError, DataError, EditError, NumericsError
from hooke.interventions.controls import Activity, channels_of, drawn
from hooke.interventions.inputs import Inputs, by_kind, inputs, means_of
from hooke.interventions.readouts import Readout, readout
from hooke.interventions.verdicts import Row, row
from hooke.models.editing.coherence import coherent
from hooke.models.editing.edit import Edit
from hooke.models.editing.kinds import Drawn, Within
from hooke.models.editing.placing import by_layer
from hooke.models.editing.prepared import prepared, wants
from hooke.models.editing.texts import parse
from hooke.models.model import Model
from hooke.models.suffix import suffix_of
from hooke.provenance import Provenance, describe, versions

DATA = 128
"""Inputs that means are taken of, and others drawn from, at most."""

FEWEST = 19
"""Draws of a control from which on an effect can stand out at 5%."""

REVISION = 1

Progress = Callable[[int, int], None]
Variant = Sequence[Edit]


@dataclass(frozen=True, eq=False)
class EditEffect(Displayed):
    """What an edit changes in a readout: over all inputs (the first of `rows`), and for each label or group.

    `before` and `after` are the readout of each input; `random` and `matched` the same after each control edit: made on
    as many other units, drawn at random or among those with the nearest mean activation. `note` says why there are no
    controls. `shared` is False where every pass was a whole one, since the model's operations could not be followed.
    """

    edit: tuple[Edit, ...]
    on: str
    rows: tuple[Row, ...]
    before: Float[Tensor, "input"]
    after: Float[Tensor, "input"]
    random: Float[Tensor, "draw input"]
    matched: Float[Tensor, "draw input"]
    failures: tuple[str, ...]
    shared: bool
    note: str
    provenance: Provenance

    @property
    def verdict(self) -> str:
        """What the first row says, in words."""
        return self.rows[0].verdict


def effect(
    model: Model,
    data: Any,
    edit: str | Edit | Sequence[Edit],
    on: str | Address | Readout = "accuracy",
    by: str | None = None,
    controls: int = 20,
    means: Activity | None = None,
    seed: int = 0,
    progress: Progress = lambda done, all: None,
) -> EditEffect:
    """What an edit changes, over data, with paired intervals, beside `controls` random and as many matched controls.

    `data`: what `hooke.record` takes; `edit`: an edit, several in their order, or their text; `on`: "accuracy",
    "probability", "logit" (of the right class), or the address of a unit; `by`: "label" or "group", for a row of each;
    `means`: of layers, from a recording, else taken of the first `DATA` inputs. What comes before the first edited
    layer is computed once for all of them.
    Errors: EditError for edits that contradict or touch nothing; AddressError; DataError where labels are wanted and
    missing.
    """  # fmt: skip
    edits, target = _edits(edit), readout(on)
    coherent(model, edits)
    if by not in (None, "label", "group"):
        raise NumericsError(f"by {by!r}", "inputs come together by label or by group", choices=["label", "group"])
    found = inputs(model, data, target)
    kinds = {"all": torch.arange(len(found)), **(_kinds(found, by) if by else {})}
    layers = list(by_layer(model, edits))
    _check_order(model, layers, target)
    with_channels = [name for name in layers if model.layer(name).channels]
    named = channels_of(model, edits)
    activity = dict(means or {})
    activity |= means_of(found, [name for name in with_channels if name not in activity], DATA)
    reference = next(iter(dataclasses.replace(found, size=DATA).batches(DATA)))[0] if any(map(wants, edits)) else None
    dice = torch.Generator().manual_seed(seed)
    draws = controls if named else 0
    random = [drawn(model, edits, dice) for _ in range(draws)]
    matched = [drawn(model, edits, dice, activity) for _ in range(draws)]
    made = [prepared(model, one, reference, activity) for one in (edits, *random, *matched)]
    rows, shared = _measured(found, layers, made, target, progress)
    before, after = rows[0], rows[1]
    after_random, after_matched = rows[2 : 2 + draws], rows[2 + draws :]
    lines = tuple(
        row(name, before[at], after[at], after_random[:, at], after_matched[:, at], seed) for name, at in kinds.items()
    )
    question = {"edits": [_asked(one) for one in edits], "on": target.name, "by": by, "controls": controls}
    provenance = Provenance(
        model.fingerprint, ", ".join(layers), question, REVISION, seed, str(model.dtype).removeprefix("torch."),
        found.key, versions(),
    )  # fmt: skip
    note = "" if named else "no controls: the edit names no channels, or all of them"
    if 0 < draws < FEWEST:
        note = (
            f"with fewer than {FEWEST} draws of a control nothing can be larger than it (p is at least 1 in draws + 1)"
        )
    return EditEffect(
        edits, target.name, lines, before, after, after_random, after_matched, tuple(found.failures), shared, note,
        provenance,
    )  # fmt: skip


def _measured(
    found: Inputs, layers: Sequence[str], variants: Sequence[Variant], on: Readout, progress: Progress
) -> tuple[Float[Tensor, "variant input"], bool]:
    """The readout of every input without an edit (first) and with each of the variants."""
    model = found.model
    wanted = [*layers, *on.layers(model), *(name for edit in variants[0] for name in edit.reads)]
    first = min(wanted, key=lambda name: model.layers.site(name).order)
    suffix = suffix_of(model, first)
    rows, changed, passes = torch.zeros(1 + len(variants), len(found)), False, 1 + len(variants)
    with torch.no_grad():
        for batch, at in found.batches():
            prefix, classes = suffix.prepare(batch), found.classes[at].to(model.device)
            held: dict[str, Tensor] = {}
            for number, edits in enumerate(((), *variants)):
                own = [_seeded(edit, int(at[0])) for edit in edits]
                looked = list(dict.fromkeys([*on.layers(model), *(layers if number < 2 else ())]))
                seen = suffix.run(prefix, prefix.values, looked, own)
                rows[number, at] = on.read(model, seen, classes).cpu()
                if number == 0:
                    held = {name: seen[name] for name in layers}
                if number == 1:
                    changed |= any(not torch.equal(held[name], seen[name]) for name in layers)
                progress(int(at[0]) * passes + (number + 1) * len(at), len(found) * passes)
    if not changed:
        reason = f"it touches nothing: {', '.join(layers)} holds the same with it, for all {len(found)} inputs"
        step = "choose units that respond to these data: `hooke record`, then `hooke examples`"
        raise EditError(f"the effect of the edit on {on.name}", reason, next_step=step)
    return rows, suffix.shared


def _kinds(found: Inputs, by: str) -> dict[str, Tensor]:
    """The places of the inputs of each kind. DataError where none has one."""
    kinds = by_kind(found.kinds(by))
    if not kinds:
        reason = f"no input of the data has a {by}"
        step = (
            "give a manifest that says it (a column `group`), or leave --by out"
            if by == "group"
            else ("put the pictures into folders named after what they show, or leave --by out")
        )
        raise DataError(f"a row for each {by}", reason, next_step=step)
    return kinds


def _check_order(model: Model, layers: Sequence[str], on: Readout) -> None:
    """AddressError where everything that is looked at comes before what is edited."""
    order = {name: model.layers.site(name).order for name in (*layers, *on.layers(model))}
    first = min(layers, key=order.__getitem__)
    if all(order[name] < order[first] for name in on.layers(model)):
        reason = f"it comes before {first}, so the edit cannot change it"
        raise AddressError(
            f"the effect on {on.name}", reason, next_step="look at a unit further on: `hooke layers MODEL`"
        )


def _edits(edit: str | Edit | Sequence[Edit]) -> tuple[Edit, ...]:
    if isinstance(edit, str):
        return parse(edit)
    found = (edit,) if isinstance(edit, Edit) else tuple(edit)
    if not found:
        raise EditError("the effect of no edit", "it touches nothing", next_step="give an edit: ablate(LAYER:CHANNEL)")
    return found


def _asked(edit: Edit) -> Any:
    """The edit in the question that the effect answers."""
    try:
        return describe(edit)
    except TypeError:  # a function that was spliced
        return repr(edit)


def _seeded(edit: Edit, start: int) -> Edit:
    """The edit with its own draws for the batch that begins at an input."""
    if isinstance(edit, Within):
        return dataclasses.replace(edit, edit=_seeded(edit.edit, start))
    return dataclasses.replace(edit, seed=edit.seed * 1_000_003 + start) if isinstance(edit, Drawn) else edit
