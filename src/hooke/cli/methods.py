"""The options that say how a picture is drawn: parametrization, transforms, and what photographs have to do with it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

from typer import Option

from hooke.errors import NumericsError

if TYPE_CHECKING:
    from hooke.models.model import Model
    from hooke.numeric.fixed import Fixed
    from hooke.results import Picture
    from hooke.visualization.ascent import Ascent
    from hooke.visualization.parametrizations import Parametrization, Unbounded

MOST = 512
"""Pictures that colours and spectra are fitted to, at most."""

NAMES = "fourier, pixels, low-resolution, pyramid, cppn, maco or aligned."
How: TypeAlias = Annotated[str, Option("--parametrization", metavar="NAME", help=NAMES)]
PRESETS = "hooke, still, lucid, inversion, atlas, vit, crops or tokens; tokens for transformers, else hooke."
Moved: TypeAlias = Annotated[str | None, Option("--transform", metavar="PRESET", help=PRESETS)]
Start: TypeAlias = Annotated[Path | None, Option("--photograph", metavar="FILE", help="Begin at this photograph.")]
Region: TypeAlias = Annotated[
    Path | None, Option("--mask", metavar="FILE", help="Draw only where this picture is white, into the photograph.")
]
Within: TypeAlias = Annotated[
    float | None, Option(min=0.0, help="No pixel may differ from the photograph's by more, of 0 to 1.")
]
Distance: TypeAlias = Annotated[
    float | None, Option(min=0.0, help="The Euclidean distance to the photograph may not be more.")
]
Opacity: TypeAlias = Annotated[
    float | None, Option(min=0.0, max=1.0, help="Draw with transparency; so much of the canvas is opaque on average.")
]
Like: TypeAlias = Annotated[
    Path | None, Option(metavar="DATA", help="Colours, and the spectrum of maco, as in these pictures.")
]


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    parametrization: str
    transform: str | None
    photograph: Path | None = None
    mask: Path | None = None
    within: float | None = None
    distance: float | None = None
    opacity: float | None = None
    like: Path | None = None


def method(model: "Model", options: Options, size: int | None) -> "Ascent":
    """The method that the options ask for. Errors: NumericsError for names and combinations that there are not."""
    from hooke.visualization.ascent import Ascent
    from hooke.visualization.parametrizations import Transparent, parametrization
    from hooke.visualization.transforms import Backgrounds, Chain, Transform, preset
    from hooke.visualization.usual import movements

    own = min(model.modality.height, model.modality.width)
    transform: Transform = movements(model) if options.transform is None else preset(options.transform, own)
    part = parametrization(options.parametrization)
    if options.like is not None:
        part = _fitted(model, part, options.like)
    whole: Parametrization = part
    if options.photograph is not None:
        whole = _on_photograph(model, options, part, size or own)
    elif (options.mask, options.within, options.distance) != (None, None, None):
        raise _unfit("--mask, --within and --distance", "they say what may change of a photograph", "give --photograph")
    if options.opacity is not None:
        if options.photograph is not None:
            raise _unfit("--opacity with --photograph", "a photograph is opaque", "leave one of them out")
        whole, transform = Transparent(part, coverage=options.opacity), Chain((Backgrounds(), transform))
    return Ascent(whole if size is None else whole.sized(size), transform)


def on_paper(model: "Model", picture: "Picture") -> "Picture":
    """The picture, where it is transparent on white."""
    from hooke.visualization.transforms.backgrounds import composited

    if not is_transparent(model, picture):
        return picture
    canvases = picture.image[None]
    return replace(picture, image=composited(canvases, canvases.new_ones(()))[0])


def is_transparent(model: "Model", picture: "Picture") -> bool:
    """Whether its last channel says how opaque it is."""
    return bool(picture.image.shape[0] == model.modality.channels + 1)


def _on_photograph(model: "Model", options: Options, part: "Unbounded", side: int) -> "Parametrization":
    from hooke.visualization.parametrizations import MACO, FromPhotograph, L2Ball, LInfinityBall, Masked, Planes

    assert options.photograph is not None
    known = _canvas(model, options.photograph, side)
    if sum(one is not None for one in (options.mask, options.within, options.distance)) > 1:
        raise _unfit("--mask, --within and --distance", "they exclude one another", "give one of them")
    if options.mask is not None:
        return Masked(known, _mask(options.mask, side), part)
    if options.within is not None:
        return LInfinityBall(known, options.within, part)
    if options.distance is not None:
        return L2Ball(known, options.distance, part)
    if isinstance(part, MACO):
        return replace(part, size=side, photograph=known)
    return FromPhotograph(known, replace(part, contrast=0.0) if isinstance(part, Planes) else part)  # type: ignore[type-var]


def _fitted(model: "Model", part: "Unbounded", data: Path) -> "Unbounded":
    import torch

    from hooke.modalities.datasets import dataset
    from hooke.visualization.parametrizations import MACO, Coloured, fitted_colours, fitted_spectrum

    samples = dataset(data)
    canvases = torch.stack([samples.read(index, model.modality) for index in range(min(len(samples), MOST))])
    if isinstance(part, MACO):
        return replace(part, spectrum=fitted_spectrum(canvases))
    return Coloured(part, fitted_colours(canvases))


def _canvas(model: "Model", file: Path, side: int) -> "Fixed":
    from hooke.modalities.pictures import read_picture
    from hooke.numeric.fixed import Fixed

    return Fixed(replace(model.modality, height=side, width=side).canvas(read_picture(file)))


def _mask(file: Path, side: int) -> "Fixed":
    from hooke.modalities.image import Image
    from hooke.modalities.pictures import read_picture
    from hooke.numeric.fixed import Fixed

    read = Image(
        height=side, width=side, mean=(0.0,), std=(1.0,), channels=1, crop_fraction=1.0, interpolation="bilinear"
    )
    return Fixed(read.canvas(read_picture(file))[0])


def _unfit(request: str, reason: str, step: str) -> NumericsError:
    return NumericsError(request, reason, next_step=step)
