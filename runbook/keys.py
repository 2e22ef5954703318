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
    LINES = auto()
    """Live output, the facts and the journal."""
    FRAMED = auto()
    """Prompts, and lines that are typed in: their frames say their keys, the same for everybody in the room."""


@dataclass(frozen=True, slots=True)
class Doing:
    """One thing that a key does."""

    place: Place
    keys: str
    """Ours, with commas between, as Textual names them."""
    told: str = ""
    """What it does, for the help."""


_VIEW, _RUN, _LIST, _PAGE = Place.VIEW, Place.RUN, Place.LIST, Place.PAGE
_LINES, _FRAMED = Place.LINES, Place.FRAMED

DOINGS: Final[Mapping[str, Doing]] = {
    "step.run": Doing(_RUN, "r,R,enter", "run the step at hand, and stop before the next one"),
    "run.continue": Doing(_RUN, "c,C", "run on by itself, asking what must be asked, until a step is not green"),
    "step.done": Doing(_RUN, "d,D", "take a step in doubt as done, with a reason that is kept as a deviation"),
    "step.retry": Doing(_RUN, "t,T", "try a step again that is not green; where it is in doubt, with a reason"),
    "stage.window": Doing(_RUN, "w,W", "give the stage's time window, or change it with a reason"),
    "step.skip": Doing(_RUN, "s,S", "skip the step, with a reason that is kept as a deviation"),
    "run.pause": Doing(_RUN, "escape", "no longer run on by itself"),
    "witness.answer": Doing(Place.WITNESS, "a,A,enter", "answer what you are asked; it stays open until then"),
    "list.follow": Doing(_VIEW, "full_stop", "back to the step at hand, and stay with it"),
    "page.up": Doing(_VIEW, "pageup", "scroll the page up, wherever the focus is"),
    "page.down": Doing(_VIEW, "pagedown,space", "scroll the page down, wherever the focus is"),
    "search.next": Doing(_VIEW, "right_square_bracket", "the next place that was found"),
    "search.previous": Doing(_VIEW, "left_square_bracket", "the place found before"),
    "search.open": Doing(_VIEW, "slash", "seek in the steps, or in the page or the output that has the focus"),
    "app.palette": Doing(_VIEW, "colon,ctrl+p", "everything that can be done now, every step and every check, by name"),
    "search.end": Doing(_VIEW, "escape", "end the search; nothing is marked any more"),
    "step.output": Doing(_VIEW, "o,O", "show or hide what the step said while it ran"),
    "pane.randomart": Doing(_VIEW, "i,I", "show or hide the randomart of fingerprints"),
    "panel.facts": Doing(_VIEW, "f,F", "show or hide what is true in the room"),
    "panel.journal": Doing(_VIEW, "v,V", "show or hide what was done, with every command that ran"),
    "step.commands": Doing(_VIEW, "x,X", "unfold or fold the exact commands of the step"),
    "step.copy": Doing(_VIEW, "y,Y", "copy a command, a fingerprint, the head or output to your terminal's clipboard"),
    "step.edit": Doing(_VIEW, "e,E", "the step's place in the runbook, in your editor and read-only"),
    "run.shell": Doing(_RUN, "exclamation_mark", "a shell of your own while the run is paused; it is on record"),
    "run.note": Doing(_VIEW, "n,N", "write a note into the record"),
    "run.quit": Doing(_VIEW, "q,Q", "leave; a run that is not over asks first"),
    "app.help": Doing(_VIEW, "question_mark,f1", "keys of this place and of others, states, words, checks"),
    "list.up": Doing(_LIST, "up,k", "the step before"),
    "list.down": Doing(_LIST, "down,j", "the next step"),
    "list.page_up": Doing(_LIST, "ctrl+b", "a page up"),
    "list.page_down": Doing(_LIST, "ctrl+f", "a page down"),
    "list.first": Doing(_LIST, "home,g", "the first step"),
    "list.last": Doing(_LIST, "end,G", "the last step"),
    "list.stage_before": Doing(_LIST, "left,h", "the stage before"),
    "list.stage_next": Doing(_LIST, "right,l", "the next stage"),
    "step.down": Doing(_PAGE, "j", "a line down"),
    "step.up": Doing(_PAGE, "k", "a line up"),
    "step.top": Doing(_PAGE, "g", "to the top"),
    "step.bottom": Doing(_PAGE, "G", "to the end"),
    "lines.up": Doing(_LINES, "up,k", "a line up"),
    "lines.down": Doing(_LINES, "down,j", "a line down"),
    "lines.page_up": Doing(_LINES, "pageup,ctrl+b", "a page up"),
    "lines.page_down": Doing(_LINES, "pagedown,ctrl+f,space", "a page down"),
    "lines.first": Doing(_LINES, "home,g", "to the first line"),
    "lines.last": Doing(_LINES, "end,G", "to the last line, and stay with it"),
    "lines.left": Doing(_LINES, "left,h", "to the left, in a line that is cut"),
    "lines.right": Doing(_LINES, "right,l", "to the right, in a line that is cut"),
    "journal.commands": Doing(_LINES, "x,X", "show the commands that ran alone, or everything again"),
    "search.leave": Doing(_FRAMED, "escape", "back to where you were"),
    "search.down": Doing(_FRAMED, "down,ctrl+n", "the next place that was found"),
    "search.up": Doing(_FRAMED, "up,ctrl+p", "the place found before"),
    "prompt.cancel": Doing(_FRAMED, "escape", "leave the prompt: nothing is sent and nothing is changed"),
    "prompt.page_up": Doing(_FRAMED, "pageup", "scroll up"),
    "prompt.page_down": Doing(_FRAMED, "pagedown", "scroll down"),
    "answer.choose": Doing(_FRAMED, "enter,space", "give this answer"),
    "answer.before": Doing(_FRAMED, "left,up,h", "the answer before"),
    "answer.next": Doing(_FRAMED, "right,down,l", "the next answer"),
    "rows.up": Doing(_FRAMED, "up,k", "the line before"),
    "rows.down": Doing(_FRAMED, "down,j", "the next line"),
    "rows.enter": Doing(_FRAMED, "enter", "give the answers, once all are there"),
    "checklist.yes": Doing(_FRAMED, "space,y", "it is done"),
    "checklist.not_yet": Doing(_FRAMED, "w", "it is not done yet"),
    "checklist.no": Doing(_FRAMED, "n", "it is not so; a reason is asked"),
    "attest.yes": Doing(_FRAMED, "space,y", "it is so"),
    "attest.no": Doing(_FRAMED, "n", "it is not so"),
    "help.close": Doing(_FRAMED, "escape,q,question_mark,f1,enter", "back to where you were"),
    "prompt.help": Doing(_FRAMED, "f1", "this help; what you have typed stays"),
    "help.search": Doing(_FRAMED, "slash", "seek in the help, which narrows as you type"),
    "help.down": Doing(_FRAMED, "j", "a line down"),
    "help.up": Doing(_FRAMED, "k", "a line up"),
    "help.top": Doing(_FRAMED, "g", "to the top"),
    "help.bottom": Doing(_FRAMED, "G", "to the end"),
    "help.page_down": Doing(_FRAMED, "space,ctrl+f", "a page down"),
    "help.page_up": Doing(_FRAMED, "ctrl+b", "a page up"),
    "help.all": Doing(_FRAMED, "escape", "show all of the help again"),
    "help.entry.down": Doing(_FRAMED, "down", "a line down"),
    "help.entry.up": Doing(_FRAMED, "up", "a line up"),
    "palette.down": Doing(_FRAMED, "ctrl+n", "the next command"),
    "palette.up": Doing(_FRAMED, "ctrl+p", "the command before"),
}
"""All of them, by name."""


def changeable() -> list[str]:
    """The names of what can be given other keys."""
    return [name for name, doing in DOINGS.items() if doing.place is not Place.FRAMED]


_AROUND: Final[Mapping[Place, frozenset[Place]]] = {
    Place.VIEW: frozenset({Place.RUN, Place.WITNESS}),
    Place.LIST: frozenset({Place.VIEW, Place.RUN, Place.WITNESS}),
    Place.PAGE: frozenset({Place.VIEW, Place.RUN, Place.WITNESS}),
    Place.LINES: frozenset({Place.VIEW, Place.RUN, Place.WITNESS}),
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
    if place is Place.PAGE and name in _SCROLLED:
        return "moves the page there"
    return ""
