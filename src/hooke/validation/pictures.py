"""How far to trust a picture: its response beside the unit's own to data, what it rests on, and how stable it is."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor

from hooke.addresses import Address, Edge, Place, places
from hooke.errors import AddressError, NumericsError
from hooke.models.model import Model
from hooke.models.recording import activations
from hooke.models.taps import tapped
from hooke.numeric.seeds import stream
from hooke.numeric.similarity import cosines
from hooke.numeric.spectra import scrambled
from hooke.provenance import Provenance, describe, versions
from hooke.responses.examples import opened
from hooke.responses.recording import Histogram, Recording
from hooke.responses.units import unit
from hooke.results import Picture
from hooke.shapes import Canvas, Canvases, Scores
from hooke.validation.sights import batches, channels, look, planes
from hooke.visualization.objectives import Objective, objective

REVISION = 1
"""Of what is measured: raised whenever the same picture would get other figures."""


@dataclass(frozen=True)
class Measure:
    """How pictures are changed: the mean of `scrambles` random phases; `grey` (0 to 1) in place of the surround."""

    scrambles: int = 4
    grey: float = 0.5


@dataclass(frozen=True)
class Kept:
    """How much of the response stays, over that to the clean picture; None where that is not above zero.

    `scrambled`: random phases, same power spectrum and colours. `colourless`: every channel their mean; None for one
    channel. `central`: all grey but the central half of height and width, a quarter of the area.
    """

    scrambled: float | None
    colourless: float | None
    central: float | None


@dataclass(frozen=True)
class Standing:
    """Where a value lies among `count` of the unit's values for data.

    `share` of them are below it (equal ones count half); `times` is it over the largest, None where that is not above
    zero.
    """

    value: float
    share: float
    times: float | None
    count: int


@dataclass(frozen=True)
class AgainstData:
    """The picture among the unit's own responses to a recording's inputs.

    `peak`: the largest response at one position, among sampled positions, `times` over the largest at any;
    `before`: the same of what enters the nonlinearity (beyond a ceiling, where `peak` cannot tell pictures from data);
    None where the layer is none. `mean`: the mean over positions, among inputs; None where the recording kept
    statistics only.
    """

    inputs: int
    peak: Standing
    before: Standing | None
    mean: Standing | None


@dataclass(frozen=True)
class Stability:
    """Pictures of one unit from several seeds.

    `spread`: the largest of their responses less the smallest, over their mean. `alike`: the mean cosine between them
    of what the unit's layer holds beyond what it holds for grey (means over positions, without the unit itself);
    `control`: the same between them and the pictures of `others` other units, None without such.
    """

    responses: tuple[float, ...]
    spread: float | None
    alike: float | None
    control: float | None
    others: int


@dataclass(frozen=True)
class Quality:
    """What was measured of one picture. `response` and `peak` are the unit's, without penalties, on the clean picture;
    `before` is the peak of what enters the nonlinearity, None where there is none or the unit is no channel."""

    address: str
    response: float
    peak: float
    before: float | None
    kept: Kept
    data: AgainstData | None
    stability: Stability | None
    provenance: Provenance

    @property
    def facts(self) -> dict[str, Any]:
        """All of it as JSON data."""
        found = {name: value for name, value in asdict(self).items() if name not in ("address", "provenance")}
        return found | {"key": self.provenance.key, "provenance": {**self.provenance.question}}


def measure(
    model: Model, picture: Picture, *, of: str | Address | None = None, by: Measure | None = None,
    recording: Recording | None = None, again: Sequence[Picture] = (), others: Sequence[Picture] = (),
) -> Quality:  # fmt: skip
    """How far to trust the picture of a unit.

    `of`: the unit; None, the picture's own address. `recording`: of the same model, for the unit's responses to data
    (channels only). `again`: pictures of the same unit from other seeds; `others`: of other units, as their control.
    Errors: AddressError for what is no unit or was not recorded, RecordingError for another model's recording.
    """
    settings = by or Measure()
    address = model.resolve(picture.address if of is None else of)
    if isinstance(address, Edge):
        raise AddressError(str(address), "an edge has no picture", next_step="give a unit")
    if not bool(torch.isfinite(picture.image).all()):
        raise NumericsError(f"the picture of {address}", "it holds NaN or infinity", next_step="draw it again")
    one = objective(model, address)
    (response,), (peak,) = (column.tolist() for column in responses(model, one, picture.image[None]))
    before = _before(model, address, picture.image)
    provenance = Provenance(
        model=model.fingerprint, address=str(address), revision=REVISION, seed=picture.provenance.seed,
        method={
            **describe(settings), "picture": picture.provenance.key,
            "again": [other.provenance.key for other in again], "others": [other.provenance.key for other in others],
        },
        dtype=str(model.dtype).removeprefix("torch."), data=recording.data_key if recording else None,
        recorded=versions(),
    )  # fmt: skip
    return Quality(
        str(address), response, peak, before, kept(model, one, picture.image, settings),
        _against(model, recording, address, (response, peak, before)) if recording else None,
        stability(model, address, [picture, *again], others) if again else None, provenance,
    )  # fmt: skip


def kept(model: Model, one: Objective, picture: Canvas, by: Measure) -> Kept:
    """What stays of the response to a picture when its phases, its colours or its surround are gone."""
    dice = stream(0, "scrambled")
    canvases = [picture, *scrambled(picture.expand(by.scrambles, -1, -1, -1), dice)]
    canvases += [picture.mean(0, keepdim=True).expand_as(picture), _central(picture, by.grey)]
    found, _ = responses(model, one, torch.stack(canvases))
    clean, phases, (grey, central) = float(found[0]), float(found[1:-2].mean()), found[-2:].tolist()
    if clean <= 0:
        return Kept(None, None, None)
    return Kept(phases / clean, grey / clean if len(picture) > 1 else None, central / clean)


def responses(model: Model, one: Objective, canvases: Canvases) -> tuple[Scores, Scores]:
    """An objective's score (the mean response) on each canvas, and its peak (the largest at one position)."""
    layers = sorted(one.layers())
    scores, peaks = [], []
    with torch.no_grad(), tapped(model, layers) as taps:
        for batch in batches(list(canvases)):
            recorded = taps(model.modality.normalize(batch).to(model.device, model.dtype))
            for at in range(len(batch)):
                sample = {layer: values[at] for layer, values in recorded.items()}
                scores.append(one.score(sample).float().cpu())
                peaks.append(one.peak(sample).float().cpu())
    return torch.stack(scores), torch.stack(peaks)


def stability(
    model: Model, address: str | Address, pictures: Sequence[Picture], others: Sequence[Picture] = ()
) -> Stability:
    """How much the pictures of one unit have in common, beside what they share with those of other units."""
    resolved = model.resolve(address)
    found, _ = responses(model, objective(model, resolved), torch.stack([one.image for one in pictures]))
    mean = float(found.mean())
    own = [_held(model, resolved, one.image) for one in pictures]
    alike = _mean([_cosine(one, other) for at, one in enumerate(own) for other in own[at + 1 :]])
    strangers = [_held(model, resolved, one.image, besides=model.resolve(one.address)) for one in others]
    control = _mean([_cosine(one, other) for one, other in product(own, strangers)])
    spread = float(found.max() - found.min()) / mean if mean > 0 else None
    return Stability(tuple(found.tolist()), spread, alike, control, len(others))


def _cosine(one: Tensor, other: Tensor) -> float:
    """Where one of the two has no number, neither counts there."""
    both = (one.isfinite() & other.isfinite()).nonzero().flatten()
    return float(cosines(one[both][None], other[both][None])[0, 0])


def _mean(values: Sequence[float]) -> float | None:
    finite = [value for value in values if value == value]
    return sum(finite) / len(finite) if finite else None


def _held(model: Model, address: Address, canvas: Canvas, besides: Address | None = None) -> Tensor:
    """What the address's layers hold beyond grey, as means over positions; NaN at its own channels and `besides`."""
    own = [place for one in (address, besides) if one is not None for place in places(one)]
    layers = sorted({place.layer for place in places(address)})
    pair = torch.stack([canvas, torch.full_like(canvas, 0.5)])
    held = activations(model, model.modality.normalize(pair).to(model.device, model.dtype), layers)
    parts = []
    for layer in layers:
        picture, grey = planes(model.layers.find(layer), held[layer]).float().mean((2, 3)).cpu()
        means = picture - grey
        for place in own:
            if place.layer == layer and isinstance(place.channel, int):
                means[place.channel] = torch.nan
        parts.append(means)
    return torch.cat(parts)


def _central(picture: Canvas, grey: float) -> Canvas:
    height, width = picture.shape[1:]
    rows = slice(height // 4, height // 4 + height // 2)
    columns = slice(width // 4, width // 4 + width // 2)
    found = torch.full_like(picture, grey)
    found[:, rows, columns] = picture[:, rows, columns]
    return found


def _channel(address: Address) -> tuple[str, int] | None:
    """The layer and the number of a whole channel; None for anything else."""
    if not isinstance(address, Place) or address.position is not None or not isinstance(address.channel, int):
        return None
    return address.layer, address.channel


def _before(model: Model, address: Address, picture: Canvas) -> float | None:
    one = _channel(address)
    if one is None or not model.layers.find(one[0]).activation:
        return None
    layer, channel = one
    return float(look(model, {layer: channels(model, layer, [channel])}, [picture])[layer].values[0, 0])


def _against(
    model: Model, recording: Recording, address: Address, figures: tuple[float, float, float | None]
) -> AgainstData | None:
    opened(recording, model)
    one = _channel(address)
    if one is None:
        return None
    layer, channel = unit(recording, Place(*one))
    response, peak, before = figures
    entering, means = layer.before, layer.pooled_mean
    return AgainstData(
        len(recording.names),
        _among(peak, layer.after, channel, float(layer.maximum[channel])),
        None if before is None or entering is None
        else _among(before, entering, channel, float(layer.top.values[channel, 0])),
        None if means is None else _standing(response, means[:, channel].float()),
    )  # fmt: skip


def _among(value: float, values: Histogram, channel: int, largest: float) -> Standing:
    counts = values.counts[channel].double()
    at = int(torch.searchsorted(values.edges, value, right=True)) - 1
    at = min(max(at, 0), len(counts) - 1)
    share = float((counts[:at].sum() + counts[at] / 2) / counts.sum()) if counts.sum() > 0 else 0.0
    times = value / largest if largest > 0 else None
    return Standing(value, 1.0 if value > largest else share, times, int(counts.sum()))


def _standing(value: float, values: Tensor) -> Standing:
    share = float(((values < value).double() + (values == value).double() / 2).mean())
    largest = float(values.max())
    return Standing(value, share, value / largest if largest > 0 else None, values.numel())
