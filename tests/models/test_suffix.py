"""A model from a layer on gives exactly what the whole pass gives, whatever crosses the cut."""

import copy
from collections.abc import Callable

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

from hooke.errors import AddressError, NumericsError
from hooke.modalities.image import Image
from hooke.models.edits import Ablate, Clamp, Scale
from hooke.models.model import Model
from hooke.models.opening import open
from hooke.models.recording import activations
from hooke.models.suffix import Suffix
from hooke.models.taps import tapped


def look(module: nn.Module, size: int) -> Model:
    return open(module, modality=Image(size, size, (0.5,) * 3, (0.5,) * 3), labels=())


class Reusing(nn.Module):
    """conv~0 and conv~1 are one module; the first result returns at the end; what the sum held is overwritten."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.act, self.same = nn.Conv2d(3, 3, 3, padding=1), nn.ReLU(inplace=True), nn.Identity()
        self.register_buffer("shift", torch.tensor([[[0.1]], [[0.2]], [[0.3]]]))

    def forward(self, x: Tensor) -> Tensor:
        first = self.same(self.conv(x) + self.shift)
        second = self.conv(self.act(first * 2))
        second += first
        return torch.cat([functional.relu(second, inplace=True), first], 1).flatten(2).mean(2)


MODELS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "resnet": (lambda: timm.create_model("resnet10t", pretrained=False), 64),
    "efficientnet": (lambda: timm.create_model("tf_efficientnet_lite0", pretrained=False), 64),
    "densenet": (lambda: torchvision.models.DenseNet(8, (2, 2), 16, num_classes=5), 64),
    "vit": (lambda: timm.create_model("vit_tiny_patch16_224", pretrained=False, img_size=32, depth=2), 32),
    "reusing": (Reusing, 8),
}


@pytest.fixture(scope="module", params=MODELS)
def case(request: pytest.FixtureRequest) -> tuple[Model, Tensor]:
    torch.manual_seed(0)
    make, size = MODELS[request.param]
    return look(make(), size), torch.randn(3, 3, size, size)


def cuts(model: Model) -> list[str]:
    names = [row.name for row in model.layers.addressable]
    return names[:: max(1, len(names) // 8)]


def test_equals_the_whole_pass(case: tuple[Model, Tensor]) -> None:
    model, batch = case
    before = copy.deepcopy(model.module.state_dict())
    for layer in cuts(model):
        whole = activations(model, batch, [layer, "logits"])
        suffix = Suffix(model, layer)
        assert suffix.shared, (layer, suffix.reason)
        prefix = suffix.prepare(batch)
        assert torch.equal(prefix.values, whole[layer])
        for _ in range(2):  # what is kept is not written into
            assert torch.equal(suffix.run(prefix, prefix.values)["logits"], whole["logits"]), layer
    assert all(torch.equal(before[name], value) for name, value in model.module.state_dict().items())


def test_equals_the_whole_pass_with_edits(case: tuple[Model, Tensor]) -> None:
    """Two changed copies at once, one of them beside an edit further on."""
    model, batch = case
    rows = [row for row in model.layers.addressable if row.channels]
    cut, later = rows[len(rows) // 2], rows[3 * len(rows) // 4]
    suffix = Suffix(model, cut.name)
    prefix = suffix.prepare(batch)
    own, further = Scale(f"{cut.name}:1", 3.0), Clamp(f"{later.name}:0", 0.5)
    changed = prefix.values.clone()
    changed.select(cut.axes.index("channel"), 1).mul_(3.0)
    found = suffix.run(prefix, torch.cat([prefix.values, changed]), [later.name, "logits"], [further])
    for part, edits in ((slice(0, 3), [further]), (slice(3, 6), [own, further])):
        with torch.no_grad(), tapped(model, [later.name, "logits"], edits) as taps:
            expected = taps(batch)
        for name in (later.name, "logits"):
            torch.testing.assert_close(found[name][part], expected[name], rtol=1e-5, atol=1e-5)
    with torch.no_grad():
        again = suffix.run(prefix, prefix.values, [later.name, "logits"], [own, further])
    assert torch.equal(again["logits"], expected["logits"])


def test_prefixes_of_several_layers_come_from_one_pass(case: tuple[Model, Tensor]) -> None:
    """What is prepared from an earlier layer on is what is prepared from the start, edits on the way and all."""
    model, batch = case
    rows = [row for row in model.layers.addressable if row.channels]
    first, cut, late = (rows[len(rows) * part // 8] for part in (2, 4, 6))
    start, *ends = (Suffix(model, row.name) for row in (first, cut, late))
    edits = [Scale(f"{first.name}:1", 3.0), Clamp(f"{cut.name}:0", 0.5), Scale(f"{late.name}:1", 2.0)]
    known = start.prepare(batch)
    for made, copies in (([], 1), (edits, 1), (edits, 2)):
        for end, prefix in zip(ends, start.onward(known, ends, made, copies), strict=True):
            expected = end.prepare(batch.repeat(copies, 1, 1, 1), made[: 2 + ends.index(end)])
            torch.testing.assert_close(prefix.values, expected.values, rtol=1e-5, atol=1e-5)
            for _ in range(2):
                ours, theirs = (end.run(one, one.values)["logits"] for one in (prefix, expected))
                torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    assert torch.equal(start.run(known, known.values)["logits"], activations(model, batch, ["logits"])["logits"])
    with pytest.raises(AddressError, match="does not come after"):
        ends[-1].onward(ends[-1].prepare(batch), ends[:1])


def test_gradients_flow_to_the_values(case: tuple[Model, Tensor]) -> None:
    model, batch = case
    layer = cuts(model)[-2]
    suffix = Suffix(model, layer)
    prefix = suffix.prepare(batch)
    with tapped(model, [layer, "logits"]) as taps:
        found = taps(batch.clone().requires_grad_())
    (expected,) = torch.autograd.grad(found["logits"][:, 0].sum(), found[layer])
    values = prefix.values.requires_grad_()
    (ours,) = torch.autograd.grad(suffix.run(prefix, values)["logits"][:, 0].sum(), values)
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-7)


def test_what_cannot_be_followed_is_run_whole_and_says_so() -> None:
    class Choosy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            x = self.conv(x)
            return self.head(x.relu() if x.sum() > 0 else x)

    model = look(Choosy(), 8)
    suffix = Suffix(model, "conv")
    assert not suffix.shared
    assert "control flow" in suffix.reason
    batch = torch.randn(3, 3, 8, 8)
    prefix = suffix.prepare(batch)
    doubled = torch.cat([prefix.values, prefix.values * 0])
    found = suffix.run(prefix, doubled, ["head"], [Ablate("head:1")])["head"]
    assert isinstance(model.module, Choosy)
    torch.testing.assert_close(found[3:, 0], model.module.head(prefix.values * 0)[:, 0])
    assert not found[:, 1].any()


def test_only_the_part_that_chooses_is_kept_whole() -> None:
    class Part(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Conv2d(3, 3, 1)

        def forward(self, x: Tensor) -> Tensor:
            x[:, 0] = 0  # torch.fx cannot follow this
            return self.inner(x)

    model = look(nn.Sequential(nn.Conv2d(3, 3, 1), Part(), nn.Conv2d(3, 3, 1)), 8)
    assert Suffix(model, "0").shared
    assert Suffix(model, "1").shared
    inside = Suffix(model, "1.inner")
    assert not inside.shared
    assert "cannot be followed" in inside.reason
    batch = torch.randn(2, 3, 8, 8)
    for layer in ("0", "1", "1.inner"):
        suffix = Suffix(model, layer)
        prefix = suffix.prepare(batch)
        torch.testing.assert_close(suffix.run(prefix, prefix.values)["logits"], model(batch))


def test_bad_requests() -> None:
    model = look(Reusing(), 8)
    suffix = Suffix(model, "conv~1")
    prefix = suffix.prepare(torch.randn(2, 3, 8, 8))
    with pytest.raises(AddressError, match="does not come after conv~1"):
        suffix.run(prefix, prefix.values, ["conv~0"])
    with pytest.raises(NumericsError, match="whole copies"):
        suffix.run(prefix, prefix.values[:1])
    with pytest.raises(AddressError):
        Suffix(model, "nowhere")
