"""The plan of a recording: everything that its numbers depend on, fixed before the first input is read."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from hooke.errors import RecordingError
from hooke.responses.states import write_bytes

KEEP = ("both", "statistics", "responses")
FILE = "plan.json"
REVISION = 1


@dataclass(frozen=True)
class Plan:
    """What is recorded of which model over which data, and in what portions.

    `batch` and `threads` are here because the last bits of a sum depend on them; the number of worker processes is not.
    """

    model: str
    source: str
    fingerprint: str
    dtype: str
    data: str
    data_key: str
    inputs: int
    layers: tuple[str, ...]
    keep: str
    whole: tuple[str, ...]
    """Layers whose whole tensors are kept."""
    positions: int
    """Sampled positions of each input: all of them where a layer has no more."""
    spatial: bool
    """Second moments over the sampled positions, too."""
    fast: bool
    """The model runs in its fastest equal form."""
    batch: int
    shard: int
    threads: int
    seed: int
    revision: int = REVISION

    @property
    def shards(self) -> int:
        """Into how many shards the inputs are cut."""
        return -(-self.inputs // self.shard)

    @property
    def key(self) -> str:
        """SHA-256 of the plan."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """The plan as JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    def write(self, folder: Path) -> None:
        """Fix the plan of a folder. Errors: RecordingError where it cannot be written."""
        write_bytes(folder / FILE, self.to_json().encode())

    @classmethod
    def read(cls, folder: Path) -> "Plan | None":
        """The plan of a folder, None where it has none. Errors: RecordingError where it is damaged."""
        try:
            found = json.loads((folder / FILE).read_bytes())
            lists = {name: tuple(value) for name, value in found.items() if isinstance(value, list)}
            return cls(**found | lists)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as failure:
            reason = f"its plan cannot be read ({failure})"
            raise RecordingError(f"the recording {folder}", reason, next_step="take another folder") from failure

    def check(self, wanted: "Plan", folder: Path) -> None:
        """RecordingError where `wanted` asks for anything but this plan, which lies in `folder`."""
        apart = [one.name for one in fields(self) if getattr(self, one.name) != getattr(wanted, one.name)]
        told = ("model", "source", "data")  # the fingerprint and the key of the data say whether these are others
        apart = [name for name in apart if name not in told]
        if not apart:
            return
        if "fingerprint" in apart:
            reason = f"it is of another model: {self.model}, fingerprint {self.fingerprint[:12]}"
        elif "data_key" in apart or "inputs" in apart:
            reason = f"the data changed since it was begun with {self.inputs:,} inputs of {self.data or 'a dataset'}"
        else:
            differences = [
                f"{name} {_short(getattr(self, name))}, not {_short(getattr(wanted, name))}" for name in apart
            ]
            reason = "it was begun with " + "; ".join(differences)
        raise RecordingError(
            f"recording into {folder}", reason, next_step="give another folder, or what it was begun with"
        )


def _short(value: object) -> str:
    text = ", ".join(value) if isinstance(value, tuple) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
