"""The folder of a published copy: each file is put there once, whole; what is there already is not made again."""

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hooke.errors import PublishError
from hooke.publish.names import file_of
from hooke.storage.whole import put_whole

QUESTION = "hooke-site.json"
"""What the copy answers: it may only be continued with the same."""
PACKED = ".gz"
"""Answers are there by gzip: the page unpacks them, whatever the server says of them or does to them."""
HALF = re.compile(r"\.\d+\.partial$")
"""Of a file whose writing was killed."""
DIGITS = 5
"""Significant digits of published numbers."""


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """What the disk refuses ends the work, as a PublishError: what is there by then is whole, and is gone on from."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise PublishError(f"publish into {root}", reason, next_step="mend it, and run the same again") from None


class Folder:
    """The files of one copy; OSError where it cannot be read or written, PublishError where it holds anything else."""

    def __init__(self, root: Path, question: Mapping[str, Any]) -> None:
        self.root = root
        text = json.dumps(question, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        there = [path for path in root.iterdir() if not HALF.search(path.name)] if root.is_dir() else []
        known = (root / QUESTION).read_bytes() if root / QUESTION in there else None
        if known not in (None, text.encode()):
            step = "name an empty folder, or delete this one"
            raise PublishError(f"publish into {root}", _other(known, question), next_step=step)
        if known is None and there:
            reason = "the folder is not empty, and holds no published copy"
            raise PublishError(f"publish into {root}", reason, next_step="name an empty folder")
        for path in root.rglob("*.partial"):
            if HALF.search(path.name):
                path.unlink(missing_ok=True)
        self.put(QUESTION, text.encode())

    def has(self, file: str) -> bool:
        """Whether the file is there."""
        return (self.root / file).is_file()

    def put(self, file: str, content: bytes) -> None:
        """Puts a file there, unless it is there with the same content."""
        path = self.root / file
        if not (path.is_file() and path.read_bytes() == content):
            put_whole(path, content)

    def picture(self, content: bytes) -> str:
        """Puts a WebP there under the hash of its content; its address from the page."""
        file = f"pictures/{hashlib.sha256(content).hexdigest()[:20]}.webp"
        self.put(file, content)
        return file

    def answered(self, request: str) -> bool:
        """Whether the answer to a request is there."""
        return self.has(file_of(request) + PACKED)

    def answer(self, request: str) -> Any:
        """The answer that is there, as JSON data; PublishError where somebody changed it into something else."""
        return self._read(self.root / (file_of(request) + PACKED))

    def answers(self) -> dict[str, Any]:
        """All answers that are there, by the names that the page asks for them by."""
        files = sorted((self.root / "data").glob(f"*.json{PACKED}"))
        return {f"data/{path.name.removesuffix(PACKED)}": self._read(path) for path in files}

    def _read(self, path: Path) -> Any:
        try:
            return json.loads(gzip.decompress(path.read_bytes()))
        except (ValueError, EOFError, zlib.error, gzip.BadGzipFile):
            step = "delete this file, and run the same again"
            raise PublishError(f"read {path}", "it holds no answer any more", next_step=step) from None

    def keep(self, request: str, data: Any) -> None:
        """Puts the answer to a request there."""
        text = json.dumps(rounded(data), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        self.put(file_of(request) + PACKED, gzip.compress(text.encode(), mtime=0))

    def prune(self) -> None:
        """Takes away the pictures that no answer shows any more: those of a run that had to leave something out."""
        shown = set(re.findall(r"pictures/[0-9a-f]{20}\.webp", json.dumps(list(self.answers().values()))))
        for path in (self.root / "pictures").glob("*.webp"):
            if f"pictures/{path.name}" not in shown:
                path.unlink(missing_ok=True)


def _other(known: bytes | None, question: Mapping[str, Any]) -> str:
    """In what the copy that is there differs."""
    try:
        held = json.loads(known or b"")
        differ = [name for name in question if held.get(name) != question[name]]
    except (ValueError, AttributeError):
        differ = []
    return "the folder holds another copy" + (f"; what differs: {', '.join(differ)}" if differ else "")


def rounded(data: Any) -> Any:
    """JSON data whose numbers have at most five significant digits; whole ones are written without a point."""
    if isinstance(data, float):
        if data != data or data in (float("inf"), float("-inf")):
            return None
        short = float(f"{data:.{DIGITS}g}")
        return int(short) if short.is_integer() and abs(short) < 1e15 else short
    if isinstance(data, dict):
        return {key: rounded(value) for key, value in data.items()}
    return [rounded(value) for value in data] if isinstance(data, list) else data
