"""What stands before every route: only our own page may ask, nobody may send too much, and browsers trust nothing else.

A server on this machine can be reached from any web page that the user visits: by a name that its owner points here
(DNS rebinding, hence the Host check), or by a form or script that posts blindly (hence the Origin check), or by a frame
whose clicks it steals (hence frame-ancestors). One figure alone (`embed=1`) may stand in frames of pages of this
machine: a notebook, a text that is being written. For frames of any other page there are published copies.
"""

import ipaddress
import socket
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hooke.server.refusals import Forbidden, TooLarge, refuse

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
EVERYWHERE = frozenset({"0.0.0.0", "::", ""})
HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
BESIDE = "/beside"
"""Below it are the routes of a second model."""
ROUTES = ("/api/", f"{BESIDE}/api/")
BODY_BYTES = 256 * 1024
"""The most bytes of a body where a route names no other limit."""

ANCESTORS = "'self'"
NEIGHBOURS = " ".join(f"{scheme}://{name}:*" for scheme in ("http", "https") for name in ("localhost", "127.0.0.1"))
"""Pages of this machine, at whatever port: what may frame one figure alone."""

POLICY = "Content-Security-Policy"
HEADERS = {
    POLICY: (
        "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; object-src 'none'; "
        f"base-uri 'none'; form-action 'self'; frame-ancestors {ANCESTORS}"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """ASGI middleware: checks Host and Origin, limits bodies, sets the security headers.

    `hosts` are further names that it answers to (what it listens on); `limits` the most bytes of a body by path.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str], limits: Mapping[str, int]) -> None:
        self._app = app
        named = {host.casefold().strip("[]") for host in hosts}
        self._names = LOCAL | (named - EVERYWHERE)
        self._open = bool(named & EVERYWHERE)
        self._limits = dict(limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = self._limits.get(scope["path"], BODY_BYTES)
        refusal = self._refusal(scope["method"], scope["path"], headers) or _too_large(headers, limit, scope["path"])
        answer = refuse(refusal) if refusal else self._app
        framed = "1" in parse_qs(scope["query_string"].decode("latin-1")).get("embed", [])
        await answer(scope, _limited(receive, limit), _with_headers(send, refusal is not None, framed))

    def _refusal(self, method: str, path: str, headers: Headers) -> Forbidden | None:
        request = f"{method} {path}"
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            reason = f"this server does not answer to the name {', '.join(hosts) or '(none)'}"
            return Forbidden(
                request, reason, choices=sorted(self._names), next_step="start with --host NAME to be served under it"
            )
        origins = headers.getlist("origin")
        foreign = any(urlsplit(origin).netloc.casefold() != hosts[0].casefold() for origin in origins)
        strange = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
        if (method not in HARMLESS and (foreign or strange)) or (strange and path.startswith(ROUTES)):
            return Forbidden(request, f"it was sent by another site ({', '.join(origins) or 'unnamed'})")
        return None

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._names or (self._open and (_is_number(name) or name == socket.gethostname().casefold()))


def _is_number(name: str) -> bool:
    """An IP address: no one can point a number elsewhere."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _too_large(headers: Headers, limit: int, path: str) -> TooLarge | None:
    announced = headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > limit:
        return TooLarge(f"{int(announced):,} bytes to {path}", _limit(limit), next_step="send a smaller copy")
    return None


def _limited(receive: Receive, limit: int) -> Receive:
    """`receive` that counts the bytes of a body whose length was not announced."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise HTTPException(413, _limit(limit), headers={"Connection": "close"})
        return message

    return counted


def _limit(limit: int) -> str:
    return f"the limit is {limit / 2**20:g} MB"


def _with_headers(send: Send, close: bool, framed: bool) -> Send:
    async def headed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(HEADERS)
            if framed:
                headers[POLICY] = f"{HEADERS[POLICY]} {NEIGHBOURS}"
            if close:  # what was not read of the body must not be taken for the next request
                headers["Connection"] = "close"
        await send(message)

    return headed
