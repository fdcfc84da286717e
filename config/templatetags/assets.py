"""Template tags for what the front-end build made: a page's script and style, and icons.

Names come from the manifest that config/frontend/build.mjs writes; nothing here builds or serves files.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import TypedDict

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()


class Entry(TypedDict):
    """One page's files, as names inside the build's folder."""

    script: str | None
    style: str | None
    imports: list[str]


class Manifest(TypedDict):
    entries: dict[str, Entry]
    icons: str
    fonts: list[str]


class AssetsNotBuilt(Exception):
    """A page asked for an entry that the build has not made; `npm run build` makes it."""


@lru_cache(maxsize=2)
def _parse_manifest(modified_ns: int) -> Manifest:
    manifest: Manifest = json.loads(_manifest_path().read_text())
    return manifest


def _manifest_path() -> Path:
    return Path(settings.BASE_DIR) / "config" / "static" / "dist" / "manifest.json"


def _read_manifest() -> Manifest:
    # One stat a page: a new build shows on the next reload, without a restart.
    try:
        return _parse_manifest(_manifest_path().stat().st_mtime_ns)
    except FileNotFoundError as error:
        raise AssetsNotBuilt("The front end is not built yet: run `npm run build`.") from error


def _url(name: str) -> str:
    return static(f"dist/{name}")


@register.simple_tag
def entry(name: str) -> SafeString:
    """Link tags and the module script of an entry; the chunks it needs are preloaded beside it."""
    files = _read_manifest()["entries"].get(name)
    if files is None:
        raise AssetsNotBuilt(f"The front end has no entry “{name}”: run `npm run build`.")
    tags = []
    if files["style"]:
        tags.append(format_html('<link rel="stylesheet" href="{}">', _url(files["style"])))
    if files["script"]:
        tags.append(format_html('<script type="module" src="{}"></script>', _url(files["script"])))
    tags.extend(format_html('<link rel="modulepreload" href="{}">', _url(part)) for part in files["imports"])
    return format_html_join("\n", "{}", ((tag,) for tag in tags))


@register.simple_tag
def font_preloads() -> SafeString:
    """Links that fetch the text's font beside the style that names it, so that lines do not move when it comes."""
    link = '<link rel="preload" href="{}" as="font" type="font/woff2" crossorigin>'
    return format_html_join("\n", link, ((_url(name),) for name in _read_manifest()["fonts"]))


@register.simple_tag
def style_url(name: str) -> str:
    """The address of an entry's style."""
    return _url(_read_manifest()["entries"][name]["style"] or "")


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An icon of the sprite, hidden from screen readers unless `label` gives it words."""
    url = f"{_url(_read_manifest()['icons'])}#{name}"
    if label:
        return format_html(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}"></use></svg>', label, url
        )
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}"></use></svg>', url)
