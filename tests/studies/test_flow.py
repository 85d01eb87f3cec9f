"""Flows between groups: they add up, equal the hand answer in a linear network, and are held against ablations."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from hooke.addresses import Place
from hooke.errors import AddressError
from hooke.factorization.flows import parts_of, split_gradient
from hooke.modalities.image import Image
from hooke.models.edits import Ablate
from hooke.models.groups import Groups, unit
from hooke.models.model import Model
from hooke.models.opening import open
from hooke.models.taps import tapped
from hooke.numeric.readers import Nonnegative
from hooke.studies.flow import Way, cuts, group_flow, rank_correlation, shuffled_flow


class Skipping(nn.Module):
    """relu, relu with a skip connection, relu, head."""

    def __init__(self, last: nn.Module) -> None:
        super().__init__()
        self.one = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU())
        self.two = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU())
        self.three = nn.Sequential(nn.Conv2d(8, 6, 3, stride=2, padding=1), last)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4))

    def forward(self, batch: Tensor) -> Tensor:
        first = self.one(batch)
        logits: Tensor = self.head(self.three(first + self.two(first)))
        return logits


def opened(last: nn.Module) -> Model:
    with torch.random.fork_rng():
        torch.manual_seed(6)
        network = Skipping(last)
    return open(network, modality=Image(16, 16, (0.5,) * 3, (0.25,) * 3), labels=())


@pytest.fixture(scope="module")
def bent() -> Model:
    return opened(nn.ReLU())


@pytest.fixture(scope="module")
def canvas() -> Tensor:
    return torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("way", [Way(), Way(1, 1.0), Way(5, 0.0)])
@pytest.mark.parametrize("align", [True, False])
def test_inflow_is_outflow(bent: Model, canvas: Tensor, way: Way, align: bool) -> None:
    flow = group_flow(bent, canvas, "logits:1", at=["one.1", "two.1", "three.1"], rank=3, align=align, way=way)
    for found in (flow, shuffled_flow(bent, canvas, flow, way=way)):
        flows = found.flows
        assert flows.imbalance() < 1e-6
        assert len(flows.nodes[0]) == 4
        for level, edges in enumerate(flows.edges):
            scale = edges.abs().sum()
            assert torch.allclose(edges.sum(0) + flows.around[level], flows.nodes[level], atol=float(1e-4 * scale))
            assert torch.allclose(
                edges.sum(1) + flows.constants[level], flows.nodes[level + 1], atol=float(1e-4 * scale)
            )
        assert float(flows.nodes[-1].sum()) + flows.constant == pytest.approx(flows.score, rel=1e-4)
    logits = bent(bent.modality.normalize(canvas[None]))
    assert flow.flows.score == pytest.approx(float(logits[0, 1]), rel=1e-4)


def test_what_a_linear_end_gives_is_what_an_ablation_takes(canvas: Tensor) -> None:
    """From the last layer on the network is linear: flows to the target are the measured effects."""
    model = opened(nn.ReLU())
    flow = group_flow(model, canvas, "logits:2", at=["one.1", "three.1"], rank=2)
    assert torch.allclose(flow.flows.nodes[1], flow.effects[1], atol=1e-5)
    assert flow.agreement[1] == pytest.approx(1.0)
    bias = float(model.module.head[2].bias.detach()[2])  # type: ignore[index, union-attr]
    assert flow.flows.constant == pytest.approx(bias, abs=1e-5)


def test_a_measured_effect_is_that_of_the_edit(bent: Model, canvas: Tensor) -> None:
    flow = group_flow(bent, canvas, "logits:0", at=["one.1", "three.1"], rank=3)
    batch = bent.modality.normalize(canvas[None])
    for level, found in enumerate(flow.factorizations):
        for group, address in enumerate(found.addresses):
            with torch.no_grad(), tapped(bent, ["logits"], [Ablate(address)]) as taps:
                fallen = float(bent(batch)[0, 0] - taps(batch)["logits"][0, 0])
            assert float(flow.effects[level][group]) == pytest.approx(fallen, abs=1e-4)


def test_all_of_a_gradient_flows_where_no_skip_passes_by(bent: Model, canvas: Tensor) -> None:
    """With plain gradients nothing goes around a layer that is all of the way, and something around one that is not."""
    way = Way(1, 1.0)
    assert group_flow(bent, canvas, "logits:0", at=["one.1", "three.1"], rank=3, way=way).flows.through == (
        pytest.approx((1.0,), abs=1e-4)
    )
    assert group_flow(bent, canvas, "logits:0", at=["one.1", "two.1"], rank=3, way=way).flows.through[0] < 0.95
    assert cuts(bent, canvas, ["one.1", "two.1", "three.1"]) == ["one.1", "three.1"]


@settings(max_examples=15)
@given(seed=st.integers(0, 500))
def test_a_split_gradient_sums_to_the_gradient_and_reads_what_each_group_gives(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    directions, _ = unit(torch.rand(3, 6, generator=generator, dtype=torch.float64))
    maps = torch.rand(1, 6, 2, 3, generator=generator, dtype=torch.float64)
    gradient = torch.randn(1, 6, 2, 3, generator=generator, dtype=torch.float64)
    groups = Groups("0" * 64, "any", directions.float(), Nonnegative(), torch.zeros(6))
    split = split_gradient(gradient, maps, groups)
    assert torch.allclose(split.sum(0), gradient)
    parts = parts_of(maps, groups)
    assert torch.allclose(parts.sum(0), maps)
    assert torch.allclose((split * maps).flatten(1).sum(1), (parts * gradient).flatten(1).sum(1), atol=1e-6)


def test_ranks_are_correlated() -> None:
    assert rank_correlation(torch.tensor([1.0, 2, 5]), torch.tensor([10.0, 30, 31])) == pytest.approx(1)
    assert rank_correlation(torch.tensor([1.0, 2, 3, 4]), torch.tensor([4.0, 3, 2, 1])) == pytest.approx(-1)


def test_what_no_flow_goes_through(bent: Model, canvas: Tensor) -> None:
    with pytest.raises(AddressError, match="two to five"):
        group_flow(bent, canvas, "logits:0", at=["one.1"])
    with pytest.raises(AddressError, match="the logits are the target"):
        group_flow(bent, canvas, "logits:0", at=["one.1", "logits"])
    with pytest.raises(AddressError, match="no layer of this name"):
        group_flow(bent, canvas, Place("logits", 0), at=["one.1", "nowhere"])
