"""Every error that Hooke raises on purpose, as one tree.

HookeError
├── AddressError        a text that is no address, or names nothing in this model
├── ModelError          a model that cannot be opened, run or addressed in this way
│   └── WeightsError    a weight file that is broken, does not fit, or is not trusted
├── ImageError          a picture that cannot be read or is too large
├── DataError           data that cannot be read or understood
├── RecordingError      a recording that does not fit, is damaged, or belongs to another model
├── EditError           an edit that cannot be made, or edits that contradict each other
├── EngineError         work on one part of the data failed, or its process died
├── StimulusError       a stimulus, or a parameter or value of one, that does not exist
├── NumericsError       NaN, dead units, settings that cannot work
├── StoreError          the result store cannot do what was asked
├── ServeError          the microscope cannot be served here
└── PublishError        a copy of the microscope cannot be published
"""

import difflib
from collections.abc import Iterable, Sequence


class HookeError(Exception):
    """A request that cannot be met: names the request, the reason, the choices and the next step."""

    def __init__(self, request: str, reason: str, *, choices: Sequence[str] = (), next_step: str = "") -> None:
        self.request = request
        self.reason = reason
        self.choices = tuple(choices)
        self.next_step = next_step
        lines = [f"{request}: {reason}"]
        if self.choices:
            lines.append("  choices: " + ", ".join(self.choices))
        if next_step:
            lines.append("  next: " + next_step)
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.request, self.reason, self.choices, self.next_step))


class AddressError(HookeError, ValueError):
    """A text that is no address, or an address that names nothing in this model."""


class ModelError(HookeError):
    """A model that cannot be opened, run or addressed in this way."""


class WeightsError(ModelError):
    """A weight file that is broken, does not fit the model, or is not trusted."""


class ImageError(HookeError, ValueError):
    """A picture that cannot be read or is too large."""


class DataError(HookeError, ValueError):
    """Data (a folder, a manifest, a dataset) that cannot be read or understood."""


class RecordingError(HookeError):
    """A recording that does not fit what was asked, is damaged, or belongs to another model."""


class EditError(HookeError, ValueError):
    """An edit that cannot be made, spelled or burnt in, or edits that contradict each other."""


class EngineError(HookeError):
    """Work on one shard of the data failed, or the process that had it died."""


class StimulusError(HookeError, ValueError):
    """A stimulus, or a parameter or value of one, that does not exist or cannot be drawn."""


class NumericsError(HookeError, ArithmeticError):
    """Numbers that make an answer meaningless: NaN, a dead unit, settings that cannot work."""


class StoreError(HookeError):
    """The result store cannot do what was asked."""


class ServeError(HookeError):
    """The microscope cannot be served here."""


class PublishError(HookeError):
    """A copy of the microscope cannot be published: its folder, its view, or an answer that it needs."""


class StoreWarning(UserWarning):
    """A result was computed but could not be kept, or a damaged entry was found and set aside."""


class AttributionWarning(UserWarning):
    """An attribution that was computed, and does not say what one would think."""


class LinearityWarning(UserWarning):
    """Weights read as if the way between two layers were linear, which say little about what the units do."""


def nearest(name: str, choices: Iterable[str], count: int = 5) -> list[str]:
    """The choices most like `name`, best first; the first few choices where none is alike."""
    known = list(choices)
    folded = {choice.casefold(): choice for choice in reversed(known)}
    close = difflib.get_close_matches(name.casefold(), folded, n=count, cutoff=0.5)
    return [folded[match] for match in close] or known[:count]


def _rebuild(kind: type[HookeError], request: str, reason: str, choices: tuple[str, ...], next_step: str) -> HookeError:
    return kind(request, reason, choices=choices, next_step=next_step)
