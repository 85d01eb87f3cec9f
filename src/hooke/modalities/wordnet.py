"""WordNet ids, as ImageNet names its folders: English names, definitions, and a few plain groups of classes."""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any

_RANGES: dict[str, tuple[int | tuple[int, int], ...]] = {
    "fish": ((0, 6), (389, 397)),
    "bird": ((7, 24), (80, 100), (127, 146)),
    "amphibian": ((25, 32),),
    "reptile": ((33, 50), (52, 68)),
    "spider": ((70, 70), (72, 77)),
    "crustacean": ((118, 125),),
    "dog": ((151, 268),),
    "wolf or fox": ((269, 275), (277, 280)),
    "cat": ((281, 293),),
    "bear": ((294, 297),),
    "insect": ((300, 326),),
    "hoofed animal": ((339, 355),),
    "monkey or ape": ((365, 384),),
    "vehicle": (
        403, 404, 405, 407, 408, 436, 444, 466, 468, 472, 484, 510, 511, 547, 554, 555, 561, 565, 569, 573, 575, 576,
        586, 603, 609, 612, 625, 627, 628, 654, 656, 661, 665, 670, 671, 675, 690, 705, 717, 734, 751, 757, 779, 780,
        802, 803, 812, 814, 817, 820, 829, 833, 847, 864, 866, 867, 870, 871, 874, 880, 895, 914,
    ),
    "musical instrument": (
        401, 402, 420, 432, 486, 494, 513, 541, 546, 558, 566, 577, 579, 593, 594, 641, 642, 683, 684, 687, 699, 776,
        822, 875, 881, 889,
    ),
    "food": ((924, 969),),
    "landscape": (970, (972, 980)),
    "fungus": ((991, 997),),
}  # fmt: skip
"""Indices of ImageNet's 1,000 classes, in their order by WordNet id."""


def names(ids: Iterable[str]) -> dict[str, str]:
    """The English names of those ids that are WordNet's; where two ids have one name, the id is added to it."""
    info = _info("imagenet-22k")
    spoken = {one: str(info.label_name_to_description(one)) for one in sorted(ids) if one in info._lemmas}
    often = Counter(spoken.values())
    return {one: name if often[name] == 1 else f"{name} ({one})" for one, name in spoken.items()}


def groups(ids: Iterable[str]) -> dict[str, str]:
    """The plain group of those ids that have one: dog, bird, vehicle, food, ..."""
    known = _groups()
    return {one: known[one] for one in ids if one in known}


def definitions() -> dict[str, str]:
    """WordNet's definition of every name of ImageNet's 21,841 classes; of a name with several meanings, all."""
    return dict(_definitions())


@cache
def _definitions() -> dict[str, str]:
    info, found = _info("imagenet-22k"), dict[str, str]()
    for one, lemma in info._lemmas.items():
        known = found.get(lemma)
        found[lemma] = info._definitions[one] if known is None else f"{known}; {info._definitions[one]}"
    return found


@cache
def _groups() -> dict[str, str]:
    ids = _info("imagenet-1k").label_names()
    found: dict[str, str] = {}
    for group, ranges in _RANGES.items():
        for entry in ranges:
            first, last = (entry, entry) if isinstance(entry, int) else entry
            found.update(dict.fromkeys(ids[first : last + 1], group))
    return found


@cache
def _info(subset: str) -> Any:
    """timm's tables of ImageNet's classes."""
    from timm.data.imagenet_info import ImageNetInfo

    return ImageNetInfo(subset)
