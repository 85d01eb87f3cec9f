"""The bench: images with what is explained in each, asked over and over with pixels taken away, in full batches."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from hooke.addresses import Address, Place
from hooke.attribution.targets import target
from hooke.attribution.way import exact_form
from hooke.errors import NumericsError
from hooke.models.layers import INPUT, LOGITS
from hooke.models.model import Model
from hooke.models.taps import tapped
from hooke.numeric.seeds import stream
from hooke.shapes import Canvases
from hooke.validation.removal import Removal
from hooke.validation.sources import digest

ROWS, MOST = 32, 256
"""Images of 224 x 224 pixels in one pass, and images of any size, at most."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What the model says of rows: the value explained, and for logits its softmax probability and whether it is top.

    The last two are NaN where something else than a logit is explained.
    """

    value: Float[Tensor, "row"]
    probability: Float[Tensor, "row"]
    top: Float[Tensor, "row"]

    def by(self, score: str) -> Float[Tensor, "row"]:
        """One of them: "value", "probability" or "top"; NumericsError where it is no number."""
        found: Tensor = getattr(self, score)
        if bool(found.isnan().any()):
            step = "explain a logit, or take score='value'"
            raise NumericsError(f"the {score} of a target", "it is no logit", next_step=step)
        return found


class Bench:
    """Images, and what is explained in each (`of`, an address for each), under a model that is asked in full batches.

    What several metrics want of the model is computed once: curves of one order of removal, answers to random subsets.
    `masks` [image, height, width]: where the truth lies, where that is known. `names`: of the images, their digests by
    default; random numbers for an image depend on its name and the seed alone. `rows`: in one pass, at most;
    `passes` counts them.
    """

    def __init__(
        self, model: Model, canvases: Canvases, of: Sequence[str], *, seed: int = 0,
        masks: Bool[Tensor, "image height width"] | None = None, rows: int | None = None,
    ) -> None:  # fmt: skip
        if len(of) != len(canvases):
            raise NumericsError("what is explained", f"{len(of)} addresses for {len(canvases)} images")
        self.model, self.canvases, self.of, self.seed, self.masks = model, canvases.float(), tuple(of), seed, masks
        self.names = tuple(digest(one) for one in self.canvases)
        self._targets = {one: target(model, one) for one in dict.fromkeys(of)}
        self._channels = {one: _single_logit(model, one) for one in self._targets}
        self._reads = sorted(frozenset().union(*(one.layers for one in self._targets.values())))
        self._form = exact_form(model, [INPUT, *self._reads])
        self._rows, self.passes = rows or min(MOST, ROWS * 224**2 // self.canvases[0, 0].numel() or 1), 0
        self._memo: dict[Any, Any] = {}
        self.watch: Callable[[int], None] | None = None

    def __len__(self) -> int:
        return len(self.canvases)

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` returns, made once for a key."""
        if key not in self._memo:
            self._memo[key] = make()
        return self._memo[key]

    def ask(self, images: Int[Tensor, "row"], make: Callable[[slice], Canvases]) -> Answer:
        """The answers to rows of canvases, each made of the image named in `images`; `make` gives those of a slice."""
        found = torch.empty(3, len(images), dtype=torch.float64)
        for start in range(0, len(images), self._rows):
            part = slice(start, min(len(images), start + self._rows))
            found[:, part] = self._pass(make(part), images[part])
        return Answer(*found)

    @property
    def clean(self) -> Answer:
        """The answers to the images themselves."""
        answer: Answer = self.once("clean", lambda: self.ask(torch.arange(len(self)), lambda part: self.canvases[part]))
        return answer

    def without(
        self, removal: Removal, images: Int[Tensor, "row"], gone: Bool[Tensor, "row row_cells column_cells"]
    ) -> Answer:
        """The answers to images without cells; `gone` says which, on a grid over the image."""
        substrate = self.substrate(removal)
        size = tuple(self.canvases.shape[2:])

        def make(part: slice) -> Canvases:
            chosen = images[part]
            where = functional.interpolate(gone[part, None].float(), size, mode="nearest")[:, 0] > 0.5
            return removal.removed(self.canvases[chosen], substrate[chosen], where)

        return self.ask(images, make)

    def substrate(self, removal: Removal) -> Canvases:
        """What is underneath the images when they are gone."""
        found: Tensor = self.once(
            ("substrate", removal), lambda: removal.substrate(self.canvases, self.model.modality).contiguous()
        )
        return found

    def grid(self, cell: int) -> tuple[int, int]:
        """How many rows and columns of cells of `cell` pixels there are.

        Errors: NumericsError where they do not tile the image.
        """
        height, width = self.canvases.shape[2:]
        if cell < 1 or height % cell or width % cell:
            choices = [str(one) for one in range(1, min(height, width) + 1) if height % one == width % one == 0]
            raise NumericsError(
                f"cells of {cell} px", f"they do not tile images of {height} x {width}", choices=choices
            )
        return height // cell, width // cell

    def pooled(self, maps: Float[Tensor, "map image height width"], cell: int) -> Float[Tensor, "map image cell"]:
        """The sum of each map over each cell, in float64."""
        self.grid(cell)
        return functional.avg_pool2d(maps.double(), cell).flatten(2) * cell**2

    def ranks(self, credit: Float[Tensor, "map image cell"], *, least: bool = False) -> Int[Tensor, "map image cell"]:
        """The order in which cells go, most relevant first (`least`: least first); equal ones in random order.

        The random order is the image's own, and its reverse when least relevant go first, so that without ties the two
        orders are each other's reverse, and with nothing but ties, too.
        """
        cells = credit.shape[2]
        lots = torch.stack(
            [torch.randperm(cells, generator=stream(self.seed, "ties", name)) for name in self.names]
        ).expand(credit.shape)
        shuffled = credit.gather(2, lots)
        order = lots.gather(2, shuffled.argsort(dim=2, descending=True, stable=True))
        ranks = torch.empty_like(order).scatter_(2, order, torch.arange(cells).expand_as(order))
        return cells - 1 - ranks if least else ranks

    def curve(
        self, ranks: Int[Tensor, "map image cell"], removal: Removal, steps: int, cell: int, score: str
    ) -> Float[Tensor, "map image step"]:
        """The score after each of `steps` equal shares of cells went, from none to all: steps + 1 numbers."""
        key = ("curve", removal, steps, cell, _hash(ranks))
        answer: Answer = self.once(key, lambda: self._curve(ranks, removal, steps, cell))
        inner = answer.by(score).view(*ranks.shape[:2], steps - 1)
        whole, empty = self.clean.by(score), self.empty(removal).by(score)
        ends = [one.expand(len(ranks), -1)[:, :, None] for one in (whole, empty)]
        return torch.cat([ends[0], inner, ends[1]], 2)

    def empty(self, removal: Removal) -> Answer:
        """The answers to images without anything."""
        images = torch.arange(len(self))
        answer: Answer = self.once(
            ("empty", removal),
            lambda: self.without(removal, images, torch.ones(len(self), 1, 1, dtype=torch.bool)),
        )
        return answer

    def _curve(self, ranks: Tensor, removal: Removal, steps: int, cell: int) -> Answer:
        """The answers to all steps but the first and the last; orders that agree share their passes."""
        tall, wide = self.grid(cell)
        count = len(ranks) * len(self)
        flat = ranks.reshape(count, tall, wide)
        upto = [round(tall * wide * step / steps) for step in range(1, steps)]
        images = torch.arange(len(self)).repeat(len(ranks)).repeat_interleave(len(upto))
        limits = torch.tensor(upto).repeat(count)
        owner = torch.arange(count).repeat_interleave(len(upto))
        return self.without(removal, images, flat[owner] < limits[:, None, None])

    def _pass(self, canvases: Canvases, images: Tensor) -> Tensor:
        batch = self.model.modality.normalize(canvases.to(self.model.device, self.model.dtype))
        with torch.no_grad(), tapped(self._form, self._reads) as taps:
            recorded = taps(batch)
        found = torch.full((3, len(images)), torch.nan, dtype=torch.float64)
        of = [self.of[image] for image in images.tolist()]
        for name in dict.fromkeys(of):
            rows = torch.tensor([at for at, one in enumerate(of) if one == name])
            mine = {layer: values[rows.to(values.device)] for layer, values in recorded.items()}
            found[0, rows] = self._targets[name].read(mine).double().cpu()
            channel = self._channels[name]
            if channel is not None:
                logits = mine[LOGITS].double().cpu()
                found[1, rows] = logits.softmax(1)[:, channel]
                found[2, rows] = (logits.argmax(1) == channel).double()
        self.passes += len(images)
        if self.watch is not None:
            self.watch(len(images))
        return found


def top(model: Model, canvases: Canvases) -> list[str]:
    """The address of each canvas's likeliest label."""
    found: list[str] = []
    for part in torch.split(canvases, 32):
        with torch.no_grad():
            logits = model(model.modality.normalize(part))
        if logits.ndim != 2:
            reason = f"its output has the shape {tuple(logits.shape)}"
            raise NumericsError(f"the top label of {model.name}", reason, next_step="say with `of` what is explained")
        found += [str(Place(LOGITS, int(one))) for one in logits.argmax(1)]
    return found


def area(curve: Float[Tensor, "... step"]) -> Float[Tensor, "..."]:
    """The area under a curve over equal steps from 0 to 1, by trapezoids."""
    inner: Tensor = curve.sum(-1) - (curve[..., 0] + curve[..., -1]) / 2
    return inner / (curve.shape[-1] - 1)


def logit(place: Address) -> int | None:
    """The label that an address is the logit of; None where it is none."""
    if isinstance(place, Place) and place.layer == LOGITS and isinstance(place.channel, int):
        return place.channel
    return None


def _single_logit(model: Model, of: str) -> int | None:
    """The same, where there is one logit for each label."""
    found = logit(model.resolve(of))
    return found if found is not None and len(model.layer(LOGITS).axes) == 2 else None


def _hash(tensor: Tensor) -> str:
    return hashlib.sha256(str(tuple(tensor.shape)).encode() + tensor.contiguous().numpy().tobytes()).hexdigest()
