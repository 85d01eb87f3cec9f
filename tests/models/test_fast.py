"""The fast form: equal values, fewer operations, and the user's model left as it was."""

import copy
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn
from torch.nn import functional

from hooke.modalities.image import Image
from hooke.models.fast import COMPILED, fast_form, folding_pairs, twins
from hooke.models.opening import open
from hooke.models.taps import tapped

MODALITY = Image(16, 16, (0.5,) * 3, (0.5,) * 3)


class Net(nn.Module):
    """conv1-bn1 fold; conv2 is read twice; bn3 serves two convolutions; conv5 has its norm across a ReLU."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 6, 3, bias=False), nn.BatchNorm2d(6)
        self.conv2, self.bn2 = nn.Conv2d(6, 6, 1), nn.BatchNorm2d(6)
        self.conv3, self.conv4, self.bn3 = nn.Conv2d(6, 6, 1), nn.Conv2d(6, 6, 1), nn.BatchNorm2d(6)
        self.conv5, self.bn5 = nn.Conv2d(6, 6, 1), nn.BatchNorm2d(6)
        self.act = nn.ReLU6()
        self.head = nn.Linear(6, 4)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        twice = self.conv2(x)
        x = self.bn2(twice) + twice
        x = self.bn3(self.conv3(x)) + self.bn3(self.conv4(x))
        x = self.act(self.bn5(functional.relu(self.conv5(x))) * 5)
        return self.head(x.mean(dim=(2, 3)))


@pytest.fixture
def model():
    torch.manual_seed(0)
    net = Net()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(), module.running_var.uniform_(0.5, 2), module.weight.data.normal_(1)
    return open(net, modality=MODALITY)


def recorded(model, layers, batch):
    with tapped(model, layers) as taps:
        return taps(batch)


def test_only_a_norm_that_reads_one_convolution_alone_is_folded(model):
    assert folding_pairs(model) == [("conv1", "bn1")]


def test_it_gives_the_same_values_and_leaves_the_model_as_it_was(model):
    before = copy.deepcopy(model.module.state_dict())
    batch = torch.randn(2, 3, 16, 16)
    layers = ["bn1", "bn2", "act", "logits"]
    fast = fast_form(model, layers)
    for layer, values in recorded(model, layers, batch).items():
        assert torch.allclose(values, recorded(fast, layers, batch)[layer], atol=1e-5)
    assert not isinstance(fast.module.bn1, nn.BatchNorm2d)
    assert all(torch.equal(values, before[name]) for name, values in model.module.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.module.parameters())
    assert not any(parameter.requires_grad for parameter in fast.module.parameters())
    assert fast.fingerprint == model.fingerprint


def test_a_convolution_that_is_looked_at_keeps_its_norm(model):
    batch = torch.randn(2, 3, 16, 16)
    fast = fast_form(model, ["conv1"])
    assert isinstance(fast.module.bn1, nn.BatchNorm2d)
    assert torch.allclose(recorded(fast, ["conv1"], batch)["conv1"], model.module.conv1(batch), atol=1e-5)


def test_a_kept_ceiling_lets_gradients_through_and_a_floor_does_not(model):
    fast = fast_form(model, ["act"])
    values = torch.tensor([-1.0, 3.0, 9.0], requires_grad=True)
    result = fast.module.act(values)
    assert result.tolist() == [0.0, 3.0, 6.0]
    result.sum().backward()
    assert values.grad.tolist() == [0.0, 1.0, 1.0]


def test_it_is_made_once(model):
    assert fast_form(model, ["act"]) is fast_form(model, ["act"])
    assert fast_form(model, ["act"]) is not fast_form(model, ["bn1"])


def test_no_more_than_four_copies_of_the_weights_are_remembered(model):
    first = fast_form(model, ["act"])
    for layer in ("bn1", "bn2", "conv3"):
        fast_form(model, [layer])
    assert fast_form(model, ["act"]) is first  # used again, so it outlives the next
    second = fast_form(model, ["bn1"])
    fast_form(model, ["head"])
    assert len([key for key in model.memo if key[0] == "fast"]) == 4
    assert fast_form(model, ["act"]) is first
    assert fast_form(model, ["bn1"]) is second


def test_every_norm_of_the_default_model_is_folded(default_model):
    assert len(folding_pairs(default_model)) == 49
    fast = fast_form(default_model, ["blocks.4.1.bn2.act"])
    assert not any(isinstance(module, nn.BatchNorm2d) for module in fast.module.modules())


class InPlace(nn.Module):
    """Relies on its activation working in place: what it returns is thrown away."""

    def __init__(self):
        super().__init__()
        self.conv, self.bn, self.act = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.bn(self.conv(x))
        self.act(x)
        return x.mean(dim=(2, 3))


def test_a_model_whose_fast_form_would_differ_gets_a_plain_frozen_copy():
    model = open(InPlace(), modality=MODALITY)
    batch = torch.randn(2, 3, 16, 16)
    fast = fast_form(model, ["logits"])
    assert isinstance(fast.module.bn, nn.BatchNorm2d)
    assert torch.allclose(recorded(fast, ["logits"], batch)["logits"], model(batch), atol=1e-6)


def test_twins_share_weights_and_run_at_the_same_time(model):
    batch = torch.randn(2, 3, 16, 16)
    first, second = twins(fast_form(model, ["act"]), 2)
    assert first is fast_form(model, ["act"])
    weights = zip(first.module.parameters(), second.module.parameters(), strict=True)
    assert all(one is other for one, other in weights)
    with tapped(first, ["act"]) as here, tapped(second, ["act"]) as there, first.lock:
        with ThreadPoolExecutor(1) as other:  # it would wait for the lock of the first
            found = other.submit(there, batch).result(30)
        assert torch.equal(found["act"], here(batch)["act"])


def test_a_compiled_form_has_no_twin(model):
    assert len(twins(fast_form(model, ["act"], COMPILED), 2)) == 1
