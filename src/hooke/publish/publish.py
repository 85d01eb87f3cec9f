"""`publish` and `publish_whole`: a folder of static files over some photographs and layers, or one file of one view."""

import asyncio
import re
import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote

import PIL.Image
from fastapi import FastAPI

import hooke
from hooke.addresses import Place
from hooke.errors import PublishError, nearest
from hooke.provenance import describe
from hooke.publish.figures import COUNT
from hooke.publish.folder import Folder, writing
from hooke.publish.ledger import Ledger, Report
from hooke.publish.pages import MARK, Built, Head, built, data_url, page, whole
from hooke.publish.pictures import PICTURES
from hooke.publish.preview import preview
from hooke.publish.site import publish_answers
from hooke.publish.work import Plan
from hooke.server.app import STATIC
from hooke.storage.whole import put_whole
from hooke.studies.activation_grid import readable

LOOKS = "which units fire where, and what each looks for."


@dataclass(frozen=True)
class Published:
    """What was published: where, of how many bytes in how many files, and how many seconds each kind of work took."""

    path: Path
    bytes: int
    files: int
    seconds: Mapping[str, float]
    failures: Mapping[str, str]
    """Requests that could not be answered, with the reasons: their figures say that they are live only."""


def publish(app: FastAPI, plan: Plan, out: Path, *, url: str = "", report: Report = lambda *_: None) -> Published:
    """Writes the microscope's pages of all its photographs into a folder; continues what was begun there.

    `url`: where the folder will be served, for previews. Errors: PublishError for a folder that holds anything else,
    for a page that is not built.
    """
    parts = built(STATIC)
    ledger = Ledger(report)
    with writing(out):
        folder, failures = _answered(app, plan, out, ledger)
        folder.prune()
        _assets(folder, parts)
        heads = _heads(app, plan, folder, url)
        known = sorted(file[-13:-5] for file in folder.answers())
        for name, head in heads.items():
            folder.put(name, page(head, known).encode())
    files = [path for path in out.rglob("*") if path.is_file()]
    return Published(out, sum(path.stat().st_size for path in files), len(files), ledger.spent, failures)


def publish_whole(app: FastAPI, plan: Plan, view: str, out: Path, *, report: Report = lambda *_: None) -> Published:
    """Writes one self-contained HTML of one view (its path and query); a folder beside it holds what is done so far."""
    parts = built(STATIC)
    beside = out.with_name(f"{out.name}.parts")
    ledger = Ledger(report)
    with writing(out):
        _ours(out)
        folder, failures = _answered(app, plan, beside, ledger)
        text = _whole(app, plan, view, folder, parts).encode()
        put_whole(out, text)
        shutil.rmtree(beside)
    return Published(out, len(text), 1, ledger.spent, failures)


def _ours(out: Path) -> None:
    """PublishError where another file than a published page is there."""
    if out.is_file() and MARK not in out.read_text(encoding="utf-8", errors="replace")[:4000]:
        step = "name another file, or delete this one"
        raise PublishError(f"publish into {out}", "this file is no published page", next_step=step)
    if out.is_dir():
        raise PublishError(f"publish into {out}", "it is a folder", next_step="name a file, as view.html")


def _whole(app: FastAPI, plan: Plan, view: str, folder: Folder, parts: Built) -> str:
    beside = folder.root
    head = next(iter(_heads(app, plan, folder, "").values()))
    pictures = {
        f"pictures/{path.name}": data_url(path.read_bytes(), "webp") for path in (beside / "pictures").glob("*.webp")
    }
    files = {file: _inlined(data, pictures) for file, data in folder.answers().items()}
    return whole(replace(head, start=view, preview=""), parts, files)


def looked_at(view: str, names: Sequence[str], layers: Sequence[str]) -> tuple[str | None, str | None, int | None]:
    """The photograph, layer and unit of a view such as /image/cat?layer=L or /unit/L/12; PublishError for any other."""
    path, _, query = view.removeprefix("#").partition("?")
    match = re.fullmatch(r"/(?:image/([^/]+)|unit/([^/]+)/(\d+)|layer/([^/]+))?/?", path)
    if match is None:
        reason = "a view is /image/NAME?layer=LAYER, /layer/LAYER or /unit/LAYER/CHANNEL"
        raise PublishError(f"publish the view {view}", reason, next_step="copy it from the microscope's address bar")
    image, layer = match[1], match[2] or match[4] or next(iter(parse_qs(query).get("layer", [])), None)
    found = tuple(unquote(text) if text else None for text in (image, layer))
    for text, known, kind in ((found[0], names, "photograph"), (found[1], layers, "layer")):
        if text is not None and text not in known:
            reason = f"there is no {kind} {text}"
            raise PublishError(f"publish the view {view}", reason, choices=nearest(text, list(known)))
    return found[0], found[1], int(match[3]) if match[3] else None


def _answered(app: FastAPI, plan: Plan, out: Path, ledger: Ledger) -> tuple[Folder, dict[str, str]]:
    folder = Folder(out, _question(app, plan))
    here = app.state.microscope
    here.gridded = readable(here.model, plan.layers)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.script`", FutureWarning)
        try:
            failures = asyncio.run(publish_answers(app, plan, folder, ledger))
        finally:
            here.close()
    return folder, failures


def _question(app: FastAPI, plan: Plan) -> dict[str, Any]:
    """Everything that the answers depend on."""
    here = app.state.microscope
    return {
        "hooke": hooke.__version__, "model": here.model.fingerprint, "seed": here.seed, "method": describe(here.method),
        "photographs": [[one.id, one.name] for one in here.shelf.shown], "layers": list(plan.layers),
        "units": plan.units, "named": [list(one) for one in plan.named],
        "recording": here.recording.data if here.recording else None,
    }  # fmt: skip


def _assets(folder: Folder, parts: Built) -> None:
    for name, text in (("page.js", parts.script), ("page.css", parts.style), ("favicon.svg", parts.icon)):
        folder.put(f"assets/{name}", text.encode())
    folder.put(".nojekyll", b"")


def _heads(app: FastAPI, plan: Plan, folder: Folder, url: str) -> dict[str, Head]:
    """The pages by their file names: one of all, and one for each photograph with a preview of its own."""
    model, images = folder.answer("/api/model"), folder.answer("/api/images")
    command = f"hooke explore {model['name']}"
    heads: dict[str, Head] = {}
    slugs: dict[str, int] = {}
    for one in images:
        slug = re.sub(r"[^a-z0-9]+", "-", one["name"].lower()).strip("-") or "photograph"
        slugs[slug] = slugs.get(slug, 0) + 1
        name = slug if slugs[slug] == 1 and slug != "index" else f"{slug}-{one['id'][:6]}"
        said = one["predictions"][0] if one["predictions"] else None
        words = f"{said['label'].split(',')[0]}, {said['probability']:.0%}" if said else one["name"]
        picture = f"previews/{name}.jpg"
        title = f"What {model['name']} sees"
        folder.put(picture, _preview(folder, model["default_layer"], one, title, words))
        start = f"/image/{quote(one['name'] if _alone(one, images) else one['id'])}"
        sentence = f"A photograph ({one['name']}) as {model['name']} sees it: {LOOKS}"
        heads[f"{name}.html"] = Head(f"{title} · {one['name']}", sentence, start, command, picture, url)
    first = next(iter(heads.values()))
    sentence = f"Photographs as {model['name']} sees them: {LOOKS}"
    index = replace(first, title=f"What {model['name']} sees · Hooke", words=sentence, start="/")
    return {"index.html": index, **heads}


def _alone(image: dict[str, Any], images: Sequence[dict[str, Any]]) -> bool:
    return [one["name"] for one in images].count(image["name"]) == 1


def _preview(folder: Folder, layer: str, image: dict[str, Any], title: str, words: str) -> bytes:
    """The photograph with the place where the layer fires most, and the units that do."""
    request = f"/api/images/{image['id']}/dictionary?layer={quote(layer)}&count={COUNT}"
    known, pictures = folder.answer(request), folder.answer(PICTURES)
    photograph = _opened(folder, image["canvas_url"])
    if "$refused" in known:
        return preview(photograph, (0, 0, 1, 1), [], title, words)
    most = max(range(len(known["norms"])), key=known["norms"].__getitem__)
    row, column = divmod(most, known["width"])
    place = (column / known["width"], row / known["height"], (column + 1) / known["width"], (row + 1) / known["height"])
    some = known["channels"][most * known["count"] : (most + 1) * known["count"]]
    drawn = [pictures["drawn"][text] for one in some if (text := str(Place(layer, one))) in pictures["drawn"]]
    return preview(photograph, place, [_cut(folder, pictures["sheets"], one["at"]) for one in drawn], title, words)


def _cut(folder: Folder, sheets: dict[str, Any], at: int) -> PIL.Image.Image:
    sheet = _opened(folder, sheets["files"][at // sheets["each"]])
    side, place = sheets["side"], at % sheets["each"]
    x, y = place % sheets["columns"] * side, place // sheets["columns"] * side
    return sheet.crop((x, y, x + side, y + side))


def _opened(folder: Folder, file: str) -> PIL.Image.Image:
    with PIL.Image.open(folder.root / file) as picture:
        return picture.convert("RGB")


def _inlined(data: Any, pictures: dict[str, str]) -> Any:
    """The data with each picture's content for its address."""
    if isinstance(data, dict):
        return {key: _inlined(value, pictures) for key, value in data.items()}
    if isinstance(data, list):
        return [_inlined(value, pictures) for value in data]
    return pictures.get(data, data) if isinstance(data, str) else data
