"""Surgery: edits, and changes of single weights, in a copy of the weights, and the file that holds them."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from hooke.errors import EditError, WeightsError, nearest
from hooke.interventions.burning import Weights, affine, burn, refusal, unburnable
from hooke.models.agreement import apart, random_batch, rounding
from hooke.models.copying import copy_with
from hooke.models.editing.coherence import coherent
from hooke.models.editing.edit import Edit
from hooke.models.editing.kinds import AblateToMean
from hooke.models.editing.placing import GroupEdit, SumEdit, by_layer, placed
from hooke.models.editing.prepared import Means, prepared
from hooke.models.editing.texts import parse, spelled
from hooke.models.graph import Untraceable, graph
from hooke.models.layers import LOGITS
from hooke.models.model import Model
from hooke.models.taps import tapped
from hooke.provenance import versions
from hooke.storage.weights import read_weights

ENTRY = "hooke.surgery"
"""Of the file's metadata."""
_CHANGE = re.compile(
    r"\s*([^\[\]\s]+)\s*\[([0-9:,\s-]*)\]\s*=\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*"
)


@dataclass(frozen=True, eq=False)
class Surgery:
    """A model operated on: the copy, which weights changed, what was done, and how far its logits are from the edited
    model's on random inputs (relative to the largest; None where only single weights were changed)."""

    model: Model
    of: str
    """The fingerprint of the model before."""
    changed: tuple[str, ...]
    edits: str
    weights: tuple[str, ...]
    difference: float | None


def operate(
    model: Model, edits: str | Edit | Sequence[Edit] = (), weights: Sequence[str] = (), means: Means | None = None
) -> Surgery:
    """Burn edits, and changes of single weights ("NAME[3,5] = 0"), into a copy of the model's weights.

    Single weights are changed after the edits; `means`: of layers, for edits to the mean. The copy is run beside the
    edited model before it is handed out.
    Errors: EditError for what cannot be burnt in (positions, masks, other inputs' values), with the reason.
    """
    made = parse(edits) if isinstance(edits, str) else (edits,) if isinstance(edits, Edit) else tuple(edits)
    if not made and not weights:
        raise EditError("surgery", "it would change nothing", next_step="give an edit, or the change of a weight")
    _check_plain(model)
    coherent(model, made)
    for place, edit in (placed(model, edit) for edit in made):
        if reason := unburnable(place, edit):
            inner = edit.edit if isinstance(edit, GroupEdit | SumEdit) else edit
            if not (means and isinstance(inner, AblateToMean)):
                raise refusal(inner, reason)
    made = prepared(model, made, means=means)
    changed = _burnt(model, made) if made else {}
    other, difference = model, None
    if made:
        other = copy_with(model, changed)
        difference = _difference(model, other, made)
        if not difference <= rounding(model):
            reason = f"the operated model's logits are {difference:.2g} of the largest away from the edited one's"
            raise EditError("surgery", reason, next_step="edit it while the model runs: hooke.tapped, or hooke.effect")
    state = model.module.state_dict()
    for text in weights:
        name, at, value = _change(text, state)
        changed[name] = changed[name].clone() if name in changed else state[name].clone()
        changed[name][at] = value
    if weights:
        other = copy_with(model, changed)
    texts = spelled(made) if made else ""
    return Surgery(other, model.fingerprint, tuple(changed), texts, tuple(weights), difference)


def save(surgery: Surgery, file: Path | str) -> Path:
    """Write the weights as a safetensors checkpoint that loads without Hooke; what was done stands in its metadata."""
    path = Path(file)
    if path.suffix != ".safetensors":
        raise WeightsError(f"surgery file {path}", "checkpoints end in .safetensors", next_step=f"{path}.safetensors")
    state = {name: value.detach().cpu().contiguous().clone() for name, value in
             surgery.model.module.state_dict().items()}  # fmt: skip
    told = {
        "of": surgery.of, "result": surgery.model.fingerprint, "edits": surgery.edits, "weights": surgery.weights,
        "changed": surgery.changed, "versions": versions(),
    }  # fmt: skip
    try:
        save_file(state, path, metadata={"format": "pt", ENTRY: json.dumps(told)})
    except OSError as refusal:
        raise WeightsError(f"surgery file {path}", f"it cannot be written ({refusal})") from refusal
    return path


def record_of(file: Path | str) -> dict[str, Any]:
    """What a surgery file says of itself. WeightsError where it is none."""
    try:
        with safe_open(str(file), "pt") as opened:
            told = (opened.metadata() or {}).get(ENTRY)
    except (OSError, SafetensorError) as refused:
        raise WeightsError(
            f"surgery file {file}", f"it cannot be read ({refused})", next_step="check the path"
        ) from refused
    if told is None:
        step = "`hooke surgery MODEL --edit ... --out FILE` writes one"
        raise WeightsError(f"surgery file {file}", "no surgery is recorded in it", next_step=step)
    found: dict[str, Any] = json.loads(told)
    return found


def operated(model: Model, file: Path | str) -> Model:
    """The model with the weights of a surgery file that was made from it.

    Errors: WeightsError for a file of another model, by the fingerprint, or one whose weights changed since.
    """
    told = record_of(file)
    if told["of"] != model.fingerprint:
        reason = f"it was made from the weights {told['of'][:12]}, {model.name} has {model.fingerprint[:12]}"
        raise WeightsError(f"surgery file {file}", reason, next_step="open the model that it was made from")
    found = copy_with(model, read_weights(file))
    if found.fingerprint != told["result"]:
        raise WeightsError(
            f"surgery file {file}", "its weights changed since it was written", next_step="make it again"
        )
    return found


def _burnt(model: Model, edits: Sequence[Edit]) -> dict[str, Tensor]:
    try:
        operations = graph(model)
    except Untraceable as reason:
        step = "edit it while the model runs: hooke.tapped, or hooke.effect"
        raise EditError("surgery", f"the model's operations cannot be followed: {reason}", next_step=step) from reason
    held = Weights(model.module)
    for layer, pairs in by_layer(model, edits).items():
        burn(model, operations, layer, affine(pairs, model.layer(layer)), held)
    state = model.module.state_dict()
    return {name: value.to(state[name]) for name, value in held.changed.items()}


def _difference(model: Model, other: Model, edits: Sequence[Edit]) -> float:
    batch = random_batch(model)
    with torch.no_grad(), tapped(model, [LOGITS], edits) as taps:
        return apart(other(batch), taps(batch)[LOGITS])


def _change(text: str, state: dict[str, Tensor]) -> tuple[str, Any, float]:
    """The name, the index and the value of a changed weight."""
    parts = _CHANGE.fullmatch(text)
    if parts is None:
        raise EditError(f"weight {text!r}", "this is no change", next_step="write 'classifier.weight[3,5] = 0'")
    name, value = parts[1], float(parts[3])
    if name not in state:
        raise EditError(f"weight {text!r}", "the model has no such weight", choices=nearest(name, state))
    try:
        places = parts[2].split(",") if parts[2] else []
        at = tuple(slice(None) if one.strip() in ("", ":") else int(one) for one in places)
        state[name][at]
    except (IndexError, TypeError, ValueError):
        reason = f"{name} has the shape {tuple(state[name].shape)}"
        raise EditError(f"weight {text!r}", reason, next_step="give an index for each axis, or :") from None
    return name, at, value


def _check_plain(model: Model) -> None:
    """EditError where weights are quantized, ModelError where the layers cannot be reached."""
    assert len(model.layers)
    for name, part in model.module.named_modules():
        if "quantized" in type(part).__module__:
            reason = f"{name or type(part).__name__} is quantized: its weights are no plain numbers"
            raise EditError("surgery", reason, next_step="operate on the model before it is quantized")
