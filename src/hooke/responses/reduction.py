"""Adding up the shards of a recording, in order, with a note of how far it came."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from hooke.errors import RecordingError
from hooke.modalities.samples import Samples
from hooke.responses.gathering import Target
from hooke.responses.plan import Plan
from hooke.responses.shards import extent, shard_file
from hooke.responses.states import read_state, write_state
from hooke.responses.statistics import LayerStatistics
from hooke.responses.values import Failure

EVERY = 8
"""Shards between two notes of the sums so far; their own files are deleted then."""

FILE = "sums.state"


@dataclass(eq=False)
class Reduction:
    """The sums over the first `shards` shards of a folder."""

    folder: Path
    plan: Plan
    statistics: dict[str, LayerStatistics]
    shards: int = 0
    failures: list[tuple[int, Failure]] = field(default_factory=list)

    @classmethod
    def resume(cls, folder: Path, plan: Plan, targets: Sequence[Target], samples: Samples) -> "Reduction":
        """The sums as they were noted last, or none. Errors: RecordingError where the note is damaged."""
        known = {one.layer.name: one for one in targets}
        made = cls(folder, plan, {name: LayerStatistics(one, extent(plan, samples)) for name, one in known.items()})
        if (folder / FILE).exists():
            tensors, facts = read_state(folder / FILE)
            made.statistics = {
                name: LayerStatistics.from_state(one, of_layer(tensors, name)) for name, one in known.items()
            }
            made.shards = int(facts["shards"])
            made.failures = [(index, Failure(name, reason)) for index, name, reason in facts["failures"]]
        made._sweep()
        return made

    def ready(self, shard: int) -> bool:
        """Whether the shard's file is there and whole; a damaged one is deleted, so that it is recorded again."""
        path = shard_file(self.folder, shard)
        if not path.exists():
            return False
        try:
            facts = read_state(path)[1]
        except RecordingError:
            facts = {}
        if facts.get("plan") == self.plan.key:
            return True
        path.unlink()
        return False

    def take(self) -> None:
        """Add the next shard. Errors: RecordingError where its file is damaged."""
        tensors, facts = read_state(shard_file(self.folder, self.shards))
        for name, one in self.statistics.items():
            one.merge(LayerStatistics.from_state(one.target, of_layer(tensors, name)))
        self.failures += [(index, Failure(name, reason)) for index, name, reason in facts["failures"]]
        self.shards += 1
        if self.shards % EVERY == 0 and self.shards < self.plan.shards:
            self._note()

    def _note(self) -> None:
        tensors: dict[str, Tensor] = {}
        for layer, one in self.statistics.items():
            tensors |= {f"{layer}//{name}": tensor for name, tensor in one.state().items()}
        listed = [(index, failure.name, failure.reason) for index, failure in self.failures]
        write_state(self.folder / FILE, tensors, {"shards": self.shards, "failures": listed})
        self._sweep()

    def _sweep(self) -> None:
        """Delete the files of shards that are in the noted sums, and what killed writers left."""
        for path in (self.folder / "shards").glob("*.state"):
            if int(path.stem) < self.shards:
                path.unlink(missing_ok=True)
        for path in self.folder.rglob("*.partial"):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def of_layer(tensors: dict[str, Tensor], layer: str) -> dict[str, Tensor]:
    """The tensors of one layer, under their names in it."""
    prefix = f"{layer}//"
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
