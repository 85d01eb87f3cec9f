"""Labels: what a quoted label means, and what is said where it means nothing or too much."""

import pytest

from hooke.errors import AddressError
from hooke.models.labels import find_label, imagenet_labels

IMAGENET = imagenet_labels(1000)


def test_imagenet_has_its_thousand_labels() -> None:
    assert len(IMAGENET) == 1000
    assert (IMAGENET[0], IMAGENET[281], IMAGENET[999]) == (
        "tench, Tinca tinca",
        "tabby, tabby cat",
        "toilet tissue, toilet paper, bathroom tissue",
    )
    assert len(imagenet_labels(21843)) == 21843
    assert imagenet_labels(37) == ()


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("tabby", 281),
        ("tabby cat", 281),
        ("tabby, tabby cat", 281),
        ("Tabby,  TABBY cat ", 281),
        ("tiger cat", 282),
        ("maillot, tank suit", 639),
        ("tank suit", 639),
        ("espresso", 967),
    ],
)
def test_a_label_is_its_full_text_or_any_synonym(text: str, index: int) -> None:
    assert find_label(text, IMAGENET) == index


@pytest.mark.parametrize(("text", "indices"), [("crane", (134, 517)), ("Maillot", (638, 639)), ("missile", (657, 744))])
def test_an_ambiguous_label_lists_its_indices(text: str, indices: tuple[int, ...]) -> None:
    with pytest.raises(AddressError, match="2 classes") as refusal:
        find_label(text, IMAGENET)
    assert refusal.value.choices == tuple(f'logits:{index} ("{IMAGENET[index]}")' for index in indices)


def test_every_class_can_be_named_or_says_why_not() -> None:
    """Only classes that share a name have no text of their own."""
    nameless = []
    for index, label in enumerate(IMAGENET):
        try:
            assert find_label(label, IMAGENET) == index
        except AddressError:
            nameless.append(index)
    assert {134, 517, 638} <= set(nameless)
    assert len(nameless) < 12


def test_an_unknown_label_lists_the_nearest() -> None:
    with pytest.raises(AddressError, match="no such label") as refusal:
        find_label("tabby catt", IMAGENET)
    assert refusal.value.choices[0] == '"tabby cat"'


def test_without_labels_an_index_is_asked_for() -> None:
    with pytest.raises(AddressError, match="not known"):
        find_label("tabby", ())
