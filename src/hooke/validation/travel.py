"""Does a picture travel the network as the natural images do that move the same unit? Layer by layer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from hooke.models.model import Model
from hooke.models.taps import passing
from hooke.numeric.intervals import Estimate, bootstrap
from hooke.numeric.seeds import stream
from hooke.numeric.similarity import apart, spearman
from hooke.responses.crops import View
from hooke.responses.examples import indices, opened, picks
from hooke.responses.recording import Recording
from hooke.responses.units import unit
from hooke.results import Layer
from hooke.shapes import Canvas
from hooke.validation.sights import Images, Inputs, Sight, batches, boxed, channels, look, planes


@dataclass(frozen=True, eq=False)
class Traveller:
    """A unit's picture, the natural images that move the unit most, and random images, each with what the unit sees."""

    address: str
    picture: Sight
    natural: Sequence[Sight]
    random: Sequence[Sight]


@dataclass(frozen=True)
class Step:
    """How alike images look to one layer: Spearman's correlation over its channels, averaged over pairs, then units.

    `picture`: the picture and natural top examples; `natural`: these among themselves; `random`: random images and
    these. `share` is (picture - random) / (natural - random) of the means: 1, as natural ones; 0, as any image.
    Intervals (95%) are over units; NaN for a single one.
    """

    layer: str
    picture: Estimate
    natural: Estimate
    random: Estimate
    share: Estimate


@dataclass(frozen=True)
class Journey:
    """The steps of the units' pictures, from the input to the unit's own layer."""

    addresses: tuple[str, ...]
    examples: int
    randoms: int
    steps: tuple[Step, ...]


def travel(model: Model, travellers: Sequence[Traveller], layers: Sequence[str]) -> Journey:
    """How the pictures of units of one layer travel the `layers`, beside natural top examples and random images.

    What a layer holds inside the unit's field, where the unit responds most, is averaged over positions, so that
    pictures of any size compare with photographs; then ranks over channels are correlated, so that a picture's
    greater contrast does not count. Errors: AddressError for a layer that is not there.
    Source: Geirhos et al., "Don't trust your eyes: on the (un)reliability of feature visualizations", 2023, who ask
    this of whole images and whole layers.
    """
    found = torch.stack([_similarities(model, one, layers) for one in travellers])
    steps = []
    for at, layer in enumerate(layers):
        picture, natural, random = found[:, at].unbind(1)
        share = bootstrap(picture - random, natural - random)
        steps.append(Step(layer, bootstrap(picture), bootstrap(natural), bootstrap(random), share))
    examples, randoms = (min(len(part) for part in parts) for parts in zip(
        *((one.natural, one.random) for one in travellers), strict=True))  # fmt: skip
    return Journey(tuple(one.address for one in travellers), examples, randoms, tuple(steps))


def travellers(
    model: Model, pictures: Mapping[str, Canvas], recording: Recording, count: int, seed: int = 0
) -> Iterator[Traveller]:
    """By address, a channel's picture, as many natural top examples from a recording of the model, and random inputs.

    The data is opened once for all. Errors: AddressError for what was not recorded, RecordingError for another model,
    DataError where the data moved.
    """
    opened(recording, model)
    samples = recording.samples()
    inputs = Inputs(samples, indices(recording, samples), model)
    for address, picture in pictures.items():
        layer, channel = unit(recording, address)
        name = layer.layer.name
        seen = look(model, {name: channels(model, name, [channel])}, [picture])[name]
        natural = []
        for one in picks(recording, layer, channel, count).maxima:
            canvas = inputs[one.index]
            natural.append(Sight(canvas, boxed(seen.field, canvas, one.row, one.column), one.value, one.index))
        random = anywhere(seen.field, inputs, count, stream(seed, "random inputs", address))
        yield Traveller(address, seen.sight(0, 0, picture), natural, random)


def upto(model: Model, layer: str) -> list[str]:
    """The activation layers that a layer's values have come by, and the layer itself, in order."""
    names = [row.name for row in model.layers]
    last = names.index(model.layers.find(layer).name)
    before = [row.name for row in model.layers.activations if names.index(row.name) < last]
    return [*before, layer]


def anywhere(field: View, images: Images, count: int, dice: Generator) -> list[Sight]:
    """Boxes as large as the unit's field at random places of random images, each image once where they suffice."""
    order = torch.randperm(len(images), generator=dice)
    sights = []
    for at in range(count):
        source = int(order[at % len(order)])
        canvas = images[source]
        _, _, height, width = boxed(field, canvas, 0, 0)
        free = (canvas.shape[1] - height + 1, canvas.shape[2] - width + 1)
        top, left = (int(torch.randint(size, (1,), generator=dice)) for size in free)
        sights.append(Sight(canvas, (top, left, height, width), float("nan"), source))
    return sights


def held(model: Model, layers: Sequence[str], sights: Sequence[Sight]) -> list[Float[Tensor, "sight channel"]]:
    """What each layer holds inside each sight's box: the mean over the positions whose centres lie in it.

    The position nearest to the box's middle where none does; all of a layer without height and width.
    """
    rows = {layer: model.layers.find(layer) for layer in layers}
    centres = {layer: _centres(model, row) for layer, row in rows.items()}
    found: dict[str, list[Tensor]] = {layer: [] for layer in layers}
    queue: list[Sight] = []

    def leaving(layer: str, tensor: Tensor) -> None:
        maps = planes(rows[layer], tensor).float()
        for one, sight in zip(maps, queue, strict=True):
            found[layer].append(_inside(one, sight, centres[layer]).cpu())

    with passing(model, layers, lambda *_: None, leaving) as run:
        start = 0
        for batch in batches([sight.canvas for sight in sights]):
            queue[:] = sights[start : start + len(batch)]
            start += len(batch)
            run(model.modality.normalize(batch).to(model.device, model.dtype))
    return [torch.stack(found[layer]) for layer in layers]


def _similarities(model: Model, one: Traveller, layers: Sequence[str]) -> Float[Tensor, "layer 3"]:
    """Layer by layer: the picture with natural ones, these with one another, random ones with these."""
    sights = [one.picture, *one.natural, *one.random]
    rows = []
    for values in held(model, layers, sights):
        natural = values[1 : 1 + len(one.natural)]
        pairs = (spearman(values[:1], natural), apart(spearman(natural, natural)),
                 spearman(values[1 + len(one.natural) :], natural))  # fmt: skip
        rows.append(torch.stack([part.nanmean() for part in pairs]))
    return torch.stack(rows)


_Centres = tuple[tuple[float, float], tuple[float, float]] | None


def _centres(model: Model, layer: Layer) -> _Centres:
    """Per axis the pixel at the centre of position 0 and the step to the next; None where every position sees all."""
    if layer.height is None or layer.receptive_field is None or layer.stride is None:
        return None
    region = model.layers.region(layer.name, (0, 0))
    first, second = ((low + high - 1) / 2 for low, high in region)
    return ((first, float(layer.stride)), (second, float(layer.stride)))


def _inside(maps: Float[Tensor, "channel rows columns"], sight: Sight, centres: _Centres) -> Float[Tensor, "channel"]:
    if maps.shape[1:] == (1, 1):
        return maps[:, 0, 0]
    if centres is None:
        sizes = zip(sight.canvas.shape[1:], maps.shape[1:], strict=True)
        steps = [pixels / positions for pixels, positions in sizes]
        centres = ((steps[0] / 2 - 0.5, steps[0]), (steps[1] / 2 - 0.5, steps[1]))
    top, left, height, width = sight.box
    rows = _within(maps.shape[1], *centres[0], top, height)
    columns = _within(maps.shape[2], *centres[1], left, width)
    return maps[:, rows][:, :, columns].mean((1, 2))


def _within(count: int, first: float, step: float, low: int, length: int) -> Tensor:
    """The positions along one axis whose centres lie in a stretch of pixels; the nearest one where none does."""
    at = first + step * torch.arange(count)
    inside = ((at >= low) & (at <= low + length - 1)).nonzero().flatten()
    return inside if len(inside) else (at - (low + (length - 1) / 2)).abs().argmin()[None]
