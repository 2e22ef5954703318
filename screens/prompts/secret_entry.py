"""Where a secret is typed: from the key press into one buffer, never into a text."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from runbook.secrets import MASK, Secret
from runbook.wiping import wipe
from screens.words import CALM, DOUBT, QUIET

LONGEST = 256
"""Bytes taken at most."""


class SecretEntry(Widget, can_focus=True):
    """A fixed mask whatever is typed; no clipboard, no paste, no reveal, no history.

    The value is UTF-8 in one buffer, as large from the beginning as it can ever be: one that grows is moved, and
    leaves what it held where it was. It is wiped when it is handed over and when the entry goes away. No message, no
    attribute and no drawing holds the value or its length.
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
        self._typed = bytearray(LONGEST)
        self._length = 0
        """Bytes of it that are typed."""

    @property
    def empty(self) -> bool:
        """Whether nothing has been typed."""
        return not self._length

    def fits(self, shortest: int, longest: int) -> str:
        """Empty when the length in bytes lies within the limits, else what is wrong with it."""
        if self._length < shortest:
            return "shorter"
        return "longer" if longest and self._length > longest else ""

    def take(self) -> Secret:
        """The value; nothing of it stays here."""
        with memoryview(self._typed) as typed:
            secret = Secret(typed[: self._length])
        self.wipe()
        return secret

    def wipe(self) -> None:
        """Overwrite and forget what was typed."""
        wipe(self._typed)
        self._length = 0
        self.refresh()

    def on_mount(self) -> None:
        self.watch(self.app, "caps_lock", self._caps_lock, init=False)

    def _caps_lock(self) -> None:
        self.refresh()

    def on_unmount(self) -> None:
        self.wipe()

    def render(self) -> Content:
        field = Content.styled("·" * len(MASK), QUIET) if self.empty else Content(MASK)
        cursor = Content.styled("▏", f"bold {CALM}") if self.has_focus else Content(" ")
        # As the terminal tells it; from what is typed it is never guessed, for that would tell something of it.
        caps = (
            Content.styled("   ▲ Caps Lock is on", f"bold {DOUBT}")
            if getattr(self.app, "caps_lock", False)
            else Content("")
        )
        return Content.assemble((f"{self._label}  ", QUIET), field, cursor, caps)

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
        encoded = character.encode()
        end = self._length + len(encoded)
        if end > LONGEST:
            self.post_message(self.Refused(f"More than {LONGEST} bytes are not taken."))
            return
        self._typed[self._length : end] = encoded
        self._length = end
        self.refresh()

    def _rub_out(self) -> None:
        """Take the last character away: its continuation bytes (10xxxxxx) and its first one."""
        while self._length:
            self._length -= 1
            last, self._typed[self._length] = self._typed[self._length], 0
            if last & 0xC0 != 0x80:
                break
        self.refresh()
