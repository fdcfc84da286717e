"""The tags that bring the front-end build into a page."""

import json
from pathlib import Path

import pytest
from django.template import engines
from pytest_django import Settings

from config.templatetags.assets import AssetsNotBuilt

ENTRY = {"script": "chat-AAAAAAAA.js", "style": "chat-BBBBBBBB.css", "imports": ["part-CCCCCCCC.js"]}
STYLE_ONLY = {"script": None, "style": "admin-DDDDDDDD.css", "imports": []}


@pytest.fixture
def dist(tmp_path: Path, settings: Settings) -> Path:
    """The folder of a build, with nothing in it yet."""
    settings.BASE_DIR = tmp_path
    folder = tmp_path / "config" / "static" / "dist"
    folder.mkdir(parents=True)
    return folder


def write_manifest(dist: Path) -> None:
    manifest = {"entries": {"chat": ENTRY, "admin": STYLE_ONLY}, "icons": "icons-EEEEEEEE.svg"}
    (dist / "manifest.json").write_text(json.dumps(manifest))


def render(source: str, **context: str) -> str:
    return engines["django"].from_string("{% load assets %}" + source).render(context)


def test_page_brings_its_entry_gets_hashed_style_script_and_preloads(dist: Path):
    write_manifest(dist)
    assert render('{% entry "chat" %}').splitlines() == [
        '<link rel="stylesheet" href="/static/dist/chat-BBBBBBBB.css">',
        '<script type="module" src="/static/dist/chat-AAAAAAAA.js"></script>',
        '<link rel="modulepreload" href="/static/dist/part-CCCCCCCC.js">',
    ]


def test_page_brings_a_style_without_script_gets_no_script(dist: Path):
    write_manifest(dist)
    assert "<script" not in render('{% entry "admin" %}')


def test_icon_is_hidden_from_screen_readers_unless_it_has_words(dist: Path):
    write_manifest(dist)
    assert 'aria-hidden="true"><use href="/static/dist/icons-EEEEEEEE.svg#x">' in render('{% icon "x" %}')
    assert 'role="img" aria-label="Tea &amp; cake"' in render('{% icon "x" words %}', words="Tea & cake")


def test_page_before_the_build_names_the_command(dist: Path):
    with pytest.raises(AssetsNotBuilt, match="npm run build"):
        render('{% entry "chat" %}')


def test_page_with_an_unknown_entry_names_it(dist: Path):
    write_manifest(dist)
    with pytest.raises(AssetsNotBuilt, match="“attic”"):
        render('{% entry "attic" %}')
