"""Directional effects: the exact Jacobian of the logits, against closed forms and plain gradients."""

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn

from hooke.errors import AddressError
from hooke.modalities.image import Image
from hooke.models.derivatives import directional_effects
from hooke.models.model import Model
from hooke.models.opening import open
from hooke.models.taps import tapped


def look(module: nn.Module, size: int = 6) -> Model:
    return open(module, modality=Image(size, size, (0.5,) * 3, (0.5,) * 3), labels=())


def by_gradients(model: Model, batch: Tensor, layer: str, directions: Tensor, at: dict[str, int]) -> Tensor:
    """One backward pass for each class."""
    with tapped(model, [layer, "logits"]) as taps:
        found = taps(batch.clone().requires_grad_())
    columns = []
    for logit in found["logits"][0]:
        (gradient,) = torch.autograd.grad(logit, found[layer], retain_graph=True)
        there = gradient[tuple(at.get(axis, slice(None)) for axis in model.layers[layer].axes)][0]
        axes = [axis for axis in model.layers[layer].axes[1:] if axis not in at]
        columns.append(directions @ there.movedim(axes.index("channel"), 0).reshape(directions.shape[1], -1).sum(1))
    return torch.stack(columns, 1)


class Square(nn.Module):
    """logits = W sum over positions of (V x)^2: the effect of d at p is 2 W ((V x_p) * d)."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 4, 1, bias=False), nn.Linear(4, 5, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.first(x).square().sum((2, 3)))


def test_a_closed_form() -> None:
    torch.manual_seed(0)
    module, batch, directions = Square(), torch.randn(1, 3, 6, 6), torch.randn(7, 4)
    model = look(module)
    with torch.no_grad():
        values = module.first(batch)[0]
        there = 2 * (values[:, 2, 5] * directions) @ module.last.weight.T
        everywhere = 2 * (values.sum((1, 2)) * directions) @ module.last.weight.T
    torch.testing.assert_close(directional_effects(model, batch, "first", directions, (2, 5)), there)
    torch.testing.assert_close(directional_effects(model, batch, "first", directions), everywhere)


class Through(torch.autograd.Function):
    """x^3, with derivatives backward (twice), but none forward."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, given: Tensor) -> Tensor:  # type: ignore[override]
        (x,) = ctx.saved_tensors  # type: ignore[attr-defined]
        return given * 3 * x**2


class Branched(nn.Module):
    """A residual sum, a concatenation over channels (of a branch that starts before `middle`) and a last step."""

    def __init__(self, last: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.middle, self.act = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1), nn.ReLU(inplace=True)
        self.head, self.last = nn.Linear(8, 3), last

    def forward(self, x: Tensor) -> Tensor:
        before = self.first(x)
        after = self.act(self.middle(before)) * 2
        after += before
        return self.last(self.head(torch.cat([after.tanh(), before.sin()], 1).mean((2, 3))))


@pytest.mark.parametrize("last", [torch.exp, Through.apply])
@pytest.mark.parametrize("layer", ["first", "middle", "act"])
def test_branches_and_functions_without_forward_derivatives(last: Callable[[Tensor], Tensor], layer: str) -> None:
    torch.manual_seed(0)
    model, batch, directions = look(Branched(last)), torch.randn(1, 3, 6, 6), torch.randn(5, 4)
    found = directional_effects(model, batch, layer, directions, (1, 2))
    expected = by_gradients(model, batch, layer, directions, {"height": 1, "width": 2})
    torch.testing.assert_close(found, expected)
    assert not found.requires_grad


def test_the_two_ends() -> None:
    torch.manual_seed(0)
    model, batch = look(Square()), torch.randn(1, 3, 6, 6)
    torch.testing.assert_close(directional_effects(model, batch, "logits", torch.eye(5)), torch.eye(5))
    found = directional_effects(model, batch, "input", torch.eye(3), (0, 1))
    torch.testing.assert_close(found, by_gradients(model, batch, "input", torch.eye(3), {"height": 0, "width": 1}))


@pytest.mark.parametrize(
    ("name", "layer", "position"),
    [
        ("tf_efficientnet_lite0", "blocks.4.1.bn2.act", (1, 2)),
        ("resnet10t", "layer2.0.bn2", (3, 3)),
        ("convnext_atto", "stages.2.blocks.1.mlp.act", (1, 1)),
        ("vit_tiny_patch16_224", "blocks.6.mlp.act", (3,)),
        ("vit_tiny_patch16_224", "blocks.6.attn.qkv", (3,)),
    ],
)
def test_real_models_agree_with_their_gradients(name: str, layer: str, position: Sequence[int]) -> None:
    torch.manual_seed(0)
    settings = {"img_size": 64} if name.startswith("vit") else {}
    module = (
        timm.create_model(name, pretrained=False, num_classes=4, zero_init_last=False, **settings)
        if name == "resnet10t"
        else (timm.create_model(name, pretrained=False, num_classes=4, **settings))
    )
    model, batch = look(module, 64), torch.randn(1, 3, 64, 64)
    row = model.layers[layer]
    at = dict(zip([axis for axis in row.axes if axis not in ("batch", "channel")], position, strict=True))
    directions = torch.randn(3, row.channels or 0)
    found = directional_effects(model, batch, layer, directions, position)
    expected = by_gradients(model, batch, layer, directions, at)
    assert expected.abs().max() > 0
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


def test_what_does_not_fit() -> None:
    model, batch = look(Square()), torch.randn(1, 3, 6, 6)
    for layer, width, position in itertools.chain(
        [("first", 5, (0, 0))], [("first", 4, (6, 0))], [("nowhere", 4, (0, 0))]
    ):
        with pytest.raises(AddressError):
            directional_effects(model, batch, layer, torch.ones(1, width), position)


def test_torchs_own_attention_module() -> None:
    torch.manual_seed(0)
    module = torchvision.models.VisionTransformer(
        16, 8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=8, num_classes=4
    )
    nn.init.normal_(module.heads.head.weight)  # type: ignore[union-attr, arg-type]
    model, batch, layer = look(module, 16), torch.randn(1, 3, 16, 16), "encoder.layers.encoder_layer_0.mlp.1"
    found = directional_effects(model, batch, layer, torch.eye(8), (2,))
    torch.testing.assert_close(
        found, by_gradients(model, batch, layer, torch.eye(8), {"token": 2}), rtol=1e-3, atol=1e-6
    )
    assert torch.backends.mha.get_fastpath_enabled()


def test_several_threads_at_once() -> None:
    torch.manual_seed(0)
    models = [look(Square()) for _ in range(2)]
    batch, directions = torch.randn(1, 3, 6, 6), torch.randn(7, 4)
    expected = [directional_effects(model, batch, "first", directions, (2, 5)) for model in models]
    with ThreadPoolExecutor(4) as threads:
        jobs = [
            threads.submit(directional_effects, models[i % 2], batch, "first", directions, (2, 5)) for i in range(40)
        ]
        for i, job in enumerate(jobs):
            torch.testing.assert_close(job.result(), expected[i % 2])
