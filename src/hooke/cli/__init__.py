"""The command `hooke`: one file a command, everything heavy imported when it is needed."""


def main() -> None:
    """Run the command line and end the process with its exit code."""
    import os

    # Read when torch is first imported. By default its idle threads spin, which starves whoever else computes: on a
    # busy machine of two cores drawing was five times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from hooke.cli.program import run

    raise SystemExit(run())
