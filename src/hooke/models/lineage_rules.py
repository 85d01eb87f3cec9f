"""What each function of torch does to the lineage of its tensors; a function without a rule mixes everything."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from torch import Tensor

from hooke.models.lineage import SPATIAL, Axis, Lineage, broadcast


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


IDENTITIES = _names(
    """contiguous clone to float half bfloat16 double type type_as detach data cpu cuda requires_grad alias dropout
    dropout1d dropout2d dropout3d alpha_dropout feature_dropout feature_alpha_dropout"""
)
NONLINEARITIES = _names(
    """relu relu6 hardtanh leaky_relu prelu rrelu elu selu celu gelu silu mish sigmoid hardsigmoid hardswish logsigmoid
    tanh softplus softsign softshrink hardshrink tanhshrink threshold clamp clamp_min clamp_max clip sin cos erf exp
    abs square"""
)
ELEMENTWISE = _names(
    """add radd iadd sub rsub isub mul rmul imul div rdiv truediv rtruediv itruediv true_divide neg pow ipow rpow sqrt
    rsqrt reciprocal log log1p expm1 sign round floor where addcmul addcdiv lerp maximum minimum masked_fill batch_norm
    local_response_norm channel_shuffle native_channel_shuffle nan_to_num logical_not eq ne lt le gt ge"""
)
LOCAL = IDENTITIES | NONLINEARITIES | ELEMENTWISE
"""Functions that treat every position by itself."""


@dataclass(frozen=True)
class Call:
    """One call of a function of torch: `parents` are the lineages of its tensors that come from the input."""

    name: str
    args: Sequence[Any]
    kwargs: dict[str, Any]
    parents: Sequence[Lineage]
    lineage_of: Callable[[object], Lineage | None]

    def get(self, at: int, name: str, default: Any = None) -> Any:
        """An argument, by its position or by its name."""
        return self.args[at] if at < len(self.args) else self.kwargs.get(name, default)

    @property
    def source(self) -> Lineage | None:
        """The lineage of the tensor that the function is about."""
        subject = self.get(0, "input", self.kwargs.get("tensors"))
        return self.parents[0] if isinstance(subject, list | tuple) else self.lineage_of(subject)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of that tensor."""
        return tuple(self.get(0, "input").shape)


Rule = Callable[[Call, Lineage, Sequence[int]], Lineage]


def lineage(call: Call, shape: Sequence[int]) -> Lineage:
    """The lineage of one result of the call, of the given shape (`call.parents` must not be empty)."""
    rule = _RULES.get(call.name)
    if call.name in LOCAL:
        found = broadcast(call.parents, shape)
        activated = call.name in NONLINEARITIES or (call.name in IDENTITIES and call.parents[0].activated)
        return replace(found, activated=activated)
    source, first = call.source, call.parents[0].joined(call.parents[1:])
    if rule is not None and source is not None:
        try:
            return rule(call, source, shape)
        except (LookupError, TypeError, ValueError, AttributeError):  # arguments that the rule does not know
            return first.unknown(shape)
    same = [math.prod(part.size for part in axis) for axis in first.axes] == list(shape)
    return first.everywhere() if same else first.unknown(shape)


def _convolution(call: Call, source: Lineage, shape: Sequence[int]) -> Lineage:
    kernel = tuple(call.get(1, "weight").shape[2:])
    stride, padding = call.get(3, "stride", 1), call.get(4, "padding", 0)
    dilation = _each(call.get(5, "dilation", 1), len(kernel))
    reach = [step * (size - 1) for step, size in zip(dilation, kernel, strict=True)]
    before = (
        [size // 2 for size in reach] if padding == "same" else _each(0 if padding == "valid" else padding, len(kernel))
    )
    windows = zip((size + 1 for size in reach), _each(stride, len(kernel)), (-size for size in before), strict=True)
    return _windowed(source, shape, list(windows))


def _transposed_convolution(call: Call, source: Lineage, shape: Sequence[int]) -> Lineage:
    kernel = tuple(call.get(1, "weight").shape[2:])
    strides, paddings = (
        _each(call.get(at, name, default), len(kernel)) for at, name, default in ((3, "stride", 1), (4, "padding", 0))
    )
    dilations = _each(call.get(7, "dilation", 1), len(kernel))
    windows = []
    for size, stride, padding, dilation in zip(kernel, strides, paddings, dilations, strict=True):
        reach = dilation * (size - 1)
        windows.append((reach / stride + 1, 1 / stride, (padding - reach) / stride))
    return _windowed(source, shape, windows)


def _pooling(call: Call, source: Lineage, shape: Sequence[int]) -> Lineage:
    count, at = int(call.name.split("pool")[1][0]), 2 if call.name.startswith("lp_") else 1
    kernel = _each(call.get(at, "kernel_size"), count)
    stride = _each(call.get(at + 1, "stride") or kernel, count)
    padding = _each(call.get(at + 2, "padding", 0), count) if at == 1 else (0,) * count
    dilation = _each(call.get(4, "dilation", 1), count) if call.name.startswith("max_") else (1,) * count
    windows = [(d * (k - 1) + 1, s, -p) for k, s, p, d in zip(kernel, stride, padding, dilation, strict=True)]
    return _windowed(source, shape, windows, channels=False)


def _adaptive_pooling(call: Call, source: Lineage, shape: Sequence[int]) -> Lineage:
    count = int(call.name.split("pool")[1][0])
    ratios = [before / after for before, after in zip(call.shape[-count:], shape[-count:], strict=True)]
    even = all(
        ratio.is_integer() and (after > 1 or ratio == 1) for ratio, after in zip(ratios, shape[-count:], strict=True)
    )
    windows = [(ratio, ratio, 0.0) for ratio in ratios]
    return _windowed(source if even else source.everywhere(), shape, windows, channels=False)


def _interpolation(call: Call, source: Lineage, shape: Sequence[int]) -> Lineage:
    mode, aligned = call.get(3, "mode", "nearest"), call.get(4, "align_corners", False)
    reach = {"nearest": 1, "nearest-exact": 1, "linear": 1, "bilinear": 1, "trilinear": 1, "bicubic": 2}.get(
        mode, math.inf
    )
    windows = []
    for before, after in zip(call.shape[2:], shape[2:], strict=True):
        stride = (before - 1) / max(after - 1, 1) if aligned else before / after
        offset = 0.0 if aligned or mode == "nearest" else stride / 2 - 0.5
        window = (
            (2 - stride, stride, stride - 1)
            if mode == "nearest" and stride < 1
            else (2 * reach + 1, stride, offset - reach)
        )
        windows.append(window if before != after else (1.0, 1.0, 0.0))
    blurred = call.kwargs.get("antialias") and any(stride > 1 for _, stride, _ in windows)
    return _windowed(source.everywhere() if blurred else source, shape, windows, channels=False)


def _pixel_shuffle(call: Call, source: Lineage, shape: Sequence[int]) -> Lineage:
    ratio = call.shape[-1] / shape[-1]
    window = (ratio, ratio, 0.0) if ratio > 1 else (2 - ratio, ratio, ratio - 1)
    return _windowed(source, shape, [window, window])


def _padding(call: Call, source: Lineage, shape: Sequence[int]) -> Lineage:
    amounts = list(call.get(1, "pad"))
    for back in range(1, len(amounts) // 2 + 1):
        source = _sliced(source, len(shape) - back, -amounts[2 * back - 2], 1, shape[-back])
    return source


def _reduction(call: Call, source: Lineage, shape: Sequence[int]) -> Lineage:
    at = 2 if call.name in ("norm", "linalg_vector_norm", "vector_norm") else 1
    dimensions = call.kwargs.get("axis", call.get(at, "dim"))
    if isinstance(dimensions, Tensor):
        return broadcast(call.parents, shape)  # torch.max(a, b)
    over = _dimensions(dimensions, len(source.axes))
    result = source.everywhere() if source.mixes(over) else replace(source, activated=False)
    if len(shape) == len(source.axes):
        for axis in over:
            result = result.with_axis(axis, 1, result.roles[axis])
        return result
    return replace(result, axes=tuple(axis for at, axis in enumerate(result.axes) if at not in over))


def _normalization(call: Call, source: Lineage, shape: Sequence[int]) -> Lineage:
    if call.name in ("layer_norm", "rms_norm"):
        over = [-1 - at for at in range(len(call.get(1, "normalized_shape")))]
    else:
        over = _dimensions(call.get(2, "dim", 1) if call.name == "normalize" else call.get(1, "dim"), len(shape))
    return source.everywhere() if source.mixes(over) else replace(source, activated=False)


def _linear(call: Call, source: Lineage, shape: Sequence[int]) -> Lineage:
    mixed = source.mixes([-1])
    role = source.roles[-1]
    role = role if role in (*SPATIAL, "token") else "channel"
    return (source.everywhere() if mixed else source).with_axis(len(source.axes) - 1, shape[-1], role)


def _product(call: Call, source: Lineage, shape: Sequence[int]) -> Lineage:
    if len(call.parents) == 1 and len(source.axes) == len(shape) and call.name in ("matmul", "mm", "bmm"):
        return _linear(call, source, shape)
    last = call.parents[-1]
    whole = source.joined(call.parents).everywhere()
    if len(source.axes) == len(last.axes) == len(shape):
        return replace(whole, axes=(*broadcast([source], [*shape[:-1], call.shape[-1]]).axes[:-1], last.axes[-1]))
    return whole.unknown(shape)


def _attention(call: Call, source: Lineage, shape: Sequence[int]) -> Lineage:
    whole, value = source.joined(call.parents).everywhere(), call.lineage_of(call.get(2, "value"))
    if len(source.axes) != len(shape):
        return whole.unknown(shape)
    role = value.roles[-1] if value is not None else "channel"
    return whole.with_axis(len(shape) - 1, shape[-1], role)


def _permutation(call: Call, source: Lineage, shape: Sequence[int]) -> Lineage:
    order, count = list(range(len(shape))), len(shape)
    if call.name == "permute":
        order = [at % count for at in _flat(call.args[1:] or call.kwargs["dims"])]
    elif call.name in ("movedim", "moveaxis"):
        moved = [
            [at % count for at in _flat([call.get(place, name)])] for place, name in ((1, "source"), (2, "destination"))
        ]
        rest = iter([at for at in order if at not in moved[0]])
        back = dict(zip(moved[1], moved[0], strict=True))
        order = [back[at] if at in back else next(rest) for at in order]
    elif call.name in ("t", "T", "mT", "adjoint"):
        order = order[::-1] if call.name == "T" else [*order[:-2], *order[:-3:-1]]
    else:
        one, other = (call.get(at, f"dim{at - 1}", call.kwargs.get(f"axis{at - 1}")) % count for at in (1, 2))
        order[one], order[other] = order[other], order[one]
    return source.permuted(order)


def _reshaping(call: Call, source: Lineage, shape: Sequence[int]) -> Lineage:
    return source.reshaped(shape)


def _expansion(call: Call, source: Lineage, shape: Sequence[int]) -> Lineage:
    return broadcast([source], shape)


def _splitting(call: Call, source: Lineage, shape: Sequence[int]) -> Lineage:
    at = {"unbind": 1, "select": 1, "narrow": 1, "index_select": 1, "glu": 1}.get(call.name, 2)
    axis = int(call.get(at, "dim", -1 if call.name == "glu" else 0)) % len(source.axes)
    whole = (
        source.everywhere() if source.roles[axis] in (*SPATIAL, "") else replace(source, activated=call.name == "glu")
    )
    if len(shape) < len(source.axes):
        return replace(whole, axes=(*whole.axes[:axis], *whole.axes[axis + 1 :]))
    return whole.with_axis(axis, shape[axis], whole.roles[axis])


def _indexing(call: Call, source: Lineage, shape: Sequence[int]) -> Lineage:
    wanted = call.args[1] if isinstance(call.args[1], tuple) else (call.args[1],)
    if any(not isinstance(entry, int | slice | None | type(...)) for entry in wanted):
        return (
            source.everywhere()
            if len(shape) == len(source.axes) and tuple(shape) == call.shape
            else source.unknown(shape)
        )
    used = sum(entry is not None and entry is not ... for entry in wanted)
    at = wanted.index(...) if ... in wanted else len(wanted)
    missing = (slice(None),) * (len(source.axes) - used)
    kept: list[Axis] = []
    axis, result = 0, source
    for entry in (*wanted[:at], *missing, *wanted[at + 1 :]):
        if entry is None:
            kept.append(())
            continue
        if isinstance(entry, slice):
            start, stop, step = entry.indices(call.shape[axis])
            if (start, stop, step) != (0, call.shape[axis], 1):
                result = _sliced(result, axis, start, step, len(range(start, stop, step)))
            kept.append(result.axes[axis])
        elif result.mixes([axis]):
            result = result.everywhere() if result.roles[axis] != "token" else result
        axis += 1
    return replace(result, axes=tuple(kept))


def _joining(call: Call, first: Lineage, shape: Sequence[int]) -> Lineage:
    at = int(call.get(1, "dim", call.kwargs.get("axis", 0))) % len(shape)
    if call.name == "stack":
        joined = first.joined(call.parents[1:])
        return replace(joined, axes=(*first.axes[:at], *first.unknown([shape[at]]).axes, *first.axes[at:]))
    role = next((parent.roles[at] for parent in call.parents if parent.roles[at]), "")
    whole = first.everywhere() if role in (*SPATIAL, "") else first
    result = whole.with_axis(at, shape[at], role).joined(call.parents[1:])
    return replace(result, activated=all(parent.activated for parent in call.parents))


def _embedding(call: Call, source: Lineage, shape: Sequence[int]) -> Lineage:
    return replace(source, axes=(*source.axes, *source.unknown(shape[-1:]).axes)).with_axis(
        len(shape) - 1, shape[-1], "channel"
    )


def _windowed(
    source: Lineage, shape: Sequence[int], windows: Sequence[tuple[float, float, float]], channels: bool = True
) -> Lineage:
    """The last axes seen through windows of (kernel, stride, offset); new channels before them where `channels`."""
    start = len(shape) - len(windows)
    result = source
    for at, window in enumerate(windows, start):
        role = source.roles[at]
        if role in source.spans:
            result = result.with_axis(at, shape[at], role, source.along(role).window(*window))
        else:
            result = (result if role == "channel" else result.everywhere()).with_axis(at, shape[at], role)
    if channels and start > 0:
        result = result.with_axis(start - 1, shape[start - 1], "" if "channel" in source.roles[start:] else "channel")
    return replace(result, activated=False)


def _sliced(source: Lineage, axis: int, start: int, step: int, size: int) -> Lineage:
    role = source.roles[axis]
    if role in source.spans:
        return replace(
            source.with_axis(axis, size, role, source.along(role).window(1, step, start)), activated=source.activated
        )
    whole = source if role in ("batch", "channel", "token", "head") else source.everywhere()
    return replace(whole.with_axis(axis, size, role), activated=source.activated)


def _each(value: Any, count: int) -> tuple[Any, ...]:
    values = tuple(value) if isinstance(value, Iterable) else (value,)
    return values * count if len(values) == 1 else values


def _flat(values: Iterable[Any]) -> list[int]:
    return list(chain.from_iterable(value if isinstance(value, Iterable) else (value,) for value in values))


def _dimensions(value: Any, count: int) -> list[int]:
    return list(range(count)) if value is None else [at % count for at in _flat([value])]


_FAMILIES: dict[Rule, str] = {
    _convolution: "conv1d conv2d conv3d",
    _transposed_convolution: "conv_transpose1d conv_transpose2d conv_transpose3d",
    _pooling: " ".join(f"{kind}_pool{count}d" for kind in ("max", "avg", "lp") for count in (1, 2, 3)),
    _adaptive_pooling: " ".join(f"adaptive_{kind}_pool{count}d" for kind in ("max", "avg") for count in (1, 2, 3)),
    _interpolation: "interpolate upsample",
    _pixel_shuffle: "pixel_shuffle pixel_unshuffle",
    _padding: "pad",
    _reduction: "mean sum amax amin max min norm var std logsumexp prod median nanmean linalg_vector_norm vector_norm",
    _normalization: "layer_norm rms_norm normalize softmax log_softmax",
    _linear: "linear",
    _product: "matmul bmm mm rmatmul baddbmm",
    _attention: "scaled_dot_product_attention multi_head_attention_forward",
    _permutation: "permute transpose swapaxes swapdims t T mT adjoint movedim moveaxis",
    _reshaping: "view reshape flatten unflatten squeeze unsqueeze view_as reshape_as ravel unsafe_view",
    _expansion: "expand expand_as repeat broadcast_to tile",
    _splitting: "chunk split tensor_split unbind split_with_sizes select narrow index_select glu",
    _indexing: "getitem",
    _joining: "cat concat concatenate stack",
    _embedding: "embedding",
}
_RULES: dict[str, Rule] = {name: rule for rule, names in _FAMILIES.items() for name in names.split()}
