"""The layer table: the right rows in the right order, and a clear statement about what has no address."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

from hooke.addresses import Place
from hooke.errors import AddressError, ModelError
from hooke.models.layers import LayerTable, index
from hooke.models.trace import trace_layers


def table(module: nn.Module, *shape: int) -> LayerTable:
    return trace_layers(module, torch.randn(2, *(shape or (3, 16, 16))))


@pytest.fixture(scope="module")
def lite0() -> LayerTable:
    return table(timm.create_model("tf_efficientnet_lite0", pretrained=False), 3, 224, 224)


def test_the_default_model_has_33_activation_layers_with_19200_channels(lite0: LayerTable) -> None:
    assert len(lite0.activations) == 33
    assert sum(layer.channels or 0 for layer in lite0.activations) == 19_200
    assert {layer.kind for layer in lite0.activations} == {"ReLU6"}
    assert (lite0[0].name, lite0[0].kind, lite0[0].shape) == ("input", "Input", (1, 3, 224, 224))
    assert (lite0[-1].name, lite0[-1].kind, lite0[-1].channels) == ("logits", "EfficientNet", 1000)
    assert lite0[-1].parameters == 4_652_008


def test_a_row_says_all_about_a_layer(lite0: LayerTable) -> None:
    layer = lite0["blocks.4.1.bn2.act"]
    assert layer.axes == ("batch", "channel", "height", "width")
    assert (layer.channels, layer.height, layer.width) == (672, 14, 14)
    assert (layer.stride, layer.receptive_field) == (16, 275)
    assert layer.activation
    assert layer.post_activation
    block = lite0["blocks.4.1.bn2"]
    assert block.post_activation
    assert not block.activation
    assert block.parameters == 2 * 672
    assert lite0["classifier"].stride is None


def test_rows_stand_in_the_order_of_completion(lite0: LayerTable) -> None:
    names = [layer.name for layer in lite0]
    assert names.index("blocks.0.0.bn1.act") < names.index("blocks.0.0.bn1") < names.index("blocks.0.0")
    assert names.index("blocks.0") < names.index("blocks.1.0.conv_pw")
    orders = [lite0.site(layer.name).order for layer in lite0.addressable]
    assert orders == sorted(orders)


class Reusing(nn.Module):
    """conv, relu, conv, the same relu."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.relu = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.two(self.relu(self.one(x))))


def test_each_call_of_a_reused_module_has_a_row() -> None:
    layers = table(Reusing())
    assert [layer.name for layer in layers] == ["input", "one", "relu~0", "two", "relu~1", "logits"]
    assert [layer.channels for layer in layers.activations] == [4, 5]
    with pytest.raises(AddressError, match="relu~0, relu~1"):
        layers.find("relu")


def test_torchvisions_resnet_reuses_its_relus() -> None:
    layers = table(torchvision.models.resnet18(), 3, 64, 64)
    assert [layer.name for layer in layers.activations][:4] == [
        "relu",
        "layer1.0.relu~0",
        "layer1.0.relu~1",
        "layer1.1.relu~0",
    ]
    assert len(layers.activations) == 17


class Pair(NamedTuple):
    left: Tensor
    right: Tensor


class Structured(nn.Module):
    """Parts that return a tuple, a dict with a list in it, a named tuple, and None."""

    class Tuple(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, None]:
            return x * 2, None

    class Dict(nn.Module):
        def forward(self, x: Tensor) -> dict[str, Tensor | list[Tensor]]:
            return {"out": x + 1, "aux": [x, x * 3]}

    class Named(nn.Module):
        def forward(self, x: Tensor) -> Pair:
            return Pair(x, -x)

    class Silent(nn.Module):
        def forward(self, x: Tensor) -> None:
            return None

    def __init__(self) -> None:
        super().__init__()
        self.tuple, self.dict, self.named, self.silent = self.Tuple(), self.Dict(), self.Named(), self.Silent()

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        self.silent(x)
        return {"out": self.named(self.dict(self.tuple(x)[0])["aux"][1]).right}


def test_every_leaf_of_a_structure_has_a_row() -> None:
    layers = table(Structured())
    names = [layer.name for layer in layers]
    assert names == [
        "input",
        "silent",
        "tuple[0]",
        "dict[out]",
        "dict[aux.0]",
        "dict[aux.1]",
        "named[left]",
        "named[right]",
        "logits[out]",
    ]
    assert layers["silent"].reason == "it returns no tensor"
    for name, leaves in (("dict", "dict\\[out\\], dict\\[aux.0\\]"), ("logits", "logits\\[out\\]")):
        with pytest.raises(AddressError, match=leaves):
            layers.find(name)


class Windows(nn.Module):
    """Windows folded into the batch axis and back, as in Swin; a whole number tensor; a part that is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.back, self.ranks = nn.ReLU(), nn.Identity(), nn.Identity()
        self.unused = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        windows = x.view(batch, channels, height // 4, 4, width // 4, 4).permute(0, 2, 4, 3, 5, 1)
        folded = self.inside(windows.reshape(-1, 16, channels))
        windows = folded.view(batch, height // 4, width // 4, 4, 4, channels).permute(0, 5, 1, 3, 2, 4)
        self.ranks(x.argmax(1))
        return self.back(windows.reshape(batch, channels, height, width))


def test_what_has_no_address_says_why() -> None:
    layers = table(Windows())
    assert layers["inside"].reason == "the first axis of its tensor is not the batch"
    assert layers["ranks"].reason == "its values are int64, not floating-point numbers"
    assert layers["unused"].reason == "this module is not called when the model runs"
    assert layers["back"].axes == ("batch", "channel", "height", "width")
    assert layers["back"].receptive_field == 1
    assert [layer.name for layer in layers.addressable] == ["input", "back", "logits"]
    with pytest.raises(AddressError, match="the first axis of its tensor is not the batch"):
        layers.find("inside")


def test_an_unknown_name_lists_the_nearest(lite0: LayerTable) -> None:
    with pytest.raises(AddressError, match=r"blocks\.4\.1\.bn2\.act"):
        lite0.find("blocks.4.1.bn2.akt")


def test_modules_named_like_the_ends_do_not_hide_them() -> None:
    module = nn.Sequential()
    module.add_module("input", nn.Conv2d(3, 4, 3))
    module.add_module("logits", nn.ReLU())
    layers = table(module)
    assert [layer.name for layer in layers] == ["input", "input~0", "logits~0", "logits"]
    assert [layer.kind for layer in layers] == ["Input", "Conv2d", "ReLU", "Sequential"]


def test_axes_of_transformers() -> None:
    vit = table(timm.create_model("vit_tiny_patch16_224", pretrained=False, img_size=64, depth=1), 3, 64, 64)
    assert vit["patch_embed.proj"].axes == ("batch", "channel", "height", "width")
    assert (vit["patch_embed"].axes, vit["patch_embed"].receptive_field) == (("batch", "token", "channel"), 16)
    assert (vit["blocks.0.mlp.act"].axes, vit["blocks.0.mlp.act"].shape) == (
        ("batch", "token", "channel"),
        (1, 17, 768),
    )
    assert vit["blocks.0.mlp.act"].receptive_field is None
    assert vit["blocks.0.attn.q_norm"].axes == ("batch", "head", "token", "channel")
    swin = table(torchvision.models.swin_t(), 3, 64, 64)
    assert swin["features.1.0.norm2"].axes == ("batch", "height", "width", "channel")
    assert swin["features.2.reduction"].axes == ("batch", "height", "width", "channel")


class Functional(nn.Module):
    """conv, batch norm and a functional relu in one container; a hand-made nonlinearity; a gate that is none."""

    class Swish(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * x.sigmoid()

    class Gate(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * x.mean((2, 3), keepdim=True).sigmoid()

    class Basic(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return functional.relu(self.conv(x), inplace=True)

    def __init__(self) -> None:
        super().__init__()
        self.basic, self.swish, self.gate, self.pool = self.Basic(), self.Swish(), self.Gate(), nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.gate(self.pool(self.swish(self.basic(x)))).flatten(1)


def test_nonlinearities_are_known_by_what_they_do() -> None:
    layers = table(Functional())
    assert [layer.name for layer in layers.activations] == ["swish"]
    assert [layer.name for layer in layers if layer.post_activation] == ["basic", "swish"]
    assert layers["gate"].receptive_field is None
    assert layers.site("basic.conv").overwritten
    assert not layers.site("basic").overwritten


class TwoInputs(nn.Module):
    def forward(self, image: Tensor, text: Tensor) -> Tensor:
        return image


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (TwoInputs(), "its forward wants 2 inputs: image, text"),
        (nn.Conv2d(5, 4, 3), r"failed on a batch of shape \(2, 3, 16, 16\).*5 channels"),
    ],
)
def test_a_model_that_does_not_run_on_a_batch_says_what_it_wants(module: nn.Module, message: str) -> None:
    before = sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in module.modules())
    with pytest.raises(ModelError, match=message):
        table(module)
    assert before == sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in module.modules())


@pytest.mark.filterwarnings("ignore:.*torch.jit.*deprecated")
def test_a_compiled_model_says_so() -> None:
    with pytest.raises(ModelError, match="TorchScript"):
        table(torch.jit.trace(nn.Conv2d(3, 4, 3), torch.zeros(1, 3, 16, 16)))
    with pytest.raises(ModelError, match=r"torch\.compile"):
        table(torch.compile(nn.Conv2d(3, 4, 3)))


def test_tracing_leaves_no_trace() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.ReLU(inplace=True))
    module[1].eval()
    modes, buffers = [part.training for part in module.modules()], module[1].running_mean.clone()  # type: ignore[operator, union-attr]
    batch, state = torch.randn(2, 3, 16, 16), torch.get_rng_state()
    before = batch.clone()
    trace_layers(module, batch)
    assert modes == [part.training for part in module.modules()]
    assert torch.equal(buffers, module[1].running_mean)  # type: ignore[arg-type]
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(batch, before)
    assert all(parameter.requires_grad for parameter in module.parameters())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (Place("one"), (slice(None),) * 4),
        (Place("one", 3), (slice(None), 3, slice(None), slice(None))),
        (Place("one", 3, (1, 2)), (slice(None), 3, 1, 2)),
        (Place("one", None, (1, 2)), (slice(None), slice(None), 1, 2)),
    ],
)
def test_the_index_of_a_place(place: Place, expected: tuple[int | slice, ...]) -> None:
    assert index(table(Reusing())["one"], place) == expected


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (Place("one", 4), "channel 4 is out of range: one has 0 to 3"),
        (Place("one", 0, (14, 0)), "height 14 is out of range"),
        (Place("one", 0, (1,)), "2 position axes"),
        (Place("one", "cat"), "an index is needed"),
    ],
)
def test_an_index_that_is_not_there(place: Place, message: str) -> None:
    with pytest.raises(AddressError, match=message):
        index(table(Reusing())["one"], place)


@pytest.mark.parametrize(
    "make",
    [
        lambda: torchvision.models.detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None),
        lambda: torchvision.models.segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None),
    ],
)
def test_detectors_and_segmenters_have_a_table(make: Callable[[], nn.Module]) -> None:
    layers = table(make(), 3, 96, 96)
    assert len(layers.activations) > 45
    ends = [layer for layer in layers if layer.name.startswith("logits")]
    assert all(layer.addressable or layer.reason for layer in ends)
