"""The one traced pass: run a model once, and learn from it the layer table."""

import inspect
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from hooke.errors import ModelError
from hooke.models.layers import INPUT, LOGITS, LayerTable, Site
from hooke.models.lineage import Lineage, Span
from hooke.models.lineage_rules import LOCAL, NONLINEARITIES, Call, lineage
from hooke.models.taps import Leaf, leaves, observed, resting, same_randomness, version
from hooke.results import Layer

_INPUT_AXES = {
    2: ("batch", "channel"),
    3: ("batch", "channel", "time"),
    4: ("batch", "channel", "height", "width"),
    5: ("batch", "channel", "time", "height", "width"),
}


def trace_layers(module: nn.Module, example_batch: Tensor, axes: Sequence[str] | None = None) -> LayerTable:
    """Run the module once on a batch (of two) and return its layer table.

    `axes` are the roles of the batch's axes (four of them are batch, channel, height, width). The module is in eval
    mode for the pass; hooks, modes, gradient flags, buffers and the random state are as before.
    ModelError, saying what forward wants, where the module cannot be run on the batch alone.
    """
    roles = tuple(axes or _INPUT_AXES[example_batch.ndim])
    _check_openness(module)
    _check_signature(module)
    with resting(module), same_randomness(example_batch.device), torch.inference_mode(False), torch.no_grad():
        batch = example_batch.clone()
        trace = _Trace(batch, roles)
        try:
            with observed(module, trace.entered, trace.returned), trace:
                module(batch)
        except (RuntimeError, TypeError, ValueError, AttributeError, LookupError, AssertionError) as error:
            raise _does_not_run(module, batch, error) from error
    return _table(module, trace)


@dataclass
class _Return:
    """One tensor that a module returned (None: it returned none), with what was known then."""

    module: str
    kind: str
    call: int
    leaf: Leaf
    order: int
    parameters: int
    activation: bool
    tensor: Tensor | None
    lineage: Lineage | None
    version: int = 0


@dataclass
class _Frame:
    """A module that is running: whether it calls other modules, and which functions it calls itself."""

    parent: bool = False
    functions: set[str] = field(default_factory=set)

    @property
    def nonlinearity(self) -> bool:
        return not self.parent and self.functions <= LOCAL and bool(self.functions & NONLINEARITIES)


class _Trace(TorchFunctionMode):
    """Follows the lineage of every tensor through the functions of torch, and notes what each module returns."""

    def __init__(self, batch: Tensor, roles: Sequence[str]) -> None:
        super().__init__()
        self._lineages: WeakTensorKeyDictionary = WeakTensorKeyDictionary()
        self._frames = [_Frame()]
        self._calls: Counter[str] = Counter()
        self._order = 0
        self._lineages[batch] = Lineage.of_input(batch.shape, roles)
        self.returns = [_Return(INPUT, "Input", 0, (), -1, 0, False, batch, self._lineages[batch], version(batch))]

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = _name(func)
        result = func(*args, **(kwargs or {}))
        if name == "setitem":
            self._written(args)
        outputs = list(_tensors(result))
        if outputs:
            self._follow(name, args, kwargs or {}, outputs)
        return result

    def entered(self, name: str, module: nn.Module) -> None:
        self._frames[-1].parent = True
        self._frames.append(_Frame())

    def returned(self, name: str, module: nn.Module, output: object) -> None:
        with torch._C.DisableTorchFunction():
            self._note(name, module, output, self._frames.pop())

    def _note(self, name: str, module: nn.Module, output: object, frame: _Frame) -> None:
        found = list(leaves(output))
        parameters = sum(parameter.numel() for parameter in module.parameters())
        rest: list[tuple[Leaf, Tensor | None]] = list(found) or [((), None)]
        for leaf, tensor in rest:
            activation = frame.nonlinearity and len(found) == 1
            ancestry = self._known(tensor)
            if activation and ancestry is not None:
                ancestry = self._lineages[tensor] = replace(ancestry, activated=True)
            self.returns.append(
                _Return(
                    name,
                    type(module).__name__,
                    self._calls[name],
                    leaf,
                    self._order,
                    parameters,
                    activation,
                    tensor,
                    ancestry,
                    0 if tensor is None else version(tensor),
                )
            )
        self._calls[name] += 1
        self._order += 1

    def _known(self, value: object) -> Lineage | None:
        found: Lineage | None = self._lineages.get(value) if isinstance(value, Tensor) else None  # type: ignore[no-untyped-call]
        return found

    def _follow(self, name: str, args: Sequence[Any], kwargs: dict[str, Any], outputs: Sequence[Tensor]) -> None:
        given = [self._known(tensor) for tensor in _tensors([args, kwargs])]
        parents = [parent for parent in given if parent is not None]
        if not parents:
            return
        self._frames[-1].functions.add(name)
        call = Call(name, args, kwargs, parents, self._known)
        found = [lineage(call, tuple(output.shape)) for output in outputs]
        for output, ancestry in zip(outputs, found, strict=True):
            self._lineages[output] = ancestry

    def _written(self, args: Sequence[Any]) -> None:
        """`target[...] = value`: the target now also comes from the value."""
        target, value = args[0], args[2]
        ancestry = self._known(value)
        if ancestry is not None:
            before = self._known(target)
            shape = tuple(target.shape)
            self._lineages[target] = before.joined([ancestry]).everywhere() if before else ancestry.unknown(shape)


def _table(module: nn.Module, trace: _Trace) -> LayerTable:
    calls = Counter({(seen.module, seen.order) for seen in trace.returns if seen.order >= 0})
    often = Counter(name for name, _ in calls)
    batch = trace.returns[0].tensor
    rows = [_row(seen, often[seen.module], len(batch) if batch is not None else 0) for seen in trace.returns]
    unused = [_unused(name, part) for name, part in module.named_modules() if not often[name]]
    ends = [row for row in rows[1:] if row[1].module == ""]
    return LayerTable([*rows[: len(rows) - len(ends)], *unused, *ends])


def _row(seen: _Return, often: int, batch: int) -> tuple[Layer, Site]:
    tensor, shape = seen.tensor, tuple(seen.tensor.shape) if seen.tensor is not None else ()
    axes = _axes(seen.lineage, shape, batch)
    reason = _reason(seen, axes, batch)
    size = dict(zip(axes, shape, strict=True))
    spans = _spans(seen.lineage, axes)
    step, span = max((s.step for _, s in spans), default=None), max((s.size for _, s in spans), default=math.inf)
    layer = Layer(
        name=_name_of(seen, often),
        kind=seen.kind,
        axes=axes,
        shape=tuple(1 if axis == "batch" else length for axis, length in zip(axes, shape, strict=True)),
        channels=size.get("channel"),
        height=size.get("height"),
        width=size.get("width"),
        stride=None if step is None else max(1, round(step)),
        receptive_field=None if math.isinf(span) else math.ceil(span - 1e-6),
        parameters=seen.parameters,
        activation=seen.activation,
        post_activation=seen.activation or (seen.lineage is not None and seen.lineage.activated),
        addressable=not reason,
        reason=reason,
    )
    overwritten = tensor is not None and version(tensor) != seen.version
    return layer, Site(seen.module if seen.order >= 0 else INPUT, seen.call, seen.leaf, seen.order, overwritten, spans)


def _unused(name: str, part: nn.Module) -> tuple[Layer, Site]:
    parameters = sum(parameter.numel() for parameter in part.parameters())
    scripted = isinstance(part, torch.jit.ScriptModule)
    reason = "it was compiled with TorchScript" if scripted else "this module is not called when the model runs"
    row = _Return(name, type(part).__name__, 0, (), -1, parameters, False, None, None)
    layer, _ = _row(row, 1, 0)
    return replace(layer, name=_name_of(row, 1), reason=reason), Site(name)


def _name_of(seen: _Return, often: int) -> str:
    name = seen.module or (LOGITS if seen.order >= 0 else INPUT)
    if often > 1 or (seen.module in (INPUT, LOGITS) and seen.order >= 0):
        name += f"~{seen.call}"
    way = ".".join(re.sub(r"[^A-Za-z0-9_]", "_", str(key)) for key in seen.leaf)
    return f"{name}[{way}]" if seen.leaf else name


def _axes(ancestry: Lineage | None, shape: Sequence[int], batch: int) -> tuple[str, ...]:
    """The roles of the axes; where the lineage does not tell, what such a shape usually means."""
    roles = ancestry.roles if ancestry is not None else ("",) * len(shape)
    if not shape or shape[0] != batch or roles[0] not in ("batch", ""):
        return roles
    guess = {2: ("channel",), 3: ("token", "channel"), 4: ("channel", "height", "width")}.get(len(shape), ())
    if guess and not any(roles[1:]):
        return ("batch", *guess)
    if roles[1:] in (("channel", "", ""), ("", "", "channel")):
        return ("batch", *(guess if roles[1] else ("height", "width", "channel")))
    return ("batch", *(role or "token" for role in roles[1:]))


def _reason(seen: _Return, axes: Sequence[str], batch: int) -> str:
    """Why the tensor has no address; "" where it has one."""
    if seen.tensor is None:
        return "it returns no tensor"
    if not seen.tensor.is_floating_point():
        return f"its values are {str(seen.tensor.dtype).removeprefix('torch.')}, not floating-point numbers"
    if not axes or axes[0] != "batch":
        return "the first axis of its tensor is not the batch"
    if axes.count("channel") != 1:
        return "no axis of its tensor holds channels" if "channel" not in axes else "two of its axes hold channels"
    return ""


def _spans(ancestry: Lineage | None, axes: Sequence[str]) -> tuple[tuple[str, Span], ...]:
    """What a position sees, for each spatial axis that the tensor still has (tokens: height and width)."""
    if ancestry is None:
        return ()
    shown = [role for role in ancestry.spans if role in axes or "token" in axes]
    return tuple((role, ancestry.along(role)) for role in shown)


def _name(func: Callable[..., Any]) -> str:
    """A function's name without the marks of operators and of working in place; for a property, the property's."""
    name = str(getattr(func, "__name__", func))
    return str(getattr(func, "__self__", func).__name__) if name == "__get__" else name.strip("_")


def _tensors(value: object) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from _tensors(part)


def _wanted(module: nn.Module) -> list[str]:
    """The arguments that forward cannot do without."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(module.forward).parameters.values()
    return [p.name for p in parameters if p.kind in kinds and p.default is inspect.Parameter.empty]


def _check_openness(module: nn.Module) -> None:
    """ModelError where the layers cannot be seen from outside, because the module was compiled."""
    for name, part in module.named_modules():
        compiled = type(part).__name__ == "OptimizedModule" or getattr(part, "_compiled_call_impl", None) is not None
        if compiled or (not name and isinstance(part, torch.jit.ScriptModule)):
            request, how = f"look into {name or type(module).__name__}", "torch.compile" if compiled else "TorchScript"
            reason = f"it was compiled with {how}, so its layers cannot be reached"
            raise ModelError(request, reason, next_step="give the nn.Module that it was compiled from")


def _check_signature(module: nn.Module) -> None:
    try:
        wanted = _wanted(module)
    except (TypeError, ValueError):
        return
    if len(wanted) > 1:
        request, reason = f"run {type(module).__name__}", f"its forward wants {len(wanted)} inputs: {', '.join(wanted)}"
        raise ModelError(request, reason, next_step="wrap it in a module whose forward takes the batch of images alone")


def _does_not_run(module: nn.Module, batch: Tensor, error: Exception) -> ModelError:
    try:
        signature = str(inspect.signature(module.forward))
    except (TypeError, ValueError):
        signature = "(...)"
    reason = f"its forward{signature} failed on a batch of shape {tuple(batch.shape)}: {type(error).__name__}: {error}"
    step = "check the input size and channels of its modality, or wrap it in a module that takes such a batch"
    return ModelError(f"run {type(module).__name__}", reason, next_step=step)
