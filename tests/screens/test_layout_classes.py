"""Every width has its class, and what a style sheet gives to one wide class it gives to the wider ones too."""

from __future__ import annotations

import re

from screens.base_app import BaseApp
from screens.theme import STYLE

WIDE = ("-wide", "-vast", "-panels")


def test_no_rule_ends_at_a_width() -> None:
    """A rule for `-wide` and `-vast` alone would leave the widest screens with what the narrowest have."""
    assert [name for _, name in BaseApp.HORIZONTAL_BREAKPOINTS] == ["-narrow", *WIDE]
    for sheet in STYLE.glob("*.tcss"):
        rules = re.findall(r"([^{}]+)\{", re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL))
        given: dict[str, set[str]] = {}
        for selector in (one.strip() for rule in rules for one in rule.split(",")):
            if found := re.search(r"\.(-wide|-vast|-panels)\b", selector):
                given.setdefault(selector.replace(found[0], ""), set()).add(found[1])
        for what, classes in given.items():
            narrowest = min(WIDE.index(name) for name in classes)
            assert classes >= set(WIDE[narrowest:]), f"{sheet.name}: {what}"
