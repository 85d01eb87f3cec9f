"""What the commands say: results on stdout, progress and refusals on stderr, in words or as JSON."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hooke.errors import HookeError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

INTERRUPTED = 130
"""The exit code after Ctrl-C."""

ORANGE = "yellow"
"""The colour of what is meant: orange in most themes, and never red, which eight colours would make of true orange."""


def console(*, stderr: bool = False) -> "Console":
    """A plain console: no markup and no guessed colours; lines are not cut where the output is piped."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 400
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=True, width=width)


def table(*columns: str, right: tuple[str, ...] = ()) -> "Table":
    """An empty table under a hairline; the columns named in `right` hold numbers."""
    from rich import box
    from rich.table import Table

    empty = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim", border_style="dim")
    for name in columns:
        empty.add_column(name, justify="right" if name in right else "left", no_wrap=True)
    return empty


def row(into: "Table", *cells: object) -> None:
    """Add a row; cells are plain text (never markup), None is left blank."""
    from rich.text import Text

    into.add_row(*(Text("" if cell is None else str(cell)) for cell in cells))


def emit(data: object, *, indent: int | None = 2) -> None:
    """JSON data, or dataclasses, as one JSON document on stdout; in one line where `indent` is None."""
    print(json.dumps(data, indent=indent, ensure_ascii=False, default=_plain), flush=True)


def say(text: str) -> None:
    """A remark on stderr."""
    console(stderr=True).print(text)


def refuse(error: HookeError, *, as_json: bool) -> None:
    """An error on stderr: request, reason, choices and next step."""
    if as_json:
        fields = {"request": error.request, "reason": error.reason, "choices": list(error.choices)}
        _json_error(type(error).__name__, {**fields, "next_step": error.next_step})
        return
    from rich.text import Text

    first, *rest = str(error).splitlines()
    console(stderr=True).print(Text("hooke: ", style=ORANGE) + Text("\n".join([first, *rest])))


def refuse_usage(message: str, *, as_json: bool) -> None:
    """A command line that cannot be understood, on stderr."""
    hint = "hooke --help, or hooke COMMAND --help, lists what there is"
    if as_json:
        _json_error("usage", {"request": "the command line", "reason": message, "choices": [], "next_step": hint})
        return
    from rich.text import Text

    console(stderr=True).print(Text("hooke: ", style=ORANGE) + Text(f"{message}\n  next: {hint}"))


@contextmanager
def opening(model: str) -> Iterator[None]:
    """A spinner while libraries and a model are loaded (none where output is piped); Ctrl-C ends the process at once.

    At once, because some libraries swallow a KeyboardInterrupt that comes while they are imported.
    """

    def leave(*_: object) -> None:
        print("\x1b[?25h" if watched() else "", end="", file=sys.stderr, flush=True)  # the spinner hid the cursor
        os._exit(INTERRUPTED)

    before = signal.signal(signal.SIGINT, leave)
    try:
        with (
            console(stderr=True).status(f"opening {model}", spinner_style=ORANGE, refresh_per_second=4)
            if watched()
            else nullcontext()
        ):
            yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def progress() -> Iterator["Progress"]:
    """A progress bar with the time left, gone when done; nothing where output is piped."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(complete_style=ORANGE, finished_style=ORANGE),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console(stderr=True), transient=True, disable=not watched()) as bar:
        yield bar


@contextmanager
def naming(what: str) -> Iterator[Callable[[str, float, float], None]]:
    """A progress bar of one task in parts; it is told which part goes on, how much is done, and of how much."""
    with progress() as bar:
        task = bar.add_task(what, total=None)
        yield lambda part, done, total: bar.update(task, description=part, completed=min(done, total), total=total)


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar of one task; it is told how much is done, and of how much."""
    with naming(what) as tell:
        yield lambda done, total: tell(what, done, total)


def watched() -> bool:
    """Whether somebody looks at a terminal."""
    return sys.stdout.isatty() and sys.stderr.isatty()


def _json_error(kind: str, fields: dict[str, Any]) -> None:
    print(json.dumps({"error": kind, **fields}, ensure_ascii=False), file=sys.stderr, flush=True)


def _plain(value: Any) -> Any:
    try:
        return asdict(value)
    except TypeError:
        return str(value)
