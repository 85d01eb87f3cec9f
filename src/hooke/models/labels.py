"""Class labels: ImageNet's names, and the class that a quoted label means."""

from collections.abc import Sequence

from hooke.errors import AddressError, nearest


def find_label(text: str, labels: Sequence[str]) -> int:
    """The index of the label that equals `text`, or has it as one of its comma-separated synonyms; case is ignored.

    Errors: AddressError when no label fits (with the nearest), or several do (with their indices).
    """
    request = f'label "{text}"'
    if not labels:
        raise AddressError(request, "the labels of this model are not known", next_step="give the index of the class")
    wanted = _folded(text)
    found = [index for index, label in enumerate(labels) if wanted == _folded(label) or wanted in _synonyms(label)]
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


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _synonyms(label: str) -> set[str]:
    return {_folded(part) for part in label.split(",")}
