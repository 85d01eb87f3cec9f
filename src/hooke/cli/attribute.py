"""`hooke attribute`: which parts of a picture, or of a layer, speak for what the model says."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from hooke.cli.figures import Figures, make, write_figure, write_json, writing
from hooke.cli.options import Device, Json, Model, Precision, Seed, Trust
from hooke.cli.report import console, counting, emit, opening, row, say, table
from hooke.cli.visualize import file_names
from hooke.errors import AttributionWarning, NumericsError, nearest

if TYPE_CHECKING:
    from torch import Tensor

    from hooke.attribution.baselines import Baseline
    from hooke.attribution.method import Method
    from hooke.models.model import Model as OpenModel
    from hooke.numeric.fixed import Fixed
    from hooke.results import Attribution

METHODS = (
    "gradient", "gradient-x-activation", "integrated-gradients", "stochastic-path", "scattered-path",
    "expected-gradients", "smoothgrad", "vargrad", "grad-cam", "occlusion", "channel-occlusion", "rise", "patching",
    "guided-backprop", "deep-lift", "gradient-shap", "shapley", "lrp",
)  # fmt: skip
BASELINES = ("zero", "mean", "blur", "noise", "farthest", "black", "grey", "white")
BARS = 12


@dataclass(frozen=True)
class Settings:
    """What the options say of a method."""

    passes: int | None
    baseline: str
    patch: int | None
    other: "Fixed | None"
    smooth_pooling: bool


def attribute(
    model: Model,
    image: Annotated[Path, Argument(metavar="IMAGE", help="A picture file.")],
    of: Annotated[
        list[str] | None,
        Option("--of", metavar="ADDRESS", help="What is explained; may be repeated. Default: the top label."),
    ] = None,
    to: Annotated[
        str, Option("--to", metavar="PLACE", help="Whose parts get credit: input, a layer, a place.")
    ] = "input",
    by: Annotated[str, Option("--by", metavar="METHOD", help=", ".join(METHODS) + ".")] = "gradient-x-activation",
    steps: Annotated[
        int | None, Option("--steps", min=1, help="Steps of a path, samples, masks or orders, as the method has them.")
    ] = None,
    baseline: Annotated[str, Option("--baseline", help=", ".join(BASELINES) + ": what is there instead.")] = "zero",
    patch: Annotated[int | None, Option("--patch", min=1, help="Side of the patches that are taken away.")] = None,
    other: Annotated[
        Path | None, Option("--other", metavar="IMAGE", help="The second picture of patching, or the reference.")
    ] = None,
    smooth_pooling: Annotated[
        bool, Option("--smooth-pooling", help="Max pooling passes gradients to all it sees.")
    ] = False,
    out: Figures = None,
    seed: Seed = 0,
    device: Device = "cpu",
    precision: Precision = "float32",
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Tell which parts of a picture, or of a layer, speak for and against what the model says of it."""
    from hooke.modalities.image import read_picture

    picture = read_picture(image)
    if out is not None:
        make(out)
    with opening(model):
        from hooke.models.opening import open

        opened = open(model, device=device, precision=precision, trust=trust)
        canvas = opened.modality.canvas(picture)
        second = None if other is None else _fixed(opened, other)
        method = _method(by, Settings(steps, baseline, patch, second, smooth_pooling))
        wanted = of or [f"logits:{opened.predict(canvas, count=1)[0].index}"]
    found, remarks = _attributed(opened, canvas, wanted, to, method, seed)
    _answer(opened, canvas, found, remarks, out, as_json)


def _attributed(
    model: "OpenModel", canvas: "Tensor", of: list[str], to: str, by: "Method", seed: int
) -> "tuple[list[Attribution], list[str]]":
    """The attributions, with progress, and what there is to remark."""
    from hooke.attribution.attribute import attribute as attributed

    with counting("attributing") as watch, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", AttributionWarning)
        found = attributed(model, canvas, list(of), to, by, seed=seed, watch=watch)
    remarks = [str(one.message) for one in caught if issubclass(one.category, AttributionWarning)]
    return found, remarks + [remark for one in found if (remark := _missed(one))]


def _answer(
    model: "OpenModel",
    canvas: "Tensor",
    found: "list[Attribution]",
    remarks: list[str],
    out: Path | None,
    as_json: bool,
) -> None:
    files: list[list[Path]] = [[] for _ in found] if out is None else _write(model, canvas, found, out)
    entries = [
        _entry(model, one) | {"files": [str(name) for name in names], "remarks": remarks}
        for one, names in zip(found, files, strict=True)
    ]
    if as_json:
        emit(entries)
        return
    _tell(entries)
    for text in dict.fromkeys(entry["validated"]["text"] for entry in entries):
        say(text)
    for remark in remarks:
        say(remark)


def _method(name: str, settings: Settings) -> "Method":
    """The method of that name with its settings. Errors: NumericsError for names that there are not."""
    from hooke import attribution as our
    from hooke.attribution import captum

    start, count = _baseline(settings.baseline), settings.passes
    patches = our.Patches(settings.patch)
    makers: dict[str, Any] = {
        "gradient": lambda: our.Gradient(settings.smooth_pooling),
        "gradient-x-activation": lambda: our.GradientTimesActivation(start, settings.smooth_pooling),
        "integrated-gradients": lambda: our.IntegratedGradients(count or 32, start),
        "stochastic-path": lambda: our.StochasticPath(steps=count or 16, baseline=start),
        "scattered-path": lambda: our.ScatteredPath(count or 100),
        "expected-gradients": lambda: our.ExpectedGradients(_needed(settings), count or 64),
        "smoothgrad": lambda: our.SmoothGrad(count or 25),
        "vargrad": lambda: our.VarGrad(count or 25),
        "grad-cam": our.GradCAM,
        "occlusion": lambda: our.Occlusion(patches, start),
        "channel-occlusion": lambda: our.Occlusion(our.Channels(), start),
        "rise": lambda: our.RISE(count or 4000, baseline=start),
        "patching": lambda: our.ActivationPatching(_needed(settings), patches),
        "guided-backprop": lambda: captum.Captum(captum.GuidedBackprop()),
        "deep-lift": lambda: captum.Captum(captum.DeepLIFT(start)),
        "gradient-shap": lambda: captum.Captum(captum.GradientSHAP(_needed(settings), count or 64)),
        "shapley": lambda: captum.Captum(captum.ShapleySampling(patches, count or 25, start)),
        "lrp": lambda: captum.Captum(captum.LRP()),
    }
    if name not in makers:
        raise NumericsError(f"--by {name}", "there is no such method", choices=nearest(name, METHODS, 6))
    made: Method = makers[name]()
    return made


def _baseline(name: str) -> "Baseline":
    from hooke.attribution import Blur, Constant, Farthest, Mean, Noise, Zero

    known: dict[str, Baseline] = {
        "zero": Zero(), "mean": Mean(), "blur": Blur(), "noise": Noise(), "farthest": Farthest(),
        "black": Constant(0.0), "grey": Constant(0.5), "white": Constant(1.0),
    }  # fmt: skip
    if name not in known:
        raise NumericsError(f"--baseline {name}", "there is no such baseline", choices=BASELINES)
    return known[name]


def _needed(settings: Settings) -> "Fixed":
    if settings.other is None:
        raise NumericsError("this method", "it compares with a second picture", next_step="give --other IMAGE")
    return settings.other


def _fixed(model: "OpenModel", file: Path) -> "Fixed":
    from hooke.modalities.image import read_picture
    from hooke.numeric.fixed import Fixed

    return Fixed(model.modality.canvas(read_picture(file)))


def _entry(model: "OpenModel", one: "Attribution") -> dict[str, Any]:
    from hooke.attribution.reading import channels

    strongest = []
    if "channel" in one.axes and one.values.shape[one.axes.index("channel")] > 3:
        sums = channels(one)[0]
        strongest = [{"channel": int(at), "credit": float(sums[at])} for at in _extremes(sums)]
    return {
        "of": one.of, "name": _named(model, one.of), "to": one.to, "by": type(one.by).__name__,
        "score": float(one.score[0]), "sum": float(one.values.double().sum()),
        "explained": None if one.explained is None else float(one.explained[0]), "completeness": one.completeness,
        "shape": list(one.values.shape[1:]), "channels": strongest, "key": one.provenance.key,
        "validated": _validated(model, one),
    }  # fmt: skip


def _validated(model: "OpenModel", one: "Attribution") -> dict[str, Any]:
    """What is known of the method on this model: whether it was measured, whether it fails, and a sentence."""
    from hooke.attribution.method import Method
    from hooke.validation.standing import verdict

    assert isinstance(one.by, Method)
    found = verdict(model, one.by, one.to)
    return {"measured": found.measured, "fails": found.fails, "text": found.text}


def _missed(one: "Attribution") -> str:
    """What to say where a method that promises a sum does not keep it."""
    if one.completeness is None or one.explained is None:
        return ""
    part = abs(one.completeness) / max(float(one.explained.abs().max()), 1e-9)
    return (
        f"{one.of}: the credits miss what they explain by {part:.0%}; more --steps bring them nearer"
        if part > 0.1
        else ""
    )


def _extremes(sums: Any) -> list[int]:
    """The channels with the largest magnitudes, from the one that speaks most for it to the one most against."""
    chosen = sums.abs().topk(min(BARS, len(sums))).indices.tolist()
    return sorted(chosen, key=lambda at: -float(sums[at]))


def _named(model: "OpenModel", of: str) -> str:
    """The label of a logit's address, else the address."""
    layer, _, channel = of.partition(":")
    return model.label(int(channel)) if layer == "logits" and channel.isdigit() else of


def _write(model: "OpenModel", canvas: Any, found: "list[Attribution]", out: Path) -> list[list[Path]]:
    """For each attribution its figure, its values as .npy, and its numbers as JSON."""
    import numpy

    from hooke.attribution.reading import positions
    from hooke.plots.attribution import Shown, attribution

    written = []
    for one, file in zip(found, file_names([one.of for one in found]), strict=True):
        facts = _entry(model, one)
        spatial = positions(one)[0].numpy() if {"height", "width"} <= set(one.axes) else None
        bars = [(str(entry["channel"]), entry["credit"]) for entry in facts["channels"]]
        lines = [f"{one.of} is {facts['score']:.3g}", f"credits add up to {facts['sum']:.3g}"]
        if one.explained is not None:
            lines.append(f"they explain {facts['explained']:.3g} (missed by {one.completeness:.2g})")
        lines.append(facts["validated"]["text"])
        title = f"{facts['name']}: credit of {one.to} ({facts['by']})"
        unit = "credit" if one.explained is None else f"credit (units of {one.of})"
        shown = Shown(title, spatial, bars, lines, unit, facts["validated"]["fails"])
        stem = out / file.removesuffix(".png")
        figure = write_figure(attribution(canvas.permute(1, 2, 0).numpy(), shown), stem.with_name(stem.name + ".png"))
        values = stem.with_name(stem.name + ".npy")
        with writing(values):
            numpy.save(values, one.values[0].numpy())
        written.append([figure, values, write_json(facts, stem.with_name(stem.name + ".json"))])
    return written


def _tell(entries: list[dict[str, Any]]) -> None:
    numbers = ("score", "sum", "explained", "missed by")
    sheet = table("of", *numbers, "strongest channels", "file", right=numbers)
    for one in entries:
        shown = [
            None if one[name] is None else f"{one[name]:.3g}" for name in ("score", "sum", "explained", "completeness")
        ]
        strongest = " ".join(f"{entry['channel']}:{entry['credit']:+.2g}" for entry in one["channels"][:4])
        row(sheet, one["name"], *shown, strongest, one["files"][0] if one["files"] else None)
    console().print(sheet)
