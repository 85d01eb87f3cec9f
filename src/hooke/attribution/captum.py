"""Methods of captum, with its known traps closed: the one place that imports it."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

import numpy
import torch
from torch import Tensor, fx, nn

from hooke.attribution.baselines import Baseline, Zero, canvases, fitted
from hooke.attribution.method import Credit, Method
from hooke.attribution.parts import Parts, Patches
from hooke.attribution.unrolling import FUNCTIONS, unrolled
from hooke.attribution.way import Way
from hooke.errors import AttributionWarning, ModelError, NumericsError
from hooke.models.taps import same_randomness
from hooke.numeric.fixed import Fixed

Pulled = tuple[Tensor, Tensor | None]
"""Credits [target, ...] of one input, and what they should add up to [target]."""


class Wrapped(ABC):
    """One of captum's methods with its settings."""

    @property
    def random(self) -> bool:
        """Whether its answer depends on the seed."""
        return False

    @property
    def passes(self) -> int:
        """About how many forward passes an input takes."""
        return 2

    @abstractmethod
    def one(self, way: Way, start: Callable[[Baseline], Tensor]) -> Pulled:
        """The credits for the one input of a way. `start` gives a baseline's values for it."""


@dataclass(frozen=True)
class Captum(Method):
    """A method as captum has it, on a copy of the model made for it; see each of them for what is checked.

    The copy has a module of its own for each call, no operation in place, and modules for functional ReLUs and pooling;
    its results are compared with the model's. It needs a model whose operations can be followed (torch.fx).
    Errors: ModelError where the method's rules do not cover the model; NumericsError where its sums do not come out.
    """

    method: Wrapped

    @property
    def random(self) -> bool:
        return self.method.random

    def credit(self, way: Way, seed: int) -> Credit:
        values, sums, starts = [], [], cache(lambda baseline: fitted(baseline, way))
        for number in range(len(way.canvases)):
            alone = way.of_others(way.canvases[number : number + 1])

            def start(baseline: Baseline, number: int = number) -> Tensor:
                return starts(baseline)[number : number + 1]

            with _seeded(seed, way.model.device), warnings.catch_warnings():
                warnings.filterwarnings("ignore", module="captum")
                warnings.filterwarnings("ignore", message="(?i).*(hooks|required_grads|forward, backward).*")
                one, total = self.method.one(alone, start)
            values.append(one)
            sums.append(total)
        known = [one for one in sums if one is not None]
        return Credit(torch.stack(values, 1), torch.stack(known, 1) if len(known) == len(sums) else None)

    def copies(self, way: Way) -> int:
        return self.method.passes


@dataclass(frozen=True)
class GuidedBackprop(Wrapped):
    """The gradient with only positive parts passed on at each ReLU (ReLU6 too); no derivative of anything.

    Errors: ModelError for a model without ReLUs after the place, where captum would give the plain gradient.
    Source: Springenberg et al., "Striving for simplicity", 2015.
    """

    def one(self, way: Way, start: Callable[[Baseline], Tensor]) -> Pulled:
        from captum.attr import GuidedBackprop as Theirs

        rest = _Rest(way, _open_ceiling)
        if not any(isinstance(part, nn.ReLU) for part in rest.modules()):
            reason = "there is no ReLU between the place and the target, and without one it is the plain gradient"
            raise ModelError("guided backpropagation", reason, next_step="use Gradient()")
        if strange := sorted({type(part).__name__ for part in rest.parts if _opaque(part)}):
            text = f"guided backpropagation: a ReLU inside of {', '.join(strange)} would not be noticed"
            warnings.warn(text, AttributionWarning, stacklevel=2)
        theirs = Theirs(rest)
        return torch.cat([theirs.attribute(way.values, target=at) for at in range(len(way.targets))]).detach(), None


@dataclass(frozen=True)
class DeepLIFT(Wrapped):
    """Differences to a baseline, shared out by the rescale rule.

    Errors: NumericsError where the credits miss the difference by more than `tolerance` of it: then a nonlinearity on
    the way has no rule (GELU, SiLU, products, attention), and captum's map would be wrong without a word.
    Source: Shrikumar, Greenside & Kundaje, "Learning important features through propagating activation differences",
    2017.
    """

    baseline: Baseline = Zero()
    tolerance: float = 0.02

    def one(self, way: Way, start: Callable[[Baseline], Tensor]) -> Pulled:
        from captum.attr import DeepLift as Theirs

        rest, begin = _Rest(way, _ceiling), start(self.baseline)
        theirs = Theirs(rest)
        found = torch.cat([theirs.attribute(way.values, begin, target=at) for at in range(len(way.targets))]).detach()
        with torch.no_grad():
            explained = (rest(way.values) - rest(begin))[0]
        gap = _gap(found, explained)
        if gap > self.tolerance:
            raise NumericsError(
                "DeepLIFT",
                f"its credits miss the difference to the baseline by {gap:.1%}: a nonlinearity on the way has no rule",
                next_step="use IntegratedGradients(), which needs no rules",
            )
        return found, explained


@dataclass(frozen=True)
class GradientSHAP(Wrapped):
    """Gradients at random points between noisy inputs and reference inputs (canvases), times the difference.

    `noise` is the standard deviation added to the values (canvas units in the input). Run in parts that fit memory.
    Source: Lundberg & Lee, "A unified approach to interpreting model predictions", 2017.
    """

    references: Fixed
    samples: int = 64
    noise: float = 0.0

    @property
    def random(self) -> bool:
        return True

    @property
    def passes(self) -> int:
        return self.samples

    def one(self, way: Way, start: Callable[[Baseline], Tensor]) -> Pulled:
        from captum.attr import GradientShap as Theirs

        references = way.of(way.recorded(canvases(self.references, way)))
        theirs, total = (
            Theirs(lambda values: _scores(way, values)),
            way.values.new_zeros(len(way.targets), *way.values.shape[1:]),
        )
        done = 0
        while done < self.samples:
            count = min(way.rows.most, self.samples - done)
            for at in range(len(way.targets)):
                part = theirs.attribute(way.values, references, n_samples=count, stdevs=self.noise, target=at)
                total[at] += part[0].detach() * count / self.samples
            done += count
        at_references = way.run(lambda copies, _: references[copies, None], len(references))
        return total, way.scores[:, 0] - at_references[:, :, 0].mean(1)


@dataclass(frozen=True)
class ShapleySampling(Wrapped):
    """What each part adds to the target when parts come in one after another, over `samples` random orders.

    Complete for any number of orders; `parts` must not overlap. captum's default of 25 is far too few for pixels.
    Source: Castro, Gomez & Tejada, "Polynomial calculation of the Shapley value based on sampling", 2009.
    """

    parts: Parts = field(default_factory=Patches)
    samples: int = 25
    baseline: Baseline = Zero()

    @property
    def random(self) -> bool:
        return True

    @property
    def passes(self) -> int:
        return self.samples * 256

    def one(self, way: Way, start: Callable[[Baseline], Tensor]) -> Pulled:
        from captum.attr import ShapleyValueSampling as Theirs

        masks = self.parts.masks(way)
        if bool((masks.sum(0) > 1).any()):
            raise NumericsError(str(self.parts), "the parts overlap", next_step="make the stride as large as the size")
        whole = masks.expand(len(masks), *way.values.shape[1:])
        numbers = torch.where(whole.any(0), whole.int().argmax(0), len(masks))
        begin, found = start(self.baseline), []
        theirs = Theirs(lambda values: way.run(lambda copies, _: values[copies, None], len(values))[:, :, 0].T)
        for at in range(len(way.targets)):
            credits = theirs.attribute(
                way.values, begin, target=at, feature_mask=numbers[None], n_samples=self.samples,
                perturbations_per_eval=way.rows.most,
            )  # fmt: skip
            size = torch.bincount(numbers.flatten(), minlength=len(masks) + 1)[numbers]
            found.append(credits[0] / size.to(credits.device))
        explained = way.scores[:, 0] - way.run(lambda *_: begin[None], 1)[:, 0, 0]
        return torch.stack(found), explained


@dataclass(frozen=True)
class LRP(Wrapped):
    """Relevance passed back layer by layer by the epsilon rule; batch norms are folded, sums have their own rule.

    AttributionWarning where what arrives differs from the target by more than `tolerance` of it (biases keep some).
    In the input, credits are of the normalised values. Errors: ModelError for what has no rule.
    Source: Bach et al., "On pixel-wise explanations for non-linear classifier decisions by layer-wise relevance
    propagation", 2015.
    """

    tolerance: float = 0.1

    def one(self, way: Way, start: Callable[[Baseline], Tensor]) -> Pulled:
        from captum.attr import LRP as Theirs

        rest = _Rest(way, _with_rules, normalised=True)
        values = way.model.modality.normalize(way.values) if way.from_input else way.values
        try:
            found = [Theirs(rest).attribute(values, target=at).detach() for at in range(len(way.targets))]
        except (TypeError, AssertionError, AttributeError, RuntimeError) as refusal:
            reason = f"captum has no rule for a step on the way ({refusal})"
            raise ModelError("LRP", reason, next_step="use IntegratedGradients(), which needs no rules") from refusal
        credits, scores = torch.cat(found), way.scores[:, 0]
        gap = _gap(credits, scores)
        if gap > self.tolerance:
            text = (
                f"LRP: the credits miss the target by {gap:.1%} of it; biases on the way keep relevance for themselves"
            )
            warnings.warn(text, AttributionWarning, stacklevel=2)
        return credits, scores


class _Rest(nn.Module):
    """What comes after a place, as a module of modules: [sample, ...] -> [sample, target]."""

    def __init__(
        self, way: Way, instead: Callable[[fx.Node, nn.Module | None], nn.Module | None], normalised: bool = False
    ) -> None:
        super().__init__()
        self._way, self._normalised = way, normalised
        self._suffix, parts = unrolled(way.form, way.layer.name, way.reads, instead)
        self.parts = nn.ModuleList(parts)
        self._prefix = self._suffix.prepare(way.model.modality.normalize(way.canvases))

    def forward(self, values: Tensor) -> Tensor:
        whole = values if self._normalised and self._way.from_input else self._way.wholes(values[:, None], slice(0, 1))
        if self._way.from_input and not self._normalised:
            whole = self._way.model.modality.normalize(whole)
        recorded = self._suffix.run(self._prefix, whole, self._way.reads)
        return torch.stack([one.read(recorded) for one in self._way.targets], 1)


class _Ceiling(nn.Module):
    """min(relu(x), c) as two ReLUs, which rules know."""

    def __init__(self, ceiling: float) -> None:
        super().__init__()
        self.ceiling, self.low, self.high = ceiling, nn.ReLU(), nn.ReLU()

    def forward(self, values: Tensor) -> Tensor:
        values = self.ceiling - self.high(self.ceiling - self.low(values))
        return values


class _Clamped(nn.Module):
    """min(relu(x), c) as a ReLU and a clamp."""

    def __init__(self, ceiling: float) -> None:
        super().__init__()
        self.ceiling, self.low = ceiling, nn.ReLU()

    def forward(self, values: Tensor) -> Tensor:
        values = self.low(values)
        return values.clamp(max=self.ceiling)


def _ceiling(node: fx.Node, part: nn.Module | None) -> nn.Module | None:
    return _Ceiling(part.max_val) if isinstance(part, nn.Hardtanh) and part.min_val == 0 else part


def _open_ceiling(node: fx.Node, part: nn.Module | None) -> nn.Module | None:
    return _Clamped(part.max_val) if isinstance(part, nn.Hardtanh) and part.min_val == 0 else part


def _with_rules(node: fx.Node, part: nn.Module | None) -> nn.Module | None:
    """Modules that LRP has rules for; ModelError for an operation that would spread relevance by its derivative."""
    from captum.attr._core.lrp import SUPPORTED_LAYERS_WITH_RULES
    from captum.attr._utils.custom_modules import Addition_Module
    from captum.attr._utils.lrp_rules import EpsilonRule

    if part is not None:
        if type(part) not in SUPPORTED_LAYERS_WITH_RULES and isinstance(part, nn.Conv2d | nn.Linear):
            part.rule = EpsilonRule()  # a kind of layer that captum knows only by its own type
        return None if isinstance(part, nn.Identity | nn.Flatten | nn.Dropout) else _ceiling(node, part)
    name = getattr(node.target, "__name__", str(node.target))
    if name in ("add", "iadd", "add_") and all(isinstance(one, fx.Node) for one in node.args[:2]):
        return Addition_Module()  # type: ignore[no-any-return]
    if name not in FUNCTIONS:
        step = "use IntegratedGradients(), which needs no rules"
        raise ModelError("LRP", f"there is no rule for {name}, a step on the way", next_step=step)
    return None


def _opaque(part: nn.Module) -> bool:
    """Whether a module is of nobody known: neither torch's, nor a kind of it, nor ours."""
    known = [kind for kind in type(part).__mro__ if kind.__module__.startswith(("torch.nn.", "hooke."))]
    return known == [nn.Module]


def _scores(way: Way, values: Tensor) -> Tensor:
    return way.reached(values[:, None])[:, :, 0].T


def _gap(credits: Tensor, explained: Tensor) -> float:
    missed = (credits.reshape(len(credits), -1).sum(1) - explained).abs()
    return float((missed / explained.abs().clamp(min=1e-6)).max())


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """captum draws from the global generators of torch and numpy: set them for it, and put them back."""
    state = numpy.random.get_state()
    with same_randomness(device):
        torch.manual_seed(seed)
        numpy.random.seed(seed % 2**32)
        try:
            yield
        finally:
            numpy.random.set_state(state)
