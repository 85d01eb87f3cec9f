"""Every refusal as an ErrorView with a fitting status: Hooke's errors, requests that do not fit, our own mistakes."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hooke.errors import AddressError, HookeError, ImageError, NumericsError, ServeError
from hooke.server.wire import ErrorView

logger = logging.getLogger(__name__)


class Absent(ServeError):
    """What was asked for is not here (404)."""


class Forbidden(ServeError):
    """A request that no page of ours would make (403)."""


class TooLarge(ServeError):
    """More bytes than are taken (413)."""


STATUS: dict[type[HookeError], int] = {
    Absent: 404, AddressError: 404, Forbidden: 403, TooLarge: 413, ImageError: 422, NumericsError: 422,
}  # fmt: skip


def refuse(error: HookeError) -> JSONResponse:
    """The error as its ErrorView; 400 for a class without a status of its own."""
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 400)
    return _response(
        status,
        ErrorView(request=error.request, reason=error.reason, choices=list(error.choices), next_step=error.next_step),
    )


class Mistakes:
    """ASGI middleware: an exception that nobody meant is logged, and answered with an ErrorView (500)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            request = f"{scope['method']} {scope['path']}"
            logger.exception("%s", request)
            reason = f"Hooke made a mistake ({type(error).__name__})"
            view = ErrorView(request=request, reason=reason, next_step="see the terminal for details")
            await _response(500, view)(scope, receive, send)


def install(app: FastAPI) -> None:
    """Answers every exception of the app's routes with an ErrorView."""
    app.add_middleware(Mistakes)
    app.add_exception_handler(HookeError, _hooke)
    app.add_exception_handler(RequestValidationError, _unfit)
    app.add_exception_handler(HTTPException, _http)


async def _hooke(request: Request, error: Exception) -> Response:
    assert isinstance(error, HookeError)
    return refuse(error)


async def _unfit(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
    return _response(422, ErrorView(request=_named(request), reason="; ".join(faults)))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    view = ErrorView(request=_named(request), reason=str(error.detail).rstrip("."))
    return _response(error.status_code, view, dict(error.headers or {}))


def _named(request: Request) -> str:
    return f"{request.method} {request.url.path}"


def _response(status: int, view: ErrorView, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(view.model_dump(), status, {"Cache-Control": "no-store", **(headers or {})})
