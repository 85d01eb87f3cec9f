"""How far to trust what a report shows: the verdict on its method on this model, and what this photograph shows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from hooke.attribution.gradients import GradientTimesActivation
from hooke.models.model import Model
from hooke.numeric.intervals import Z95
from hooke.numeric.similarity import spearman
from hooke.storage.store import Store
from hooke.studies.how_sure import Sure
from hooke.validation.standing import State, Use, verdict
from hooke.validation.verdicts import ROOM

METHOD = "activation x gradient"
SPREAD = 1.06
"""Of Spearman's correlation after Fisher's transformation, times the root of three less than the number."""


@dataclass(frozen=True)
class Told:
    """One reason to trust, or not: of what, its state in one word, whether what it speaks of is shown greyed, and a
    sentence. `layer` empty: of all."""

    of: str
    layer: str
    state: State
    fails: bool
    text: str


def known(model: Model, layer: str, use: Use, store: Store | None = None) -> Told:
    """What was measured of activation x gradient on this model, for this use."""
    found = verdict(model, GradientTimesActivation(), layer, use=use, name=METHOD, store=store)
    return Told(f"{use} of {layer}", layer, found.state, found.fails, found.text)


def here(said: Sequence[float], lost: Sequence[float], what: str, layer: str = "") -> Told:
    """What is said to be given beside what ablation takes, in this photograph: their rank correlation.

    Its interval is by Fisher's transformation (Fieller, Hartley & Pearson, "Tests for rank correlation coefficients",
    1957). It fails where they contradict each other, or where no medium correlation is possible; few say nothing.
    """
    pair = torch.tensor([list(said), list(lost)], dtype=torch.float64)
    found = float(spearman(pair[:1], pair[1:])) if len(said) > 1 else math.nan
    low, high = -1.0, 1.0
    if len(said) > 3 and not math.isnan(found):
        middle = math.atanh(max(-1 + 1e-9, min(1 - 1e-9, found)))
        half = Z95 * SPREAD / math.sqrt(len(said) - 3)
        low, high = math.tanh(middle - half), math.tanh(middle + half)
    state: State = "better" if low > 0 else "worse" if high < 0 else "same" if high <= ROOM else "undecided"
    number = "" if math.isnan(found) else f" {found:.2f} [{low:.2f}, {high:.2f}]"
    words = {"better": "agree", "worse": "contradict each other", "same": "do not agree"}.get(
        state, "are too few to tell whether they agree"
    )
    text = f"in this photograph credit and measured loss of {len(said)} {what} {words}: rank correlation{number}"
    return Told(what, layer, state, state in ("worse", "same"), text if number else text.partition(":")[0])


def sure_here(found: Sequence[Sure], what: str, layer: str = "") -> Told:
    """The same of selections whose ablation was measured."""
    return here([one.linear for one in found], [one.measured for one in found], what, layer)


def fails(model: Told, photograph: Told | None = None) -> bool:
    """Whether something is shown greyed: the verdict on the model says so, or where there is none, the photograph."""
    if model.state == "unmeasured" and photograph is not None:
        return photograph.fails
    return model.fails


def facts(*told: Told) -> Mapping[str, Any]:
    """As JSON data: `validated` in sentences, `standings` one by one."""
    return {"validated": sentences(*told), "standings": [asdict(one) for one in told]}


def sentences(*told: Told) -> str:
    """The same in words; of the layers that nobody measured, one sentence."""
    missing = [one for one in told if one.state == "unmeasured"]
    uses = dict.fromkeys(one.of.partition(" ")[0] for one in missing)
    texts = [one.text for one in told if one.state != "unmeasured"]
    for use in uses:
        layers = ", ".join(one.layer for one in missing if one.of.startswith(use))
        texts.append(
            f"{METHOD} of {use} of {layers}: not yet measured on this model; "
            f"`hooke validate --use {use} --to LAYER` measures it"
        )
    return " ".join(dict.fromkeys(map(_sentence, texts)))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
