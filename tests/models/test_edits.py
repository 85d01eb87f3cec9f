"""Edits: each does to the tensor what its name says, at its place and nowhere else."""

import pytest
import timm
import torch
from torch import Tensor, nn

from hooke.errors import AddressError
from hooke.modalities.image import Image
from hooke.models.edits import Ablate, Clamp, Edit, ProjectOut, Replace, Scale, Steer
from hooke.models.model import Model
from hooke.models.opening import open
from hooke.models.taps import tapped

GIVEN = torch.arange(2 * 3 * 4 * 4, dtype=torch.float32).reshape(2, 3, 4, 4) + 1
DIRECTION = torch.tensor([3.0, 0.0, 4.0])


def look(module: nn.Module, size: int = 4) -> Model:
    return open(module, modality=Image(size, size, (0.5,) * 3, (0.5,) * 3), labels=())


@pytest.fixture(scope="module")
def model() -> Model:
    """it(x) = x, then times ten."""

    class Ten(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.it = nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            return self.it(x) * 10

    return look(Ten())


def changed(at: tuple[int | slice, ...], value: Tensor | float) -> Tensor:
    result = GIVEN.clone()
    result[at] = value
    return result


ALL = slice(None)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (Ablate("it"), GIVEN * 0),
        (Ablate("it:1"), changed((ALL, 1), 0)),
        (Ablate("it@2,3"), changed((ALL, ALL, 2, 3), 0)),
        (Clamp("it:1@2,3", 7.0), changed((ALL, 1, 2, 3), 7)),
        (Scale("it:2", -0.5), changed((ALL, 2), GIVEN[:, 2] * -0.5)),
        (Replace("it:0", torch.eye(4)), changed((ALL, 0), torch.eye(4))),
        (Replace("it", GIVEN.flip(0)), GIVEN.flip(0)),
        (Replace("it@1,1", torch.tensor([5.0, 6.0, 7.0])), changed((ALL, ALL, 1, 1), torch.tensor([5.0, 6.0, 7.0]))),
        (Steer("it", DIRECTION, 2.0), GIVEN + 2 * DIRECTION[:, None, None]),
        (Steer("it@0,0", DIRECTION), changed((ALL, ALL, 0, 0), GIVEN[:, :, 0, 0] + DIRECTION)),
        (
            ProjectOut("it", DIRECTION * 7),
            GIVEN - (0.6 * GIVEN[:, :1] + 0.8 * GIVEN[:, 2:]) * torch.tensor([0.6, 0.0, 0.8])[:, None, None],
        ),
        (Ablate("input:0"), changed((ALL, 0), 0)),
    ],
)
def test_does_what_it_says_where_it_says(model: Model, edit: Edit, expected: Tensor) -> None:
    given = GIVEN.clone()
    with tapped(model, ["it", "logits"], [edit]) as taps:
        found = taps(given)
    torch.testing.assert_close(found["it"], expected)
    torch.testing.assert_close(found["logits"], expected * 10)
    assert torch.equal(given, GIVEN)


def test_edits_follow_one_another(model: Model) -> None:
    with tapped(model, ["it"], [Clamp("it:0", 2.0), Scale("it:0", 3.0), Ablate("it:1")]) as taps:
        found = taps(GIVEN)["it"]
    assert found[:, 0].unique().tolist() == [6.0]
    assert not found[:, 1].any()
    assert torch.equal(found[:, 2], GIVEN[:, 2])


def test_gradients_pass_through_an_edit(model: Model) -> None:
    batch = GIVEN.clone().requires_grad_()
    with tapped(model, ["logits"], [Scale("it:0", 3.0), Ablate("it:1")]) as taps:
        taps(batch)["logits"].sum().backward()
    assert batch.grad is not None
    assert [batch.grad[:, channel].unique().tolist() for channel in range(3)] == [[30.0], [0.0], [10.0]]


def test_an_edit_of_logits_by_label() -> None:
    model = open(
        nn.Sequential(nn.Flatten(), nn.Linear(48, 2)),
        modality=Image(4, 4, (0.5,) * 3, (0.5,) * 3),
        labels=("cat", "dog"),
    )
    with tapped(model, ["logits"], [Clamp('logits:"dog"', 9.0)]) as taps:
        found = taps(GIVEN)["logits"]
    assert found[:, 1].tolist() == [9.0, 9.0]
    assert torch.equal(found[:, 0], model(GIVEN)[:, 0])


def test_axes_are_found_by_their_roles() -> None:
    model = look(timm.create_model("vit_tiny_patch16_224", pretrained=False, img_size=32, depth=1), 32)
    layer, batch = "blocks.0.mlp.act", torch.randn(2, 3, 32, 32)
    with tapped(model, [layer]) as taps:
        plain = taps(batch)[layer]
    with tapped(model, [layer], [Clamp(f"{layer}:700@cls", 5.0), Ablate(f"{layer}:3")]) as taps:
        found = taps(batch)[layer]
    plain[:, 0, 700], plain[:, :, 3] = 5.0, 0.0
    torch.testing.assert_close(found, plain)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Steer("it:1", DIRECTION), "leave the channel out"),
        (Steer("it", torch.ones(4)), "3 numbers, one for each channel"),
        (ProjectOut("it", torch.ones(3, 1)), "3 numbers"),
        (Ablate("it@4,0"), "out of range"),
    ],
)
def test_edits_that_make_no_sense(model: Model, edit: Edit, message: str) -> None:
    with pytest.raises(AddressError, match=message), tapped(model, ["it"], [edit]):
        pass
