"""Weights between units: the planted tables come out, and trust measures what an ablation does."""

import pytest
import torch
from planted import square
from torch import Tensor, nn

import hooke
from hooke.circuits.trust import Check
from hooke.circuits.weights import Contextual, Direct, Expanded, weights
from hooke.errors import AddressError, LinearityWarning, ModelError, NumericsError, RecordingError
from hooke.modalities.image import Image
from hooke.models.model import Model


@pytest.fixture(scope="module")
def model() -> Model:
    return square.look()


def opened(module: nn.Module, side: int = 12) -> Model:
    return hooke.open(module, modality=Image(side, side, (0.0,) * 3, (1.0,) * 3), labels=())


def test_expanded_weights_are_the_table(model: Model) -> None:
    found = weights(model, "edges_act", "figures_act", check=None)
    assert torch.equal(found.values, square.tiles(square.EDGES_TO_FIGURES, square.EDGES, 7))
    assert found.rows == found.columns == tuple(range(-7, 8))
    assert found.trust is None
    assert "hardtanh" in found.statement


def test_neighbours(model: Model) -> None:
    found = weights(model, square.CORNERS_AT, square.FIGURES_AT, check=None)
    up, down = found.before("figures_act:0")
    names = [square.CORNERS[int(one.unit.rpartition(":")[2])] for one in up]
    assert tuple(names) == ("top right", "bottom right", "bottom left", "top left", "top left again")
    assert names == list(square.SPEAKS_FOR_SQUARE)
    assert [one.excitation for one in up] == [2, 2, 2, 1, 1]
    assert [(one.unit, one.inhibition) for one in down] == [(f"corners_act:{square.INHIBITOR}", -4)]
    after_up, after_down = found.after(f"corners_act:{square.INHIBITOR}")
    assert [(one.unit, one.excitation) for one in after_up] == [("figures_act:1", 1)]
    assert [(one.unit, one.inhibition) for one in after_down] == [("figures_act:0", -4)]


def test_excitation_and_inhibition_are_apart(model: Model) -> None:
    found = weights(model, square.EDGES_AT, "figures_act:0", check=None)
    assert found.excitation.tolist() == [[10, 10]]
    assert found.inhibition.tolist() == [[-16, -16]]
    assert found.net.tolist() == [[-6, -6]]
    up, down = found.before("figures_act:0")
    assert up == []
    assert [(one.excitation, one.inhibition) for one in down] == [(10, -16), (10, -16)]


def test_direct_kernels_are_the_expanded_ones_of_one_layer(model: Model) -> None:
    direct = weights(model, square.EDGES_AT, square.CORNERS_AT, by=Direct(), check=None)
    assert torch.equal(direct.values, square.tiles(square.EDGES_TO_CORNERS, square.EDGES, 2))
    with pytest.raises(AddressError, match="edges, corners"):
        weights(model, "input", square.CORNERS_AT, by=Direct(), check=None)


def test_direct_kernels_must_read_the_source_itself() -> None:
    torch.manual_seed(0)
    model = opened(nn.Sequential(nn.Conv2d(3, 4, 3), nn.MaxPool2d(2), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 3), nn.ReLU()))
    nn.init.normal_(model.module[2].weight)
    assert weights(model, "2", "4", by=Direct(), check=None).values.shape == (2, 4, 3, 3)
    with pytest.raises(AddressError, match="do not read the source itself"):
        weights(model, "0", "4", by=Direct(), check=None)


def test_sums_are_directions(model: Model) -> None:
    both = weights(model, "edges_act:0 + 2*edges_act:1", ["corners_act:2", "corners_act:0 - corners_act:2"], check=None)
    whole = weights(model, square.EDGES_AT, square.CORNERS_AT, check=None).values
    assert torch.equal(both.values[0, 0], whole[2, 0] + 2 * whole[2, 1])
    assert torch.equal(both.values[1, 0], whole[0, 0] - whole[2, 0] + 2 * (whole[0, 1] - whole[2, 1]))


class Line(nn.Module):
    """A linear way, with ReLUs that never cut anything off."""

    def __init__(self, shift: float) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.first, self.act = nn.Conv2d(3, 8, 3, padding=1), nn.ReLU()
        self.second, self.act2, self.third = nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 6, 3, padding=1)
        with torch.no_grad():
            self.second.bias.add_(shift)

    def forward(self, x: Tensor) -> Tensor:
        return self.third(self.act2(self.second(self.act(self.first(x)))))


def test_a_linear_way_is_trusted_wholly_and_a_cut_one_is_not() -> None:
    images = torch.rand(4, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    linear = weights(opened(Line(100.0)), "act", "third", data=images, check=Check(sources=8, inputs=4))
    assert linear.trust is not None
    assert linear.trust.correlation == pytest.approx(1, abs=1e-3)
    assert linear.trust.low > 0.99
    assert linear.trust.by_target.nanmedian() > 0.99
    with pytest.warns(LinearityWarning, match="say little about what the units do"):
        cut = weights(opened(Line(-0.3)), "act", "third", data=images, check=Check(sources=8, inputs=4))
    assert cut.trust is not None
    assert cut.trust.high < 0.9
    assert "rank correlation" in cut.statement


def test_trust_is_what_the_ablation_tables_say(model: Model) -> None:
    """On a square: top right, bottom right, bottom left matter, the crossing and either twin do not."""
    batch = square.canvas("square")[None]
    found = weights(model, square.CORNERS_AT, "figures_act:0", data=batch).trust
    assert found is not None
    measured, predicted = torch.tensor([0.0, 0, -1, -1, -1]), torch.tensor([-1.0, -1, -2, -2, -2])
    assert found.sources == 5  # the crossing is silent on a square
    assert found.correlation == pytest.approx(float(torch.corrcoef(torch.stack([measured, predicted]))[0, 1]))


def test_contextual_weights_are_the_slopes_where_the_unit_answers() -> None:
    images = torch.rand(3, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    module = Line(0.0)
    model = opened(module)
    found = weights(model, "act", "third:2", by=Contextual(images), check=None)
    values = module.act(module.first(images)).detach().requires_grad_()
    answers = module.third(module.act2(module.second(values)))[:, 2]
    expected, total = torch.zeros(8, 5, 5), 0.0
    for at in range(3):
        row, column = divmod(int(answers[at, 2:10, 2:10].argmax()), 8)  # where all that it sees is there
        (slope,) = torch.autograd.grad(answers[at, row + 2, column + 2], values, retain_graph=True)
        share = max(float(answers[at, row + 2, column + 2].detach()), 0)
        expected += share * slope[at, :, row : row + 5, column : column + 5]
        total += share
    assert torch.allclose(found.values[0], expected / total, atol=1e-6)
    assert found.inputs == 3
    with pytest.raises(NumericsError, match="answers to any"):
        weights(opened(Line(-100.0)), "act", "act2", by=Contextual(images), check=None)


class Scales:
    """As a recording knows them."""

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint

    def layer(self, name: str):
        from types import SimpleNamespace

        scale = {"edges_act": [4.0, 1.0], "corners_act": [1.0, 1, 0, 1, 16, 1]}[name]
        return SimpleNamespace(variance=torch.tensor(scale))


def test_normalized_strengths_are_in_deviations(model: Model) -> None:
    plain = weights(model, "edges_act", "corners_act", check=None)
    scaled = weights(model, "edges_act", "corners_act", check=None, normalize=Scales(model.fingerprint))
    assert scaled.normalized
    assert torch.equal(scaled.values[0, 0], 2 * plain.values[0, 0])
    assert torch.equal(scaled.values[4, 0], plain.values[4, 0] / 2)
    assert not scaled.values[2].any()
    with pytest.raises(RecordingError, match="another model"):
        weights(model, "edges_act", "corners_act", check=None, normalize=Scales("0"))


def test_bad_requests(model: Model) -> None:
    with pytest.raises(AddressError, match="comes before"):
        weights(model, "corners_act", "edges_act")
    with pytest.raises(AddressError, match="several layers"):
        weights(model, ["edges_act:0", "corners_act:1"], "figures_act")
    with pytest.raises(AddressError, match="the same at every position"):
        weights(model, "edges_act:0@3,3", "figures_act")
    with pytest.raises(AddressError, match="no layer of this name"):
        weights(model, "edge", "figures_act")
    with pytest.raises(AddressError, match="no unit is given"):
        weights(model, [], "figures_act")


def test_compiled_models_are_refused() -> None:
    with pytest.raises(ModelError, match="compiled"):
        weights(opened(torch.compile(Line(0.0))), "act", "third")


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:FutureWarning", "ignore:.*torch.jit.script:DeprecationWarning")
def test_what_cannot_be_followed_has_the_slopes_of_the_inputs() -> None:
    """A scripted part hides its nonlinearity: its slopes are those at the inputs, and the statement says so."""
    torch.manual_seed(0)
    hidden = torch.jit.script(nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU()))
    model = opened(nn.Sequential(nn.Conv2d(3, 4, 1), hidden, nn.Conv2d(4, 2, 1)))
    found = weights(model, "0", "2", data=torch.rand(3, 3, 12, 12), by=Expanded(inputs=3), check=None)
    assert found.inputs == 3
    assert "TorchScript" in found.statement
