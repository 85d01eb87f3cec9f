"""What every stimulus has in common: a frozen dataclass of ranged parameters that is rendered into a frame."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from hooke.errors import StimulusError, nearest
from hooke.responses.stimuli.painting import Frame, Pixels, Setting
from hooke.responses.stimuli.ranges import Choice, Fixed, Range
from hooke.shapes import Canvases

LUMA = (0.299, 0.587, 0.114)
"""How a 1-channel model's grey is mixed from R, G and B, as Pillow does it (Rec. 601)."""


Kind = TypeVar("Kind", bound="Stimulus")


class Stimulus(ABC):
    """A kind of synthetic picture. Its fields that are ranges are its parameters; lengths are in receptive fields.

    Angles are in degrees, anticlockwise, 0 to the right. Pictures are deterministic: the same values, the same bytes.
    """

    @property
    def ranges(self) -> dict[str, Range]:
        """The parameters and their ranges, in the order of the fields."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return {name: value for name, value in found.items() if isinstance(value, Range)}

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        return type(self).__name__.lower()

    def range(self, parameter: str) -> Range:
        """The range of a parameter; StimulusError with the nearest names for one that it does not have."""
        if parameter not in self.ranges:
            raise StimulusError(
                f"{self.name} over {parameter!r}",
                f"{self.name} have no such parameter",
                choices=nearest(parameter, self.ranges, count=len(self.ranges)),
            )
        return self.ranges[parameter]

    def fixed(self: Kind, **values: float | str) -> Kind:
        """The same stimulus with some parameters held at one value (a Choice: at one of its names)."""
        held: dict[str, Range] = {}
        for parameter, value in values.items():
            among = self.range(parameter)
            if isinstance(among, Choice):
                if value not in among.names:
                    raise StimulusError(
                        f"{self.name} with {parameter} = {value!r}", "no such choice", choices=list(among.names)
                    )
                held[parameter] = Choice((str(value),), among.unit)
            elif isinstance(value, str):
                raise StimulusError(f"{self.name} with {parameter} = {value!r}", f"it takes a number ({among})")
            else:
                held[parameter] = Fixed(float(value), among.unit)
        return replace(self, **held)  # type: ignore[type-var]

    def render(self, values: Mapping[str, Float[Tensor, "batch"]], frame: Frame) -> Canvases:
        """The pictures for these values of every parameter (all of them): canvases, values 0 to 1.

        Errors: StimulusError where a parameter is missing or unknown, or for a model of other than 1 or 3 channels.
        """
        for parameter in values:
            self.range(parameter)
        if missing := [parameter for parameter in self.ranges if parameter not in values]:
            raise StimulusError(f"a picture of {self.name}", "parameters without a value", choices=missing)
        if frame.channels not in (1, 3):
            raise StimulusError(
                f"{self.name} for a model of {frame.channels} channels", "stimuli are drawn in 1 or 3 channels"
            )
        settings = {parameter: value.float()[:, None, None] for parameter, value in values.items()}
        painted = self.paint(settings, *frame.plane(), frame).clamp(0, 1)
        if frame.channels == 3:
            return painted.contiguous()
        return (painted * painted.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)

    @abstractmethod
    def paint(
        self, values: Mapping[str, Setting], x: Pixels, y: Pixels, frame: Frame
    ) -> Float[Tensor, "batch 3 height width"]:
        """The pictures in RGB; x and y are each pixel's place from the centre, in pixels, to the right and up."""


def middle(among: Range) -> float:
    """A typical value of a range, for previews."""
    return float(among.at(torch.tensor([0.0 if among.period or isinstance(among, Choice) else 0.5]))[0])
