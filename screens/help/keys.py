"""The keys of a place, as they are in force: from the bindings themselves, with what the user has rebound."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from textual.app import App
from textual.binding import Binding, BindingsMap
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widgets import Input

from runbook.help_texts import Entry
from runbook.keys import DOINGS
from screens.key_names import key_names
from screens.keys import own_keys, rebound

NOTHING = "nothing"
"""The action of a key that is taken so that it does nothing."""

EVERYWHERE: Mapping[str, str] = {
    "app.focus_next": "on to the next part of the screen, or the next field",
    "app.focus_previous": "back to the part before",
    "screen.copy_text": "copy what is selected; where nothing is, leave",
    "quit": "leave; a run that is not over asks first",
    "scroll_up": "a line up",
    "scroll_down": "a line down",
    "scroll_home": "to the top",
    "scroll_end": "to the end",
    "page_up": "a page up",
    "page_down": "a page down",
}
"""What Textual's own actions do here."""

_SIDEWAYS = frozenset({"scroll_left", "scroll_right", "page_left", "page_right"})
"""Actions of everything that scrolls, which do nothing where nothing is wider than the screen."""


@dataclass(frozen=True, slots=True)
class KeyEntry(Entry):
    """Keys and what they do."""

    now: bool = True
    """Whether they work as things stand."""


def keys_of(place: type[DOMNode], app: App[object], here: Mapping[str, Binding] | None = None) -> Iterator[KeyEntry]:
    """The keys of a place of that class; `here`: those that work there as things stand, where one is there."""
    keys: dict[tuple[str, str | None], list[Binding]] = {}
    for _, binding in _in_force(place, app):
        if binding.action not in _SIDEWAYS | {NOTHING} and not binding.system:
            keys.setdefault((binding.action, binding.id), []).append(binding)
    for (action, _), bindings in keys.items():
        told = told_by(bindings[0])
        working = [one.key for one in bindings if here is None or (one.key in here and here[one.key].action == action)]
        if told:
            shown = working or [binding.key for binding in bindings]
            yield KeyEntry(" ".join(key_names(shown)), told, now=bool(working))


def told_by(binding: Binding) -> str:
    """What it does, in a sentence where there is one."""
    listed = DOINGS.get(binding.id or "")
    return (listed.told if listed else "") or EVERYWHERE.get(binding.action, "") or binding.description


def _in_force(place: type[DOMNode], app: App[object]) -> BindingsMap:
    """The bindings of the class and of its bases up to Textual's screen, application and line of text."""
    kept: dict[str, list[Binding]] = {}
    for key, binding in place._merged_bindings or BindingsMap():  # Textual has no public way to a class's bindings
        if not any(binding in foreign for foreign in _foreign(place)):
            kept.setdefault(key, []).append(binding)
    return rebound(BindingsMap.from_keys(kept), own_keys(app))


def _foreign(place: type[DOMNode]) -> Iterator[Collection[Binding]]:
    """What is told once for all places: the bindings of every screen, application and line of text."""
    for base in (Screen, App, Input):
        if issubclass(place, base) and place is not base:
            yield [binding for _, binding in base._merged_bindings or BindingsMap()]
