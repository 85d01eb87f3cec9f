"""Whether published weights are on this machine or can be fetched; the answer comes within seconds, online or not."""

import os
import socket
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import torch

from hooke.errors import ModelError

SECONDS = 3.0
"""How long to wait for the weights' host before the machine counts as offline."""

HUB = "https://huggingface.co"
FILES = ("model.safetensors", "pytorch_model.bin")


def cached_on_hub(repository: str) -> Path | None:
    """The weights of a repository of the Hugging Face hub in this machine's cache, if they are there."""
    from huggingface_hub import try_to_load_from_cache

    found = (try_to_load_from_cache(repository, file) for file in FILES)
    return next((Path(path) for path in found if isinstance(path, str)), None)


def cached_checkpoint(url: str) -> Path | None:
    """The file of this address in torch's cache of checkpoints, if it is there."""
    file = Path(torch.hub.get_dir(), "checkpoints", Path(urllib.parse.urlparse(url).path).name)
    return file if file.is_file() else None


def refuse_offline(request: str, url: str | None, choices: Sequence[str]) -> None:
    """Raises ModelError with the choices when the host of `url` (None: the hub) cannot be reached."""
    address = url or os.environ.get("HF_ENDPOINT", HUB)
    forbidden = url is None and os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
    if forbidden or not _reachable(address):
        host = urllib.parse.urlparse(address).hostname
        why = "HF_HUB_OFFLINE is set" if forbidden else f"{host} cannot be reached"
        raise ModelError(
            request,
            f"its pretrained weights are not on this machine, and {why}",
            choices=choices,
            next_step="add one of these to the name, or try again online",
        )


def _reachable(address: str) -> bool:
    """Whether the host (or the proxy that leads there) accepts a connection."""
    target = urllib.parse.urlparse(address)
    proxy = urllib.request.getproxies().get(target.scheme)
    if proxy and target.hostname and not urllib.request.proxy_bypass(target.hostname):
        target = urllib.parse.urlparse(proxy if "://" in proxy else f"http://{proxy}")
    port = target.port or (443 if target.scheme == "https" else 80)
    try:
        with socket.create_connection((target.hostname, port), timeout=SECONDS):
            return True
    except OSError:
        return False
