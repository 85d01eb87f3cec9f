"""Random streams: the same for the same name, whatever was drawn before."""

import torch

from hooke.numeric.seeds import stream


def test_a_stream_depends_on_its_seed_and_names_only():
    first = torch.rand(4, generator=stream(0, "a", "b"))
    torch.rand(100)
    assert torch.equal(first, torch.rand(4, generator=stream(0, "a", "b")))
    for other in (stream(1, "a", "b"), stream(0, "a"), stream(0, "ab"), stream(0, "b", "a")):
        assert not torch.equal(first, torch.rand(4, generator=other))


def test_a_stream_is_the_same_on_every_machine():
    assert torch.randint(0, 1000, (5,), generator=stream(7, "blocks.4.1.bn2.act:312")).tolist() == GOLDEN


# torch.randint(0, 1000, (5,), generator=stream(7, "blocks.4.1.bn2.act:312")).tolist()
GOLDEN = [120, 491, 905, 495, 507]
