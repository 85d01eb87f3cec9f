"""Examples of a planted unit: the crop holds what it sees, the mask is where it responds, the bins cover its range."""

from pathlib import Path

import PIL.Image
import pytest
import torch
from responses.by_hand import BINS, layer_of, recording_of
from torch import nn

import hooke
from hooke.errors import DataError, RecordingError
from hooke.modalities.datasets import dataset
from hooke.models.model import Model
from hooke.models.recording import activations
from hooke.responses.crops import View, maps, soft_mask, view
from hooke.responses.examples import examples, picks
from hooke.responses.recording import Recording

SIZE, SIDE, INPUTS = 24, 4, 12
MODALITY = hooke.Image(SIZE, SIZE, mean=(0.0,) * 3, std=(1.0,) * 3, crop_fraction=1)


def place(number: int) -> tuple[int, int]:
    """Where the red square of a picture is: top, left."""
    return (2 + number, 17 - number)


@pytest.fixture(scope="module")
def model() -> Model:
    """Unit 0 is red minus blue averaged over 4 x 4 pixels, every 2 pixels; unit 1 its negative; unit 2 is dead."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 3, SIDE, stride=2, bias=False), nn.ReLU())
    weight = torch.zeros(3, 3, SIDE, SIDE)
    weight[0, 0], weight[0, 2] = 1 / SIDE**2, -1 / SIDE**2
    weight[1] = -weight[0]
    module[0].weight.data = weight
    return hooke.open(module, modality=MODALITY)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Grey pictures with one square, the redder the later; one more that is blue."""
    root = tmp_path_factory.mktemp("squares")
    for number in range(INPUTS):
        picture = PIL.Image.new("RGB", (SIZE, SIZE), (128, 128, 128))
        top, left = place(number)
        level = 130 + 10 * number
        colour = (level, 128, 128) if number else (0, 0, 255)
        picture.paste(colour, (left, top, left + SIDE, top + SIDE))
        (root / "few").mkdir(exist_ok=True)
        picture.save(root / "few" / f"{number:02}.png")
    return root


def recorded(model: Model, folder: Path) -> Recording:
    samples = dataset(folder)
    batch = torch.stack([samples.read(at, MODALITY) for at in range(len(samples))])
    values = activations(model, batch, ["0", "1"])
    layer = layer_of(values["1"], samples.labels, samples.groups, layer=model.layer("1"), before=values["0"])
    return recording_of(
        {"1": layer}, samples.names, samples.labels, data=folder, data_key=samples.key, fingerprint=model.fingerprint
    )


def test_the_maxima_are_cropped_to_what_the_unit_sees(model: Model, folder: Path) -> None:
    found = examples(recorded(model, folder), "1:0", model=model)
    assert found.field == SIDE
    assert [one.input for one in found.maxima[:3]] == ["few/11.png", "few/10.png", "few/09.png"]
    assert found.maxima[0].label == "few"
    assert found.inputs == INPUTS
    assert found.failures == ()
    for one in found.maxima[:6]:
        top, left = place(int(one.input[4:6]))
        assert one.crop is not None
        assert one.mask is not None
        assert one.box[2:] == (SIDE, SIDE) == tuple(one.mask.shape)
        assert abs(one.box[0] - top) <= 1
        assert abs(one.box[1] - left) <= 1
        assert float(one.mask[SIDE // 2, SIDE // 2]) > 0.7
    best = next(one for one in found.maxima if one.input == "few/10.png")
    assert best.box[:2] == (12, 6) != place(10) == (12, 7)


def test_minima_are_the_most_negative_before_the_nonlinearity(model: Model, folder: Path) -> None:
    found = examples(recorded(model, folder), "1:0", model=model, count=2)
    assert len(found.minima) == 2
    assert found.minima[0].input == "few/00.png"
    assert found.minima[0].value < 0


def test_the_bins_cover_the_range_and_hold_what_they_say(model: Model, folder: Path) -> None:
    recording = recorded(model, folder)
    found = examples(recording, "1:0", model=model, count=5)
    assert len(found.bins) == BINS
    assert [part.high for part in found.bins[:-1]] == [part.low for part in found.bins[1:]]
    assert sum(part.count for part in found.bins) == INPUTS * 11 * 11
    for part in found.bins:
        assert len(part.examples) <= min(5, part.count)
        assert all(part.low <= one.value < part.high for one in part.examples)
        assert len({one.input for one in part.examples}) == len(part.examples)
        assert [one.value for one in part.examples] == sorted((one.value for one in part.examples), reverse=True)
    assert len(found.all) == len(found.minima) + len(found.maxima) + sum(len(part.examples) for part in found.bins)
    bare = picks(recording, recording.layer("1"), 0, 5)
    assert [one.index for one in bare.all] == [one.index for one in found.all]
    assert bare.maxima[0].crop is None


def test_a_dead_unit_has_examples_without_masks(model: Model, folder: Path) -> None:
    found = examples(recorded(model, folder), "1:2", model=model, count=2)
    assert all(one.mask is not None and bool((one.mask == 1).all()) for one in found.all)


def test_another_model_and_other_data_are_refused(model: Model, folder: Path, tmp_path: Path) -> None:
    recording = recorded(model, folder)
    other = hooke.open(nn.Sequential(nn.Conv2d(3, 3, 4), nn.ReLU()), modality=MODALITY)
    with pytest.raises(RecordingError, match="fingerprint"):
        examples(recording, "1:0", model=other)
    with pytest.raises(RecordingError, match="cannot be opened again"):
        examples(recording, "1:0")
    PIL.Image.new("RGB", (8, 8)).save(tmp_path / "other.png")
    with pytest.raises(DataError, match="not the data that were recorded"):
        examples(recording, "1:0", model=model, data=tmp_path)
    moved = recording_of(
        {"1": recording.layer("1")}, recording.names, recording.labels, data=tmp_path / "gone",
        fingerprint=model.fingerprint, data_key=recording.data_key,
    )  # fmt: skip
    with pytest.raises(DataError, match="no such file or folder"):
        examples(moved, "1:0", model=model)
    assert examples(moved, "1:0", model=model, data=folder).maxima


def test_inputs_that_could_not_be_read_are_passed_over(model: Model, folder: Path, tmp_path: Path) -> None:
    good = sorted((folder / "few").iterdir())[-1]
    for name, content in (("a.png", b"broken"), ("b.png", good.read_bytes()), ("c.png", b"")):
        (tmp_path / name).write_bytes(content)
    samples = dataset(tmp_path)
    values = activations(model, samples.read(1, MODALITY)[None], ["1"])["1"]
    layer = layer_of(values, [None], [None], layer=model.layer("1"))
    recording = recording_of(
        {"1": layer}, ["b.png"], [None], data=tmp_path, data_key=samples.key, fingerprint=model.fingerprint
    )
    assert examples(recording, "1:0", model=model, count=1).maxima[0].input == "b.png"


def test_the_view_of_a_layer(model: Model) -> None:
    field = view(model, model.layer("1"))
    assert field == View(SIDE, (1.5, 1.5), (2.0, 2.0), (SIZE, SIZE))
    assert field.box(0, 0) == (0, 0, SIDE, SIDE)
    assert field.box(3, 10) == (6, 20, SIDE, SIDE)
    whole = View(0, size=(5, 7))
    assert whole.box(0, 0) == (0, 0, 5, 7)
    assert bool((soft_mask(whole, torch.tensor(3.0), 0, 0, 0) == 1).all())
    assert View(100, size=(5, 7)).box(2, 2) == (0, 0, 5, 7)


def test_maps_are_stretched_between_the_centres_of_their_positions() -> None:
    field = View(3, (1.0, 0.0), (2.0, 1.0), (6, 2))
    values = torch.tensor([[0.0, 10], [2, 10], [4, 10]])
    assert field.enlarged(values)[:, 0].tolist() == [0, 0, 1, 2, 3, 4]
    assert field.enlarged(values)[:, 1].tolist() == [10] * 6
    mask = soft_mask(field, values, 2, 0, resting=2.0)
    assert mask[:, 0].tolist() == [0, 0, 0, 0, 0.5, 1]
    assert soft_mask(field, values, 0, 0, resting=2.0)[:, 0].tolist() == [1, 1, 0.5, 0, 0, 0]
    assert soft_mask(field, values, 1, 0, resting=2.0).tolist() == torch.ones(6, 2).tolist()


def test_maps_of_many_canvases_come_in_batches(model: Model) -> None:
    canvases = [torch.full((3, SIZE, SIZE), at / 40) for at in range(40)]
    found = list(maps(model, model.layer("0"), 0, canvases))
    assert len(found) == 40
    assert found[0].shape == (11, 11)
