"""Attempts, early ends and resuming: known runs end where they must, and interruption changes no byte."""

import itertools
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from torch import nn
from visualization.by_hand import opened

from hooke.errors import NumericsError
from hooke.numeric.seeds import stream
from hooke.storage.store import Store
from hooke.visualization import Ascent, Fourier, Search, Still, batches, draw, question, visualize
from hooke.visualization.ascent import ascend
from hooke.visualization.objectives import Diversity, Response, objective

BRIGHT = Response("pixels", (0, None, None))


def moments(objectives, method, every=1000, record=lambda canvases: {"pixels": canvases}, known=None):
    streams = [stream(0, str(one)) for one in objectives]
    return list(ascend(record, objectives, method, 16, 3, streams, every, known=known))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return opened(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 144, 4))


def test_a_picture_ends_where_its_clean_response_reaches_the_target():
    method = Ascent(Fourier(), Still(), steps=100, rate=0.3, search=Search(target=0.8))
    (last,) = moments([BRIGHT], method)[-1:]
    assert last.step == 100
    assert 0 < last.stopped[0] < 100
    assert 0.8 <= last.scores[0] < 0.9
    whole = replace(method, search=Search())
    full = moments([BRIGHT], whole, every=1)
    assert torch.equal(full[last.stopped[0]].canvases, last.canvases)  # it is the picture of that step


def test_a_target_that_is_never_reached_takes_every_step():
    last = moments([BRIGHT], Ascent(steps=10, search=Search(target=2.0)))[-1]
    assert last.stopped == (None,)


def test_a_picture_ends_at_a_plateau_and_others_go_on():
    flat = 0.0 * BRIGHT + 1.0  # constant from the start: two spans of patience show it
    method = Ascent(Fourier(), Still(), steps=40, search=Search(plateau=0.01, patience=4))
    last = moments([flat, 10 * BRIGHT], method)[-1]
    assert last.stopped[0] == 7
    assert last.stopped[1] is None or last.stopped[1] > 7
    alone = moments([flat], method)[-1]
    assert torch.equal(alone.canvases[0], last.canvases[0])


def test_the_best_of_several_attempts_is_kept(model):
    method = Ascent(Fourier(size=16), steps=6, search=Search(attempts=3))
    pictures = visualize(model, ["3:1", "3:2", "3:3"], by=method)
    once = replace(method, search=Search())
    for picture in pictures:
        attempts = [response_of_attempt(model, picture.address, once, attempt) for attempt in range(3)]
        assert picture.response == max(attempts)
    assert any(
        picture.response > visualize(model, picture.address, by=once).response for picture in pictures
    )  # seldom is the first of three the best of all


def response_of_attempt(model, address, method, attempt):
    """The response that one attempt at an address comes to."""
    from hooke.models.fast import fast_form
    from hooke.models.taps import tapped

    one, fast = objective(model, address), fast_form(model, ["3"])
    again = [f"attempt {attempt}"] if attempt else []
    with tapped(fast, ["3"]) as taps:
        record = lambda canvases: taps(fast.modality.normalize(canvases))  # noqa: E731
        last = list(ascend(record, [one], method, 16, 3, [stream(0, address, *again)], 100))[-1]
    return last.scores[0].item()


def test_steps_rise_through_all_attempts_and_only_the_last_is_final(model):
    method = Ascent(Fourier(size=16), steps=8, search=Search(attempts=2))
    steps = [pictures[0].step for pictures in draw(model, ["3:1"], by=method, every=4)]
    assert steps == [0, 2, 4, 4, 6, 8]


@pytest.mark.parametrize("at", [1, 2, 5])
def test_going_on_from_any_state_gives_the_same_bytes(at):
    search = Search(plateau=0.02, patience=2)
    for objectives in ([BRIGHT, -BRIGHT], [BRIGHT + 1.0 * Diversity("pixels", 2)]):
        method = Ascent(Fourier(), steps=12, search=search)

        def run(known=None, objectives=objectives, method=method):
            names = [stream(0, str(place)) for place in range(2)]
            return ascend(lambda canvases: {"pixels": canvases}, objectives, method, 16, 3, names, at, known=known)

        whole = run()
        states = [(moment, moment.state()) for moment in itertools.islice(whole, 2)]
        last = list(whole)[-1]
        again = list(run(states[1][1]))
        assert torch.equal(again[0].canvases, states[1][0].canvases)
        assert torch.equal(again[-1].canvases, last.canvases)
        assert again[-1].scores.tolist() == last.scores.tolist()
        assert again[-1].stopped == last.stopped


SCRIPT = """
import sys
from pathlib import Path

import hooke
from hooke.visualization import Ascent, Fourier, Search, batches, draw
from hooke.storage.store import Store
batches.KEPT_EVERY = 0.0
method = Ascent(Fourier(size=48), steps=40, search=Search(attempts=2))
for pictures in draw(hooke.open(), ["bn1.act:1", "bn1.act:2"], by=method, every=4, store=Store(Path(sys.argv[1]))):
    print(pictures[0].step, flush=True)
"""


def test_a_killed_run_is_taken_up_to_the_same_bytes(default_model, tmp_path):
    method = Ascent(Fourier(size=48), steps=40, search=Search(attempts=2))
    units = ["bn1.act:1", "bn1.act:2"]
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    run = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert run.stdout
    for line in run.stdout:
        if int(line) >= 26:  # within the second attempt
            run.send_signal(signal.SIGKILL)
            break
    run.stdout.close()
    assert run.wait() == -signal.SIGKILL
    store = Store(tmp_path)
    assert len(list(tmp_path.glob("*-underway.entry"))) == 1
    resumed = list(draw(default_model, units, by=method, every=4, store=store))
    assert resumed[0][0].step >= 24  # not from the beginning
    assert not list(tmp_path.glob("*-underway.entry"))
    fresh = visualize(default_model, units, by=method)
    for one, other in zip(resumed[-1], fresh, strict=True):
        assert torch.equal(one.image, other.image)
        assert (one.response, one.peak) == (other.response, other.peak)


def test_nothing_is_kept_of_short_runs(model, tmp_path):
    drawing = draw(model, ["3:1"], by=Ascent(Fourier(size=16), steps=20), every=2, store=Store(tmp_path))
    next(drawing)
    next(drawing)
    drawing.close()
    assert not list(tmp_path.glob("*.entry"))
    assert batches.KEPT_EVERY > 5


def test_settings_of_a_search_are_part_of_the_question_and_the_usual_ones_change_no_key(model):
    usual = question(model, "3:1")
    assert "search" not in usual.question["method"]
    assert question(model, "3:1", by=Ascent(search=Search())).key == usual.key
    tried = question(model, "3:1", by=Ascent(search=Search(attempts=2)))
    assert tried.question["method"]["search"]["attempts"] == 2


def test_the_store_remembers_where_a_picture_ended(model, tmp_path):
    method = Ascent(Fourier(size=16), steps=50, search=Search(plateau=0.5, patience=3))
    first = visualize(model, "3:1", by=method, store=Store(tmp_path))
    again = visualize(model, "3:1", by=method, store=Store(tmp_path))
    assert first.stopped == again.stopped is not None


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"patience": 0}, {"plateau": -0.1}, {"plateau": 1.0}])
def test_settings_that_cannot_search_are_refused(wrong):
    with pytest.raises(NumericsError, match=r"cannot search(.|\n)*next:"):
        Search(**wrong)
