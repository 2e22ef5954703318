"""docs/line-mode.md: whatever a key does on the screens has its place in line mode, and no word is made up."""

from __future__ import annotations

import re
from pathlib import Path

from runbook.keys import DOINGS
from runbook.operator import Decision
from runbook.plain.around import WORDS

PAGE = (Path(__file__).parents[2] / "docs" / "line-mode.md").read_text()


def _rows() -> list[tuple[str, str]]:
    table = re.search(r"\| on the screens \| in lines \|\n\|---\|---\|\n((?:\|.*\n)+)", PAGE)
    assert table is not None
    cells = [row.strip("|").split(" | ") for row in table.group(1).splitlines()]
    return [(left, right) for left, right in cells]


def test_every_key_of_the_screens_is_in_the_table_once() -> None:
    named = [name for left, _ in _rows() for name in re.findall(r"`([^`]+)`", left)]
    assert sorted(named) == sorted(DOINGS)


def test_every_word_is_explained_and_there_is_no_other() -> None:
    listed = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert listed is not None
    words = {line.split()[0] for line in listed.group(1).splitlines()}
    assert words == {*WORDS, "shell", "note", "continue", "more"}
    known = words | {decision.value for decision in Decision} | {"y", "n", "w", "quit", "approve", "no", "asked"}
    for _, right in _rows():
        assert {name.split()[0] for name in re.findall(r"`([^`]+)`", right)} <= known, right
