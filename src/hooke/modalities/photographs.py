"""The photographs that ship inside scikit-image's wheel, so that there is always something to look at."""

import importlib.util
from pathlib import Path

import PIL.Image

from hooke.errors import ImageError

SHIPPED = {
    "cat": "chelsea.png",
    "coffee": "coffee.png",
    "rocket": "rocket.jpg",
    "astronaut": "astronaut.png",
    "motorcycle": "motorcycle_left.png",
    "photographer": "camera.png",
    "coins": "coins.png",
    "bricks": "brick.png",
    "grass": "grass.png",
    "gravel": "gravel.png",
    "moon": "moon.png",
    "galaxies": "hubble_deep_field.jpg",
}


def photographs() -> list[tuple[str, PIL.Image.Image]]:
    """The shipped photographs with their names, the cat first; RGB, read from the installed package, no network.

    Errors: ImageError when scikit-image is not installed.
    """
    spec = importlib.util.find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        raise ImageError(
            "the shipped photographs", "scikit-image is not installed", next_step="pip install scikit-image"
        )
    folder = Path(spec.submodule_search_locations[0]) / "data"
    found = []
    for name, file in SHIPPED.items():
        if (folder / file).is_file():
            with PIL.Image.open(folder / file) as picture:
                found.append((name, picture.convert("RGB")))
    return found
