"""The shipped photographs are there without a network, and are what they are called."""

import numpy
import skimage.data

from hooke.modalities.photographs import SHIPPED, photographs


def test_all_photographs_are_in_the_wheel() -> None:
    found = photographs()
    assert [name for name, _ in found] == list(SHIPPED)
    assert [name for name, _ in found][:4] == ["cat", "coffee", "rocket", "astronaut"]
    assert all(picture.mode == "RGB" and min(picture.size) >= 224 for _, picture in found)


def test_the_cat_is_chelsea() -> None:
    assert numpy.array_equal(numpy.asarray(photographs()[0][1]), skimage.data.chelsea())
