"""Work for the engine's tests: functions that a fresh process can import."""

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from hooke.engines.local import map_shards


def square(shard: int) -> int:
    return shard * shard


def slow_first(shard: int) -> int:
    time.sleep(0.5 if shard == 0 else 0)
    return shard


def fail_at_three(shard: int) -> int:
    if shard == 3:
        raise ValueError("three is too many")
    return shard


def fail_with_what_cannot_be_sent(shard: int) -> int:
    error = ValueError("unsendable")
    error.content = lambda: None  # type: ignore[attr-defined]
    raise error


def die(shard: int) -> int:
    os.kill(os.getpid(), 9)
    return shard


def tensor(shard: int) -> object:
    import torch

    return torch.full((100,), float(shard))


def process(shard: int) -> int:
    return os.getpid()


@dataclass(frozen=True)
class Touch:
    """Writes the process' number into a folder, then works for long."""

    folder: Path

    def __call__(self, shard: int) -> int:
        (self.folder / str(os.getpid())).touch()
        time.sleep(60)
        return shard


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are started deaf to it
    for _ in map_shards(Touch(Path(sys.argv[1])), range(8), workers=2):
        pass
