"""/api/images/{image}/doubt and /confusions: photographs with the same doubt, and labels that are confused."""

from collections.abc import Sequence

import torch
from fastapi import APIRouter, Request
from jaxtyping import Float, Int
from starlette.responses import Response
from torch import Tensor

from hooke.errors import HookeError
from hooke.interventions.readouts import classes_of
from hooke.models.layers import LOGITS
from hooke.responses.examples import indices
from hooke.responses.recording import Recording
from hooke.server.computed import LATER, Report, computed
from hooke.server.microscope import Here, Microscope
from hooke.server.shelf import Photograph
from hooke.server.sprites import picture_of, sheet
from hooke.server.wire_patch import ConfusionsView, ConfusionView, DifferingView, DoubtView, PairView
from hooke.studies.alike import Confusion, confusions, differing
from hooke.validation.sights import Inputs

router = APIRouter()

MOST = 256
"""Inputs that the model is asked about at most, where its logits were not recorded."""
BATCH = 16
PAIRS = 6
SHOWN = 6
SIDE = 64


@router.get("/api/images/{image}/doubt")
async def get_doubt(here: Here, request: Request, image: str) -> DoubtView:
    """The photographs for which the two likeliest labels of this one are both among the five likeliest."""
    photograph = here.shelf.get(image)
    return await here.ask(request, here.foreground, lambda: doubt(here, photograph))


@router.get("/api/images/{image}/confusions", response_model=ConfusionsView, responses=LATER)
async def get_confusions(here: Here, image: str) -> Response:
    """Which labels of the recorded data the model takes for one another, and which units differ where it does: the
    same for every photograph."""
    here.shelf.get(image)
    return computed(here, "confusions", lambda report: _confused(here, report))


def doubt(here: Microscope, photograph: Photograph) -> DoubtView:
    """The photograph's own two likeliest labels, and who else has both; equally in doubt first."""
    guesses = here.predictions(photograph)[:2]
    others = [one for one in here.shelf.all() if one.id != photograph.id]
    if len(guesses) < 2:
        return DoubtView(first="", second="", own=None, same=[], looked=len(others))
    first, second = guesses
    same = [pair for one in others if (pair := _pair(here, one, first.index, second.index))]
    same.sort(key=lambda pair: -min(pair.first, pair.second))
    return DoubtView(
        first=first.label, second=second.label, same=same, looked=len(others),
        own=PairView(image=photograph.id, first=first.probability, second=second.probability),
    )  # fmt: skip


def _pair(here: Microscope, one: Photograph, first: int, second: int) -> PairView | None:
    known = {guess.index: guess.probability for guess in here.predictions(one)}
    both = first in known and second in known
    return PairView(image=one.id, first=known[first], second=known[second]) if both else None


def _confused(here: Microscope, report: Report) -> ConfusionsView:
    kept = here.recording
    if kept is None:
        return _missing("Nothing was recorded of this model over data")
    classes = classes_of(here.model, kept.labels)
    labelled = torch.nonzero(classes >= 0).flatten()
    if not len(labelled):
        return _missing("What was recorded has no labels that the model knows")
    try:
        some, said, inputs = _said(here, kept, labelled, report)
    except HookeError as error:
        return _missing(f"The recorded data cannot be read again ({error.reason})")
    found = confusions(classes[some], said)
    layers, values = _responses(kept, some)
    views = [_view(here, kept, inputs, some, one, layers, values) for one in found[:PAIRS]]
    wrong = sum(len(one.wrong) for one in found)
    return ConfusionsView(
        confusions=views, inputs=len(some), recorded=len(kept.names), wrong=wrong, units=len(layers), missing=""
    )


def _said(
    here: Microscope, kept: Recording, labelled: Int[Tensor, "input"], report: Report
) -> tuple[Int[Tensor, "input"], Int[Tensor, "input"], Inputs | None]:
    """Which of the labelled inputs were looked at, what the model says of each, and all inputs, if still there."""
    logits = kept.layer(LOGITS).pooled_mean if LOGITS in kept.layers else None
    if logits is not None:
        try:
            return labelled, logits[labelled].argmax(1), _inputs(here, kept)
        except HookeError:  # pictures are shown where they are still there
            return labelled, logits[labelled].argmax(1), None
    inputs = _inputs(here, kept)
    step = max(1, -(-len(labelled) // MOST))
    some, said = labelled[::step], []
    for at in range(0, len(some), BATCH):
        report(at, len(some))
        canvases = torch.stack([inputs[index] for index in some[at : at + BATCH].tolist()])
        batch = here.model.modality.normalize(canvases).to(here.model.device, here.model.dtype)
        with torch.no_grad():
            said.append(here.model(batch).argmax(1).cpu())
    return some, torch.cat(said), inputs


def _inputs(here: Microscope, kept: Recording) -> Inputs:
    """The recorded inputs again. Errors: DataError where they moved or changed since."""
    samples = kept.samples()
    return Inputs(samples, indices(kept, samples), here.model)


def _responses(
    kept: Recording, some: Int[Tensor, "input"]
) -> tuple[list[tuple[str, int]], Float[Tensor, "input unit"] | None]:
    """Every recorded unit but the logits, and its mean response to each input; None where these were not kept."""
    held = {name: kept.layer(name).pooled_mean for name in kept.layers if name != LOGITS}
    known = {name: values[some].float() for name, values in held.items() if values is not None}
    units = [(name, channel) for name, values in known.items() for channel in range(values.shape[1])]
    return units, torch.cat(list(known.values()), 1) if known else None


def _view(
    here: Microscope, kept: Recording, inputs: Inputs | None, some: Int[Tensor, "input"], one: Confusion,
    units: Sequence[tuple[str, int]], values: Float[Tensor, "input unit"] | None,
) -> ConfusionView:  # fmt: skip
    told = differing(values, one.wrong, one.right, seed=here.seed) if values is not None else None
    shown = some[list(one.wrong)].tolist()[:SHOWN]
    pictures = [picture_of(inputs[index]) for index in shown] if inputs is not None else []
    apart = [
        DifferingView(layer=units[at][0], channel=units[at][1], difference=by)
        for at, by in zip(told.units, told.differences, strict=True)
    ] if told else []  # fmt: skip
    return ConfusionView(
        truth=here.model.label(one.truth), said=here.model.label(one.said), wrong=len(one.wrong),
        right=len(one.right), inputs=[kept.names[index] for index in shown],
        sheet=sheet(pictures, SIDE, max(1, len(pictures))), shown=len(pictures), units=apart,
        chance=told.chance if told else None,
    )  # fmt: skip


def _missing(reason: str) -> ConfusionsView:
    return ConfusionsView(confusions=[], inputs=0, recorded=0, wrong=0, units=0, missing=reason)
