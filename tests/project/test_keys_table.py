"""The table of what keys do is what the screens' bindings say."""

from __future__ import annotations

import string
from collections.abc import Iterator
from importlib import import_module
from itertools import combinations
from pkgutil import walk_packages

import pytest
from textual import keys as textual_keys
from textual.binding import Binding
from textual.dom import DOMNode

import screens
from runbook.keys import DOINGS, FIXED, Place, is_key, meet, name_of, names


def _classes(base: type[DOMNode]) -> Iterator[type[DOMNode]]:
    for cls in base.__subclasses__():
        yield cls
        yield from _classes(cls)


def bound() -> dict[str, set[tuple[str, ...]]]:
    """Of every class of the screens: the keys of each name; a binding that does nothing needs none."""
    for module in walk_packages(screens.__path__, "screens."):
        import_module(module.name)
    found: dict[str, set[tuple[str, ...]]] = {}
    for cls in dict.fromkeys(_classes(DOMNode)):
        if not cls.__module__.startswith("screens."):
            continue
        for binding in cls.__dict__.get("BINDINGS", ()):
            assert isinstance(binding, Binding), cls
            if binding.action != "nothing":
                assert binding.id, f"{cls.__module__}: `{binding.key}` has no id"
                found.setdefault(binding.id, set()).add(tuple(names(binding.key)))
    return found


def test_the_table_is_what_the_screens_bind() -> None:
    table = {name: {tuple(names(doing.keys))} for name, doing in DOINGS.items()}
    assert table == bound()


def test_every_default_is_a_key_that_a_configuration_could_name() -> None:
    for name, doing in DOINGS.items():
        for key in names(doing.keys):
            assert is_key(key), f"{name}: {key}"
            assert key not in FIXED, f"{name}: {key}"


SHARED = {
    frozenset({"run.pause", "search.end"}),
    frozenset({"page.up", "lines.page_up"}),
    frozenset({"page.down", "lines.page_down"}),
    frozenset({"step.commands", "journal.commands"}),
}
"""The place that has the focus goes first, and means the same; or only one of them can be done at a time."""


def test_no_key_of_ours_does_two_things_at_a_time() -> None:
    for (one, a), (other, b) in combinations(DOINGS.items(), 2):
        if Place.FRAMED in (a.place, b.place) or not meet(a.place, b.place) or frozenset({one, other}) in SHARED:
            continue
        assert not set(names(a.keys)) & set(names(b.keys)), (one, other)


@pytest.mark.parametrize("char", [char for char in string.printable if char.isprintable()])
def test_characters_are_named_as_textual_names_them(char: str) -> None:
    assert name_of(char) == textual_keys._character_to_key(char)
    assert is_key(name_of(char))
