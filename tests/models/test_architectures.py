"""Forty architectures of timm, one of each family, random weights: each opens, is recorded and is drawn."""

import pytest
import timm
import torch
from torch import Tensor, nn

import hooke
from hooke.modalities.image import Image
from hooke.models.model import Model
from hooke.models.taps import tapped
from hooke.results import Layer

HALF = (0.5, 0.5, 0.5)

CONVOLUTIONAL = [
    "tf_efficientnet_lite0",
    "lcnet_035",
    "ghostnet_050",
    "repghostnet_050",
    "rexnet_100",
    "resnet10t",
    "resnetv2_18",
    "legacy_seresnet18",
    "test_byobnet",
    "regnety_002",
    "nf_regnet_b0",
    "densenet121",
    "dla34",
    "dpn48b",
    "vovnet39a",
    "selecsls42",
    "hrnet_w18_small",
    "cs3darknet_s",
    "hgnetv2_b0",
    "convnext_atto",
    "inception_next_atto",
    "fasternet_t0",
    "fastvit_t8",
    "mambaout_femto",
    "starnet_s1",
    "repvit_m0_9",
    "poolformer_s12",
    "focalnet_tiny_srf",
]
TRANSFORMING = {
    "test_vit": 64,
    "levit_128s": 224,
    "pit_ti_224": 64,
    "xcit_nano_12_p16_224": 64,
    "swin_tiny_patch4_window7_224": 112,
    "maxvit_pico_rw_256": 64,
    "edgenext_xx_small": 64,
    "efficientvit_b0": 64,
    "efficientformerv2_s0": 64,
    "pvt_v2_b0": 64,
    "gmlp_ti16_224": 64,
    "convit_tiny": 64,
}
"""With the input size in pixels; some take one size only, as they were built."""

ARCHITECTURES = dict.fromkeys(CONVOLUTIONAL, 64) | TRANSFORMING


@pytest.fixture(scope="module", params=ARCHITECTURES)
def model(request: pytest.FixtureRequest) -> Model:
    name, side = request.param, ARCHITECTURES[request.param]
    torch.manual_seed(0)
    fixed = name in TRANSFORMING and timm.get_pretrained_cfg(name).fixed_input_size and side != 224
    options = {"img_size": side} if fixed else {}
    module = timm.create_model(name, pretrained=False, num_classes=10, **options)
    return hooke.open(module, modality=Image(side, side, HALF, HALF), labels=[f"label {n}" for n in range(10)])


def test_there_are_forty_families() -> None:
    homes = {timm.model_entrypoint(name).__module__ for name in ARCHITECTURES}
    assert len(ARCHITECTURES) == 40
    assert len(homes) >= 37


def test_it_opens_with_a_whole_layer_table(model: Model) -> None:
    layers = model.layers
    assert (layers[0].name, layers[-1].name) == ("input", "logits")
    assert layers["logits"].channels == 10
    assert len({layer.name for layer in layers}) == len(layers)
    assert len([layer for layer in layers.addressable if layer.channels]) >= 15
    assert all(layer.reason for layer in layers if not layer.addressable)
    for layer in layers.addressable:
        sizes = dict(zip(layer.axes, layer.shape, strict=True))
        assert sizes.get("channel") == layer.channels
        assert (sizes.get("height"), sizes.get("width")) == (layer.height, layer.width)


def test_what_is_recorded_is_what_the_layer_returned(model: Model) -> None:
    batch = model.modality.normalize(torch.rand(2, *model.modality.shape, generator=torch.Generator().manual_seed(1)))
    layer = middle(model)
    with torch.no_grad(), tapped(model, [layer.name, "logits"]) as taps:
        recorded = taps(batch)
    returned, logits = seen_by_a_plain_hook(model.module.eval(), layer.name, batch)
    assert torch.equal(recorded[layer.name], returned)
    assert torch.equal(recorded["logits"], logits)
    assert recorded[layer.name].shape[1:] == layer.shape[1:]
    assert bool(torch.isfinite(logits).all())


def test_one_unit_is_drawn(model: Model) -> None:
    layer = middle(model)
    method = hooke.Ascent(hooke.Fourier(size=model.modality.height), steps=3, batch=1)
    picture = hooke.visualize(model, f"{layer.name}:0", by=method, seed=0)
    assert picture.image.shape == model.modality.shape
    assert 0 <= float(picture.image.min()) <= float(picture.image.max()) <= 1
    assert bool(torch.isfinite(torch.tensor([picture.response, picture.peak])).all())


def middle(model: Model) -> Layer:
    """The layer halfway through the model among those of plain modules with channels and a place in the input."""
    places = dict(model.module.named_modules())
    spatial = ("height", "token", "time")
    plain = [
        layer
        for layer in model.layers.addressable
        if layer.name in places and layer.channels and any(axis in layer.axes for axis in spatial)
    ]
    return plain[len(plain) // 2]


def seen_by_a_plain_hook(module: nn.Module, name: str, batch: Tensor) -> tuple[Tensor, Tensor]:
    """What PyTorch's own hook sees at once (later operations may work in place), and the output."""
    seen: list[Tensor] = []
    handle = module.get_submodule(name).register_forward_hook(lambda _, __, output: seen.append(output.clone()))
    with torch.no_grad():
        output = module(batch)
    handle.remove()
    return seen[0], output
