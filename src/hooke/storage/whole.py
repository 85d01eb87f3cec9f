"""A file that is there whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path


def put_whole(path: Path, content: bytes) -> None:
    """Put a file in place at once, also after a power cut; its folder is made. OSError where that is not possible."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
