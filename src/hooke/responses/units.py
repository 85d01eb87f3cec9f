"""The units of a recording: which channel of which recorded layer an address means, and its values per input."""

from typing import TypeAlias

from jaxtyping import Float
from torch import Tensor

from hooke.addresses import Place, parse
from hooke.errors import AddressError, RecordingError
from hooke.responses.recording import LayerRecording, Recording

Pooled: TypeAlias = Float[Tensor, "input channel"]


def unit(recording: Recording, address: str | Place) -> tuple[LayerRecording, int]:
    """The recorded layer and the channel that an address means.

    Errors: AddressError for what is no channel, is out of range, or lies in a layer that was not recorded.
    """
    place = parse(address) if isinstance(address, str) else address
    if not isinstance(place, Place) or not isinstance(place.channel, int) or place.position is not None:
        step = "write LAYER:CHANNEL, such as blocks.4.1.bn2.act:3"
        raise AddressError(str(address), "a recording knows channels only", next_step=step)
    layer = recording.layer(place.layer)
    channels = layer.mean.numel()
    if place.channel >= channels:
        raise AddressError(str(address), f"channel {place.channel} is out of range: 0 to {channels - 1}")
    return layer, place.channel


def name(layer: LayerRecording, channel: int) -> str:
    """The address of a unit, as text."""
    return str(Place(layer.layer.name, channel))


def pooled(recording: Recording, layer: LayerRecording, *, mean: bool = False) -> Pooled:
    """Each unit's largest value (or the mean over positions) in each input.

    Errors: RecordingError where the recording kept statistics only.
    """
    values = layer.pooled_mean if mean else layer.pooled_peak
    if values is None:
        raise RecordingError(
            f"the responses of {layer.layer.name}",
            f"the recording {recording.folder} keeps statistics only",
            next_step="record again with --keep both",
        )
    return values
