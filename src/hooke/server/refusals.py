"""Every refusal as an ErrorView with a fitting status: Hooke's errors, requests that do not fit, our own mistakes."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

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


def install(app: FastAPI) -> None:
    """Answers every exception of the app's routes with an ErrorView."""
    app.add_exception_handler(HookeError, _hooke)
    app.add_exception_handler(RequestValidationError, _unfit)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _mistake)


async def _hooke(request: Request, error: Exception) -> Response:
    assert isinstance(error, HookeError)
    return refuse(error)


async def _unfit(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
    return _response(422, ErrorView(request=_named(request), reason="; ".join(faults)))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    view = ErrorView(request=_named(request), reason=str(error.detail).rstrip(".").lower())
    return _response(error.status_code, view, dict(error.headers or {}))


async def _mistake(request: Request, error: Exception) -> Response:
    reason = f"Hooke made a mistake ({type(error).__name__})"
    return _response(500, ErrorView(request=_named(request), reason=reason, next_step="see the terminal for details"))


def _named(request: Request) -> str:
    return f"{request.method} {request.url.path}"


def _response(status: int, view: ErrorView, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(view.model_dump(), status, {"Cache-Control": "no-store", **(headers or {})})
