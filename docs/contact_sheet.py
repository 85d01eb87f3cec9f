"""Make docs/contact-sheet.jpg, 32 units of the default model from four depths: `python docs/contact_sheet.py [FILE]`.

Of each layer the first eight of a seeded shuffle whose drawing moved their response; nothing is hand-picked.
"""

import sys
from pathlib import Path

import torch

import hooke
from hooke.cli.sheet import contact_sheet

TARGET = Path(__file__).parent / "contact-sheet.jpg"
LAYERS = ("blocks.1.1.bn2.act", "blocks.3.1.bn2.act", "blocks.4.1.bn2.act", "blocks.6.0.bn2.act")
EACH, SPARE, SEED = 8, 4, 0


def main(target: Path) -> None:
    """Draw the units (from the user's store where they were drawn before) and write the sheet."""
    model, store = hooke.open("efficientnet-lite0"), hooke.Store()
    shown = []
    for layer in LAYERS:
        channels = model.layer(layer).channels or 0
        shuffled = torch.randperm(channels, generator=torch.Generator().manual_seed(SEED)).tolist()
        units = [f"{layer}:{channel}" for channel in shuffled[: EACH + SPARE]]
        pictures = hooke.visualize(model, units, seed=SEED, store=store)
        assert isinstance(pictures, list)
        shown += [picture for picture in pictures if not picture.note][:EACH]
    contact_sheet(shown, title=f"{model.name}: what 32 units look for").save(target, quality=88)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
