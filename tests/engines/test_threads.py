"""Parts side by side: in order, one thread of torch each, and the threads of everybody else as they were."""

import threading
from collections.abc import Callable

import pytest
import torch

from hooke.engines.threads import SideBySide


def test_parts_come_back_in_their_order() -> None:
    assert SideBySide(3).each(lambda part: part**2, range(20)) == [part**2 for part in range(20)]


def test_as_many_parts_as_there_are_threads_are_under_way_at_once() -> None:
    together = threading.Barrier(2)  # breaks where one part waits for the other to end
    assert len(SideBySide(2).each(lambda _: together.wait(30), range(4))) == 4


def test_each_part_has_one_thread_of_torch_and_nobody_else_has_fewer() -> None:
    def elsewhere(work: Callable[[], int]) -> int:
        found: list[int] = []
        other = threading.Thread(target=lambda: found.append(work()))
        other.start()
        other.join()
        return found[0]

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert SideBySide(2).each(lambda _: torch.get_num_threads(), range(8)) == [1] * 8
        assert torch.get_num_threads() == 2
        assert elsewhere(torch.get_num_threads) == 2
    finally:
        torch.set_num_threads(before)


def test_an_error_of_a_part_is_told_and_the_threads_go_on() -> None:
    side = SideBySide(2)
    with pytest.raises(ZeroDivisionError):
        side.each(lambda part: 1 / part, [1, 0, 2])
    assert side.each(lambda part: part, [1, 2]) == [1, 2]
