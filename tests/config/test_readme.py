"""The README and `.env.example` name every setting, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENTRY = re.compile(r'env\.(?:text|number|flag|items|path)\(\s*"([A-Z_]+)"')


def settings_read() -> set[str]:
    sources = [ROOT / "config" / "settings.py", *(ROOT / "config" / "stack").glob("*.py")]
    return set().union(*(ENTRY.findall(source.read_text()) for source in sources))


def test_readme_and_env_example_name_the_same_settings():
    in_table = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "README.md").read_text(), re.M))
    in_example = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
    assert in_table == in_example


def test_env_example_names_every_setting_that_is_read():
    in_example = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
    assert settings_read() <= in_example


def test_every_picture_and_page_the_readme_shows_is_there():
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text())
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
