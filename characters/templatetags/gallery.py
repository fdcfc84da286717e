"""Addresses within the gallery: what is looked for, with one thing changed."""

from dataclasses import replace
from urllib.parse import urlencode

from django import template

from characters.gallery.queries import Scope, Sort, Wish

register = template.Library()


@register.simple_tag
def gallery_query(wish: Wish, **changes: str | int) -> str:
    """`?…` for this wish with these changes; defaults are left out. A change without a page goes to the first."""
    changed = replace(wish, **{"page": 1, **changes})  # type: ignore[arg-type]
    parts = {
        "query": changed.query,
        "tag": changed.tag,
        "scope": "" if changed.scope == Scope.ALL else str(changed.scope),
        "sort": "" if changed.sort == Sort.FEATURED else str(changed.sort),
        "page": "" if changed.page == 1 else str(changed.page),
    }
    return f"?{urlencode({name: value for name, value in parts.items() if value})}"
