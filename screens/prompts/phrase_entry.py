"""Where a phrase is typed letter by letter, under the phrase itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message

from screens.lines import Lines
from screens.words import BAD, CALM, GOOD, QUIET

TOGETHER = 0.005
"""Seconds: fingers leave more than this between two keys, a terminal that pastes without saying so does not."""

BURST = 4
"""Characters that come together and are no longer believed to be typed; a slow line may deliver a few at once."""

_SPARE = 24
"""Characters taken beyond the length of the phrase."""


class PhraseEntry(Lines, can_focus=True):
    """Takes single keys only: a phrase that is pasted has not been thought about.

    What is typed stands under the phrase, place under place; a sign under it marks each place that differs.
    """

    ALLOW_SELECT = False

    class Submitted(Message):
        """Enter was pressed."""

    class Changed(Message):
        """Something was typed or taken away."""

    @dataclass
    class Refused(Message):
        """Something was not taken."""

        why: str

    def __init__(self, phrase: str) -> None:
        super().__init__()
        self.phrase = phrase
        self.typed = ""
        self._last = 0.0
        self._together: list[str] = []

    @property
    def exact(self) -> bool:
        """Whether the phrase is typed as it stands."""
        return self.typed == self.phrase

    @property
    def standing(self) -> str:
        """How far it is, in words: the first place that differs, or what is missing."""
        for place, got in enumerate(self.typed):
            want = self.phrase[place : place + 1]
            if got != want:
                wanted = f"`{want}` stands there" if want else "the phrase has ended"
                caps = "; is Caps Lock on?" if self.in_the_other_case else ""
                return f"character {place + 1} differs: `{got}` is typed, {wanted}{caps}"
        left = len(self.phrase) - len(self.typed)
        return "it is the phrase" if not left else f"{left} of {len(self.phrase)} characters to go"

    @property
    def in_the_other_case(self) -> bool:
        """Whether every letter so far is right but for its case, and there are two at least."""
        pairs = [(got, want) for got, want in zip(self.typed, self.phrase, strict=False) if want.isalpha()]
        return len(pairs) > 1 and all(got == want.swapcase() != want for got, want in pairs)

    # Drawing.

    def lines(self, width: int) -> Iterator[Content]:
        for start, end in self._rows(max(1, width)):
            wanted, typed, marks = Content(""), Content(""), ""
            for place in range(start, end):
                cells = self._cells(place)
                want, got = self.phrase[place : place + 1], self.typed[place : place + 1]
                wanted += Content.styled(_padded(want, cells), "bold")
                typed += self._typed_cell(place, got, want, cells)
                marks += ("^" if got and got != want else " ") * cells
            yield wanted
            yield typed
            yield Content.styled(marks.rstrip(), f"bold {BAD}")

    def _typed_cell(self, place: int, got: str, want: str, cells: int) -> Content:
        if place == len(self.typed):
            return Content.styled(_padded("_", cells), f"reverse {CALM}" if self.has_focus else QUIET)
        if not got:
            return Content.styled(_padded("·", cells), QUIET)
        return Content.styled(_padded(got, cells), GOOD if got == want else f"bold {BAD}")

    def _rows(self, width: int) -> Iterator[tuple[int, int]]:
        """Where each line begins and ends; one place more than is typed, for the cursor."""
        places = max(len(self.phrase), len(self.typed) + (0 if self.exact else 1))
        start, used = 0, 0
        for place in range(places):
            cells = self._cells(place)
            if place > start and used + cells > width:
                yield start, place
                start, used = place, 0
            used += cells
        yield start, places

    def _cells(self, place: int) -> int:
        """As wide as the wider of what stands there and what is typed there."""
        return max(1, *(cell_len(text[place : place + 1]) for text in (self.phrase, self.typed)))

    def on_focus(self) -> None:
        self.redraw()

    def on_blur(self) -> None:
        self.redraw()

    # Typing.

    def on_key(self, event: events.Key) -> None:
        together = event.time - self._last < TOGETHER
        match event.key:
            case "escape" | "tab" | "shift+tab" | "pageup" | "pagedown" | "ctrl+q":
                return
            case "enter" if together:
                self._refuse("Enter came together with the letters; press it by itself.")
            case "enter":
                self.post_message(self.Submitted())
            case "backspace":
                self._to(self.typed[:-1])
            case "ctrl+u":
                self._to("")
            case _ if event.is_printable and event.character:
                self._type(event.character, together=together)
        self._last = event.time
        event.stop()
        event.prevent_default()

    def _type(self, character: str, *, together: bool) -> None:
        self._together = [*self._together, character] if together else [character]
        if len(self._together) >= BURST or len(character) > 1:
            # What came with it is taken back, as far as it was taken.
            self._to(
                self.typed.removesuffix("".join(self._together[:-1])) if len(self._together) == BURST else self.typed
            )
            self._refuse("Too many letters came at once: nothing can be pasted here; type it.")
        elif len(self.typed) >= len(self.phrase) + _SPARE:
            self._refuse("That is longer than the phrase; Ctrl+U clears it.")
        else:
            self._to(self.typed + character)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self._refuse("Nothing can be pasted here; type it letter by letter.")

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """The middle button, Textual's 2, pastes in many terminals; here it says that it does not."""
        if event.button == 2:
            self._refuse("Nothing can be pasted here; type it letter by letter.")

    def _to(self, typed: str) -> None:
        self.typed = typed
        self.redraw()
        self.post_message(self.Changed())

    def _refuse(self, why: str) -> None:
        self.post_message(self.Refused(why))


def _padded(character: str, cells: int) -> str:
    return character + " " * (cells - cell_len(character))
