"""The work of a recording, shard by shard: read, run, gather, add up, and leave the sums in a file."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hooke.errors import DataError, ImageError
from hooke.modalities.samples import Samples
from hooke.models.model import Model
from hooke.numeric.streaming.chance import draws
from hooke.responses.forms import recorded_form
from hooke.responses.gathering import Gathered, Gatherer, Target, target
from hooke.responses.plan import Plan
from hooke.responses.states import write_state
from hooke.responses.statistics import Extent, Facts, LayerStatistics
from hooke.responses.values import Failure
from hooke.storage.arrays import Rows, chunk_rows

BLOCK = 256
"""Inputs whose gathered values are in memory at once."""


@dataclass
class Work:
    """The pure function of a recording: `work(shard)` leaves the shard's file in the folder and returns its number."""

    folder: Path
    plan: Plan
    opened: Model
    samples: Samples

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "plan": self.plan, "opened": self.opened, "samples": self.samples}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    @cached_property
    def model(self) -> Model:
        """The model in the form that is recorded."""
        return recorded_form(self.opened, self.plan.layers) if self.plan.fast else self.opened

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """The layers."""
        return tuple(target(self.model, name) for name in self.plan.layers)

    @cached_property
    def extent(self) -> Extent:
        """Which statistics are kept."""
        return extent(self.plan, self.samples)

    def __call__(self, shard: int) -> int:
        """Record one shard. Errors: RecordingError and StoreError where nothing can be written."""
        with threads(self.plan.threads):
            first = shard * self.plan.shard
            indices = range(first, min(first + self.plan.shard, self.plan.inputs))
            statistics = {one.layer.name: LayerStatistics(one, self.extent) for one in self.targets}
            responses = Responses(self.folder, self.plan, self.targets, indices)
            failures: list[tuple[int, Failure]] = []
            gatherer = Gatherer(self.model, self.targets, frozenset(self.plan.whole), self.plan.positions)
            for begin in range(indices.start, indices.stop, BLOCK):
                block = range(begin, min(begin + BLOCK, indices.stop))
                read, gathered = self._gather(gatherer, block, failures)
                facts = self._facts(read)
                for name, found in gathered.items():
                    statistics[name].add(found, facts)
                    responses.put(name, statistics[name], read, found)
            responses.write()
            self._leave(shard, statistics, failures)
        return shard

    def _gather(
        self, gatherer: Gatherer, block: range, failures: list[tuple[int, Failure]]
    ) -> tuple[list[int], dict[str, Gathered]]:
        """What the layers hold for a block of inputs, and which of these could be read and gave numbers."""
        read: list[int] = []
        gatherer.run(self._batches(block, read, failures))
        gathered = gatherer.take()
        sound = torch.ones(len(read), dtype=torch.bool)
        for name, found in gathered.items():
            finite = found.finite()
            for at in (sound & ~finite).nonzero()[:, 0].tolist():
                index = read[at]
                failures.append((index, Failure(self.samples.names[index], f"NaN or infinity at the layer {name}")))
            sound &= finite
        if not bool(sound.all()):
            read = [index for index, good in zip(read, sound.tolist(), strict=True) if good]
            gathered = {name: found.only(sound) for name, found in gathered.items()}
        failures.sort(key=lambda one: one[0])
        return read, gathered

    def _batches(
        self, block: range, read: list[int], failures: list[tuple[int, Failure]]
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Normalized batches of the inputs that can be read; a thread decodes ahead."""
        model, waiting = self.model, list[tuple[int, Tensor]]()
        layout = torch.channels_last if self.plan.fast else torch.contiguous_format
        with ThreadPoolExecutor(1) as pool:
            decoded = _ahead(pool, self._read, list(block), 2 * self.plan.batch)
            for number, (index, found) in enumerate(decoded, 1):
                if isinstance(found, Tensor):
                    waiting.append((index, found))
                else:
                    failures.append((index, Failure(self.samples.names[index], found)))
                if waiting and (len(waiting) == self.plan.batch or number == len(block)):
                    indices, canvases = [one for one, _ in waiting], torch.stack([canvas for _, canvas in waiting])
                    waiting = []
                    read.extend(indices)
                    batch = model.modality.normalize(canvases).to(model.device, model.dtype, memory_format=layout)
                    yield batch, draws(self.plan.seed, torch.tensor(indices), self.plan.positions)

    def _read(self, index: int) -> tuple[int, Tensor | str]:
        try:
            return index, self.samples.read(index, self.opened.modality)
        except (ImageError, DataError) as fault:
            return index, fault.reason

    def _facts(self, read: Sequence[int]) -> Facts:
        inputs, plan = torch.tensor(read, dtype=torch.int64), self.plan
        chance = draws(plan.seed, inputs, plan.positions)
        order = draws(~plan.seed ^ int(plan.data_key[:12] or "0", 16), inputs, plan.positions)
        priorities = (order * (2**31 - 1)).to(torch.int32)
        return Facts(inputs, self._numbers(self.samples.labels, read), self._numbers(self.samples.groups, read),
                     chance, priorities)  # fmt: skip

    def _numbers(self, names: Sequence[str | None], read: Sequence[int]) -> Tensor:
        known = {name: number for number, name in enumerate(distinct(names))}
        return torch.tensor([known.get(names[index] or "", -1) for index in read], dtype=torch.int64)

    def _leave(self, shard: int, statistics: dict[str, LayerStatistics], failures: list[tuple[int, Failure]]) -> None:
        tensors: dict[str, Tensor] = {}
        for layer, one in statistics.items():
            tensors |= {f"{layer}//{name}": tensor for name, tensor in one.state().items()}
        listed = [(index, failure.name, failure.reason) for index, failure in failures]
        write_state(shard_file(self.folder, shard), tensors, {"plan": self.plan.key, "failures": listed})


class Responses:
    """The responses of a shard's inputs, on their way into arrays: one row for every input, NaN where it failed."""

    def __init__(self, folder: Path, plan: Plan, targets: Sequence[Target], indices: range) -> None:
        self.folder, self.plan, self.indices = folder, plan, indices
        self.targets = {one.layer.name: one for one in targets}
        self.blocks: dict[tuple[str, str], Tensor] = {}

    def put(self, layer: str, statistics: LayerStatistics, read: Sequence[int], found: Gathered) -> None:
        """Keep what the plan wants of some inputs, in half precision."""
        if self.plan.keep != "statistics":
            self._put(("mean", layer), read, found.means)
            self._put(("peak", layer), read, statistics.after(found)[1])
        if found.whole is not None:
            self._put(("whole", layer), read, found.whole)

    def write(self) -> None:
        """Write the shard's rows; again is the same. Errors: StoreError, NumericsError."""
        for (kind, layer), block in self.blocks.items():
            rows(self.folder, self.plan, kind, self.targets[layer]).write(self.indices.start, block.numpy())

    def _put(self, key: tuple[str, str], read: Sequence[int], found: Tensor) -> None:
        if key not in self.blocks:
            dtype = torch.float16 if key[0] == "whole" else torch.float32
            self.blocks[key] = torch.full((len(self.indices), *found.shape[1:]), torch.nan, dtype=dtype)
        self.blocks[key][torch.tensor(read, dtype=torch.int64) - self.indices.start] = found.to(self.blocks[key].dtype)


def rows(folder: Path, plan: Plan, kind: str, target: Target) -> Rows:
    """The array of one kind of response ("mean", "peak", "whole") of one layer; made where it is not there."""
    sides = (target.height, target.width) if kind == "whole" else ()
    shape = (plan.inputs, target.channels, *sides)
    most = min(plan.shard, chunk_rows((plan.shard, *shape[1:])))
    chunk = next(size for size in range(most, 0, -1) if plan.shard % size == 0)
    return Rows.create(folder / "responses" / kind / target.layer.name, shape, rows=min(chunk, plan.inputs))


def make_arrays(folder: Path, plan: Plan, targets: Sequence[Target]) -> None:
    """Make the arrays before any worker starts, so that no two make the same one."""
    kinds = () if plan.keep == "statistics" else ("mean", "peak")
    for one in targets:
        for kind in (*kinds, *(("whole",) if one.layer.name in plan.whole else ())):
            path = folder / "responses" / kind / one.layer.name
            if not path.with_name(path.name + ".compact").exists() and not _compacted(path, plan):
                rows(folder, plan, kind, one)


def _compacted(path: Path, plan: Plan) -> bool:
    """Whether an array is there already without its failed rows: only finishing was interrupted."""
    return (path / "zarr.json").exists() and Rows.open(path).shape[0] != plan.inputs


def extent(plan: Plan, samples: Samples) -> Extent:
    """Which statistics a plan keeps over these samples."""
    names = len(distinct(samples.labels)), len(distinct(samples.groups))
    return Extent(*names, pooled=plan.keep != "responses", spatial=plan.spatial)


def distinct(names: Sequence[str | None]) -> tuple[str, ...]:
    """The different names there are, sorted."""
    return tuple(sorted({name for name in names if name}))


def shard_file(folder: Path, shard: int) -> Path:
    """Where a shard's sums are left."""
    return folder / "shards" / f"{shard:06d}.state"


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Run torch with so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _ahead(pool: ThreadPoolExecutor, function: Any, items: Sequence[int], ahead: int) -> Iterator[Any]:
    """Results in order, computed at most so many ahead of what is taken."""
    waiting = []
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) > ahead:
            yield waiting.pop(0).result()
    while waiting:
        yield waiting.pop(0).result()
