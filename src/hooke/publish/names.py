"""Which file of a published copy holds the answer to a request; `web/src/lib/address.ts` says the same."""

import re
from urllib.parse import parse_qsl, unquote

LONGEST = 80


def file_of(request: str) -> str:
    """The file, from the folder of the page: a legible beginning, and a hash of the whole request."""
    whole = canonical(request)
    slug = re.sub(r"^-(api-)?", "", re.sub(r"[^A-Za-z0-9._=]+", "-", whole))[:LONGEST]
    return f"data/{slug}.{fnv(whole):08x}.json"


def canonical(request: str) -> str:
    """A request with its parameters in order."""
    path, _, query = request.partition("?")
    if not query:
        return unquote(path)
    return f"{unquote(path)}?{'&'.join(sorted(f'{name}={value}' for name, value in parse_qsl(query, True)))}"


def fnv(text: str) -> int:
    """FNV-1a over the bytes of UTF-8, 32 bits: a hash that a browser computes without asking anyone."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value
