"""Datasets of torch and its relatives, and plain sequences of pictures, as samples."""

import io
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy
import PIL.Image
import torch
from torch import Tensor

from hooke.errors import DataError, HookeError
from hooke.modalities.image import Image
from hooke.modalities.pictures import Array, read_picture
from hooke.modalities.samples import Samples, digest_of
from hooke.shapes import Canvas

IMAGES = ("image", "img", "picture", "jpg", "jpeg", "png", "webp", "pixel_values", "x")
LABELS = ("label", "cls", "class", "target", "labels", "y")
PROBES = 32
"""Items, spread over the dataset, that go into the key."""


@dataclass(frozen=True)
class Item:
    """One item, taken apart."""

    image: object
    label: object = None
    group: object = None
    name: object = None


class _ItemSamples(Samples):
    """A dataset that is a Python value, item by item."""

    @abstractmethod
    def _item(self, index: int) -> Item:
        """One item. Errors: DataError where it cannot be had."""

    @property
    def place(self) -> str:
        """Nowhere: the dataset is a Python value."""
        return ""

    def picture(self, index: int) -> PIL.Image.Image:
        """One item as an RGB picture. Errors: ImageError or DataError where it is none."""
        return to_picture(self._item(index).image, self.names[index])

    def read(self, index: int, modality: Image) -> Canvas:
        """One item as the model's canvas. Errors: ImageError or DataError where it is no picture."""
        return to_canvas(self._item(index).image, self.names[index], modality)


class IndexedSamples(_ItemSamples):
    """A torch dataset with a length, a Hugging Face dataset, or a sequence of pictures.

    An item is a picture (PIL, path, bytes, array or tensor), a tuple (picture, label), or a mapping with a picture
    under `image` (jpg, png, ...) and a label under `label` (cls, target, ...), `group` and `name` where it has them.
    Labels come from the dataset's own table (`targets`, `features`) where it has one; otherwise each item is read once.
    The key is of names, labels and groups, and of the content of 32 items spread over the dataset.
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset
        self._known = _table(dataset)
        self._facts: list[Item] | None = None
        self._size = len(dataset)
        if self._size == 0:
            raise DataError(f"the dataset {type(dataset).__name__}", "it is empty")

    def __len__(self) -> int:
        return self._size

    @cached_property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        """As the items say it, or `item 12`."""
        facts = self._items if self._known is None else []
        given = [item.name for item in facts] or [None] * self._size
        return tuple(f"item {number}" if name is None else str(name) for number, name in enumerate(given))

    @cached_property
    def labels(self) -> tuple[str | None, ...]:  # type: ignore[override]
        """From the dataset's table, or from the items; numbers become class names where the dataset has them."""
        found = self._known if self._known is not None else [item.label for item in self._items]
        classes = _classes(self.dataset)
        return tuple(_label(label, classes) for label in found)

    @cached_property
    def groups(self) -> tuple[str | None, ...]:  # type: ignore[override]
        """From the items, where they say it and the dataset has no table of labels."""
        if self._known is not None:
            return (None,) * self._size
        return tuple(_label(item.group, ()) for item in self._items)

    @cached_property
    def key(self) -> str:
        """SHA-256 of names, labels and groups, and of the content of 32 items spread over the dataset."""
        probes = sorted({round(at) for at in numpy.linspace(0, len(self) - 1, PROBES)})
        return digest_of([self.names, self.labels, self.groups, *(self._bytes(index) for index in probes)])

    def _item(self, index: int) -> Item:
        self._check(index)
        try:
            return taken_apart(self.dataset[index])
        except HookeError:
            raise
        except Exception as failure:  # a stranger's dataset may raise anything
            raise _failed(f"item {index}", failure) from failure

    @property
    def _items(self) -> list[Item]:
        """What the items say of themselves, without their pictures; one that cannot be read says nothing."""
        if self._facts is None:
            self._facts = []
            for index in range(self._size):
                try:
                    item = self._item(index)
                except HookeError:
                    item = Item(None)
                self._facts.append(Item(None, item.label, item.group, item.name))
        return self._facts

    def _bytes(self, index: int) -> bytes:
        try:
            return content(self._item(index).image)
        except HookeError:
            return b"unreadable"


class StreamedSamples(_ItemSamples):
    """An iterable dataset (WebDataset, a streamed Hugging Face dataset): read forwards, never kept.

    It is gone through once for names, labels and its key, and must give the same items in the same order each time.
    Items are as for `IndexedSamples`. An index before the last one read begins a new pass. The key is of names,
    labels, groups and the content of every item.
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset
        names, labels, groups, contents = [], [], [], []
        for number, item in enumerate(_stream(dataset)):
            names.append(f"item {number}" if item.name is None else str(item.name))
            labels.append(_label(item.label, _classes(dataset)))
            groups.append(_label(item.group, ()))
            contents.append(digest_of([content(item.image)]))
        if not names:
            raise DataError(f"the dataset {type(dataset).__name__}", "it is empty")
        self.names, self.labels, self.groups = tuple(names), tuple(labels), tuple(groups)
        self._contents = tuple(contents)
        self._pass: Iterator[Item] | None = None
        self._next = 0

    def __getstate__(self) -> dict[str, object]:
        return self.__dict__ | {"_pass": None, "_next": 0}

    @cached_property
    def key(self) -> str:
        """SHA-256 of names, labels, groups and the content of every item."""
        return digest_of([self.names, self.labels, self.groups, self._contents])

    def _item(self, index: int) -> Item:
        self._check(index)
        if self._pass is None or index < self._next:
            self._pass, self._next = _stream(self.dataset), 0
        for item in self._pass:
            self._next += 1
            if self._next == index + 1:
                if digest_of([content(item.image)]) != self._contents[index]:
                    break
                return item
        self._pass = None
        raise DataError(
            self.names[index],
            "the dataset gave other items than in its first pass",
            next_step="use a dataset without shuffling and random changes",
        )


def taken_apart(item: object) -> Item:
    """Picture, label, group and name of an item of a stranger's dataset; DataError where there is no picture."""
    if isinstance(item, Mapping):
        image = next((item[name] for name in IMAGES if name in item), None)
        if image is None:
            choices = [str(name) for name in item]
            raise DataError("an item of the dataset", f"none of {', '.join(IMAGES)} is in it", choices=choices)
        label = next((item[name] for name in LABELS if name in item), None)
        return Item(image, label, item.get("group"), item.get("name", item.get("__key__")))
    if isinstance(item, tuple | list) and len(item) in (1, 2):
        first, second = item[0], item[1] if len(item) == 2 else None
        if isinstance(first, str) and not isinstance(second, str | int | Tensor | None):
            return Item(second, name=first)  # (name, picture), as `hooke.photographs` gives them
        return Item(first, second)
    if isinstance(item, Item):
        return item
    return Item(item)


def to_picture(image: object, name: str) -> PIL.Image.Image:
    """Any form of a picture in RGB; tensors are [channel, height, width] (or without channels), 0 to 1 or bytes."""
    if isinstance(image, Mapping) and "bytes" in image:  # an undecoded Hugging Face image
        image = image["bytes"] or Path(str(image.get("path")))
    if isinstance(image, Tensor):
        image = _array(image, name)
    if isinstance(image, PIL.Image.Image | bytes | Path | str | numpy.ndarray):
        return read_picture(image, name="" if isinstance(image, Path | str) else name)
    raise DataError(name, f"{type(image).__name__} is no picture", next_step="give PIL, a path, an array or a tensor")


def to_canvas(image: object, name: str, modality: Image) -> Canvas:
    """Any form of a picture as the model's canvas; arrays and tensors keep the channels that they have."""
    if isinstance(image, Tensor):
        image = _array(image, name)
    if isinstance(image, numpy.ndarray):
        return modality.canvas(image)
    return modality.canvas(to_picture(image, name))


def content(image: object) -> bytes:
    """What a picture's content is hashed by: its shape and values, or its file's bytes."""
    if isinstance(image, Tensor):
        return repr(tuple(image.shape)).encode() + image.detach().cpu().contiguous().numpy().tobytes()
    if isinstance(image, numpy.ndarray):
        return repr(image.shape).encode() + image.tobytes()
    if isinstance(image, PIL.Image.Image):
        return repr((image.size, image.mode)).encode() + image.tobytes()
    if isinstance(image, str | Path):
        return str(image).encode()
    return image if isinstance(image, bytes) else repr(type(image)).encode()


def _array(image: Tensor, name: str) -> Array:
    """[height, width, channel] with values 0 to 1, or bytes."""
    values = image.detach().cpu()
    if values.ndim not in (2, 3):
        raise DataError(name, f"a tensor of shape {tuple(values.shape)} is no picture [channel, height, width]")
    if values.is_floating_point() and not bool(((values >= 0) & (values <= 1)).all()):
        raise DataError(
            name,
            "its values are not all between 0 and 1",
            next_step="give the dataset without its normalization: the model has its own",
        )
    array: Array = (values.float() if values.is_floating_point() else values).numpy()
    return array if array.ndim == 2 else numpy.ascontiguousarray(array.transpose(1, 2, 0))


def _stream(dataset: Any) -> Iterator[Item]:
    iterator = iter(dataset)
    while True:
        try:
            item = taken_apart(next(iterator))
        except StopIteration:
            return
        except HookeError:
            item = Item(None)
        except Exception as failure:  # a stranger's dataset may raise anything; after it there is no going on
            raise _failed(f"the dataset {type(dataset).__name__}", failure) from failure
        if isinstance(item.image, io.IOBase):
            item = Item(item.image.read(), item.label, item.group, item.name)
        yield item


def _failed(what: str, failure: Exception) -> DataError:
    return DataError(what, f"the dataset failed on it ({type(failure).__name__}: {failure})")


def _table(dataset: Any) -> Sequence[object] | None:
    """The labels of all items where the dataset has a table of them, so that no picture need be decoded."""
    if isinstance(dataset, torch.utils.data.Subset):
        whole = _table(dataset.dataset)
        return None if whole is None else [whole[index] for index in dataset.indices]
    targets = getattr(dataset, "targets", None)
    if targets is None and hasattr(dataset, "features") and hasattr(dataset, "column_names"):
        column = next((name for name in LABELS if name in dataset.column_names), None)
        targets = None if column is None else dataset[column]
    if targets is None:
        return None
    found = targets.tolist() if isinstance(targets, Tensor | numpy.ndarray) else list(targets)
    return found if len(found) == len(dataset) else None


def _classes(dataset: Any) -> Sequence[str]:
    """The names of the classes, where the dataset has them."""
    if isinstance(dataset, torch.utils.data.Subset):
        return _classes(dataset.dataset)
    features = getattr(dataset, "features", None)
    if isinstance(features, Mapping):
        named = (getattr(features.get(column), "names", None) for column in LABELS)
        return next((names for names in named if names), ())
    classes = getattr(dataset, "classes", ())
    return classes if isinstance(classes, list | tuple) else ()


def _label(label: object, classes: Sequence[str]) -> str | None:
    """A label as text; a number is looked up in the classes, and what is neither text nor one number is no label."""
    if isinstance(label, Tensor | numpy.generic | numpy.ndarray):
        flat = numpy.asarray(label).ravel()
        label = flat[0].item() if flat.size == 1 else None
    if isinstance(label, bytes):
        return label.decode(errors="replace")
    if not isinstance(label, str | int | float):
        return None
    if isinstance(label, int) and not isinstance(label, bool) and 0 <= label < len(classes):
        return str(classes[label])
    return str(label)
