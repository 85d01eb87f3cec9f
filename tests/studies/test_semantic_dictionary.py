"""The semantic dictionary against numpy and against finite differences."""

import numpy
import pytest
import torch
from torch import Tensor, nn

from hooke.errors import AddressError
from hooke.modalities.image import Image
from hooke.models.model import Model
from hooke.models.opening import open
from hooke.studies.semantic_dictionary import default_layer, layer_dictionary, semantic_dictionary, unit_effects


def eye(toy: nn.Module, canvas: Tensor) -> Tensor:
    """The activation of eye.act, (channel, height, width), in double precision."""
    with torch.no_grad():
        return toy.eye((canvas[None].double() - 0.5) / 0.25)[0]


def test_the_dictionary_is_what_numpy_sorts(model: Model, toy: nn.Module, canvases: list[Tensor]) -> None:
    activation = eye(toy, canvases[0]).numpy()
    found = layer_dictionary(model, canvases[0], "eye.act", count=3)
    assert (found.layer, found.height, found.width) == ("eye.act", 8, 12)
    order = numpy.argsort(-activation, axis=0, kind="stable")[:3].transpose(1, 2, 0)
    assert numpy.array_equal(found.channels.numpy(), order)
    expected = numpy.take_along_axis(activation.transpose(1, 2, 0), order, axis=2)
    assert numpy.allclose(found.magnitudes.numpy(), expected, atol=1e-6)
    assert numpy.allclose(found.norms.numpy(), numpy.sqrt((activation**2).sum(0)), atol=1e-6)
    assert found.peak == pytest.approx(activation.max())


def test_a_layer_of_few_channels_has_few_ranks(model: Model, canvases: list[Tensor]) -> None:
    assert layer_dictionary(model, canvases[0], "eye.act", count=99).channels.shape == (8, 12, 5)


def test_effects_are_finite_differences_of_the_logits(model: Model, toy: nn.Module, canvases: list[Tensor]) -> None:
    activation, position, step = eye(toy, canvases[1]), (3, 7), 1e-6
    entries = unit_effects(model, canvases[1], "eye.act", position, [4, 0, 2], labels=4)
    assert [entry.channel for entry in entries] == [4, 0, 2]
    for entry in entries:
        moved = activation.clone()
        moved[entry.channel, *position] *= 1 + step
        with torch.no_grad():
            difference = (toy.tail(moved[None]) - toy.tail(activation[None]))[0] / step
        effects = {effect.label: effect.effect for effect in entry.supports + entry.opposes}
        expected = {label: float(value) for label, value in zip(model.labels, difference, strict=True) if value}
        assert effects == pytest.approx(expected, rel=1e-3, abs=1e-7)
        supported = sorted((label for label in expected if expected[label] > 0), key=lambda label: -expected[label])
        assert [effect.label for effect in entry.supports] == supported
        assert all(effect.effect < 0 for effect in entry.opposes)
        assert entry.magnitude == pytest.approx(float(activation[entry.channel, *position]), abs=1e-6)


def test_an_entry_is_the_strongest_unit_with_its_own_effects(
    model: Model, toy: nn.Module, canvases: list[Tensor]
) -> None:
    vector = eye(toy, canvases[2])[:, 5, 6]
    entries = semantic_dictionary(model, canvases[2], "eye.act", (5, 6), count=2, labels=1)
    strongest = torch.argsort(vector, descending=True)[:2].tolist()
    assert [entry.channel for entry in entries] == strongest
    assert [entry.address for entry in entries] == [f"eye.act:{channel}" for channel in strongest]
    assert entries == unit_effects(model, canvases[2], "eye.act", (5, 6), strongest, labels=1)
    assert all(len(entry.supports) <= 1 and len(entry.opposes) <= 1 for entry in entries)


def test_a_layer_without_positions_names_the_nearest_with_them(model: Model, canvases: list[Tensor]) -> None:
    with pytest.raises(AddressError, match="no positions of an image") as refusal:
        layer_dictionary(model, canvases[0], "head")
    assert refusal.value.choices[0] in ("pool", "mind", "mind.act")


@pytest.mark.parametrize("position", [(8, 0), (0, 12), (-1, 0)])
def test_a_position_outside_the_map_is_refused(model: Model, canvases: list[Tensor], position: tuple[int, int]) -> None:
    with pytest.raises(AddressError, match="rows go from 0 to 7, columns from 0 to 11"):
        semantic_dictionary(model, canvases[0], "eye.act", position)


def test_a_channel_outside_the_layer_is_refused(model: Model, canvases: list[Tensor]) -> None:
    with pytest.raises(AddressError, match="channels go from 0 to 4"):
        unit_effects(model, canvases[0], "eye.act", (0, 0), [5])


def test_units_of_a_model_without_logits_speak_for_nothing(canvases: list[Tensor]) -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    model = open(module, modality=Image(16, 24, mean=(0.5,) * 3, std=(0.5,) * 3), labels=[])
    entries = semantic_dictionary(model, canvases[0], "1", (2, 2), count=2)
    assert [(entry.supports, entry.opposes) for entry in entries] == [((), ()), ((), ())]


def test_the_default_layer_of_the_default_model() -> None:
    assert default_layer(open("efficientnet-lite0")) == "blocks.4.1.bn2.act"


def test_a_default_layer_exists_where_no_map_is_handy(model: Model) -> None:
    assert default_layer(model) == "mind.act"
