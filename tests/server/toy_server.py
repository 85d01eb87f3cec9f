"""A small model, its photographs and its server: `python toy_server.py PORT STEPS SIDE [beside]` until Ctrl-C."""

import sys
from collections import OrderedDict
from functools import cache

import numpy
import PIL.Image
import torch
from torch import Tensor, nn

from hooke.modalities.image import Image
from hooke.models.model import Model
from hooke.models.opening import open
from hooke.visualization.ascent import Ascent
from hooke.visualization.parametrizations import Fourier


def network() -> nn.Sequential:
    """Two convolutions and a head, with random weights."""
    return nn.Sequential(
        OrderedDict(
            one=nn.Conv2d(3, 8, 3, stride=2, padding=1),
            act1=nn.ReLU(),
            two=nn.Conv2d(8, 16, 3, stride=2, padding=1),
            act2=nn.ReLU(),
            pool=nn.AdaptiveAvgPool2d(1),
            flat=nn.Flatten(),
            head=nn.Linear(16, 5),
        )
    )


@cache
def weights() -> dict[str, Tensor]:
    """Of every toy: drawn once, before a server's threads take turns with torch's one random state."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return network().state_dict()


def toy() -> Model:
    """A classifier of 32 x 32 pixels: two spatial activation layers of 8 and 16 channels, five labels."""
    module = network()
    module.load_state_dict(weights())
    modality = Image(32, 32, mean=(0.5,) * 3, std=(0.5,) * 3, crop_fraction=1.0)
    return open(module, modality=modality, labels=["ant", "bee", "cat", "dog", "elk"])


def checkpoint() -> Model:
    """The toy with unit 5 of its second convolution three times as strong and lifted, and another last label."""
    changed = {name: values.clone() for name, values in weights().items()}
    changed["two.weight"][5] *= 3
    changed["two.bias"][5] += 2
    module = network()
    module.load_state_dict(changed)
    return open(module, modality=toy().modality, labels=["ant", "bee", "cat", "dog", "fox"])


def photographs() -> list[tuple[str, PIL.Image.Image]]:
    """Three pictures that differ."""
    random = numpy.random.default_rng(0)
    return [
        (name, PIL.Image.fromarray(random.integers(0, 256, (40, 50, 3), dtype=numpy.uint8)))
        for name in ("first", "second", "third")
    ]


def method(steps: int = 6, side: int = 32) -> Ascent:
    """A short ascent, two pictures a batch."""
    return Ascent(parametrization=Fourier(size=side), steps=steps, batch=2, rescue=0)


if __name__ == "__main__":
    from hooke.server.app import create_app
    from hooke.server.serving import address, bind, serve
    from hooke.storage.store import Store

    port, steps, side = (int(text) for text in sys.argv[1:4])
    other = checkpoint() if "beside" in sys.argv[4:] else None
    sock = bind("127.0.0.1", port)
    print(address(sock), flush=True)
    app = create_app(toy(), photographs(), Store(), method=method(steps, side), hosts=["127.0.0.1"], other=other)
    serve(app, sock)
    print("served", flush=True)
