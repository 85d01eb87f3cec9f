"""The caricature: a photograph redrawn so that a layer sees more of what it sees in it.

Olah, Satyanarayan, Johnson, Carter, Schubert, Ye, Mordvintsev, "The Building Blocks of Interpretability", Distill 2018.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from hooke.displayed import Displayed
from hooke.errors import NumericsError
from hooke.models.model import Model
from hooke.models.recording import activations
from hooke.shapes import Canvas
from hooke.studies.activation_grid import grid_layers
from hooke.visualization.ascent import Ascent
from hooke.visualization.drawing import draw
from hooke.visualization.objectives.matching import caricature
from hooke.visualization.parametrizations import Fourier

BY = Ascent(Fourier(decay=1.5), steps=96)
"""How they are drawn."""


@dataclass(frozen=True, eq=False)
class Caricature(Displayed):
    """One layer's caricature as it stands.

    `cosine`: between the layer's whole activation of the picture and of the photograph; `shuffled`: with that of the
    photograph turned upside down, as a control; `exaggeration`: the length of the one over that of the other.
    """

    layer: str
    image: Canvas
    cosine: float
    shuffled: float
    exaggeration: float
    step: int
    steps: int

    @property
    def done(self) -> bool:
        """Whether this is the last of its layer."""
        return self.step == self.steps


def caricatures(
    model: Model, canvas: Canvas, layers: Sequence[str] = (), *, power: float = 1.0, by: Ascent = BY,
    seed: int = 0, every: int = 32,
) -> Iterator[Caricature]:  # fmt: skip
    """Draws what each layer (by default four) sees in a photograph, exaggerated: dot product x cosine^`power`.

    The pictures are as large as the model's input. Yields each every `every` steps, last as it is at the end.
    Errors: AddressError for an unknown layer; NumericsError for a layer that is zero, and where no square canvas is
    the photograph's size.
    """
    side = model.modality.height
    if side != model.modality.width:
        raise NumericsError(
            f"a caricature on {side} x {model.modality.width} pixels", "pictures are drawn on square canvases",
            next_step="open the model with a square modality",
        )  # fmt: skip
    method = replace(by, parametrization=by.parametrization.sized(side))
    for layer in list(layers) or grid_layers(model):
        seen = _held(model, canvas, layer)
        if not bool(seen.abs().sum() > 0):
            raise NumericsError(f"a caricature of {layer}", "all its activations are zero", next_step="choose another")
        turned = _held(model, canvas.flip(1), layer)
        for moment in draw(model, [caricature(model, layer, canvas, power)], by=method, seed=seed, every=every):
            held = _held(model, moment[0].image, layer)
            cosines = [float(functional.cosine_similarity(held, one, dim=0)) for one in (seen, turned)]
            yield Caricature(
                layer, moment[0].image, cosines[0], cosines[1], float(held.norm() / seen.norm()), moment[0].step,
                method.steps,
            )  # fmt: skip


def _held(model: Model, canvas: Canvas, layer: str) -> Float[Tensor, "number"]:
    batch = model.modality.normalize(canvas[None]).to(model.device, model.dtype)
    return activations(model, batch, [layer])[layer].flatten().float().cpu()
