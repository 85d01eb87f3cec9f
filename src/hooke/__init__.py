"""Hooke, a microscope for neural networks: the public names, each imported when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hooke.addresses import Place, parse
    from hooke.attribution.attribute import attribute
    from hooke.circuits.weights import weights
    from hooke.errors import HookeError
    from hooke.factorization.factorize import factorize
    from hooke.interventions.effect import effect
    from hooke.modalities.image import Image, photographs, read_picture, to_png
    from hooke.models import edits
    from hooke.models.model import Model
    from hooke.models.opening import open
    from hooke.models.recording import activations
    from hooke.models.taps import tapped
    from hooke.notebook.exploring import explore
    from hooke.responses.examples import examples
    from hooke.responses.record import record
    from hooke.responses.recording import open_recording
    from hooke.responses.tuning import tune
    from hooke.results import Picture
    from hooke.storage.store import Store
    from hooke.studies.semantic_dictionary import semantic_dictionary
    from hooke.validation.validate import validate
    from hooke.visualization.ascent import Ascent
    from hooke.visualization.drawing import draw, visualize
    from hooke.visualization.parametrizations import Fourier

_MODULES = {"edits": "hooke.models.edits"}
_HOMES = {
    "Ascent": "hooke.visualization.ascent",
    "Fourier": "hooke.visualization.parametrizations",
    "HookeError": "hooke.errors",
    "Image": "hooke.modalities.image",
    "Model": "hooke.models.model",
    "Picture": "hooke.results",
    "Place": "hooke.addresses",
    "Store": "hooke.storage.store",
    "activations": "hooke.models.recording",
    "attribute": "hooke.attribution.attribute",
    "draw": "hooke.visualization.drawing",
    "effect": "hooke.interventions.effect",
    "examples": "hooke.responses.examples",
    "explore": "hooke.notebook.exploring",
    "factorize": "hooke.factorization.factorize",
    "open": "hooke.models.opening",
    "open_recording": "hooke.responses.recording",
    "parse": "hooke.addresses",
    "photographs": "hooke.modalities.image",
    "read_picture": "hooke.modalities.image",
    "record": "hooke.responses.record",
    "semantic_dictionary": "hooke.studies.semantic_dictionary",
    "tapped": "hooke.models.taps",
    "to_png": "hooke.modalities.image",
    "tune": "hooke.responses.tuning",
    "validate": "hooke.validation.validate",
    "visualize": "hooke.visualization.drawing",
    "weights": "hooke.circuits.weights",
}

__all__ = [
    "Ascent",
    "Fourier",
    "HookeError",
    "Image",
    "Model",
    "Picture",
    "Place",
    "Store",
    "activations",
    "attribute",
    "draw",
    "edits",
    "effect",
    "examples",
    "explore",
    "factorize",
    "open",
    "open_recording",
    "parse",
    "photographs",
    "read_picture",
    "record",
    "semantic_dictionary",
    "tapped",
    "to_png",
    "tune",
    "validate",
    "visualize",
    "weights",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("hooke")
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name not in _HOMES:
        raise AttributeError(f"module 'hooke' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
