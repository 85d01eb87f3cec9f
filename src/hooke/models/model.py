"""One opened model: the user's own module with its modality, labels, layer table and fingerprint."""

import threading
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hooke.addresses import Address, Edge, Place, Sum, parse, weighted
from hooke.displayed import Displayed
from hooke.errors import AddressError, ModelError, NumericsError
from hooke.modalities.image import Image
from hooke.models.groups import Groups, found
from hooke.models.labels import find_label
from hooke.models.layers import LOGITS, LayerTable, index
from hooke.models.taps import resting, tapped
from hooke.models.tokens import only_patches
from hooke.models.trace import trace_layers
from hooke.results import Layer, Prediction
from hooke.shapes import Canvas


class Model(Displayed):
    """A model under the microscope; made by `hooke.open`.

    `module` is the user's own and is never changed; it stands in evaluation mode only while a pass runs.
    `lock` is held during each pass, so one model serves several threads. `memo` keeps what was derived from it.
    """

    def __init__(
        self,
        module: nn.Module,
        modality: Image,
        labels: tuple[str, ...],
        name: str,
        fingerprint: str,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.module = module
        self.modality = modality
        self.labels = labels
        self.name = name
        self.fingerprint = fingerprint
        self.device = device
        self.dtype = dtype
        self.parameters = sum(parameter.numel() for parameter in module.parameters())
        self.source = ""
        """The text that it was opened from; empty where it was a module."""
        self.lock = threading.RLock()
        self.memo: dict[Any, Any] = {}
        self.groups: dict[str, Groups] = {}
        """The groups that were found in it, by key; `hooke.factorize` adds them."""
        self._layers: LayerTable | None = None

    def __getstate__(self) -> dict[str, Any]:
        """As it travels to another process: without its lock and what was derived from it."""
        return {name: value for name, value in self.__dict__.items() if name not in ("lock", "memo")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, lock=threading.RLock(), memo={})

    def __repr__(self) -> str:
        return f"<Model {self.name}: {self.parameters:,} parameters, fingerprint {self.fingerprint[:12]}>"

    def __call__(self, batch: Tensor) -> Tensor:
        """The logits of a normalized batch; differentiable.

        Errors: ModelError when the batch does not fit, or when the model returns no single tensor of scores.
        """
        self._check(batch)
        with self.lock, resting(self.module):
            try:
                output = self.module(batch.to(self.device, self.dtype))
            except (RuntimeError, ValueError, TypeError, AssertionError, NotImplementedError) as failure:
                if isinstance(failure, torch.OutOfMemoryError):
                    raise
                raise self._unfit(tuple(batch.shape), failure) from failure
        scores = _scores(output)
        if scores is None:
            raise ModelError(
                f"the logits of {self.name}",
                f"it returns {type(output).__name__}, not one tensor of scores",
                next_step="look at its layers instead: `hooke layers MODEL`",
            )
        return scores

    @property
    def layers(self) -> LayerTable:
        """The layer table: `input` first, `logits` last; traced by one pass on first use.

        Errors: ModelError when the model does not take a blank input of its modality.
        """
        with self.lock:
            if self._layers is None:
                self._layers = self._traced()
            return self._layers

    def layer(self, name: str) -> Layer:
        """The layer of that name; AddressError with the nearest names, or with why it has no address."""
        return self.layers.find(name)

    def label(self, index: int) -> str:
        """The label of a class, or its number where no labels are known."""
        return self.labels[index] if 0 <= index < len(self.labels) else str(index)

    def resolve(self, address: str | Address) -> Address:
        """The address checked against this model, with labels turned into channels and `@cls` into a token.

        Errors: AddressError for an unknown layer or label, an ambiguous label, an index out of range.
        """
        found = parse(address) if isinstance(address, str) else address
        if isinstance(found, Edge):
            return Edge(self._resolved(found.source), self._resolved(found.target))
        return self._resolved(found)

    def grouped(self, address: str | Address) -> tuple[Groups, int]:
        """The groups that an address such as `layer#3fa9c1d2.0` is of, and which of them it is.

        Errors: AddressError where it is no such address, or nobody knows these groups.
        """
        place = self.resolve(address)
        if not isinstance(place, Place) or place.component is None:
            raise AddressError(str(address), "this is no group", next_step="write LAYER#KEY.INDEX")
        return found(self, place)

    def direction(self, address: str | Address) -> Float[Tensor, "channel"]:
        """The direction of length 1 that a group's address, or a channel's, stands for.

        Errors: AddressError for any other address.
        """
        place = self.resolve(address)
        if isinstance(place, Place) and isinstance(place.channel, int):
            return torch.eye(self.layer(place.layer).channels or 0)[place.channel]
        groups, index = self.grouped(address)
        return groups.directions[index]

    def predict(self, canvas: Canvas, count: int = 5) -> list[Prediction]:
        """The `count` likeliest labels of one canvas with their softmax probabilities, likeliest first.

        Errors: ModelError when the model is no classifier; NumericsError when NaN or infinity comes in or out.
        """
        if not bool(torch.isfinite(canvas).all()):
            raise NumericsError(f"a prediction of {self.name}", "the canvas holds NaN or infinity at the layer input")
        batch = self.modality.normalize(canvas[None])
        with torch.no_grad():
            scores = self(batch)
        if scores.ndim != 2 or scores.shape[1] < 2:
            raise ModelError(
                f"a prediction of {self.name}",
                f"it is no classifier: its output has the shape {tuple(scores.shape)}",
                next_step="look at its layers instead: `hooke layers MODEL`",
            )
        self._check_labels(scores.shape[1])
        if not bool(torch.isfinite(scores).all()):
            raise self._unsound(batch)
        top = scores[0].float().softmax(0).topk(min(count, scores.shape[1]))
        return [
            Prediction(self.label(index), index, probability)
            for probability, index in zip(top.values.tolist(), top.indices.tolist(), strict=True)
        ]

    def with_module(self, module: nn.Module) -> "Model":
        """This model with another form of its module that has the same layers: same fingerprint, same layer table."""
        other = Model(module, self.modality, self.labels, self.name, self.fingerprint, self.device, self.dtype)
        other._layers, other.groups = self.layers, self.groups
        return other

    def _traced(self) -> LayerTable:
        batch = self.modality.blank(2).to(self.device, self.dtype)
        try:
            table = trace_layers(self.module, batch)
        except ModelError as failure:
            if _first_channels(self.module) in (None, self.modality.channels):
                raise
            raise self._unfit(tuple(batch.shape), failure) from failure
        for layer in table:
            if layer.name == LOGITS and layer.channels is not None:
                self._check_labels(layer.channels)
        return table

    def _resolved(self, address: Place | Sum) -> Place | Sum:
        if isinstance(address, Place):
            return self._resolve_place(address)
        return weighted((weight, self._resolve_place(place)) for weight, place in address.terms)

    def _resolve_place(self, place: Place) -> Place:
        layer = self.layers.find(place.layer)
        channel, position = place.channel, place.position
        if isinstance(channel, str):
            if layer.name.partition("[")[0] != LOGITS:
                raise AddressError(
                    str(place), "only the logits have labels", next_step=f"write {Place(LOGITS, channel)}"
                )
            channel = find_label(channel, self.labels)
        if isinstance(position, str):
            if position != "cls" or "token" not in layer.axes:
                spatial = [axis for axis in layer.axes if axis not in ("batch", "channel")]
                axes = " and ".join(spatial) or "no positions"
                raise AddressError(str(place), f"{layer.name} has no position {position!r}; it has {axes}")
            if only_patches(self.layers, layer.name):
                step = f"write {Place(place.layer, place.channel, (0,))} for the first patch"
                raise AddressError(
                    str(place), f"all tokens of {layer.name} are patches, none is the class", next_step=step
                )
            position = (0,)
        component = place.component
        if component is not None:
            groups, number = found(self, place)
            component = groups.address(number).component
        resolved = Place(place.layer, channel, position, component)
        index(layer, resolved)
        if channel is not None and layer.channels is None:
            raise AddressError(str(place), f"{layer.name} has no channels; its axes are {', '.join(layer.axes)}")
        return resolved

    def _check(self, batch: Tensor) -> None:
        expected = self.modality.channels
        if batch.ndim != 4 or batch.shape[1] != expected:
            raise ModelError(
                f"a batch of shape {tuple(batch.shape)} for {self.name}",
                f"it takes [batch, {expected}, height, width], normalized",
                next_step="model.modality.normalize(canvases) makes such a batch",
            )

    def _check_labels(self, classes: int) -> None:
        if self.labels and len(self.labels) != classes:
            raise ModelError(
                f"the labels of {self.name}",
                f"{len(self.labels)} labels were given for {classes} classes",
                next_step="give one label per class, or none",
            )

    def _unfit(self, shape: tuple[int, ...], failure: Exception) -> ModelError:
        takes = _first_channels(self.module)
        hint = f"; its first convolution takes {takes} channels" if takes not in (None, shape[1]) else ""
        return ModelError(
            f"{self.name} on an input of shape {shape}",
            f"the model refuses it{hint} ({type(failure).__name__}: {failure})",
            next_step="open it with the modality that it takes: modality=Image(height, width, mean, std, channels)",
        )

    def _unsound(self, batch: Tensor) -> NumericsError:
        """The error that names the first layer with a value that is no number."""
        names = [layer.name for layer in self.layers.addressable]
        with torch.no_grad(), tapped(self, names) as taps:
            recorded: Mapping[str, Tensor] = taps(batch.to(self.device, self.dtype))
        first = next((name for name in names if not bool(torch.isfinite(recorded[name]).all())), LOGITS)
        return NumericsError(
            f"a prediction of {self.name}",
            f"NaN or infinity first appears at the layer {first}",
            next_step="look at that layer's weights, or open the model with precision='float32'",
        )


def _scores(output: Any) -> Tensor | None:
    """The tensor that stands for a module's answer: itself, or the first of a tuple, or `logits` or `out` by name."""
    if isinstance(output, Tensor):
        return output
    if isinstance(output, Mapping):
        named = [output[key] for key in ("logits", "out") if key in output]
        return _scores((named or list(output.values()) or [None])[0])
    if isinstance(output, tuple):
        return _scores(output[0]) if output else None
    return None


def _first_channels(module: nn.Module) -> int | None:
    first = next((part for part in module.modules() if isinstance(part, nn.Conv1d | nn.Conv2d | nn.Conv3d)), None)
    return None if first is None else first.in_channels
