"""Where a value is typed from paper: in groups with rows and columns, so that the place is never lost."""

from __future__ import annotations

import string
from collections.abc import Iterator

from textual import events
from textual.content import Content
from textual.message import Message

from runbook.groups import groups
from runbook.operator import Alphabet
from screens.columns import wrap
from screens.lines import Lines
from screens.words import CALM, QUIET

COLUMNS = 4
LONGEST = 4096
"""Characters taken where the length is not fixed."""

_KNOWN = {
    Alphabet.HEX: (frozenset(string.hexdigits), frozenset(" :-"), "a hexadecimal digit (0 to 9, a to f)"),
    Alphabet.BASE64: (frozenset(string.ascii_letters + string.digits + "+/="), frozenset(" "), "a base64 character"),
}


class TranscriptEntry(Lines, can_focus=True):
    """Separators and, for hex, capital letters are accepted; another character is refused with a word."""

    ALLOW_SELECT = False

    class Changed(Message):
        """Something was typed or taken away."""

    class Submitted(Message):
        """Enter was pressed."""

    class Refused(Message):
        """A character or a paste was not taken."""

        def __init__(self, why: str) -> None:
            super().__init__()
            self.why = why

    def __init__(self, alphabet: Alphabet, length: int | None, group: int, *, paste: bool) -> None:
        super().__init__()
        self._alphabet = alphabet
        self._length = length
        self._group = group
        self.takes_paste = paste
        """The driver asks for it before it keeps what is pasted (`screens.driver`)."""
        self._typed: list[str] = []
        self._cursor = 0

    @property
    def value(self) -> str:
        """What is typed, without separators."""
        return "".join(self._typed)

    @property
    def complete(self) -> bool:
        """Whether as much is typed as is asked for."""
        return len(self._typed) == self._length if self._length is not None else bool(self._typed)

    @property
    def progress(self) -> str:
        """How far it is, in words."""
        count = len(self._typed)
        if self._alphabet is Alphabet.TEXT:
            return f"{count} of {self._length} characters" if self._length is not None else _characters(count)
        done = f"{count // self._group} groups done"
        if self._length is None:
            return f"{done}, {_characters(count)}"
        whole = -(-self._length // self._group)
        if self.complete:
            return f"all {whole} groups are typed"
        here = [group for row in groups("x" * self._length, self._group, COLUMNS) for group in row]
        return f"{done} of {whole}, {count} of {self._length} characters; now {here[self._cursor // self._group].place}"

    # Drawing.

    def lines(self, width: int) -> Iterator[Content]:
        if self._alphabet is Alphabet.TEXT:
            yield from wrap(self._cells(0, max(len(self._typed) + 1, self._length or 0)), width)
            return
        yield Content.styled("   " + " ".join(str(n).center(self._group) for n in range(1, COLUMNS + 1)), QUIET)
        size = self._length if self._length is not None else len(self._typed) + 1
        place = 0
        for row in groups("x" * size, self._group, COLUMNS):
            parts = [Content.styled(f"{row[0].row:<2}", QUIET)]
            for group in row:
                parts.append(self._cells(place, place + len(group.text)))
                place += len(group.text)
            yield Content(" ").join(parts)

    def _cells(self, start: int, end: int) -> Content:
        return Content("").join(self._cell(place) for place in range(start, end))

    def _cell(self, place: int) -> Content:
        here = place == self._cursor and self.has_focus
        if place < len(self._typed):
            return Content.styled(self._typed[place], "reverse bold" if here else "bold")
        blank = "·" if self._length is not None else " "
        return Content.styled("_" if here else blank, f"reverse {CALM}" if here else QUIET)

    def on_focus(self) -> None:
        self.redraw()

    def on_blur(self) -> None:
        self.redraw()

    # Typing.

    def on_key(self, event: events.Key) -> None:
        match event.key:
            case "enter":
                self.post_message(self.Submitted())
            case "backspace":
                self._take(self._cursor - 1)
            case "delete":
                self._take(self._cursor)
            case "ctrl+u":
                self._typed.clear()
                self._to(0)
            case "left" | "right" | "up" | "down" | "home" | "end":
                self._to(self._moved(event.key))
            case "escape" | "tab" | "shift+tab":
                return
            case _ if event.is_printable and event.character:
                self._type(event.character)
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        if not self.takes_paste:
            self._refuse("Nothing can be pasted here; type it from the paper.")
            return
        for character in event.text.strip():
            if not self._type(character):
                return

    def _moved(self, key: str) -> int:
        row = self._group * COLUMNS
        steps = {"left": -1, "right": 1, "up": -row, "down": row, "home": -self._cursor, "end": len(self._typed)}
        return self._cursor + steps[key]

    def _to(self, place: int) -> None:
        last = len(self._typed) if len(self._typed) != self._length else len(self._typed) - 1
        self._cursor = max(0, min(place, last))
        self.redraw()
        self.post_message(self.Changed())

    def _take(self, place: int) -> None:
        if self.complete and place == self._cursor - 1 and self._cursor == len(self._typed) - 1:
            place = self._cursor
        if 0 <= place < len(self._typed):
            del self._typed[place]
            self._to(place)

    def _type(self, character: str) -> bool:
        """Whether the character was taken, or passed over as a separator."""
        known = _KNOWN.get(self._alphabet)
        if known is not None:
            letters, separators, name = known
            if character in separators:
                return True
            if character not in letters:
                self._refuse(f"`{character}` is not {name}.")
                return False
        if len(self._typed) >= (self._length if self._length is not None else LONGEST):
            self._refuse("Everything is typed already; press Enter, or go back and correct it.")
            return False
        self._typed.insert(self._cursor, character.lower() if self._alphabet is Alphabet.HEX else character)
        self._to(self._cursor + 1)
        return True

    def _refuse(self, why: str) -> None:
        self.post_message(self.Refused(why))


def _characters(count: int) -> str:
    return f"{count} character" if count == 1 else f"{count} characters"
