"""Markdown's tables (GitHub's: https://github.github.com/gfm/#tables-extension-) as rows that stand for themselves.

Pure; no Django here.
"""

import re
from collections.abc import Sequence

from documents.extraction.tables import describe_rows

_RULE = re.compile(r"[ ]{0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
# A bar behind a backslash is a letter of the cell.
_BAR = re.compile(r"(?<!\\)\|")


def describe_pipe_tables(lines: Sequence[str]) -> list[str]:
    """The lines with each table's rows saying their columns; all others stay as written."""
    described: list[str] = []
    at = 0
    while at < len(lines):
        if not _begins_table(lines, at):
            described.append(lines[at])
            at += 1
            continue
        end = at + 2
        while end < len(lines) and "|" in lines[end]:
            end += 1
        rows = [_cells(lines[row]) for row in range(at, end) if row != at + 1]
        described += describe_rows(rows, is_marked=True)
        at = end
    return described


def _begins_table(lines: Sequence[str], at: int) -> bool:
    if at + 1 >= len(lines) or "|" not in lines[at] or "|" not in lines[at + 1]:
        return False
    return bool(_RULE.fullmatch(lines[at + 1])) and len(_cells(lines[at])) == len(_cells(lines[at + 1]))


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    cells = [cell.replace("\\|", "|") for cell in _BAR.split(inner)]
    return cells[:-1] if len(cells) > 1 and not cells[-1].strip() else cells
