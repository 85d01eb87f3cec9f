"""Class labels: ImageNet's names, and the class that a quoted label means."""

import functools
from collections.abc import Mapping, Sequence

from hooke.errors import AddressError, nearest


def find_label(text: str, labels: Sequence[str]) -> int:
    """The index of the label that equals `text`, or has it as one of its comma-separated synonyms; case is ignored.

    Errors: AddressError when no label fits (with the nearest), or several do (with their indices).
    """
    request = f'label "{text}"'
    if not labels:
        raise AddressError(request, "the labels of this model are not known", next_step="give the index of the class")
    found = _indices(tuple(labels)).get(_folded(text), ())
    if len(found) == 1:
        return found[0]
    if found:
        choices = [f'logits:{index} ("{labels[index]}")' for index in found]
        raise AddressError(request, f"{len(found)} classes have this name", choices=choices, next_step="give an index")
    spoken = dict.fromkeys(part.strip() for label in labels for part in (label, *label.split(",")))
    close = [f'"{name}"' for name in nearest(text, spoken)]
    raise AddressError(request, "the model has no such label", choices=close)


def imagenet_labels(classes: int) -> tuple[str, ...]:
    """The labels of the ImageNet set that has this many classes, as timm knows them; none for other numbers."""
    from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset

    subset = infer_imagenet_subset({"num_classes": classes})
    return tuple(ImageNetInfo(subset).label_descriptions()) if subset else ()


@functools.lru_cache(maxsize=8)
def _indices(labels: tuple[str, ...]) -> Mapping[str, tuple[int, ...]]:
    """Every text that means a class, with the classes that it means."""
    found: dict[str, tuple[int, ...]] = {}
    for index, label in enumerate(labels):
        for name in {_folded(part) for part in (label, *label.split(","))}:
            found[name] = (*found.get(name, ()), index)
    return found


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
