"""Reading weight files: tensors only, unless the user trusts the file; what a file is, its content says."""

import io
import pickle
import pickletools
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from hooke.errors import WeightsError, nearest

_WRAPPERS = ("state_dict", "model_state_dict", "model")
_PREFIXES = ("module.", "_orig_mod.")
_LEGACY = b"l\xfc\x9cF\xf9 j\xa8P\x19"
"""The magic number of torch.save before 1.6."""
_HARMLESS = re.compile(r"collections OrderedDict|torch\._utils _rebuild_\w+|torch \w*Storage")
_FORMATS = "give a .safetensors file, or a state dict that torch.save wrote"


def read_weights(path: str | Path, trust: bool = False) -> dict[str, Tensor]:
    """The tensors of a weight file by name, on the CPU.

    Reads safetensors and what torch.save wrote; unwraps {"state_dict": ...} and {"model": ...}, and drops the
    prefixes of DataParallel ("module.") and torch.compile ("_orig_mod."). A pickle that needs to run code is
    read only with `trust`. Raises WeightsError for anything that is no readable weight file.
    """
    file = Path(path)
    request = f"weights {file}"
    try:
        if not file.is_file():
            raise _missing(file)
        with file.open("rb") as stream:
            head = stream.read(512)
    except OSError as error:
        raise WeightsError(request, f"the file cannot be read: {error.strerror}") from error
    kind = _kind(head, file.suffix)
    if kind == "safetensors":
        return _bare(_tensors(_read_safetensors(file), request))
    if kind in ("zip", "legacy", "pickle"):
        return _bare(_tensors(_read_pickle(file, kind, trust), request))
    raise WeightsError(request, kind, next_step=_FORMATS)


def _kind(head: bytes, suffix: str) -> str:
    """safetensors, zip (torch.save), legacy (torch.save before 1.6), pickle; or why it is none of them."""
    if not head:
        return "the file is empty"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 2**27:
        return "safetensors"
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05":
        return "legacy" if _LEGACY in head[:32] else "pickle"
    if head.startswith(b"version https://git-lfs"):
        return "this is a Git LFS pointer, not the weights themselves: run `git lfs pull`"
    if min(head) > 8 and _is_text(head):
        return f"this is a text, not weights; it begins with {head[:40].decode('utf-8', 'replace')!r}"
    return "safetensors" if suffix == ".safetensors" else "this is no known kind of weight file"


def _is_text(head: bytes) -> bool:
    try:
        head[:-3].decode()  # the last character may be cut
    except UnicodeDecodeError:
        return False
    return True


def _read_safetensors(file: Path) -> dict[str, Tensor]:
    try:
        return load_file(file)
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise WeightsError(f"weights {file}", f"broken or cut off: {error}", next_step=_FORMATS) from error


def _read_pickle(file: Path, kind: str, trust: bool) -> Any:
    request = f"weights {file}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's advice about formats; the errors below say what matters
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # a damaged file can make the reader raise anything
            refused = error
        wanted = _wanted(file, kind)
        if wanted is None or (not wanted and kind != "pickle"):
            reason = f"{type(refused).__name__}: {str(refused).strip()}".split("\n")[0].split(". ")[0].strip(": ")
            raise WeightsError(request, f"broken or cut off ({reason})", next_step=_FORMATS) from refused
        if not trust:
            code = "it asks for " + ", ".join(wanted) if wanted else "torch.save did not write it"
            raise WeightsError(
                request,
                f"reading this pickle can run code that is stored in it ({code}); refused",
                next_step="if you trust its author, repeat with --trust (in Python: trust=True); "
                "otherwise ask for a .safetensors file",
            ) from refused
        try:
            if kind == "pickle":
                with file.open("rb") as stream:
                    return pickle.load(stream)
            return torch.load(file, map_location="cpu", weights_only=False)
        except Exception as error:
            raise WeightsError(request, f"trusted, and still cannot be read ({error})", next_step=_FORMATS) from error


def _wanted(file: Path, kind: str) -> list[str] | None:
    """The functions and classes that a pickle calls for, without running it; None where it is no whole pickle."""
    try:
        if kind == "zip":
            with zipfile.ZipFile(file) as archive:
                parts = [archive.read(name) for name in archive.namelist() if name.endswith(".pkl")]
            names = [name for part in parts for name in _globals(io.BytesIO(part))]
        else:
            with file.open("rb") as stream:
                names = _globals(stream)
                if kind == "legacy":  # a magic number, a version, facts on the machine, then what was saved
                    names += [name for _ in range(3) for name in _globals(stream)]
    except Exception:  # as above
        return None
    return [name.replace(" ", ".") for name in dict.fromkeys(names) if not _HARMLESS.fullmatch(name)]


def _globals(stream: io.BufferedReader | io.BytesIO) -> list[str]:
    """ "module name" of every global that one pickle loads, in order (ValueError: not a pickle)."""
    names: list[str] = []
    texts: list[str] = []
    memo: dict[int, str] = {}
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name in ("GLOBAL", "INST"):
            names.append(str(argument))
        elif opcode.name == "STACK_GLOBAL":
            names.append(" ".join(texts[-2:]))
        elif opcode.name == "MEMOIZE":
            memo[len(memo)] = texts[-1] if texts else ""
        elif opcode.name.endswith("PUT") and isinstance(argument, int):
            memo[argument] = texts[-1] if texts else ""
        elif opcode.name.endswith("GET") and isinstance(argument, int):
            texts.append(memo.get(argument, ""))
        elif isinstance(argument, str):
            texts.append(argument)
    return names


def _tensors(found: Any, request: str) -> dict[str, Tensor]:
    """The state dict inside whatever was saved."""
    for _ in range(4):
        if isinstance(found, nn.Module):
            found = found.state_dict()
        if not isinstance(found, Mapping):
            raise WeightsError(request, f"holds {type(found).__name__}, not named tensors", next_step=_FORMATS)
        wrapper = next((name for name in _WRAPPERS if isinstance(found.get(name), Mapping | nn.Module)), None)
        if wrapper is None:
            break
        found = found[wrapper]
    tensors = {str(name): value.detach() for name, value in found.items() if isinstance(value, Tensor)}
    if not tensors:
        raise WeightsError(
            request,
            "holds no tensors under the names that were looked at",
            choices=[str(name) for name in found][:20],
            next_step="save the part that is the state dict: torch.save(checkpoint[NAME], FILE)",
        )
    return tensors


def _bare(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names without the prefixes that wrappers add to all of them."""
    while prefix := next((prefix for prefix in _PREFIXES if all(name.startswith(prefix) for name in tensors)), None):
        tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    return tensors


def _missing(file: Path) -> WeightsError:
    if file.is_dir():
        return WeightsError(f"weights {file}", "this is a folder", choices=_beside(file, ""), next_step=_FORMATS)
    return WeightsError(f"weights {file}", "there is no such file", choices=_beside(file.parent, file.name))


def _beside(folder: Path, name: str) -> list[str]:
    try:
        return nearest(name, sorted(item.name for item in folder.iterdir() if item.is_file()))
    except OSError:
        return []
