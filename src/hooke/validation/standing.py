"""What is known of a method on a model: the verdict that all it gives carries, or that it was never measured."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, TypeAlias

from hooke.attribution.method import Method
from hooke.models.model import Model
from hooke.provenance import describe
from hooke.storage.store import Store
from hooke.validation.verdicts import BETTER, FEW, SAME, WORSE, Row

UNMEASURED = "not yet measured"

Use: TypeAlias = Literal["maps", "channels", "units", "positions", "groups"]
"""What credits are used for: as maps over the input, or as the evidence of each part of a layer. One says nothing of
the other."""

State: TypeAlias = Literal["better", "part", "same", "worse", "undecided", "unmeasured"]


@dataclass(frozen=True)
class Standing:
    """How a method stands against its controls on one model.

    `measured` False: nobody validated it. `fails`: by no metric is it better than every control, and that is decided
    (`Row.decided`); what it gives is shown greyed, with `text`. `passed` of `metrics`: those by which it beats every
    control; `beaten_by`: the controls that it does not beat by some metric. `images`: how many it was measured on,
    `sample` their names; `data` says whence. `cells`: (metric, control, verdict) of every comparison.
    """

    measured: bool
    fails: bool
    text: str
    passed: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    beaten_by: tuple[str, ...] = ()
    images: int = 0
    data: str = ""
    sample: tuple[str, ...] = ()
    cells: tuple[tuple[str, str, str], ...] = ()

    @property
    def state(self) -> State:
        """In one word: better than every control by all metrics, or in part; the same as some or worse than some by
        each; undecided on so few images; unmeasured."""
        if not self.measured:
            return "unmeasured"
        if self.fails:
            return "worse" if any(verdict == WORSE for _, _, verdict in self.cells) else "same"
        if not self.passed:
            return "undecided"
        return "better" if len(self.passed) == len(self.metrics) else "part"


def standing(method: str, rows: Iterable[Row], data: str = "", sample: Sequence[str] = ()) -> Standing:
    """What rows of verdicts say of one method, in a sentence."""
    mine = [row for row in rows if row.method == method]
    if not mine:
        return _unmeasured(method)
    metrics = tuple(dict.fromkeys(row.metric for row in mine))
    images = min(row.images for row in mine)
    cells = tuple((row.metric, row.control, row.verdict) for row in mine)
    found = Standing(True, False, "", (), metrics, (), images, data, tuple(sample), cells)
    if any(row.verdict == FEW for row in mine):
        return replace(found, text=f"{method}: measured on {images} images, too few to tell it from its controls")
    passed = tuple(one for one in metrics if all(row.verdict == BETTER for row in mine if row.metric == one))
    beaten = tuple(dict.fromkeys(row.control for row in mine if row.verdict != BETTER))
    found = replace(found, passed=passed, beaten_by=beaten)
    lost = {row.metric for row in mine if row.verdict != BETTER and row.decided}
    undecided = [row for row in mine if row.verdict == SAME and row.metric not in lost]
    if not passed and undecided:
        return replace(found, text=_undecided(method, undecided, images))
    return replace(found, fails=not passed, text=_sentence(method, mine, metrics, passed, images))


def verdict(
    model: Model, method: Method, to: str = "input", *, reading: str = "sum", use: Use = "maps", name: str = "",
    store: Store | None = None,
) -> Standing:  # fmt: skip
    """What was measured of a method on this model, newest first; "not yet measured" where nothing was.

    `to`: the layer that gets credit ("input", or the name of one); `reading`: how credits became maps; `use`: what they
    are used for. Where only other settings of the same method were measured, that is what it says. `name`: what the
    method is called.
    """
    store = store or Store()
    entry = store.get(_key(model, method))
    known: dict[str, Any] = entry.facts if entry else {}
    exact = _question(method, to, reading, use)
    if exact in known:
        return _read(known[exact])
    alike = [
        one
        for question, one in known.items()
        if (asked := json.loads(question))["to"] == to and asked.get("use", "maps") == use
    ]
    if alike:
        found = _read(alike[-1])
        return replace(found, text=f"{found.text} (measured with other settings)")
    return _unmeasured(name or type(method).__name__, use, to)


def keep(
    model: Model, method: Method, to: str, reading: str, found: Standing, store: Store | None = None,
    use: Use = "maps",
) -> None:  # fmt: skip
    """Keep what was measured of a method, for `verdict`; what is known of its other settings and uses stays."""
    store = store or Store()
    key = _key(model, method)
    entry = store.get(key)
    known = dict(entry.facts) if entry else {}
    question = _question(method, to, reading, use)
    known.pop(question, None)
    store.put(key, {}, {**known, question: asdict(found)})


def _sentence(method: str, rows: Sequence[Row], metrics: Sequence[str], passed: Sequence[str], images: int) -> str:
    count = f"{images} images"
    if len(passed) == len(metrics):
        by = f"all of {', '.join(metrics)}" if len(metrics) > 1 else metrics[0]
        return f"{method} is better than every control by {by} ({count})"
    failing = [row for row in rows if row.metric not in passed and row.verdict != BETTER]
    worst = min(failing, key=lambda row: (row.verdict == SAME, row.difference / max(row.high - row.low, 1e-12)))
    shown = f"{worst.verdict} {worst.control} by {worst.metric}"
    if not passed:
        return f"{method} beats all controls by no metric: it is {shown} ({count})"
    return f"{method} is better than every control by {', '.join(passed)}, but {shown} ({count})"


def _undecided(method: str, ties: Sequence[Row], images: int) -> str:
    """By the metric with the fewest ties it is nearest to being better."""
    metrics = [row.metric for row in ties]
    tie = min(ties, key=lambda row: (metrics.count(row.metric), -row.difference / max(row.high - row.low, 1e-12)))
    return (
        f"{method}: undecided at this sample size ({images} images): by {tie.metric} it could not be told from "
        f"{tie.control}, nor would a medium difference have been seen"
    )


def _unmeasured(method: str, use: Use = "maps", to: str = "input") -> Standing:
    if use == "maps":
        return Standing(False, False, f"{method}: {UNMEASURED} on this model; `hooke validate` measures it")
    text = f"{method} of {use} of {to}: {UNMEASURED} on this model; `hooke validate --use {use}` measures it"
    return Standing(False, False, text)


def _key(model: Model, method: Method) -> str:
    text = json.dumps(["standing", model.fingerprint, str(_method(method)["type"])])
    return hashlib.sha256(text.encode()).hexdigest()


def _question(method: Method, to: str, reading: str, use: Use) -> str:
    more = {} if use == "maps" else {"use": use}
    return json.dumps({"by": _method(method), "to": to, "reading": reading, **more}, sort_keys=True)


def _method(method: Method) -> dict[str, Any]:
    """A method's JSON; of a wrapped one, with the name of what is in it."""
    found: dict[str, Any] = describe(method)
    inner = found.get("method")
    return {**found, "type": f"{found['type']}.{inner['type']}"} if isinstance(inner, dict) else found


def _read(facts: dict[str, Any]) -> Standing:
    """What `keep` wrote, perhaps an older or a newer one."""
    names = {one.name for one in fields(Standing)}
    known: dict[str, Any] = {name: _tuples(one) for name, one in facts.items() if name in names}
    return Standing(**known)


def _tuples(one: Any) -> Any:
    return tuple(_tuples(part) for part in one) if isinstance(one, list) else one
