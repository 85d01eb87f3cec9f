"""In which form a model is recorded: its fastest equal form where that is equal at the layers asked for."""

import copy
import math
from collections.abc import Sequence

from torch import nn

from hooke.models.agreement import apart, random_batch
from hooke.models.fast import TOLERANCE, fast_form
from hooke.models.layers import LOGITS
from hooke.models.model import Model
from hooke.models.recording import activations


def recorded_form(model: Model, layers: Sequence[str]) -> Model:
    """A frozen copy with batch norm folded, working in place as the model does; the model itself where that differs.

    Equal: at two random inputs every recorded layer differs by at most `TOLERANCE` of its largest value.
    """
    plain = [name for name in layers if not model.layer(name).activation]
    ends = [layer.name for layer in model.layers.addressable if layer.name == LOGITS]
    keep = [*plain, *ends] or [layers[-1]]
    module = copy.deepcopy(fast_form(model, keep).module)
    parts = dict(model.module.named_modules())
    for name, part in module.named_modules():
        if getattr(parts.get(name), "inplace", False) is True and type(part) is type(parts[name]):
            setattr(part, "inplace", True)  # noqa: B010
    form = model.with_module(module)
    return form if _equal(model, form, layers) else model


def clamp_of(module: nn.Module) -> tuple[float, float] | None:
    """The floor and ceiling of a nonlinearity that only clamps; None for any other."""
    if type(module) is nn.ReLU:
        return 0.0, math.inf
    if type(module) in (nn.ReLU6, nn.Hardtanh):
        assert isinstance(module, nn.Hardtanh)
        return float(module.min_val), float(module.max_val)
    return None


def _equal(model: Model, form: Model, layers: Sequence[str]) -> bool:
    batch = random_batch(model)
    ours, theirs = activations(model, batch, layers), activations(form, batch, layers)
    return all(apart(theirs[layer], ours[layer]) <= TOLERANCE for layer in layers)
