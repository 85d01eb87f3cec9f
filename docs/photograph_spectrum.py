"""Makes the magnitude spectra that ship for MACO: python docs/photograph_spectrum.py FOLDER_OF_PHOTOGRAPHS."""

import sys
from pathlib import Path

import numpy
import PIL.Image
import torch

from hooke.modalities.image import Image
from hooke.visualization.parametrizations import fitted_spectrum, maco

SIDE = 128
READ = Image(height=224, width=224, mean=(0.0,) * 3, std=(1.0,) * 3)


def crops(files: list[Path]) -> torch.Tensor:
    """The four corners and the centre of each photograph, at the scale at which classifiers see it."""
    found = []
    for file in files:
        with PIL.Image.open(file) as picture:
            canvas = READ.canvas(picture.convert("RGB"))
        room = canvas.shape[1] - SIDE
        for top, left in ((0, 0), (0, room), (room, 0), (room, room), (room // 2, room // 2)):
            found.append(canvas[:, top : top + SIDE, left : left + SIDE])
    return torch.stack(found)


def main() -> None:
    """Writes the file beside the code that reads it."""
    pictures = crops(sorted(Path(sys.argv[1]).rglob("*.JP*G")) + sorted(Path(sys.argv[1]).rglob("*.jpg")))
    luma = (pictures * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(dim=1, keepdim=True)
    spectra = {"colour": fitted_spectrum(pictures), "grey": fitted_spectrum(luma)}
    file = Path(maco.__file__).with_name(maco.SHIPPED)
    numpy.savez_compressed(file, **{name: one.tensor.numpy().astype(numpy.float16) for name, one in spectra.items()})
    print(f"{len(pictures)} crops: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
