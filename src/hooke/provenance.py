"""Provenance: how a result was made, and the key under which the same question is found again."""

import hashlib
import json
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from enum import Enum
from functools import cache
from importlib import metadata
from numbers import Integral, Real
from pathlib import PurePath
from typing import Any, Protocol, TypeAlias, runtime_checkable

from hooke.addresses import Edge, Place, Sum

Json: TypeAlias = Any
"""JSON data: None, bool, int, float, str, and lists and string-keyed mappings of them."""

LATER: Mapping[str, bool] = {"later": True}
"""`metadata` of a field that a method got after pictures were kept: left out of its JSON while it has its default,
so that what was asked before has the same key."""

_PACKAGES = ("hooke", "torch", "torchvision", "timm", "numpy", "pillow", "safetensors")


@dataclass(frozen=True, eq=False)
class Provenance:
    """The question that a result answers, and what it was answered with.

    `model` is a fingerprint, `address` a text, `method` the JSON of `describe`, `revision` the algorithm's,
    `dtype` the numeric form ("float32"), `data` a hash of the data asked about. `recorded` (library versions)
    is kept but is no part of the question. Raises TypeError where `method` is not JSON.
    """

    model: str
    address: str
    method: Json
    revision: int
    seed: int | None
    dtype: str
    data: str | None = None
    recorded: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", json.loads(_canonical(self.method)))
        object.__setattr__(self, "recorded", {str(name): str(value) for name, value in self.recorded.items()})

    @property
    def question(self) -> dict[str, Json]:
        """Everything but `recorded`, as JSON."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name != "recorded"}

    @property
    def key(self) -> str:
        """SHA-256 (64 hex digits) over the canonical JSON of the question: equal on every machine."""
        return hashlib.sha256(_canonical(self.question).encode()).hexdigest()

    def to_json(self) -> str:
        """All fields as one line of JSON."""
        return _canonical({**self.question, "recorded": self.recorded})

    @classmethod
    def from_json(cls, text: str) -> "Provenance":
        """Reads what `to_json` wrote; ValueError or TypeError for anything else."""
        return cls(**json.loads(text))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Provenance) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(self.key)


@runtime_checkable
class _Array(Protocol):
    """A tensor or an array: numpy can read it."""

    def __array__(self) -> Any: ...


def describe(value: object) -> Json:
    """A method as JSON: a dataclass becomes `{"type": "Fourier", "size": 160}`, at any depth.

    Classes from outside Hooke are named with their module, addresses by their text, arrays by their SHA-256. Fields
    with the metadata `LATER` are left out while they have their default.
    Raises TypeError for a value that has no such form.
    """
    match value:
        case None | bool() | str():
            return value
        case Place() | Sum() | Edge() | PurePath():
            return str(value)
        case Enum():
            return describe(value.value)
        case Integral():
            return int(value)
        case Real():
            number = float(value)
            return number if math.isfinite(number) else {"type": "float", "value": repr(number)}
        case Mapping():
            return {_text(name): describe(entry) for name, entry in value.items()}
        case Sequence() if not isinstance(value, bytes | bytearray | memoryview):
            return [describe(entry) for entry in value]
        case set() | frozenset():
            return sorted((describe(entry) for entry in value), key=_canonical)
    if is_dataclass(value) and not isinstance(value, type):
        return {"type": _name(type(value))} | {
            entry.name: describe(getattr(value, entry.name)) for entry in fields(value) if not _unused(entry, value)
        }
    if isinstance(value, _Array) and not isinstance(value, type):
        return _digest(value)
    raise TypeError(f"{value!r}: a method's fields must be numbers, texts, dataclasses, addresses or arrays")


def versions() -> dict[str, str]:
    """The versions of Python and of those packages that can change a number, where they are installed."""
    return dict(_versions())


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    found = [("python", platform.python_version())]
    for package in _PACKAGES:
        try:
            found.append((package, metadata.version(package)))
        except metadata.PackageNotFoundError:
            continue
    return tuple(found)


def _canonical(value: Json) -> str:
    """JSON text that is the same for the same data: sorted names, no spaces, ASCII, no NaN."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)
    except ValueError as error:
        raise TypeError(f"{value!r}: not JSON ({error})") from None


def _plain(value: object) -> Json:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{value!r}: not JSON; pass methods through describe()")


def _name(kind: type) -> str:
    own = kind.__module__.split(".")[0] == "hooke"
    return kind.__qualname__ if own else f"{kind.__module__}.{kind.__qualname__}"


def _unused(entry: "Field[Any]", value: object) -> bool:
    """Whether a field that came later has the value that it stood for before there was such a field."""
    if not entry.metadata.get("later"):
        return False
    default = entry.default if entry.default_factory is MISSING else entry.default_factory()
    return bool(getattr(value, entry.name) == default)


def _text(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{name!r}: the names in a method's mapping must be texts")
    return name


def _digest(value: _Array) -> Json:
    import numpy

    try:
        array = numpy.asarray(value)
    except (RuntimeError, TypeError) as error:
        raise TypeError(f"{type(value).__qualname__}: numpy cannot read it ({error})") from None
    if array.dtype.hasobject:
        raise TypeError(f"{value!r}: an array of objects has no bytes to hash")
    data = numpy.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    return {"type": "array", "dtype": array.dtype.name, "shape": list(array.shape),
            "sha256": hashlib.sha256(data.tobytes()).hexdigest()}  # fmt: skip
