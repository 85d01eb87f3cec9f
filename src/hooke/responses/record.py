"""Recording: every unit's responses to any number of inputs, in one pass that can be interrupted and resumed."""

import dataclasses
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hooke.engines.local import map_shards
from hooke.errors import EngineError, HookeError, ModelError, RecordingError, nearest
from hooke.modalities.datasets import dataset
from hooke.modalities.samples import Samples
from hooke.models.model import Model
from hooke.responses.folder import finish, is_finished
from hooke.responses.gathering import target
from hooke.responses.plan import KEEP, Plan
from hooke.responses.recording import Recording, open_recording
from hooke.responses.reduction import Reduction
from hooke.responses.shards import Work, make_arrays, shard_file

Progress = Callable[[int, int], None]
"""Called with how many inputs are recorded, and of how many."""


def record(
    model: Model,
    data: Any = None,
    *,
    at: Sequence[str] | None = None,
    out: Path | str | None = None,
    keep: str = "both",
    whole: Sequence[str] = (),
    positions: int = 4,
    spatial: bool = False,
    batch: int | None = None,
    shard: int = 1024,
    threads: int | None = None,
    workers: int = 0,
    fast: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> Recording:
    """The responses of all channels of the layers `at` to all of the data, from one pass of bounded memory.

    `at` None: every activation layer. `data` is what `dataset` takes. `keep`: "both", "statistics", or "responses"
    (each input's mean and largest value, in half precision, without the matrices); `whole`: layers kept whole.
    `positions`: sampled positions of each input for histograms, quantiles, variance and examples; `spatial`: second
    moments over these, too. `fast`: in the model's fastest equal form. What is in `out` already is continued; the
    result is the same bytes whether or not, and with however many workers, the work was done.
    Errors: AddressError, DataError; RecordingError where `out` holds something else or cannot be written.
    """
    samples = dataset(data)
    folder = Path(tempfile.mkdtemp(prefix="hooke-recording-")) if out is None else Path(out).expanduser()
    layers = _layers(model, at)
    _check(model, keep, positions, shard, whole, layers, workers)
    plan = Plan(
        model.name, model.source, model.fingerprint,
        str(model.dtype).removeprefix("torch."), samples.place, samples.key, len(samples), layers, keep, tuple(whole),
        positions, spatial, fast, batch or 8, shard, threads or max(1, (os.cpu_count() or 1) // max(1, workers)), seed,
    )  # fmt: skip
    with _alone(folder):
        begun = Plan.read(folder)
        if begun is None:
            _check_empty(folder)
            plan.write(folder)
        else:
            wanted = dataclasses.replace(plan, batch=batch or begun.batch, threads=threads or begun.threads)
            begun.check(wanted, folder)
            plan = begun
        if not is_finished(folder):
            _work(folder, plan, model, samples, workers, progress)
    return open_recording(folder)


def _work(folder: Path, plan: Plan, model: Model, samples: Samples, workers: int, progress: Progress | None) -> None:
    """Record the shards that are missing, add all of them up in order, and finish."""
    work = Work(folder, plan, model, samples)
    targets = [target(model, name) for name in plan.layers]
    reduction = Reduction.resume(folder, plan, targets, samples)
    missing = [number for number in range(reduction.shards, plan.shards) if not reduction.ready(number)]
    make_arrays(folder, plan, targets)
    _advance(reduction, plan, progress)
    try:
        for _ in map_shards(work, missing, workers=workers):
            _advance(reduction, plan, progress)
    except EngineError as failure:
        if isinstance(failure.__cause__, HookeError):
            raise failure.__cause__ from failure
        raise
    finish(folder, plan, reduction, samples)


def _advance(reduction: Reduction, plan: Plan, progress: Progress | None) -> None:
    while reduction.shards < plan.shards and shard_file(reduction.folder, reduction.shards).exists():
        reduction.take()
    if progress:
        progress(min(reduction.shards * plan.shard, plan.inputs), plan.inputs)


def _layers(model: Model, at: Sequence[str] | None) -> tuple[str, ...]:
    if at is None:
        chosen = tuple(layer.name for layer in model.layers.activations if layer.channels is not None)
        if not chosen:
            reason = "it has no layer that is a nonlinearity"
            raise ModelError(f"recording {model.name}", reason, next_step="name layers: see `hooke layers MODEL`")
        return chosen
    order = [layer.name for layer in model.layers]
    names = {target(model, name).layer.name for name in at}
    return tuple(name for name in order if name in names)


def _check(
    model: Model, keep: str, positions: int, shard: int, whole: Sequence[str], layers: Sequence[str], workers: int
) -> None:
    request = f"recording {model.name}"
    if keep not in KEEP:
        raise RecordingError(request, f"keep={keep!r} is not known", choices=KEEP)
    if not layers:
        raise RecordingError(request, "no layer is given", next_step="leave `at` out for all activation layers")
    if min(positions, shard) < 1 or workers < 0:
        raise RecordingError(request, "positions and shard are at least 1, workers at least 0")
    for name in whole:
        if name not in layers:
            reason = f"{name} is to be kept whole but is not recorded"
            raise RecordingError(request, reason, choices=nearest(name, layers))


def _check_empty(folder: Path) -> None:
    strangers = [entry.name for entry in folder.iterdir() if entry.name != "lock"]
    if strangers:
        reason = f"it holds something else ({', '.join(sorted(strangers)[:3])})"
        raise RecordingError(f"recording into {folder}", reason, next_step="give an empty folder, or a new one")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else records into the folder meanwhile; RecordingError where somebody does or it cannot be written."""
    request = f"recording into {folder}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "lock", timeout=0)
        lock.acquire()
    except Timeout:
        raise RecordingError(request, "another process is recording into it", next_step="wait for it") from None
    except OSError as refusal:
        reason = f"it cannot be written ({refusal.strerror or refusal})"
        raise RecordingError(request, reason, next_step="give another folder") from refusal
    try:
        yield
    finally:
        lock.release()
        with suppress(OSError):
            (folder / "lock").unlink(missing_ok=True)
