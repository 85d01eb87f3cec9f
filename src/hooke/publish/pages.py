"""The HTML of a published copy: one page for each photograph over the same files, or one that holds everything."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hooke.errors import PublishError

MARK = '<meta name="generator" content="Hooke">'
"""What every published page has in its head."""
KEEPS_MODULE = re.compile(r"^import\b|\bimport\(|\bimport\.meta\b|^export\b", re.MULTILINE)
"""What only a module may say; anything else also runs as a plain script, which browsers open from a disk, too."""


@dataclass(frozen=True)
class Built:
    """The built page: its script, its styles and its icon."""

    script: str
    style: str
    icon: str


@dataclass(frozen=True)
class Head:
    """What a page says of itself: its title, one sentence, the view that it opens with, a preview picture."""

    title: str
    words: str
    start: str
    command: str
    preview: str = ""
    url: str = ""
    """Where it will be found, with a slash at the end: some readers of previews want whole addresses."""


def built(static: Path) -> Built:
    """The page as `make web` built it; PublishError where it was not, or comes in several scripts."""
    index = static / "index.html"
    page = index.read_text(encoding="utf-8") if index.is_file() else ""
    scripts = re.findall(r'<script[^>]* src="/([^"]+)"', page)
    styles = re.findall(r'<link rel="stylesheet"[^>]* href="/([^"]+)"', page)
    if len(scripts) != 1:
        raise PublishError("publish the page", "the page is not built", next_step="make web")
    script = (static / scripts[0]).read_text(encoding="utf-8")
    if KEEPS_MODULE.search(script):
        raise PublishError("publish the page", "its script comes in several parts", next_step="make web")
    style = "\n".join((static / name).read_text(encoding="utf-8") for name in styles)
    return Built(f'"use strict";(()=>{{{script}\n}})()', style, (static / "favicon.svg").read_text(encoding="utf-8"))


def page(head: Head, known: Sequence[str]) -> str:
    """A page whose script, styles and answers are files beside it; `known` are the hashes in the answers' names."""
    policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'"
    return _page(
        head, policy, {"start": head.start, "command": head.command, "known": known},
        '<link rel="icon" href="assets/favicon.svg" type="image/svg+xml">\n'
        '<link rel="stylesheet" href="assets/page.css">',
        '<script src="assets/page.js"></script>',
    )  # fmt: skip


def whole(head: Head, parts: Built, files: Mapping[str, Any]) -> str:
    """One page that needs no other file; `files` are the answers by their names, pictures as data: URLs."""
    script, style = parts.script.replace("</script", "<\\/script"), parts.style.replace("</style", "<\\/style")
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data: blob:; "
        "connect-src 'none'"
    )
    icon = data_url(parts.icon.encode(), "svg+xml")
    return _page(
        head, policy, {"start": head.start, "command": head.command, "files": files},
        f'<link rel="icon" href="{icon}">\n<style>{style}</style>',
        f"<script>{script}</script>",
    )  # fmt: skip


def data_url(content: bytes, kind: str) -> str:
    """A file as a data: URL."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _page(head: Head, policy: str, site: Mapping[str, Any], links: str, script: str) -> str:
    title, words = html.escape(head.title), html.escape(head.words)
    preview = ""
    if head.preview:
        picture = html.escape(head.url + head.preview)
        preview = (
            f'<meta property="og:image" content="{picture}">\n<meta property="og:image:width" content="1200">\n'
            '<meta property="og:image:height" content="630">\n'
            '<meta name="twitter:card" content="summary_large_image">\n'
        )
    data = json.dumps(site, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
{MARK}
<meta name="description" content="{words}">
<meta property="og:type" content="website">
<meta property="og:title" content="{title}">
<meta property="og:description" content="{words}">
{preview}{links}
<title>{title}</title>
</head>
<body>
<div id="page"></div>
<noscript>This page needs JavaScript.</noscript>
<script id="published" type="application/json">{data}</script>
{script}
</body>
</html>
"""
