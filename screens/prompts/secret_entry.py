"""Where a secret is typed: from the key press into one buffer, never into a text."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from runbook.secrets import MASK, Secret
from runbook.wiping import wipe
from screens.words import CALM, QUIET

LONGEST = 256
"""Bytes taken at most."""


class SecretEntry(Widget, can_focus=True):
    """A fixed mask whatever is typed; no clipboard, no paste, no reveal, no history.

    The value is UTF-8 in one `bytearray` that is wiped when it is handed over and when the entry goes away. No
    message, no attribute and no drawing holds it or its length.
    """

    ALLOW_SELECT = False

    class Submitted(Message):
        """Enter was pressed; `take` gives the value."""

    class Refused(Message):
        """Something was not taken; `why` says it, without the value."""

        def __init__(self, why: str) -> None:
            super().__init__()
            self.why = why

    def __init__(self, name: str) -> None:
        super().__init__()
        self._label = name
        self._typed = bytearray()

    @property
    def empty(self) -> bool:
        """Whether nothing has been typed."""
        return not self._typed

    def fits(self, shortest: int, longest: int) -> str:
        """Empty when the length in bytes lies within the limits, else what is wrong with it."""
        if len(self._typed) < shortest:
            return "shorter"
        return "longer" if longest and len(self._typed) > longest else ""

    def take(self) -> Secret:
        """The value; nothing of it stays here."""
        secret = Secret(self._typed)
        self.wipe()
        return secret

    def wipe(self) -> None:
        """Overwrite and forget what was typed."""
        wipe(self._typed)
        self._typed.clear()
        self.refresh()

    def on_unmount(self) -> None:
        self.wipe()

    def render(self) -> Content:
        field = Content.styled("·" * len(MASK), QUIET) if self.empty else Content(MASK)
        cursor = Content.styled("▏", f"bold {CALM}") if self.has_focus else Content(" ")
        return Content.assemble((f"{self._label}  ", QUIET), field, cursor)

    def on_key(self, event: events.Key) -> None:
        match event.key:
            case "enter":
                self.post_message(self.Submitted())
            case "backspace":
                self._rub_out()
            case "ctrl+u" | "delete":
                self.wipe()
            case "escape" | "tab" | "shift+tab" | "ctrl+q":
                return
            case _ if event.is_printable and event.character:
                self._type(event.character)
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.post_message(self.Refused("Nothing can be pasted here; type it."))

    def _type(self, character: str) -> None:
        if len(self._typed) + len(character.encode()) > LONGEST:
            self.post_message(self.Refused(f"More than {LONGEST} bytes are not taken."))
            return
        self._typed += character.encode()
        self.refresh()

    def _rub_out(self) -> None:
        """Take the last character away: its continuation bytes (10xxxxxx) and its first one."""
        while self._typed:
            last = self._typed[-1]
            self._typed[-1] = 0
            del self._typed[-1]
            if last & 0xC0 != 0x80:
                break
        self.refresh()
