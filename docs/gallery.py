"""Make docs/gallery.md and its pictures: `python docs/gallery.py [--device cuda] [--data FOLDER] [--only SECTION ...]`.

Everything is drawn with the defaults, seed 0. Of each layer the first units of a seeded shuffle whose drawing moved
their response are shown: nothing is hand-picked. What was drawn once is read back from the store, so an interrupted run
goes on where it was. `--data`: a folder of photographs ($HOOKE_SAMPLE), among which each unit's largest response is
looked up; without it, responses stand alone. Models that cannot be had are skipped by
name.
"""

import argparse
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import PIL.Image
import torch
from PIL.ImageDraw import Draw
from PIL.ImageFont import load_default

import hooke
from hooke.errors import ModelError
from hooke.modalities.datasets import dataset
from hooke.modalities.scenes import LABELS, scenes
from hooke.models.recording import activations
from hooke.numeric.fixed import Fixed
from hooke.visualization import objectives
from hooke.visualization.classes import class_method
from hooke.visualization.parametrizations import FromPhotograph, aligned
from hooke.visualization.usual import usual

HERE = Path(__file__).parent
FOLDER, PAGE = HERE / "gallery", HERE / "gallery.md"
TILE, GAP, CAPTION, SEED = 150, 6, 18, 0

DEPTHS = {
    "edges": ("blocks.1.0.bn1.act", "Edges and colour contrasts, a few pixels long."),
    "textures": ("blocks.2.1.bn2.act", "Textures: something small, repeated."),
    "patterns": ("blocks.3.2.bn2.act", "Patterns: textures with a shape of their own."),
    "parts": ("blocks.4.1.bn2.act", "Parts: curved and jointed things begin to stand out from what repeats."),
    "objects": ("blocks.6.0.bn2.act", "Objects, or what stands for several of them."),
}
CLASSES = ("tabby, tabby cat", "goldfish, Carassius auratus", "peacock", "daisy", "pineapple, ananas", "castle",
           "hot pot, hotpot", "monarch, monarch butterfly, milkweed butterfly, Danaus plexippus")  # fmt: skip
OTHERS = {
    "torchvision:googlenet": ("inception3b", "inception4c", "inception5a"),
    "torchvision:resnet50": ("layer2.3", "layer3.5", "layer4.1"),
    "timm:vit_tiny_patch16_224": ("blocks.2.mlp.act", "blocks.6.mlp.act", "blocks.10.mlp.act"),
}


@dataclass(frozen=True)
class Shown:
    """A picture of the page, what stands under it on the left, and the number on the right."""

    image: torch.Tensor
    name: str
    number: str


@dataclass(frozen=True)
class Gallery:
    """What draws: a model, the store, and photographs for the largest responses to data."""

    model: hooke.Model
    store: hooke.Store
    data: tuple[Path, ...] = ()
    batch: int = 4
    steps: int | None = None
    labels: Path | None = None

    def by(self, method: hooke.Ascent | None = None) -> hooke.Ascent:
        method = method or usual(self.model)
        return replace(method, batch=self.batch, steps=self.steps or method.steps)

    def draw(self, wanted: Sequence[object], method: hooke.Ascent | None = None) -> list[hooke.Picture]:
        drawn = hooke.visualize(self.model, list(wanted), by=self.by(method), seed=SEED, store=self.store)
        return drawn if isinstance(drawn, list) else [drawn]

    def units(self, layer: str, count: int, spare: int = 4) -> list[hooke.Picture]:
        """The first units of a seeded shuffle whose response moved."""
        channels = self.model.layer(layer).channels or 0
        order = torch.randperm(channels, generator=torch.Generator().manual_seed(SEED)).tolist()
        pictures = self.draw([f"{layer}:{channel}" for channel in order[: count + spare]])
        return [picture for picture in pictures if not picture.note][:count]

    def shown(self, pictures: Iterable[hooke.Picture], names: Sequence[str] | None = None) -> Iterator[Shown]:
        """Pictures with their responses, and how many times the largest response to data that is."""
        pictures = list(pictures)
        most = self.largest([picture.address for picture in pictures])
        for place, picture in enumerate(pictures):
            name = names[place] if names else picture.address.partition(":")[2]
            peak = most.get(picture.address)
            times = f" ({picture.response / peak:.1f}x)" if peak else ""
            yield Shown(picture.image, name, f"{picture.response:#.3g}{times}")

    def largest(self, addresses: Sequence[str]) -> dict[str, float]:
        """The largest response of each unit to the photographs, kept beside the store."""
        kept = FOLDER / "largest.json"
        known = json.loads(kept.read_text()) if kept.exists() else {}
        mine = known.setdefault(self.model.name, {})
        missing = [address for address in addresses if address not in mine and self.is_address(address)]
        if missing and self.data:
            mine.update(self.measured(missing))
            kept.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
        return {address: mine[address] for address in addresses if mine.get(address, 0) > 0}

    def is_address(self, text: str) -> bool:
        try:
            return bool(self.model.resolve(text))
        except hooke.HookeError:
            return False

    def measured(self, addresses: Sequence[str]) -> dict[str, float]:
        units = {address: objectives.objective(self.model, address) for address in addresses}
        layers = sorted(frozenset().union(*(unit.layers() for unit in units.values())))
        most = dict.fromkeys(addresses, float("-inf"))
        for batch in self.batches():
            found = activations(self.model, self.model.modality.normalize(batch).to(self.model.device), layers)
            for place in range(len(batch)):
                one = {layer: values[place] for layer, values in found.items()}
                most = {text: max(value, units[text].score(one).item()) for text, value in most.items()}
        return most

    def batches(self, size: int = 64) -> Iterator[torch.Tensor]:
        if self.model.name == "tiny-vit":
            for seed in range(20):
                yield scenes(list(range(len(LABELS))), 20_000_000 + seed)
            return
        for folder in self.data:
            samples = dataset(folder)
            for first in range(0, len(samples), size):
                places = range(first, min(first + size, len(samples)))
                yield torch.stack([samples.read(place, self.model.modality) for place in places])


def depths(here: Gallery, count: int = 8) -> Iterator[tuple[str, str, list[Shown]]]:
    for name, (layer, text) in DEPTHS.items():
        yield name, f"`{layer}`. {text}", list(here.shown(here.units(layer, count)))


def diversity(here: Gallery) -> Iterator[tuple[str, str, list[Shown]]]:
    layer = DEPTHS["parts"][0]
    for channel in (int(one.address.rpartition(":")[2]) for one in here.units(layer, 8)[:2]):
        unit = objectives.objective(here.model, f"{layer}:{channel}")
        pictures = here.draw([unit + 4 * objectives.Diversity(layer, 6)])
        names = [f"{channel}, picture {place}" for place in range(1, 7)]
        text = (
            f"`{layer}:{channel}`: six pictures of one unit that are rewarded for being unlike each other; "
            "the number is the response less four times the likeness to the others (at most 5/6)."
        )
        yield f"diversity-{channel}", text, list(here.shown(pictures, names))


def interpolation(here: Gallery) -> Iterator[tuple[str, str, list[Shown]]]:
    layer = DEPTHS["patterns"][0]
    first, last = (one.address for one in here.units(layer, 8)[2:4])
    way = objectives.Interpolation(*(objectives.objective(here.model, one) for one in (first, last)), 6)
    pictures = here.draw([way + objectives.Alignment(layer, 6)], hooke.Ascent(aligned()))
    shares = [f"{100 - 20 * place}% / {20 * place}%" for place in range(6)]
    yield "interpolation", f"From `{first}` to `{last}` in even steps.", list(here.shown(pictures, shares))


def opposites(here: Gallery) -> Iterator[tuple[str, str, list[Shown]]]:
    layer = "blocks.3.2.conv_pwl" if "blocks.3.2.conv_pwl" in here.model.layers else DEPTHS["patterns"][0]
    channels = torch.randperm(here.model.layer(layer).channels or 1, generator=torch.Generator().manual_seed(SEED))[:4]
    addresses = [f"{sign}{layer}:{channel}" for channel in channels.tolist() for sign in ("", "-")]
    pictures = here.draw(addresses)
    names = [("+" if not text.startswith("-") else "-") + text.rpartition(":")[2] for text in addresses]
    text = f"`{layer}`, before any nonlinearity, so that a unit can fall below zero as well as rise above it."
    yield "opposites", text, list(here.shown(pictures, names))


def caricatures(here: Gallery) -> Iterator[tuple[str, str, list[Shown]]]:
    shown = []
    known = dict(hooke.photographs())
    for name in ("cat", "coffee"):
        canvas = here.model.modality.canvas(known[name])
        shown.append(Shown(canvas, name, "the photograph"))
        for layer in ("blocks.2.1.bn2.act", "blocks.4.0.bn2.act", "blocks.5.1.bn2.act"):
            wanted = objectives.caricature(here.model, layer, canvas)
            (picture,) = here.draw([wanted])
            shown.append(Shown(picture.image, layer.removesuffix(".bn2.act"), f"{picture.response:#.3g}"))
    yield "caricatures", "What a layer sees in a photograph, exaggerated.", shown


def styles(here: Gallery) -> Iterator[tuple[str, str, list[Shown]]]:
    known = dict(hooke.photographs())
    canvas, shown = here.model.modality.canvas, []
    for content, style in (("cat", "galaxies"), ("astronaut", "gravel"), ("rocket", "bricks")):
        one, other = canvas(known[content]), canvas(known[style])
        wanted = objectives.style(here.model, ["bn1.act", "blocks.1.1.bn2.act", "blocks.2.1.bn2.act"], other)
        wanted = wanted + 0.5 * objectives.inversion(here.model, "blocks.3.0.bn2.act", one)
        method = hooke.Ascent(FromPhotograph(Fixed(one)), hooke.visualization.Still(), steps=192, rate=0.05)
        (picture,) = here.draw([wanted], method)
        shown += [
            Shown(one, content, ""),
            Shown(other, style, ""),
            Shown(picture.image, "both", f"{picture.response:.2f}"),
        ]
    yield "styles", "A photograph's content in another one's textures; the number is what is raised, 0 at most.", shown


def classes(here: Gallery) -> Iterator[tuple[str, str, list[Shown]]]:
    """Drawn, or, with `--labels`, the first eight in a seeded order of those that experiments/transfer/draw.py drew."""
    shown = []
    if here.labels is not None:
        files = sorted(here.labels.glob("*.png"))
        order = torch.randperm(len(files), generator=torch.Generator().manual_seed(SEED)).tolist()[:8]
        chosen = [files[place] for place in order]
        names = [here.model.label(int(file.stem)) for file in chosen]
        images = [here.model.modality.canvas(PIL.Image.open(file).convert("RGB")) for file in chosen]
    else:
        method, names = class_method("batchnorm"), list(CLASSES)
        wanted = [method.objective(here.model, f'logits:"{label}"') for label in names]
        images = [one.image for one in here.draw(wanted, method.ascent(here.model))]
    for label, image in zip(names, images, strict=True):
        best = here.model.predict(image, 1)[0]
        seen = "" if best.label == label else f" {best.label.partition(',')[0]}"
        shown.append(Shown(image, label.partition(",")[0], f"{best.probability:.0%}{seen}"))
    yield "classes", "Eight labels, by the method `batchnorm` (classes.md): the model's own probability of each.", shown


def neurons(here: Gallery) -> Iterator[tuple[str, str, list[Shown]]]:
    layer, shown = DEPTHS["patterns"][0], []
    row = here.model.layer(layer)
    spot = f"{(row.height or 2) // 2},{(row.width or 2) // 2}"
    for channel in here.units(layer, 8)[:4]:
        (neuron,) = here.draw([f"{channel.address}@{spot}"])
        shown += [*here.shown([channel]), *here.shown([neuron])]
    text = f"`{layer}`: a channel everywhere, and one neuron of it, on a canvas as large as its receptive field needs."
    yield "neurons", text, shown


def transformer(here: Gallery) -> Iterator[tuple[str, str, list[Shown]]]:
    for depth in range(4):
        layer = f"blocks.{depth}.mlp.act"
        yield f"tiny-vit-{depth}", f"`{layer}` of tiny-vit", list(here.shown(here.units(layer, 8)))
    labels = ["plain red circle", "striped green square", "dotted blue triangle", "plain yellow cross",
              "dotted red square", "striped yellow circle", "plain green triangle", "striped blue cross"]  # fmt: skip
    pictures = here.draw([f'logits:"{label}"' for label in labels])
    yield (
        "tiny-vit-classes",
        "Labels of tiny-vit, and its logits",
        [Shown(one.image, label, f"{one.response:#.3g}") for one, label in zip(pictures, labels, strict=True)],
    )


def others(here: Gallery) -> Iterator[tuple[str, str, list[Shown]]]:
    for name, layers in OTHERS.items():
        try:
            there = replace(here, model=hooke.open(name, device=str(here.model.device)))
        except ModelError as refusal:
            print(f"skipped {name}: {refusal.reason}")
            continue
        for layer in layers:
            yield f"{name.partition(':')[2]}-{layer}", f"`{layer}` of {name}", list(there.shown(there.units(layer, 8)))


SECTIONS = {
    "depths": depths, "diversity": diversity, "interpolation": interpolation, "opposites": opposites,
    "neurons": neurons, "caricatures": caricatures, "styles": styles,
    "classes": classes,
}  # fmt: skip


TITLES = {
    "edges": "Edges", "textures": "Textures", "patterns": "Patterns", "parts": "Parts", "objects": "Objects",
    "diversity": "One unit, several pictures", "interpolation": "From one unit to another",
    "opposites": "Opposites", "neurons": "Channels and neurons", "caricatures": "Caricatures", "styles": "Styles",
    "classes": "Labels", "tiny-vit": "A transformer", "googlenet": "GoogLeNet", "resnet50": "ResNet-50",
    "vit_tiny_patch16_224": "ViT-Ti/16",
}  # fmt: skip
HEAD = """# Gallery

What units of the models that come along look for, drawn with the defaults, seed 0, and not picked by hand: of each
layer the first units of a seeded shuffle whose drawing moved their response. Under each picture stands its channel and
its response, and how many times that is the unit's largest response to photographs (mean over positions; 500
photographs, one for each of 500 labels, or 960 scenes for the transformer; hundreds of times means that photographs
hardly move it). What we say of pictures is what we see in them, no more.

Made by `python docs/gallery.py`.{skipped}
"""


def page() -> str:
    """The page of all pictures that are in the folder."""
    known = sorted(FOLDER.glob("*.txt"), key=lambda file: file.stem)
    lines, titled = [], set()
    for prefix, title in TITLES.items():
        for file in (one for one in known if one.stem == prefix or one.stem.startswith(f"{prefix}-")):
            if title not in titled:
                lines.append(f"## {title}\n")
                titled.add(title)
            text = file.read_text().strip()
            lines.append(f"{text}\n\n![{title}](gallery/{file.stem}.webp)\n")
    missing = [name for name in OTHERS if not any(one.stem.startswith(name.partition(":")[2]) for one in known)]
    skipped = f"\nSkipped, for their weights could not be had: {', '.join(missing)}." if missing else ""
    whole = FOLDER / "whole.txt"
    lines += [whole.read_text()] if whole.exists() else []
    return HEAD.format(skipped=skipped).strip() + "\n\n" + "\n".join(lines)


def sheet(shown: Sequence[Shown], columns: int = 8) -> PIL.Image.Image:
    """Pictures in rows, under each its name and its number."""
    columns = min(columns, len(shown))
    rows = -(-len(shown) // columns)
    page = PIL.Image.new("RGB", (columns * (TILE + GAP) - GAP, rows * (TILE + CAPTION + GAP) - GAP), (255, 255, 255))
    pen, font = Draw(page), load_default(12)
    for place, one in enumerate(shown):
        left, top = place % columns * (TILE + GAP), place // columns * (TILE + CAPTION + GAP)
        levels = one.image[:3].detach().cpu().clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy()
        page.paste(PIL.Image.fromarray(levels).resize((TILE, TILE), PIL.Image.Resampling.LANCZOS), (left, top))
        pen.text((left, top + TILE + 3), one.name, fill=(32, 32, 32), font=font)
        pen.text((left + TILE, top + TILE + 3), one.number, fill=(110, 110, 110), font=font, anchor="ra")
    return page


def main() -> None:
    """Draw what is missing, and write the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--device", default="cpu")
    options.add_argument("--batch", type=int, default=4)
    options.add_argument("--steps", type=int, default=None, help="for a quick try")
    options.add_argument("--data", type=Path, default=None)
    options.add_argument("--labels", type=Path, default=None, help="pictures of experiments/transfer/draw.py")
    options.add_argument("--only", nargs="*", default=[*SECTIONS, "transformer", "others"])
    chosen = options.parse_args()
    data = chosen.data or (Path(os.environ["HOOKE_SAMPLE"]) if "HOOKE_SAMPLE" in os.environ else None)
    FOLDER.mkdir(exist_ok=True)
    store = hooke.Store()
    here = Gallery(
        hooke.open(device=chosen.device), store, (data,) if data else (), chosen.batch, chosen.steps, chosen.labels
    )
    for name in chosen.only:
        if name == "others":
            made = others(here)
        elif name == "transformer":
            made = transformer(replace(here, model=hooke.open("tiny-vit", device=chosen.device), data=(HERE,)))
        else:
            made = SECTIONS[name](here)
        for stem, text, shown in made:
            sheet(shown, 9 if stem == "styles" else 8).save(FOLDER / f"{stem}.webp", quality=82, method=6)
            (FOLDER / f"{stem}.txt").write_text(text + "\n")
            print(stem, [one.number for one in shown], flush=True)
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
