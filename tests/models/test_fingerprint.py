"""The fingerprint: the same for the same model however it came here, another for the smallest change."""

import copy
import functools
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from hooke.errors import ModelError
from hooke.models.fingerprint import fingerprint

GOLDEN = "ba79595c9c83447de8000f60f773590e1c179b229fa8fb3485078f5ede475069"


class Toy(nn.Module):
    """One of each: weights, buffers, settings that are numbers, tuples, functions."""

    def __init__(self, slope: float = 0.1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, stride=1, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(4, 2)
        self.slope = slope
        self.shape = (4, 4)
        self.activation = functional.relu
        self.pool: functools.partial[torch.Tensor] = functools.partial(functional.adaptive_avg_pool2d, output_size=1)


@pytest.fixture
def toy() -> Toy:
    torch.manual_seed(0)
    return Toy()


def test_it_is_64_hex_digits_and_known(toy: Toy) -> None:
    """A golden value: it may change only together with the first line that is hashed."""
    with torch.no_grad():
        for number, parameter in enumerate(toy.parameters()):
            parameter.fill_(number)
    assert fingerprint(toy) == GOLDEN


def test_it_survives_saving_and_loading(toy: Toy, tmp_path: Path) -> None:
    save_file(toy.state_dict(), tmp_path / "toy.safetensors")
    again = Toy()
    assert fingerprint(again) != fingerprint(toy)
    again.load_state_dict(load_file(tmp_path / "toy.safetensors"))
    assert fingerprint(again) == fingerprint(toy)
    file = io.BytesIO()
    torch.save(toy, file)
    file.seek(0)
    assert fingerprint(torch.load(file, weights_only=False)) == fingerprint(toy)


def test_layout_mode_gradients_and_hooks_do_not_count(toy: Toy) -> None:
    before = fingerprint(toy)
    changed = copy.deepcopy(toy).to(memory_format=torch.channels_last).eval().requires_grad_(False)
    changed.conv.register_forward_hook(lambda *_: None)
    changed.conv.weight.grad = torch.ones_like(changed.conv.weight)
    changed.grad_checkpointing = True
    changed._cache = 3
    assert fingerprint(changed) == before


def test_a_pass_does_not_count(toy: Toy) -> None:
    before = fingerprint(toy.eval())
    toy.norm(toy.conv(torch.rand(1, 3, 8, 8)))
    assert fingerprint(toy) == before


def test_tied_weights_count_by_their_values() -> None:
    tied = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    tied[1].weight = tied[0].weight
    apart = copy.deepcopy(tied)
    apart[1].weight = nn.Parameter(tied[0].weight.detach().clone())
    assert fingerprint(tied) == fingerprint(apart)


def one_ulp(toy: Toy) -> None:
    with torch.no_grad():
        weight = toy.conv.weight[1, 2, 0, 1]
        weight.copy_(torch.nextafter(weight, torch.tensor(9.0)))


def buffer(toy: Toy) -> None:
    toy.norm.running_var[2] += 1e-6


def stride(toy: Toy) -> None:
    toy.conv.stride = (2, 2)


def slope(toy: Toy) -> None:
    toy.slope = 0.2


def shape(toy: Toy) -> None:
    toy.shape = (4, 5)


def activation(toy: Toy) -> None:
    toy.activation = functional.gelu


def pool(toy: Toy) -> None:
    toy.pool = functools.partial(functional.adaptive_avg_pool2d, output_size=2)


def kind(toy: Toy) -> None:
    other = nn.SyncBatchNorm(4)
    other.load_state_dict(toy.norm.state_dict())
    toy.norm = other


def name(toy: Toy) -> None:
    toy.top = toy.head
    del toy.head


def precision(toy: Toy) -> None:
    toy.double()


@pytest.mark.parametrize("change", [one_ulp, buffer, stride, slope, shape, activation, pool, kind, name, precision])
def test_the_smallest_change_counts(toy: Toy, change: Callable[[Toy], None]) -> None:
    before = fingerprint(toy)
    change(toy)
    assert fingerprint(toy) != before


def test_shapes_count_beyond_the_bytes() -> None:
    wide, tall = nn.Module(), nn.Module()
    wide.weight, tall.weight = nn.Parameter(torch.ones(2, 3)), nn.Parameter(torch.ones(3, 2))
    assert fingerprint(wide) != fingerprint(tall)


def test_every_kind_of_number_has_bytes() -> None:
    odd = nn.Module()
    for number, dtype in enumerate([torch.bfloat16, torch.float16, torch.int64, torch.bool, torch.complex64]):
        odd.register_buffer(f"of_{number}", torch.ones(2, dtype=dtype))
    odd.register_buffer("scalar", torch.tensor(3))
    odd.register_buffer("empty", torch.empty(0))
    odd.register_buffer("conjugate", torch.ones(2, dtype=torch.complex64).conj())
    odd.register_buffer("sparse", torch.eye(3).to_sparse())
    assert len(fingerprint(odd)) == 64


def test_a_module_without_values_is_refused() -> None:
    with pytest.raises(ModelError, match="no values yet"):
        fingerprint(nn.Linear(2, 2, device="meta"))
    with pytest.raises(ModelError, match="no values"):
        fingerprint(nn.LazyLinear(2))


def test_another_process_finds_the_same() -> None:
    program = (
        "import torch; from torch import nn; from hooke.models.fingerprint import fingerprint;"
        "torch.manual_seed(3); print(fingerprint(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())))"
    )
    torch.manual_seed(3)
    here = fingerprint(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()))
    there = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here
