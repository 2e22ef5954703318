"""What the screens do for a key, by the name under which the configuration gives it other keys.

The screens declare the same in their bindings; here it is so that a configuration can be judged without them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final


class Place(Enum):
    """Where a key is listened to: a screen, or what has the focus in it."""

    VIEW = auto()
    """The driver's screen and the witness's."""
    RUN = auto()
    WITNESS = auto()
    LIST = auto()
    PAGE = auto()
    """The page of a step."""
    OUTPUT = auto()
    FRAMED = auto()
    """Prompts, and lines that are typed in: their frames say their keys, the same for everybody in the room."""


@dataclass(frozen=True, slots=True)
class Doing:
    """One thing that a key does."""

    place: Place
    keys: str
    """Ours, with commas between, as Textual names them."""


_VIEW, _RUN, _LIST, _PAGE, _FRAMED = Place.VIEW, Place.RUN, Place.LIST, Place.PAGE, Place.FRAMED

DOINGS: Final[Mapping[str, Doing]] = {
    "step.run": Doing(_RUN, "r,R,enter"),
    "run.continue": Doing(_RUN, "c,C"),
    "step.done": Doing(_RUN, "d,D"),
    "step.retry": Doing(_RUN, "t,T"),
    "stage.window": Doing(_RUN, "w,W"),
    "step.skip": Doing(_RUN, "s,S"),
    "run.pause": Doing(_RUN, "escape"),
    "witness.answer": Doing(Place.WITNESS, "a,A,enter"),
    "list.follow": Doing(_VIEW, "full_stop"),
    "page.up": Doing(_VIEW, "pageup"),
    "page.down": Doing(_VIEW, "pagedown,space"),
    "search.next": Doing(_VIEW, "right_square_bracket"),
    "search.previous": Doing(_VIEW, "left_square_bracket"),
    "search.open": Doing(_VIEW, "slash"),
    "app.palette": Doing(_VIEW, "colon,ctrl+p"),
    "search.end": Doing(_VIEW, "escape"),
    "step.output": Doing(_VIEW, "o,O"),
    "pane.randomart": Doing(_VIEW, "i,I"),
    "run.note": Doing(_VIEW, "n,N"),
    "run.quit": Doing(_VIEW, "q,Q"),
    "app.help": Doing(_VIEW, "question_mark"),
    "list.up": Doing(_LIST, "up,k"),
    "list.down": Doing(_LIST, "down,j"),
    "list.page_up": Doing(_LIST, "ctrl+b"),
    "list.page_down": Doing(_LIST, "ctrl+f"),
    "list.first": Doing(_LIST, "home,g"),
    "list.last": Doing(_LIST, "end,G"),
    "list.stage_before": Doing(_LIST, "left,h"),
    "list.stage_next": Doing(_LIST, "right,l"),
    "step.down": Doing(_PAGE, "j"),
    "step.up": Doing(_PAGE, "k"),
    "step.top": Doing(_PAGE, "g"),
    "step.bottom": Doing(_PAGE, "G"),
    "search.leave": Doing(_FRAMED, "escape"),
    "search.down": Doing(_FRAMED, "down,ctrl+n"),
    "search.up": Doing(_FRAMED, "up,ctrl+p"),
    "prompt.cancel": Doing(_FRAMED, "escape"),
    "prompt.page_up": Doing(_FRAMED, "pageup"),
    "prompt.page_down": Doing(_FRAMED, "pagedown"),
    "answer.choose": Doing(_FRAMED, "enter,space"),
    "answer.before": Doing(_FRAMED, "left,up,h"),
    "answer.next": Doing(_FRAMED, "right,down,l"),
    "rows.up": Doing(_FRAMED, "up,k"),
    "rows.down": Doing(_FRAMED, "down,j"),
    "rows.enter": Doing(_FRAMED, "enter"),
    "checklist.yes": Doing(_FRAMED, "space,y"),
    "checklist.not_yet": Doing(_FRAMED, "w"),
    "checklist.no": Doing(_FRAMED, "n"),
    "attest.yes": Doing(_FRAMED, "space,y"),
    "attest.no": Doing(_FRAMED, "n"),
    "help.close": Doing(_FRAMED, "escape,q,question_mark,enter"),
}
"""All of them, by name."""

_AROUND: Final[Mapping[Place, frozenset[Place]]] = {
    Place.VIEW: frozenset({Place.RUN, Place.WITNESS}),
    Place.LIST: frozenset({Place.VIEW, Place.RUN, Place.WITNESS}),
    Place.PAGE: frozenset({Place.VIEW, Place.RUN, Place.WITNESS}),
    Place.OUTPUT: frozenset({Place.VIEW, Place.RUN, Place.WITNESS}),
}
"""Places that listen as well while one has the focus."""

FIXED: Final[Mapping[str, str]] = {
    "tab": "goes to the next field",
    "shift+tab": "goes to the field before",
    "ctrl+c": "asks whether to leave",
    "ctrl+q": "asks whether to leave",
    "ctrl+z": "is the terminal's own",
}
"""Keys that stay what they are everywhere."""

_SCROLLED: Final = frozenset({"up", "down", "left", "right", "home", "end", "pageup", "pagedown"})
"""What moves a page that has the focus."""

_NAMED: Final = frozenset(
    {"up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete", "backspace", "enter"}
    | {"escape", "space", "tab"}
    | {f"f{number}" for number in range(1, 25)}
)

_RENAMED: Final = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
_SENT_AS: Final = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+left_square_bracket": "escape", "ctrl+h": "backspace"}
"""What a terminal sends for a key that it cannot tell from another (ECMA-48, C0)."""


def meet(one: Place, other: Place) -> bool:
    """Whether both may listen at the same time."""
    return one is other or one in _AROUND.get(other, ()) or other in _AROUND.get(one, ())


def names(keys: str) -> list[str]:
    """The names of the keys of a list with commas, as Textual has them: `?` is `question_mark`."""
    return [name_of(key.strip()) for key in keys.split(",")]


def name_of(key: str) -> str:
    """Of a single key; a modifier (`ctrl+`) stays before it."""
    before, plus, last = key.rpartition("+")
    if len(last) != 1 and len(key) != 1:
        return _SENT_AS.get(key, key)
    name = f"{before}{plus}{_character(last or key)}" if len(key) != 1 else _character(key)
    return _SENT_AS.get(name, name)


def _character(char: str) -> str:
    if char.isalnum():
        return char
    name = unicodedata.name(char, char).lower().replace("-", "_").replace(" ", "_")
    return _RENAMED.get(name, name)


def _punctuation() -> frozenset[str]:
    return frozenset(_character(chr(code)) for code in range(0x21, 0x7F) if not chr(code).isalnum())


def is_key(name: str) -> bool:
    """Whether it names a key that there is, for example `x`, `f5`, `ctrl+x`, `shift+pageup`."""
    *modifiers, last = name.split("+")
    if len(modifiers) != len(set(modifiers)) or not set(modifiers) <= {"ctrl", "shift", "alt"}:
        return False
    return last in _NAMED or last in _punctuation() or (len(last) == 1 and last.isalnum())


def known_keys() -> list[str]:
    """The names of keys that are no single letter, for a suggestion."""
    return sorted(_NAMED | _punctuation())


def fixed(place: Place, name: str) -> str:
    """What the key does there whatever the configuration says; empty: nothing."""
    if name in FIXED:
        return FIXED[name]
    if place in (Place.PAGE, Place.OUTPUT) and name in _SCROLLED:
        return "moves what is shown there"
    return ""
