"""The command `hooke`: one file a command, everything heavy imported when it is needed."""


def main() -> None:
    """Run the command line and end the process with its exit code."""
    from hooke.cli.program import run

    raise SystemExit(run())
