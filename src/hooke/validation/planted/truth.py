"""The two ends of the scale: the truth itself as a map, and a map that says nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from hooke.models.model import Model
from hooke.numeric.controls import Maps
from hooke.shapes import Canvases
from hooke.validation.controls import Control
from hooke.validation.planted.exams import Exam
from hooke.validation.sources import Source, digest


@dataclass(frozen=True, eq=False)
class Oracle(Source):
    """Where the truth lies for each network and picture of an exam; everywhere, in pictures that have nothing planted.

    What a picture without an object shows decides everywhere for the networks that name scenes; so does one whose patch
    does nothing.
    """

    exam: Exam
    name: str = "oracle"

    @property
    def question(self) -> object:
        return {"type": "Oracle", "set": self.exam.name}

    def maps(self, model: Model, canvases: Canvases, of: Sequence[str]) -> Maps:
        theirs = model.fingerprint in {one.fingerprint for one in self.exam.rivals}
        masks = self.exam.theirs if theirs and self.exam.theirs is not None else self.exam.sample.masks
        found = torch.ones(len(canvases), *canvases.shape[2:])
        for at, canvas in enumerate(canvases):
            place = self.exam.places.get(digest(canvas))
            if place is not None:
                found[at] = masks[place].float()
        return found


@dataclass(frozen=True)
class Chance(Control):
    """The same value everywhere: by the pointing game and relevance mass it gets the mask's area, exactly."""

    name = "chance"

    def maps(self, source: Source, model: Model, canvases: Canvases, of: Sequence[str]) -> Maps:
        return torch.ones(len(canvases), *canvases.shape[2:])
