"""The folder of a published copy: each file is put there once, whole; what is there already is not made again."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hooke.errors import PublishError
from hooke.publish.names import file_of
from hooke.storage.whole import put_whole

QUESTION = "hooke-site.json"
"""What the copy answers: it may only be continued with the same."""
DIGITS = 5
"""Significant digits of published numbers."""


class Folder:
    """The files of one copy; PublishError where the folder cannot be written, or holds another copy."""

    def __init__(self, root: Path, question: Mapping[str, Any]) -> None:
        self.root = root
        stamp = root / QUESTION
        text = json.dumps(question, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        known = stamp.read_text(encoding="utf-8") if stamp.is_file() else None
        if known not in (None, text):
            reason = "the folder holds a copy of another model, of other photographs, layers or settings"
            raise PublishError(f"publish into {root}", reason, next_step="name an empty folder, or delete this one")
        if known is None and root.is_dir() and any(root.iterdir()):
            reason = "the folder is not empty, and holds no published copy"
            raise PublishError(f"publish into {root}", reason, next_step="name an empty folder")
        self.put(QUESTION, text.encode())

    def has(self, file: str) -> bool:
        """Whether the file is there."""
        return (self.root / file).is_file()

    def put(self, file: str, content: bytes) -> None:
        """Puts a file there, unless it is there with the same content."""
        path = self.root / file
        try:
            if not (path.is_file() and path.read_bytes() == content):
                put_whole(path, content)
        except OSError as error:
            raise PublishError(f"write {path}", error.strerror or str(error)) from None

    def picture(self, content: bytes) -> str:
        """Puts a WebP there under the hash of its content; its address from the page."""
        file = f"pictures/{hashlib.sha256(content).hexdigest()[:20]}.webp"
        self.put(file, content)
        return file

    def answered(self, request: str) -> bool:
        """Whether the answer to a request is there."""
        return self.has(file_of(request))

    def answer(self, request: str) -> Any:
        """The answer that is there, as JSON data."""
        return json.loads((self.root / file_of(request)).read_bytes())

    def keep(self, request: str, data: Any) -> None:
        """Puts the answer to a request there."""
        text = json.dumps(rounded(data), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        self.put(file_of(request), text.encode())


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
