"""`python -m hooke.server.openapi` prints the description of the server's routes, without any model."""

import json

from hooke.server.app import assemble

if __name__ == "__main__":
    print(json.dumps(assemble().openapi(), indent=2))
