"""The kernels of one layer as they act: a convolution or linear map with the batch norm behind it folded in."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hooke.addresses import Place
from hooke.errors import AddressError, ModelError, nearest
from hooke.models.edits import Ablate
from hooke.models.fast import folding_pairs, gain_and_shift
from hooke.models.layers import INPUT
from hooke.models.model import Model
from hooke.models.taps import tapped

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)
_WEIGHTED = (*_CONVOLUTIONS, nn.Linear)


@dataclass(frozen=True, eq=False)
class Kernels:
    """What a convolution or linear map multiplies its input with, [unit, channel, height, width], and adds; on the CPU.

    `module` computes them, `norm` is the batch norm that was folded in ("" where there is none). Groups are written
    out: weights between groups are zero, and so are those between the taps of a dilated kernel. A linear map has 1 x 1.
    """

    module: str
    norm: str
    weights: Float[Tensor, "unit channel height width"]
    bias: Float[Tensor, "unit"]
    stride: tuple[int, int]


def kernels(model: Model, layer: str) -> Kernels:
    """The direct kernels of a layer: of the convolution or linear map that it is, or that it comes straight from.

    Between that map and the layer there may be its batch norm (which is folded in) and a nonlinearity, nothing else.
    AddressError where the layer comes from no such map; ModelError where the map is quantized.
    """
    model.layers.find(layer)
    name = _origin(model, layer)
    module = model.module.get_submodule(name)
    if isinstance(module, nn.Linear):
        weights, stride = module.weight.detach()[:, :, None, None].double(), (1, 1)
    else:
        assert isinstance(module, _CONVOLUTIONS)
        weights, stride = _written_out(module), (module.stride[0] if module.weight.ndim == 4 else 1, module.stride[-1])
    bias = torch.zeros(len(weights)).to(weights) if module.bias is None else module.bias.detach().double()
    norm = dict(folding_pairs(model)).get(name, "")
    if norm and (layer.startswith(f"{norm}.") or _order(model, norm) <= model.layers.site(layer).order):
        gain, shift = gain_and_shift(model.module.get_submodule(norm))
        weights, bias = weights * gain[:, None, None, None], bias * gain + shift
    else:
        norm = ""
    return Kernels(name, norm, weights.float().cpu(), bias.float().cpu(), stride)


def weighted_between(model: Model, source: str, target: str) -> list[str]:
    """The convolutions and linear maps that run after one layer, up to another, in order."""
    first, last = model.layers.site(source).order, model.layers.site(target).order
    found = {name: _order(model, name) for name, part in model.module.named_modules() if isinstance(part, _WEIGHTED)}
    return sorted((name for name, order in found.items() if first < order <= last), key=lambda name: found[name])


def _origin(model: Model, layer: str) -> str:
    """The name of the map that a layer comes straight from."""
    known = [name for name, part in model.module.named_modules() if isinstance(part, _WEIGHTED)]
    before = [] if layer == INPUT else weighted_between(model, INPUT, layer)
    name = before[-1] if before else ""
    if name and _only_pointwise(model, name, layer):
        return name
    quantized = [one for one, part in model.module.named_modules() if "quantized" in type(part).__module__]
    if quantized:
        step = "open the model that it was quantized from"
        raise ModelError(f"the kernels of {layer}", f"{quantized[0]} is quantized", next_step=step)
    reason = "it comes straight from no convolution or linear map"
    step = "read the path from another layer: `hooke weights MODEL SOURCE TARGET`"
    raise AddressError(f"the kernels of {layer}", reason, choices=nearest(layer, known), next_step=step)


def _only_pointwise(model: Model, name: str, layer: str) -> bool:
    """Whether nothing but batch norms, nonlinearities and idle modules return between the two."""
    first, last = _order(model, name), model.layers.site(layer).order
    for row in model.layers:
        if not row.addressable or not first < model.layers.site(row.name).order <= last:
            continue
        part = model.module.get_submodule(model.layers.site(row.name).module)
        idle = isinstance(part, nn.Identity | nn.Dropout | nn.modules.batchnorm._BatchNorm) or row.activation
        if not idle:
            return False
    return _nothing_joins(model, name, layer)


def _nothing_joins(model: Model, name: str, layer: str) -> bool:
    """Whether the layer has the shape of the map's output, and nothing of the input once that output is held at 0."""
    rows = {row.name: row for row in model.layers.addressable}
    if name not in rows or rows[name].shape != rows[layer].shape:
        return False  # the map is called several times, or something pools
    blank = model.modality.blank(1).to(model.device, model.dtype).requires_grad_()
    with torch.enable_grad(), tapped(model, [layer], [Ablate(Place(name))]) as taps:
        return not taps(blank)[layer].requires_grad


def _order(model: Model, name: str) -> int:
    """When a module returns, among all returns of a pass (the last time; -1: never, or nothing that has an address)."""
    sites = [model.layers.site(row.name) for row in model.layers.addressable]
    return max((site.order for site in sites if site.module == name and site.order >= 0), default=-1)


def _written_out(module: nn.Conv1d | nn.Conv2d) -> Tensor:
    """[unit, channel, height, width] with every group in its place and zeros between dilated taps."""
    weight = module.weight.detach().double()
    weight = weight[:, :, None] if weight.ndim == 3 else weight
    units, inner = weight.shape[:2]
    full = weight.new_zeros(units, module.in_channels, *weight.shape[2:])
    each = units // module.groups
    for group in range(module.groups):
        full[group * each : (group + 1) * each, group * inner : (group + 1) * inner] = weight[
            group * each : (group + 1) * each
        ]
    spread = (1, *module.dilation) if len(module.dilation) == 1 else tuple(module.dilation)
    sides = [(size - 1) * apart + 1 for size, apart in zip(weight.shape[2:], spread, strict=True)]
    result = full.new_zeros(*full.shape[:2], *sides)
    result[:, :, :: spread[0], :: spread[1]] = full
    return result
