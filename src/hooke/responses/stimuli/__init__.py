"""Synthetic stimuli: frozen dataclasses of ranged parameters, rendered without jagged edges at a unit's field."""

from collections.abc import Callable

from hooke.errors import StimulusError, nearest
from hooke.responses.stimuli.corners import Corners
from hooke.responses.stimuli.crops import Crops, Photograph, crops
from hooke.responses.stimuli.curves import STRAIGHT, Curves
from hooke.responses.stimuli.dots import Dots
from hooke.responses.stimuli.faces import Faces
from hooke.responses.stimuli.gratings import Gratings
from hooke.responses.stimuli.letters import Letters
from hooke.responses.stimuli.lines import Lines
from hooke.responses.stimuli.painting import Frame
from hooke.responses.stimuli.patches import Patches
from hooke.responses.stimuli.ranges import Choice, Circular, Fixed, Linear, Logarithmic, Range
from hooke.responses.stimuli.shapes import Shapes
from hooke.responses.stimuli.stimulus import Stimulus
from hooke.responses.stimuli.textures import Textures

__all__ = [
    "STIMULI",
    "STRAIGHT",
    "Choice",
    "Circular",
    "Corners",
    "Crops",
    "Curves",
    "Dots",
    "Faces",
    "Fixed",
    "Frame",
    "Gratings",
    "Letters",
    "Linear",
    "Lines",
    "Logarithmic",
    "Patches",
    "Photograph",
    "Range",
    "Shapes",
    "Stimulus",
    "Textures",
    "crops",
    "stimulus",
]

STIMULI: dict[str, Callable[[], Stimulus]] = {
    "gratings": Gratings,
    "lines": Lines,
    "curves": Curves,
    "corners": Corners,
    "shapes": Shapes,
    "dots": Dots,
    "textures": Textures,
    "patches": Patches,
    "letters": Letters,
    "faces": Faces,
    "crops": crops,
}
"""Every kind of stimulus by the name that the command line knows it by."""


def stimulus(name: str) -> Stimulus:
    """The stimulus of that name with its own ranges; StimulusError with the choices, the nearest first."""
    if name not in STIMULI:
        near = nearest(name, STIMULI, count=3)
        choices = [*near, *(other for other in STIMULI if other not in near)]
        raise StimulusError(f"stimulus {name!r}", "there is no such stimulus", choices=choices)
    return STIMULI[name]()
