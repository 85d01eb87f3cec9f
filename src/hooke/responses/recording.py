"""A finished recording, read-only: who was recorded over what, and each layer's statistics when they are asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hooke.displayed import Displayed
from hooke.errors import AddressError, DataError, RecordingError, nearest
from hooke.responses.values import (
    Extremes,
    Failure,
    Groups,
    Histogram,
    LayerRecording,
    Reservoir,
)

if TYPE_CHECKING:
    from hooke.modalities.samples import Samples

__all__ = [
    "Extremes", "Failure", "Groups", "Histogram", "LayerRecording", "Recording", "Reservoir", "merge", "open_recording"
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Recording(Displayed):
    """A finished recording, read-only; `layer` loads one layer's tensors when it is first asked for."""

    folder: Path
    fingerprint: str
    model: str
    source: str
    """What `hooke.open` takes; empty where the model was a module."""
    data: str
    data_key: str
    names: tuple[str, ...]
    labels: tuple[str | None, ...]
    groups: tuple[str | None, ...]
    failures: tuple[Failure, ...]
    layers: tuple[str, ...]
    load: Callable[[str], LayerRecording] = field(repr=False)
    """Reads one layer of the folder."""

    def layer(self, name: str) -> LayerRecording:
        """The statistics of one layer; AddressError with the nearest names where it was not recorded."""
        if name not in self.layers:
            raise AddressError(
                f"layer {name} of the recording {self.folder}",
                "it was not recorded",
                choices=nearest(name, self.layers),
                next_step="record it: `hooke record MODEL --layers ...`",
            )
        if name not in self._loaded:
            self._loaded[name] = self.load(name)
        return self._loaded[name]

    def samples(self) -> "Samples":
        """The data again (for crops); DataError where it moved or changed since."""
        from hooke.modalities.datasets import dataset

        request = f"the data of the recording {self.folder}"
        if not self.data:
            reason = "it was no place on a disk, or more than one"
            raise DataError(request, reason, next_step="give the data itself: data=")
        found = dataset(self.data)
        if found.key != self.data_key:
            reason = f"{self.data} is not what was recorded: it changed"
            raise DataError(request, reason, next_step="put it back as it was, or record again")
        return found

    @cached_property
    def _loaded(self) -> dict[str, LayerRecording]:
        return {}


def open_recording(folder: Path | str) -> Recording:
    """The finished recording in a folder.

    Errors: RecordingError where there is none, it is not finished, or it is damaged (a layer's file is checked when
    the layer is loaded).
    """
    from hooke.responses.folder import Index, layer_recording
    from hooke.responses.plan import Plan

    path = Path(folder).expanduser()
    index, plan = Index.read(path), Plan.read(path)
    if plan is None:
        raise RecordingError(f"the recording {path}", "its plan.json is missing", next_step="copy it again")
    numbers = {name: at for at, name in enumerate(plan.layers)}
    return Recording(
        path, plan.fingerprint, plan.model, plan.source, plan.data, plan.data_key, index.names, index.labels,
        index.groups, tuple(Failure(name, reason) for name, reason in index.failures), plan.layers,
        load=lambda name: layer_recording(path, numbers[name], index),
    )  # fmt: skip


def merge(first: Recording, second: Recording, out: Path | str) -> Recording:
    """One recording of the inputs of both, those of `first` before those of `second`, in the folder `out`.

    What was counted or compared is as if all had been recorded at once; sums agree to rounding. An input in both
    counts twice. Errors: RecordingError where the models or the plans differ, or `out` is not empty.
    """
    from hooke.responses.merging import merge_folders

    merge_folders(first, second, Path(out).expanduser())
    return open_recording(out)
