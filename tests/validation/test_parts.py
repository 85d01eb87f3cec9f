"""Credit of parts beside their ablation, on a model where both are known, and what is kept of it."""

import pytest
import torch
from torch import Tensor, nn

from hooke.attribution import Gradient, GradientTimesActivation
from hooke.errors import NumericsError
from hooke.modalities.image import Image
from hooke.models.model import Model
from hooke.models.opening import open
from hooke.storage.store import Store
from hooke.validation.parts import CONTROLS, METRIC, validate_parts
from hooke.validation.standing import verdict
from hooke.validation.verdicts import BETTER

CANVASES = torch.rand(16, 1, 8, 8, generator=torch.Generator().manual_seed(2))


class Mixed(nn.Module):
    """Twelve channels of 3 x 3 pixels each, which a matrix turns into logits: what a part gives is what it takes."""

    def __init__(self) -> None:
        super().__init__()
        self.see = nn.Sequential(nn.Conv2d(1, 12, 3, bias=False), nn.ReLU())
        self.flat = nn.Flatten()
        self.say = nn.Linear(12 * 36, 3)

    def forward(self, batch: Tensor) -> Tensor:
        logits: Tensor = self.say(self.flat(self.see(batch)))
        return logits


@pytest.fixture(scope="module")
def model() -> Model:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return open(Mixed(), modality=Image(8, 8, (0.4,), (0.5,), channels=1, crop_fraction=1.0))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


@pytest.mark.parametrize("use", ["channels", "units", "positions", "groups"])
def test_where_all_is_linear_credit_is_what_is_lost(model: Model, store: Store, use: str) -> None:
    told: list[tuple[str, int, int]] = []
    found = validate_parts(
        model, CANVASES, to="see.1", use=use, of="logits:0", parts=12, store=store, watch=lambda *one: told.append(one)
    )
    own = found.scores["activation x gradient"][""][METRIC]
    torch.testing.assert_close(own, torch.ones(1, 16, dtype=torch.float64))
    assert {row.control for row in found.rows} == set(CONTROLS)
    beaten = {row.control for row in found.rows if row.verdict == BETTER}
    same = {"activation", "another image's credit"} if use == "groups" else set()  # a gradient is that of any image
    assert beaten >= set(CONTROLS) - same
    assert told[-1] == (f"{use} of see.1", 15, 16)
    known = verdict(model, GradientTimesActivation(), "see.1", use=use, store=store)
    assert len(known.sample) == known.images == 16
    if use != "groups":
        assert known.state == "better"
        assert (
            known.text
            == f"activation x gradient of {use} of see.1 is better than every control by {METRIC} (16 images)"
        )


def test_images_in_which_no_part_is_active_have_no_score(model: Model, store: Store) -> None:
    flat = torch.full((3, 1, 8, 8), 0.4)  # what the model sees as nothing: no part is active
    found = validate_parts(model, flat, to="see.1", use="channels", of="logits:0", store=store)
    assert not found.rows


def test_one_use_says_nothing_of_another(model: Model, tmp_path_factory: pytest.TempPathFactory) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    validate_parts(model, CANVASES, to="see.1", use="channels", of="logits:0", store=store)
    assert verdict(model, GradientTimesActivation(), "see.1", use="channels", store=store).measured
    other = verdict(model, GradientTimesActivation(), "see.1", use="units", name="it", store=store)
    assert (other.state, other.measured) == ("unmeasured", False)
    assert other.text.startswith("it of units of see.1: not yet measured on this model; `hooke validate")
    assert not verdict(model, GradientTimesActivation(), "see.1", store=store).measured


def test_several_methods_share_the_ablations(model: Model, tmp_path_factory: pytest.TempPathFactory) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    methods = {"good": GradientTimesActivation(), "slope": Gradient()}
    found = validate_parts(model, CANVASES, to="see.1", use="units", methods=methods, of="logits:0", store=store)
    good, slope = (float(found.scores[name][""][METRIC].mean()) for name in methods)
    assert good == pytest.approx(1)
    assert slope < 0.97
    assert verdict(model, Gradient(), "see.1", use="units", store=store).text.startswith("slope")


def test_what_has_no_parts_is_refused(model: Model) -> None:
    with pytest.raises(NumericsError, match="no part of a layer"):
        validate_parts(model, CANVASES, to="see.1", use="maps")
    with pytest.raises(NumericsError, match="no part of a layer"):
        validate_parts(model, CANVASES, to="see.1", use="groups", methods={"g": Gradient()})
