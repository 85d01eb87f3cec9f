"""Random streams that depend on a seed and a name only, never on what else is computed beside them."""

import hashlib

import torch


def stream(seed: int, *names: str) -> torch.Generator:
    """A CPU random generator for `names` under `seed`; the same on every machine, whatever was drawn before."""
    text = "\x1f".join((str(seed), *names))
    digest = hashlib.sha256(text.encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
