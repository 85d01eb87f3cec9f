"""Answers that are no JSON, or packed, and how long a browser may keep an answer."""

import gzip
import hashlib

from starlette.requests import Request
from starlette.responses import Response

FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
"""For addresses that contain the hash of what they answer."""

REVALIDATE = {"Cache-Control": "private, no-cache"}

VARIES, PACKED = {"Vary": "Accept-Encoding"}, {"Content-Encoding": "gzip"}
"""Of what is there packed and plain; of what is packed."""


class Png(Response):
    """A picture."""

    media_type = "image/png"


class WebP(Response):
    """A small picture."""

    media_type = "image/webp"


class EventStream(Response):
    """Server-sent events, for the description of routes."""

    media_type = "text/event-stream"


def packed(request: Request, body: bytes) -> Response:
    """A long answer in JSON, compressed for those who take it so."""
    headers = {**REVALIDATE, **VARIES}
    if unpacks(request):
        body, headers = gzip.compress(body, 5), {**headers, **PACKED}
    return Response(body, media_type="application/json", headers=headers)


def unpacks(request: Request) -> bool:
    """Whether who asks takes gzip."""
    return "gzip" in request.headers.get("accept-encoding", "")


def tagged(request: Request, body: bytes, kind: type[Response]) -> Response:
    """A picture that may change, named by its hash: 304 where the browser has it already."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**REVALIDATE, "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return kind(body, headers=headers)
