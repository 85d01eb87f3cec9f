"""`hooke cache`: what is kept, and forgetting it."""

import torch

from hooke.storage.store import Store


def test_info_and_clear(hooke, tmp_path) -> None:
    Store(tmp_path).put("0" * 64, {"image": torch.zeros(3)}, {"address": "a:1"})
    info = hooke("cache", "info", "--json", HOOKE_CACHE=str(tmp_path)).json
    assert info["folder"] == str(tmp_path)
    assert info["entries"] == 1
    assert 0 < info["bytes"] < info["limit_bytes"]
    assert str(tmp_path) in hooke("cache", "info", HOOKE_CACHE=str(tmp_path)).out
    assert hooke("cache", "clear", "--json", HOOKE_CACHE=str(tmp_path)).json["removed"] == 1
    assert hooke("cache", "info", "--json", HOOKE_CACHE=str(tmp_path)).json["entries"] == 0
