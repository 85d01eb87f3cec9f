"""Samples from folders, manifests, torch datasets and plain pictures; and what is broken is told, not fatal."""

import json
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import PIL.Image
import pytest
import torch
from torch.utils.data import Dataset, IterableDataset, Subset, TensorDataset

from hooke.errors import DataError, ImageError
from hooke.modalities.datasets import FileSamples, Samples, dataset
from hooke.modalities.image import Image, photographs

MODALITY = Image(8, 8, mean=(0.5,) * 3, std=(0.5,) * 3, crop_fraction=1)
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


def paint(file: Path, colour: str, size: int = 8) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("RGB", (size, size), COLOURS[colour]).save(file)
    return file


def colour(canvas: torch.Tensor) -> str:
    return next(name for name, value in COLOURS.items() if canvas.mean((1, 2)).mul(255).tolist() == list(value))


def reading(samples: Samples) -> list[str]:
    return [colour(samples.read(index, MODALITY)) for index in range(len(samples))]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    paint(root / "warm" / "b.png", "red")
    paint(root / "warm" / "deep" / "a.JPG", "red", 16)
    paint(root / "cold" / "c.png", "blue")
    paint(root / "z.png", "green")
    paint(root / ".hidden" / "d.png", "green")
    (root / "notes.txt").write_text("no picture")
    return root


def test_a_tree_is_read_in_order_with_labels_from_its_folders(tree: Path) -> None:
    samples = dataset(tree)
    assert samples.names == ("cold/c.png", "warm/b.png", "warm/deep/a.JPG", "z.png")
    assert samples.labels == ("cold", "warm", "warm", None)
    assert samples.groups == (None,) * 4
    assert samples.place == str(tree)
    assert colour(samples.read(0, MODALITY)) == "blue"
    assert samples.read(0, MODALITY).shape == (3, 8, 8)
    assert samples.picture(3).size == (8, 8)
    assert samples.mask(0, MODALITY) is None
    assert dataset(samples) is samples


def test_wordnet_ids_become_english_and_have_plain_groups(tmp_path: Path) -> None:
    for folder in ("n02124075", "n02110341", "n02012849", "n03126707", "n99999999"):
        paint(tmp_path / "train" / folder / "x.png", "red")
    samples = dataset(tmp_path)
    said = zip(samples.labels, samples.groups, strict=True)
    found = dict(zip((name.split("/")[1] for name in samples.names), said, strict=True))
    assert found["n02124075"] == ("Egyptian cat", "cat")
    assert found["n02110341"] == ("dalmatian, coach dog, carriage dog", "dog")
    assert found["n02012849"] == ("crane (n02012849)", "bird")
    assert found["n03126707"] == ("crane (n03126707)", None)
    assert found["n99999999"] == ("train", None)


def test_every_plain_group_holds_what_it_says() -> None:
    from timm.data.imagenet_info import ImageNetInfo

    from hooke.modalities.wordnet import definitions, groups

    info = ImageNetInfo("imagenet-1k")
    ids = info.label_names()
    held = groups(ids)
    members: dict[str, set[str]] = {}
    for one, group in held.items():
        members.setdefault(group, set()).add(info.label_name_to_description(one).split(",")[0])
    assert len(members["dog"]) == 118
    assert {"dalmatian", "golden retriever"} <= members["dog"]
    assert {"robin", "macaw", "king penguin"} <= members["bird"]
    assert {"ambulance", "sports car", "warplane", "unicycle"} <= members["vehicle"]
    assert {"cello", "oboe", "drum", "grand piano"} <= members["musical instrument"]
    assert {"tarantula", "black widow"} <= members["spider"]
    assert "timber wolf" in members["wolf or fox"]
    assert "hyena" not in members["wolf or fox"]
    assert "trilobite" not in set.union(*members.values())
    assert "spots" in definitions()["dalmatian, coach dog, carriage dog"]


def test_the_key_survives_a_copy_and_finds_a_change(tree: Path, tmp_path: Path) -> None:
    key = dataset(tree).key
    moved = shutil.copytree(tree, tmp_path / "copy")
    assert dataset(moved).key == key
    paint(moved / "z.png", "red")
    assert dataset(moved).key != key
    paint(moved / "z.png", "green")
    assert dataset(moved).key == key
    (moved / "z.png").rename(moved / "y.png")
    assert dataset(moved).key != key


def test_what_is_broken_is_found_when_it_is_read_and_hurts_nothing_else(tree: Path) -> None:
    (tree / "cold" / "broken.png").write_bytes(b"no picture")
    (tree / "cold" / "empty.png").touch()
    (tree / "cold" / "lost.png").symlink_to(tree / "nowhere.png")
    samples = dataset(tree)
    refused = {}
    for index, name in enumerate(samples.names):
        try:
            samples.read(index, MODALITY)
        except ImageError as error:
            refused[name] = error.reason
    assert sorted(refused) == ["cold/broken.png", "cold/empty.png", "cold/lost.png"]
    assert len(samples.key) == 64


def test_folders_that_lead_in_a_circle_are_entered_once(tree: Path) -> None:
    (tree / "warm" / "again").symlink_to(tree)
    (tree / "linked").symlink_to(tree / "cold")
    names = dataset(tree).names
    assert len(names) == 4
    assert sum(name.endswith("c.png") for name in names) == 1


def test_one_picture_and_the_sample_folder(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reading(dataset(tree / "z.png")) == ["green"]
    monkeypatch.setenv("HOOKE_SAMPLE", str(tree))
    assert dataset().names == dataset(tree).names
    monkeypatch.delenv("HOOKE_SAMPLE")
    with pytest.raises(DataError, match="HOOKE_SAMPLE is not set"):
        dataset()


def test_paths_that_hold_no_data_are_refused(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    with pytest.raises(DataError, match="no pictures in this folder"):
        dataset(tmp_path / "bare")
    with pytest.raises(DataError, match=r"(?s)no such file or folder.*choices: tree"):
        dataset(tmp_path / "trees")
    with pytest.raises(DataError, match="no folder, picture or manifest"):
        dataset(tree / "notes.txt")
    for what in (7, iter([1]), b"bytes"):
        with pytest.raises(DataError):
            dataset(what)
    with pytest.raises(DataError, match="it is empty"):
        dataset([])
    with pytest.raises(DataError, match="0 to 3"):
        dataset(tree).picture(4)


def test_manifests_in_csv_and_json_lines(tree: Path) -> None:
    PIL.Image.new("L", (8, 8), 255).save(tree / "mask.pgm")
    (tree / "list.csv").write_text("path,label,group,mask,else\nz.png,one,plain,mask.pgm,1\nwarm/b.png,,,,\n")
    samples = dataset(tree / "list.csv")
    assert samples.names == ("z.png", "warm/b.png")
    assert samples.labels == ("one", None)
    assert samples.groups == ("plain", None)
    assert reading(samples) == ["green", "red"]
    mask = samples.mask(0, MODALITY)
    assert mask is not None
    assert mask.tolist() == torch.ones(8, 8).tolist()
    assert samples.mask(1, MODALITY) is None
    lines = [{"path": "z.png", "label": 3}, {"path": str(tree / "warm" / "b.png")}]
    (tree / "list.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    samples = dataset(tree / "list.jsonl")
    assert samples.labels == ("3", None)
    assert reading(samples) == ["green", "red"]
    (tree / "list.tsv").write_text("\ufeffpath\tlabel\nz.png\ta, b\n", encoding="utf-8")
    assert dataset(tree / "list.tsv").labels == ("a, b",)


def test_broken_lines_are_samples_that_cannot_be_read(tree: Path) -> None:
    (tree / "list.jsonl").write_text(
        '{"path": "z.png"}\n{"pa\n7\n{"label": "x"}\n{"path": ["z.png"]}\n{"path": "no.png"}'
    )
    samples = dataset(tree / "list.jsonl")
    assert samples.names == ("z.png", *(f"list.jsonl line {n}" for n in (2, 3, 4, 5)), "no.png")
    assert colour(samples.read(0, MODALITY)) == "green"
    for index, reason in enumerate(["not JSON", "not a JSON object", "names no path", "neither text nor"], start=1):
        with pytest.raises(DataError, match=reason):
            samples.read(index, MODALITY)
    with pytest.raises(ImageError, match="no such file"):
        samples.read(5, MODALITY)
    (tree / "list.csv").write_text("path,label\nz.png,a,b,c\n")
    with pytest.raises(DataError, match="more cells"):
        dataset(tree / "list.csv").read(0, MODALITY)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"file,label\na,b\n", "no column `path`"),
        (b"path\n", "lists no pictures"),
        (b"", "path"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_manifests_that_say_nothing_are_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "list.csv").write_bytes(content)
    with pytest.raises(DataError, match=reason):
        dataset(tmp_path / "list.csv")


class Labelled(Dataset[Any]):
    """A dataset with a table of labels, of which one item is broken."""

    classes = ("night", "day")
    targets = torch.tensor([1, 0, 1])

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Any:
        if index == 1:
            raise OSError("lost")
        return torch.full((3, 8, 8), index / 2), int(self.targets[index])


def test_a_torch_dataset_with_a_table_of_labels() -> None:
    samples = dataset(Labelled())
    assert samples.names == ("item 0", "item 1", "item 2")
    assert samples.labels == ("day", "night", "day")
    assert samples.read(2, MODALITY).unique().tolist() == [1]
    with pytest.raises(DataError, match="OSError: lost"):
        samples.read(1, MODALITY)
    assert dataset(Subset(Labelled(), [2, 1])).labels == ("day", "night")
    copy = pickle.loads(pickle.dumps(samples))
    assert copy.labels == samples.labels
    assert copy.key == samples.key


def test_items_of_many_forms() -> None:
    red = PIL.Image.new("RGB", (8, 8), (255, 0, 0))
    array = numpy.asarray(red)
    tensor = torch.tensor([1.0, 0, 0])[:, None, None].expand(3, 8, 8)
    items = [red, array, tensor, (red, "warm"), {"image": red, "label": 3, "group": "g", "name": "n"}, ("named", red)]
    samples = dataset(items)
    assert reading(samples) == ["red"] * 6
    assert samples.labels == (None, None, None, "warm", "3", None)
    assert samples.names == ("item 0", "item 1", "item 2", "item 3", "n", "named")
    assert samples.groups[4] == "g"
    assert samples.picture(2).getpixel((0, 0)) == (255, 0, 0)
    assert dataset(photographs()).names[0] == "cat"
    pairs = dataset(TensorDataset(torch.zeros(2, 3, 8, 8), torch.tensor([4, 5])))
    assert pairs.labels == ("4", "5")


def test_items_that_are_no_pictures_are_refused_one_by_one() -> None:
    samples = dataset([torch.full((3, 8, 8), 2.0), {"text": "no"}, 5, torch.zeros(2), torch.full((3, 8, 8), torch.nan)])
    for index, reason in enumerate(["between 0 and 1", "none of image", "int is no picture", "no picture", "0 and 1"]):
        with pytest.raises(DataError, match=reason):
            samples.read(index, MODALITY)
        with pytest.raises(DataError):
            samples.picture(index)


def test_many_channels_pass_through() -> None:
    modality = Image(4, 4, mean=(0.0,) * 5, std=(1.0,) * 5, channels=5, crop_fraction=1)
    plane = torch.rand(5, 4, 4)
    assert torch.allclose(dataset([plane]).read(0, modality), plane)


class Stream(IterableDataset[Any]):
    """An iterable dataset that counts how often it is gone through."""

    passes = 0

    def __init__(self, changing: bool = False) -> None:
        self.changing = changing

    def __iter__(self) -> Iterator[Any]:
        self.passes += 1
        for index in range(4):
            level = index / 4 + (self.passes / 100 if self.changing else 0)
            yield {"png": torch.full((3, 8, 8), level), "cls": index % 2, "__key__": f"k{index}"}


def test_an_iterable_dataset_is_read_forwards() -> None:
    stream = Stream()
    samples = dataset(stream)
    assert samples.names == ("k0", "k1", "k2", "k3")
    assert samples.labels == ("0", "1", "0", "1")
    levels = [float(samples.read(index, MODALITY)[0, 0, 0]) for index in (0, 1, 3, 2)]
    assert levels == [0, 0.25, 0.75, 0.5]
    assert stream.passes == 3
    assert pickle.loads(pickle.dumps(samples)).key == samples.key
    with pytest.raises(DataError, match="other items than in its first pass"):
        dataset(Stream(changing=True)).read(0, MODALITY)


def test_samples_can_be_pickled_and_say_what_they_are(tree: Path) -> None:
    samples = dataset(tree)
    copy = pickle.loads(pickle.dumps(samples))
    assert isinstance(copy, FileSamples)
    assert copy.names == samples.names
    assert copy.key == samples.key
    assert repr(samples) == "<FileSamples: 4 samples, 2 labels>"
