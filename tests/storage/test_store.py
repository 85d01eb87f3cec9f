"""The result store: what is put in comes out; what is damaged, full or forbidden is said and never breaks anything.

Processes are really killed, disks really full and folders really read-only (in a mount namespace of their own).
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from hooke.errors import StoreError, StoreWarning
from hooke.storage.files import Files, default_folder
from hooke.storage.store import Store

KEY = "0123456789abcdef" * 4
OTHER = "f" * 64


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


def run(code: str, *arguments: object, mounted: str = "") -> Any:
    """Runs Python code in a process of its own and returns what it prints as JSON; `mounted` commands run first."""
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    if mounted:
        if shutil.which("unshare") is None:
            pytest.skip("needs unshare, to mount in a namespace of its own")
        script = f'{mounted} && exec "$@"'
        command = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", *command]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if mounted and found.returncode and "Traceback" not in found.stderr:
        pytest.skip(f"needs the right to mount: {found.stderr.strip()}")
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def entry_file(store: Store, key: str = KEY) -> Path:
    return store.folder / f"{key}.entry"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"lock"}


# What goes in comes out.


def test_tensors_and_facts_come_back_bit_for_bit(store: Store) -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(3, 16, 16, generator=generator)
    facts = {"address": 'logits:"tabby, é"', "response": 0.1, "steps": 128, "note": None, "nested": {"a": [1, True]}}
    assert store.put(KEY, {"image": image}, facts) is True
    entry = store.get(KEY)
    assert entry is not None
    assert torch.equal(entry.tensors["image"], image)
    assert entry.facts == facts


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor(3.0),
        torch.empty(0, 3),
        torch.arange(6.0).reshape(2, 3).t(),
        torch.arange(24.0).reshape(1, 2, 3, 4).to(memory_format=torch.channels_last),
        torch.ones(3, requires_grad=True),
        torch.tensor([True, False]),
        torch.tensor([float("nan"), float("inf"), -0.0]),
        *(
            torch.arange(4).to(kind)
            for kind in (torch.uint8, torch.int64, torch.float16, torch.bfloat16, torch.float64)
        ),
    ],
)
def test_every_kind_of_tensor_comes_back(store: Store, tensor: Tensor) -> None:
    shared = {"one": tensor, "same": tensor}
    assert store.put(KEY, shared, {})
    entry = store.get(KEY)
    assert entry is not None
    for found in entry.tensors.values():
        assert (found.dtype, found.shape, found.requires_grad) == (tensor.dtype, tensor.shape, False)
        assert torch.equal(found.nan_to_num(7.0), tensor.detach().nan_to_num(7.0))


def test_what_comes_out_is_ones_own(store: Store) -> None:
    store.put(KEY, {"a": torch.zeros(3)}, {})
    first = store.get(KEY)
    assert first is not None
    first.tensors["a"].add_(1)
    second = store.get(KEY)
    assert second is not None
    assert torch.equal(second.tensors["a"], torch.zeros(3))


def test_an_entry_outlives_its_store_and_the_last_put_wins(store: Store) -> None:
    store.put(KEY, {"a": torch.zeros(3)}, {"n": 1})
    store.put(KEY, {"a": torch.ones(5)}, {"n": 2})
    entry = Store(store.folder).get(KEY)
    assert entry is not None
    assert (entry.facts, entry.tensors["a"].tolist()) == ({"n": 2}, [1.0] * 5)
    assert names(store.folder) == {f"{KEY}.entry"}


def test_what_was_never_put_is_not_there_and_looking_makes_no_folder(store: Store) -> None:
    assert store.get(KEY) is None
    assert store.info().entries == store.info().bytes == store.clear() == 0
    assert not store.folder.exists()


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "a/b", "A", "a.b", "a" * 129, "é", "-a", "a\n"])
def test_a_key_that_could_leave_the_folder_is_refused(store: Store, key: str) -> None:
    with pytest.raises(StoreError, match="key"):
        store.get(key)
    with pytest.raises(StoreError, match="key"):
        store.put(key, {}, {})


def test_facts_that_are_not_json_are_refused_and_leave_nothing(store: Store) -> None:
    with pytest.raises(TypeError):
        store.put(KEY, {}, {"a": object()})
    assert not store.folder.exists()


def test_info_counts_entries_and_bytes_and_clear_removes_only_them(store: Store) -> None:
    for key in (KEY, OTHER):
        store.put(key, {"a": torch.zeros(100)}, {})
    (store.folder / "letter.txt").write_text("not ours")
    info = store.info()
    sizes = [path.stat().st_size for path in store.folder.glob("*.entry")]
    assert (info.folder, info.entries, info.bytes, info.limit_bytes) == (store.folder, 2, sum(sizes), 4 * 2**30)
    assert store.clear() == 2
    assert names(store.folder) == {"letter.txt"}
    assert store.put(KEY, {}, {})


def test_the_folder_is_where_hooke_cache_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOOKE_CACHE", str(tmp_path / "here"))
    assert Store().folder == default_folder() == tmp_path / "here"
    monkeypatch.setenv("HOOKE_CACHE", "~/there")
    assert Store().folder == Path.home() / "there"
    monkeypatch.delenv("HOOKE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if sys.platform == "linux":
        assert Store().folder == tmp_path / "hooke"


# Damage is found.


def _damages() -> Iterator[tuple[str, Callable[[bytes], bytes]]]:
    yield "empty", lambda content: b""
    yield "longer", lambda content: content + b"\0"
    yield "shorter", lambda content: content[:-1]
    yield "half", lambda content: content[: len(content) // 2]
    yield "another file", lambda content: b"hello world\n" * 40
    yield "zeros of the same length", lambda content: bytes(len(content))
    for part in range(24):
        yield f"one bit at {part}/24", lambda content, part=part: _flipped(content, len(content) * part // 24)  # type: ignore[misc]


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize("damage", [pytest.param(damage, id=name) for name, damage in _damages()])
def test_a_damaged_entry_is_reported_deleted_and_can_be_put_again(
    store: Store, damage: Callable[[bytes], bytes]
) -> None:
    store.put(KEY, {"a": torch.arange(10.0)}, {"n": 1})
    path = entry_file(store)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(StoreWarning, match="damaged") as caught:
        assert store.get(KEY) is None
    assert len(caught) == 1
    assert str(store.folder) in str(caught[0].message)
    assert not path.exists()
    assert store.get(KEY) is None
    assert store.put(KEY, {"a": torch.arange(10.0)}, {"n": 1})
    assert store.get(KEY) is not None


def test_an_entry_under_the_name_of_another_is_damaged(store: Store) -> None:
    store.put(KEY, {}, {"n": 1})
    entry_file(store).rename(entry_file(store, OTHER))
    with pytest.warns(StoreWarning, match="damaged"):
        assert store.get(OTHER) is None


def test_a_whole_entry_with_a_content_that_nobody_can_read_is_damaged(store: Store) -> None:
    assert Files(store.folder).write(KEY, b"whole, but no safetensors file")
    with pytest.warns(StoreWarning, match="cannot be read"):
        assert store.get(KEY) is None
    assert not entry_file(store).exists()


def test_an_entry_that_is_a_folder_is_reported(store: Store) -> None:
    entry_file(store).mkdir(parents=True)
    with pytest.warns(StoreWarning, match="could not be read"):
        assert store.get(KEY) is None
    with pytest.warns(StoreWarning, match="could not be kept"):
        assert store.put(KEY, {}, {}) is False
    assert names(store.folder) == {f"{KEY}.entry"}


# The limit.


def test_the_least_recently_used_give_way(tmp_path: Path) -> None:
    files = Files(tmp_path, limit_bytes=10_000)
    keys = [f"key{number}" for number in range(12)]
    for key in keys[:9]:
        assert files.write(key, bytes(1000))
    assert files.read(keys[0]) is not None  # used again: now key1 is the oldest
    for key in keys[9:]:
        assert files.write(key, bytes(1000))
    assert files.info().bytes <= 10_000
    left = {key for key in keys if files.read(key) is not None}
    assert keys[0] in left
    assert keys[11] in left
    assert keys[1] not in left


def test_the_limit_holds_after_every_put(tmp_path: Path) -> None:
    draw = random.Random(0)
    files = Files(tmp_path, limit_bytes=50_000)
    for number in range(300):
        assert files.write(f"{number}", bytes(draw.randrange(5000)))
        assert files.read(f"{number}") is not None
        assert files.info().bytes <= 50_000
    assert files.info().bytes > 40_000


def test_several_stores_of_one_folder_keep_the_limit_together(tmp_path: Path) -> None:
    stores = [Files(tmp_path, limit_bytes=100_000) for _ in range(4)]
    for number in range(400):
        assert stores[number % 4].write(f"{number}", bytes(3000))
        assert stores[0].info().bytes <= 100_000


def test_an_entry_that_nearly_fills_the_store_replaces_all_and_a_larger_one_is_not_kept(tmp_path: Path) -> None:
    files = Files(tmp_path, limit_bytes=10_000)
    assert files.write("small", bytes(2000))
    assert files.write("large", bytes(9900))
    assert names(tmp_path) == {"large.entry"}
    with pytest.warns(StoreWarning, match="over the limit of 10,000"):
        assert files.write("huge", bytes(10_000)) is False
    assert names(tmp_path) == {"large.entry"}


# Folders that cannot be written.

_TRY_TO_PUT = """
import json, sys, warnings
from pathlib import Path
from hooke.storage.files import Files
folder, size = Path(sys.argv[1]), int(sys.argv[2])
if "limit" in sys.argv:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
files = Files(folder)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    kept = files.write("new", bytes(size))
    old = files.read("old")
    small = files.write("small", b"1") if "small" in sys.argv else None
listed = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
print(json.dumps({"kept": kept, "old": old and old.decode(), "small": small, "names": listed,
                  "warnings": [f"{item.category.__name__}: {item.message}" for item in caught]}))
"""


def check_refusal(found: Any, folder: Path, reason: str) -> None:
    assert found["kept"] is False
    assert len(found["warnings"]) == 1
    warning = found["warnings"][0]
    assert warning.startswith("StoreWarning: ")
    for words in (str(folder), reason, "HOOKE_CACHE", "hooke cache clear"):
        assert words in warning


def test_a_full_disk_is_one_warning_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    found = run(_TRY_TO_PUT, tmp_path, 10**6, "small", mounted=f"mount -t tmpfs -o size=256k tmpfs '{tmp_path}'")
    check_refusal(found, tmp_path, "No space left on device")
    assert found["small"] is True
    assert found["names"] == ["lock", "small.entry"]


def test_a_quota_is_one_warning_and_leaves_what_was_there(tmp_path: Path) -> None:
    Files(tmp_path).write("old", b"still here")
    found = run(_TRY_TO_PUT, tmp_path, 10**6, "limit", "small")
    check_refusal(found, tmp_path, "File too large")
    assert (found["old"], found["small"]) == ("still here", True)
    assert found["names"] == ["lock", "old.entry", "small.entry"]


def test_a_read_only_folder_can_be_read_and_says_that_it_cannot_be_written(tmp_path: Path) -> None:
    Files(tmp_path).write("old", b"still here")
    found = run(_TRY_TO_PUT, tmp_path, 10, mounted=f"mount --bind -o ro '{tmp_path}' '{tmp_path}'")
    check_refusal(found, tmp_path, "Read-only file system")
    assert found["old"] == "still here"
    assert found["names"] == ["lock", "old.entry"]


def test_clear_in_a_read_only_folder_is_an_error_that_names_it(tmp_path: Path) -> None:
    Files(tmp_path).write("old", b"still here")
    code = """
import json, sys
from pathlib import Path
from hooke.errors import StoreError
from hooke.storage.files import Files
try:
    Files(Path(sys.argv[1])).clear()
except StoreError as error:
    print(json.dumps(str(error)))
"""
    found = run(code, tmp_path, mounted=f"mount --bind -o ro '{tmp_path}' '{tmp_path}'")
    assert str(tmp_path) in found
    assert "Read-only file system" in found


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_one_warning(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.warns(StoreWarning, match="Permission denied"):
        assert Store(tmp_path).put(KEY, {}, {}) is False


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_folder_that_is_a_file_is_one_warning(tmp_path: Path, below: str) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    store = Store(blocked / below)
    with pytest.warns(StoreWarning, match="could not be kept") as caught:
        assert store.put(KEY, {"a": torch.zeros(3)}, {}) is False
    assert len(caught) == 1
    assert store.get(KEY) is None
    assert store.info().entries == store.clear() == 0
    assert blocked.read_text() == "not a folder"


def test_an_interrupted_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(source: object, target: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            Files(tmp_path).write(KEY, b"content")
    assert names(tmp_path) == set()
    assert Files(tmp_path).write(KEY, b"content")


# Several processes, and their death.

_WRITE_FOR_EVER = """
import sys
from pathlib import Path
from hooke.storage.files import Files
files = Files(Path(sys.argv[1]))
while True:
    files.write("large", bytes(2**26))
"""


def test_kill_9_in_the_middle_of_a_write_leaves_a_store_that_works(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.write("old", b"still here")
    partial = tmp_path / "large.partial"
    for _ in range(30):
        process = subprocess.Popen([sys.executable, "-c", _WRITE_FOR_EVER, str(tmp_path)])
        try:
            deadline = time.monotonic() + 60
            while not partial.exists() and time.monotonic() < deadline and process.poll() is None:
                time.sleep(0.0005)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        if partial.exists():
            break
    assert partial.exists(), "no kill came in the middle of a write"
    assert partial.stat().st_size <= 2**26 + 46
    (tmp_path / "large.entry").unlink(missing_ok=True)
    assert files.read("old") == b"still here"
    assert files.read("large") is None
    assert files.info().entries == 1
    assert Files(tmp_path).write("new", b"at once: the lock died with its holder")
    assert names(tmp_path) == {"old.entry", "new.entry"}


_HAMMER = """
import json, random, sys
from pathlib import Path
from hooke.storage.files import Files
folder, me, seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
import time
files, draw = Files(folder, 400_000), random.Random(me)
wrong = found = lost = 0
until = time.monotonic() + seconds
while time.monotonic() < until:
    key = f"key{draw.randrange(8)}"
    action = draw.random()
    if action < 0.4:
        lost += not files.write(key, key.encode() + bytes([me]) * draw.randrange(1, 100_000))
    elif action < 0.99:
        content = files.read(key)
        if content is not None:
            found += 1
            rest = content[len(key):]
            wrong += content[:len(key)] != key.encode() or rest != rest[:1] * len(rest)
    else:
        files.clear()
print(json.dumps({"wrong": wrong, "found": found, "lost": lost}))
"""


def test_processes_that_hammer_the_same_keys_never_see_a_broken_entry(tmp_path: Path) -> None:
    commands = [[sys.executable, "-W", "error", "-c", _HAMMER, str(tmp_path), str(me), "1.5"] for me in (1, 2, 3)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for command in commands]
    for process in processes:
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()  # a StoreWarning is an error here
        counts = json.loads(output)
        assert counts["wrong"] == counts["lost"] == 0
        assert counts["found"] > 0
    assert all(name.endswith(".entry") for name in names(tmp_path))
    assert Files(tmp_path).info().bytes <= 400_000


def test_threads_of_one_store_do_not_disturb_each_other(store: Store) -> None:
    failures: list[str] = []

    def work(me: int) -> None:
        for number in range(25):
            key = f"key{number % 5}"
            if not store.put(key, {"a": torch.full((50,), float(me))}, {"me": me}):
                failures.append("not kept")
            entry = store.get(key)
            if entry is None or not bool((entry.tensors["a"] == entry.facts["me"]).all()):
                failures.append(f"{key} is broken")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        threads = [threading.Thread(target=work, args=(me,)) for me in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
    assert store.info().entries == 5
