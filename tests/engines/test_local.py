"""The local engine: order, failures, deaths, and no process left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from engines import work

from hooke.engines.local import map_shards
from hooke.errors import EngineError


@pytest.mark.parametrize("workers", [0, 2])
def test_results_come_in_the_order_of_the_shards(workers: int) -> None:
    assert list(map_shards(work.square, range(9), workers=workers)) == [(n, n * n) for n in range(9)]


def test_a_slow_shard_holds_the_order() -> None:
    assert [index for index, _ in map_shards(work.slow_first, range(6), workers=2)] == list(range(6))


@pytest.mark.parametrize("workers", [0, 2])
def test_no_shards_no_results(workers: int) -> None:
    assert list(map_shards(work.square, [], workers=workers)) == []


def test_several_processes_work_and_tensors_come_back() -> None:
    assert os.getpid() not in {found for _, found in map_shards(work.process, range(4), workers=2)}
    assert [float(found.sum()) for _, found in map_shards(work.tensor, range(3), workers=1)] == [0, 100, 200]
    assert isinstance(next(map_shards(work.tensor, [5]))[1], torch.Tensor)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_failure_names_its_shard_after_the_results_before_it(workers: int) -> None:
    results, seen = map_shards(work.fail_at_three, range(6), workers=workers), []
    with pytest.raises(EngineError, match=r"shard 3 of 6: it failed: ValueError: three is too many") as caught:
        seen.extend(index for index, _ in results)
    assert isinstance(caught.value.__cause__, ValueError)
    assert 3 not in seen


def test_a_failure_that_cannot_be_sent_is_told_in_words() -> None:
    with pytest.raises(EngineError, match="ValueError: unsendable"):
        list(map_shards(work.fail_with_what_cannot_be_sent, range(2), workers=1))


def test_what_cannot_be_pickled_is_refused() -> None:
    with pytest.raises(EngineError, match="cannot be pickled"):
        list(map_shards(lambda shard: shard, range(2), workers=1))


def test_a_dead_worker_is_an_error_that_names_the_shard() -> None:
    with pytest.raises(EngineError, match=r"shard 0 of 2: the worker process that had it was killed by signal 9"):
        list(map_shards(work.die, range(2), workers=1))


def test_fewer_than_no_workers_are_refused() -> None:
    with pytest.raises(EngineError, match="-1 workers"):
        list(map_shards(work.square, range(2), workers=-1))


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_behind(end: signal.Signals, tmp_path: Path) -> None:
    here = Path(__file__).parents[1]
    program = subprocess.Popen(
        [sys.executable, str(here / "engines" / "work.py"), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(here)}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    workers = [int(file.name) for file in tmp_path.iterdir()]
    assert len(workers) == 2
    program.send_signal(end)
    program.wait(30)
    until = time.monotonic() + 10
    while any(map(alive, workers)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(alive, workers))


def test_leaving_early_ends_the_workers() -> None:
    work_underway = map_shards(work.process, range(50), workers=2)
    _, worker = next(work_underway)
    work_underway.close()
    until = time.monotonic() + 10
    while alive(worker) and time.monotonic() < until:
        time.sleep(0.02)
    assert not alive(worker)
