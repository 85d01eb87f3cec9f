"""Answers that are no JSON, and how long a browser may keep an answer."""

from starlette.responses import Response

FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
"""For addresses that contain the hash of what they answer."""

REVALIDATE = {"Cache-Control": "private, no-cache"}


class Png(Response):
    """A picture."""

    media_type = "image/png"


class EventStream(Response):
    """Server-sent events, for the description of routes."""

    media_type = "text/event-stream"
