"""Files that are there whole or not at all: tensors and facts under a checksum."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from hooke.errors import RecordingError
from hooke.storage.whole import put_whole

_MAGIC = b"hooke state 1\n"


def write_bytes(path: Path, content: bytes) -> None:
    """Put a file in place at once. Errors: RecordingError where it cannot be written (full disk, read-only folder)."""
    try:
        put_whole(path, content)
    except OSError as refusal:
        raise RecordingError(
            f"the recording {path.parent}",
            f"{path.name} cannot be written ({refusal.strerror or refusal})",
            next_step="free some room, or make the folder writable, and record again: what is finished is kept",
        ) from refusal


def write_state(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Put tensors and JSON facts in place at once. Errors: RecordingError where they cannot be written."""
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    payload = safetensors.torch.save(whole, metadata={"facts": json.dumps(dict(facts), sort_keys=True)})
    write_bytes(path, b"".join((_MAGIC, hashlib.sha256(payload).digest(), payload)))


def read_state(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `write_state` put there. Errors: RecordingError where the file is missing or damaged."""
    head = len(_MAGIC) + 32
    try:
        content = path.read_bytes()
    except OSError as refusal:
        raise _damaged(path, refusal.strerror or str(refusal)) from refusal
    payload = content[head:]
    if not content.startswith(_MAGIC) or hashlib.sha256(payload).digest() != content[len(_MAGIC) : head]:
        raise _damaged(path, f"its checksum does not fit its {len(content):,} bytes")
    length = int.from_bytes(payload[:8], "little")
    facts = json.loads(json.loads(payload[8 : 8 + length])["__metadata__"]["facts"])
    return safetensors.torch.load(payload), facts


def _damaged(path: Path, reason: str) -> RecordingError:
    return RecordingError(
        f"the recording {path.parent}",
        f"{path.name} is damaged or missing ({reason})",
        next_step="copy the recording again, or delete its folder and record again",
    )
