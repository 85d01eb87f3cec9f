"""The built page: its files, and its index for every address that the page itself understands."""

import gzip
import mimetypes
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse, Response

from hooke.server.answers import FOREVER, PACKED, REVALIDATE, VARIES, unpacks
from hooke.server.refusals import Absent
from hooke.server.security import ROUTES

MISSING = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Hooke</title>
<p>The server runs, but its page was never built. <code>make web</code> builds it; then reload.</p></html>"""

TEXT = {".js", ".css", ".svg"}

FIRST = ("/api/model", "/api/images")
"""What the page asks for as soon as it runs: the browser is told to begin while it still reads the script."""
AHEAD = {"Link": ", ".join(f"<{path}>; rel=preload; as=fetch; crossorigin" for path in FIRST)}


def page(static: Path, routes: list[str]) -> APIRouter:
    """A router that serves the folder `static`; `routes` are the choices named where an /api route does not exist."""
    router = APIRouter()
    root = static.resolve()

    @router.get("/{path:path}", include_in_schema=False)
    def get_page(path: str, request: Request) -> Response:
        if path == "api" or f"/{path}".startswith(ROUTES):
            raise Absent(f"GET /{path}", "there is no such route", choices=routes)
        file = (root / path).resolve() if "\0" not in path else root
        if file.is_relative_to(root) and file.is_file():
            if path.startswith("assets/") and file.suffix in TEXT:
                return _packed(file, unpacks(request))
            return FileResponse(file, headers=FOREVER if path.startswith("assets/") else REVALIDATE)
        if "." in path.rpartition("/")[2] and path.startswith("assets/"):
            raise Absent(f"GET /{path}", "there is no such file")
        index = root / "index.html"
        return FileResponse(index, headers=REVALIDATE | AHEAD) if index.is_file() else HTMLResponse(MISSING, 503)

    return router


def _packed(file: Path, small: bool) -> Response:
    """A file of text whose name contains its hash, compressed for those who take it so."""
    headers = {**FOREVER, **VARIES}
    if not small:
        return FileResponse(file, headers=headers)
    kind = mimetypes.guess_type(file.name)[0] or "text/plain"
    return Response(_gzipped(file, file.stat().st_mtime_ns), media_type=kind, headers={**headers, **PACKED})


@lru_cache(maxsize=32)
def _gzipped(file: Path, changed: int) -> bytes:
    return gzip.compress(file.read_bytes(), 6)
