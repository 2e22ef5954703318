"""The help as chapters: the place one is in first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from textual.app import App
from textual.dom import DOMNode
from textual.screen import Screen

from runbook import help_texts
from runbook.help_texts import Chapter, Entry
from screens.help.keys import keys_of
from screens.help.places import DRIVER, IN_PROMPTS, PLACES, PROMPT, PROMPTS, WITNESS, Place
from screens.run_view import RunView

HERE = "Here: "
ELSEWHERE = "Everywhere"


def chapters(app: App[object], screen: Screen[object]) -> list[Chapter]:
    """The help for someone who is on this screen: all that needs neither runbook nor disk."""
    seen: set[str] = set()
    return [
        *_here(app, screen, seen),
        Chapter(ELSEWHERE, (*keys_of(Screen, app), *keys_of(App, app))),
        *_elsewhere(app, seen),
        Chapter("Prompts", tuple(_prompts(app)), PROMPT.told),
        *(_chapter(place, app) for place in IN_PROMPTS if place.cls not in seen),
        help_texts.states(),
        help_texts.answers(),
        help_texts.words(),
    ]


def _here(app: App[object], screen: Screen[object], seen: set[str]) -> Iterator[Chapter]:
    """From the focus outwards: the keys of each place that has any."""
    working = {key: active for key, active in screen.active_bindings.items() if active.enabled}
    places = {place.cls: place for place in chain((DRIVER, WITNESS, PROMPT), PLACES, IN_PROMPTS, PROMPTS)}
    nodes = [node for node, _ in screen._modal_binding_chain if node is not app]
    for node in sorted(nodes, key=lambda node: not type(node).__module__.startswith("screens.")):
        place = _place_of(type(node), places)
        mine = {key: active.binding for key, active in working.items() if active.node is node}
        entries = tuple(keys_of(type(node), app, mine))
        keys = str(getattr(node, "keys", ""))
        if keys or any(entry.now for entry in entries):
            seen.add(place.cls)
            told = " ".join(filter(None, (place.told, f"Keys: {keys}." if keys else "")))
            yield Chapter(HERE + place.title[0].lower() + place.title[1:], entries, told)


def _place_of(cls: type[DOMNode], places: dict[str, Place]) -> Place:
    """The place of the class or of its nearest base; otherwise one that is called as the class is."""
    for base in cls.__mro__:
        name = f"{base.__module__.removeprefix('screens.')}:{base.__qualname__}"
        if name in places:
            return places[name]
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", cls.__name__.strip("_")).lower()
    if not cls.__module__.startswith("screens."):
        words = "What is longer than the screen"
    return Place(words, f"{cls.__module__.removeprefix('screens.')}:{cls.__qualname__}")


def _elsewhere(app: App[object], seen: set[str]) -> Iterator[Chapter]:
    runs = [one for one in app.screen_stack if isinstance(one, RunView)]
    run = _place_of(type(runs[0]), {place.cls: place for place in (DRIVER, WITNESS)}) if runs else DRIVER
    for place in (run, *PLACES):
        if place.cls not in seen:
            yield _chapter(place, app)


def _chapter(place: Place, app: App[object]) -> Chapter:
    return Chapter(place.title, tuple(keys_of(place.load(), app)), place.told)


def _prompts(app: App[object]) -> Iterator[Entry]:
    """The keys of all of them, then each with what its frame says."""
    yield from keys_of(PROMPT.load(), app)
    for place in PROMPTS:
        keys = str(getattr(place.load(), "keys", ""))
        yield Entry(place.title, place.told, (keys,) if keys else ())
