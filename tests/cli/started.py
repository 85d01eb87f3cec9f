"""The program in a process of its own that has torch and the model zoo imported already: each command is a fork of it.

`python started.py` reads one request a line and answers each with the exit code. Importing takes four of the five
seconds of most commands; `tests/cli/test_program.py` also starts the installed program itself.
"""

import json
import os
import signal
import sys
import traceback
from typing import Any, NoReturn


def carried_out(asked: dict[str, Any]) -> NoReturn:
    """Be the program, with these arguments, this environment and these files as its streams."""
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    for stream, (name, mode) in enumerate((("input", "r"), ("out", "w"), ("err", "w"))):
        with open(asked[name], mode) as file:
            os.dup2(file.fileno(), stream)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout, sys.stderr = (os.fdopen(at, "w", encoding="utf-8", closefd=False) for at in (1, 2))
    sys.path[:1] = filter(None, asked["environment"].get("PYTHONPATH", "").split(os.pathsep))
    signal.alarm(60)  # whoever hangs is ended
    sys.argv = ["hooke", *asked["arguments"]]
    code: object = 0
    try:
        from hooke.cli import main

        main()
    except SystemExit as left:
        code = left.code
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def wait() -> None:
    """Import what is slow, then fork for each request until the input ends."""
    import hooke.cli.program
    import hooke.models.opening  # noqa: F401

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            carried_out(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    wait()
