"""The effects of a whole dictionary are those that are asked for place by place."""

import pytest
import torch
from torch import nn

from hooke.modalities.image import Image
from hooke.models.opening import open
from hooke.studies.dictionary_effects import dictionary_effects
from hooke.studies.semantic_dictionary import layer_dictionary, unit_effects


def test_by_labels_as_by_places() -> None:
    torch.manual_seed(3)
    network = nn.Sequential(
        nn.Conv2d(3, 6, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(6, 9, 3, stride=2, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(9, 40), nn.Tanh(), nn.Linear(40, 37),
    )  # fmt: skip
    modality = Image(16, 16, mean=(0.5,) * 3, std=(0.5,) * 3, crop_fraction=1.0)
    model = open(network, modality=modality, labels=[f"label {at}" for at in range(37)])
    canvas = torch.rand(3, 16, 16)
    known = layer_dictionary(model, canvas, "1", count=4)
    heard: list[tuple[int, int]] = []
    found = dictionary_effects(model, canvas, known, progress=lambda done, total: heard.append((done, total)))
    assert heard == [(0, 37), (32, 37)]
    assert found.supports.shape == (8, 8, 4, 3)
    for row, column in ((0, 0), (3, 5), (7, 7)):
        one = unit_effects(model, canvas, "1", (row, column), known.channels[row, column].tolist())
        for rank, entry in enumerate(one):
            for told, indices, values in (
                (entry.supports, found.supports, found.gains), (entry.opposes, found.opposes, found.losses)
            ):  # fmt: skip
                own = [index for index in indices[row, column, rank].tolist() if index >= 0]
                assert own == [effect.index for effect in told]
                some = values[row, column, rank].tolist()[: len(own)]
                assert some == pytest.approx([effect.effect for effect in told], rel=1e-4, abs=1e-7)
