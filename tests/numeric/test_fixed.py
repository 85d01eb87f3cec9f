"""Fixed: a tensor as a field of a frozen dataclass."""

import torch

from hooke.numeric.fixed import Fixed
from hooke.provenance import describe


def test_it_is_its_contents():
    tensor = torch.rand(3, 4)
    one, other = Fixed(tensor), Fixed(tensor.double())
    assert one == other
    assert hash(one) == hash(other)
    assert one != Fixed(tensor.reshape(4, 3))
    assert one != Fixed(tensor + 1)
    assert describe(one) == describe(other)
    assert describe(one)["tensor"]["sha256"] != describe(Fixed(tensor + 1))["tensor"]["sha256"]


def test_it_does_not_change_with_the_tensor_it_was_made_of():
    tensor = torch.zeros(2)
    one = Fixed(tensor)
    tensor += 1
    assert torch.equal(one.tensor, torch.zeros(2))
