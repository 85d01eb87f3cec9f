"""The one loop that fits: Adam on a loss, seeded, interrupted and taken up to the same bytes, ended where it stalls."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from hooke.errors import NumericsError
from hooke.numeric.seeds import stream

Parameters = dict[str, Tensor]

Loss = Callable[[Mapping[str, Tensor], Generator], Float[Tensor, ""]]
"""What is to be small: of the parameters, and a random stream of the step's own (for its rows, say)."""

After = Callable[[Parameters, int], None]
"""What is done to the parameters, in place, after a step (projections, revivals)."""


@dataclass(frozen=True)
class Fitting:
    """How to fit: Adam (Kingma & Ba 2015) at `rate`, rising over `warmup` steps and falling to 0 over the last fifth.

    `patience`: stop early where the mean loss of as many steps is not below that of as many before by `least` of it
    (0: never).
    """

    steps: int = 2000
    rate: float = 1e-3
    warmup: int = 50
    patience: int = 0
    least: float = 1e-3


@dataclass(frozen=True, eq=False)
class State:
    """Where a fit stands: all that the next step depends on. `losses` of each step that is done."""

    parameters: Parameters
    first: Parameters
    second: Parameters
    losses: tuple[float, ...] = ()
    stopped: bool = False

    @property
    def step(self) -> int:
        """How many steps are done."""
        return len(self.losses)

    def tensors(self) -> dict[str, Tensor]:
        """The state as named tensors, for a file."""
        named = {"losses": torch.tensor(self.losses, dtype=torch.float64), "stopped": torch.tensor(self.stopped)}
        for kind, group in (("parameter", self.parameters), ("first", self.first), ("second", self.second)):
            named |= {f"{kind}.{name}": tensor for name, tensor in group.items()}
        return named

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> "State":
        """What `tensors` made. KeyError for anything else."""

        def group(kind: str) -> Parameters:
            return {name.removeprefix(kind + "."): one for name, one in tensors.items() if name.startswith(kind + ".")}

        losses = tuple(tensors["losses"].tolist())
        return cls(group("parameter"), group("first"), group("second"), losses, bool(tensors["stopped"]))


def begin(parameters: Parameters) -> State:
    """The state before the first step; the parameters are copied."""
    own = {name: tensor.detach().clone() for name, tensor in parameters.items()}
    zeros = {name: torch.zeros_like(tensor) for name, tensor in own.items()}
    return State(own, zeros, {name: tensor.clone() for name, tensor in zeros.items()})


def fit(
    state: State, loss: Loss, by: Fitting, *, seed: int = 0, every: int = 100, after: After | None = None
) -> Iterator[State]:
    """Fit from a state on; yields the state every `every` steps and at the end, which is the last.

    A state that was yielded may be kept and given again later: what comes then is the same to the last bit.
    Abandoning the iterator stops the work. Errors: NumericsError where the loss is no number.
    """
    while state.step < by.steps and not state.stopped:
        for _ in range(min(every, by.steps - state.step)):
            state = _stepped(state, loss, by, seed, after)
            if _stalled(state.losses, by):
                state = replace(state, stopped=True)
                break
        yield state


def _stepped(state: State, loss: Loss, by: Fitting, seed: int, after: After | None) -> State:
    step = state.step
    with torch.enable_grad():
        live = {name: tensor.detach().requires_grad_() for name, tensor in state.parameters.items()}
        value = loss(live, stream(seed, "fitting", str(step)))
        gradients = torch.autograd.grad(value, list(live.values()))
    if not bool(torch.isfinite(value)):
        raise NumericsError(
            f"step {step} of a fit", "the loss is no finite number", next_step=f"a lower rate than {by.rate:g}"
        )
    parameters, first, second = {}, {}, {}
    with torch.no_grad():
        for (name, tensor), gradient in zip(state.parameters.items(), gradients, strict=True):
            first[name] = 0.9 * state.first[name] + 0.1 * gradient
            second[name] = 0.999 * state.second[name] + 0.001 * gradient.square()
            mean = first[name] / (1 - 0.9 ** (step + 1))
            spread = (second[name] / (1 - 0.999 ** (step + 1))).sqrt()
            parameters[name] = tensor - _rate(by, step) * mean / (spread + 1e-8)
        if after is not None:
            after(parameters, step)
    return State(parameters, first, second, (*state.losses, float(value.detach())))


def _rate(by: Fitting, step: int) -> float:
    rising = min(1.0, (step + 1) / max(1, by.warmup))
    return by.rate * rising * min(1.0, (by.steps - step) / max(1.0, by.steps / 5))


def _stalled(losses: tuple[float, ...], by: Fitting) -> bool:
    if not by.patience or len(losses) < 2 * by.patience or len(losses) % by.patience:
        return False
    now = sum(losses[-by.patience :]) / by.patience
    before = sum(losses[-2 * by.patience : -by.patience]) / by.patience
    return before - now < by.least * abs(before)
