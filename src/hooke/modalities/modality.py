"""What every kind of input has in common: how one sample is shaped, normalized and left blank."""

from abc import ABC, abstractmethod

from torch import Tensor


class Modality(ABC):
    """A kind of input, as one model takes it.

    A *canvas* is a sample as people look at or listen to it, values 0 to 1; the model takes it normalized.
    """

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of one canvas, without the batch axis."""

    @property
    @abstractmethod
    def axes(self) -> tuple[str, ...]:
        """The names of the canvas' axes, in order."""

    @abstractmethod
    def normalize(self, canvases: Tensor) -> Tensor:
        """Canvases as the model takes them; differentiable."""

    @abstractmethod
    def blank(self, batch: int = 1) -> Tensor:
        """A normalized batch of canvases that hold nothing."""
