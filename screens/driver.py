"""Textual's terminal driver, for a terminal that may go away at any moment."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

from textual.app import ScreenStackError
from textual.drivers.linux_driver import LinuxDriver

from screens.keys_in import KeysIn

if TYPE_CHECKING:
    from textual.app import App

TERMINAL = 0
"""The descriptor of the terminal that keys are read from."""

_WAIT = 0.1
"""Seconds after which it is looked whether the program wants the terminal for something else."""

UNDRAW = (
    b"\x1b[<u\x1b[?2048l\x1b[?2004l\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?1004l\x1b[?1049l\x1b[?7h"
    b"\x1b[?25h\x1b[0m"
)
"""What takes back the modes that Textual's driver sets, where it cannot do so itself: keyboard protocol, resizing,
pasting, mouse and focus reports, then the alternate screen, wrapping, the cursor and the colours."""


class _Painted:
    """Stands for the terminal's file; once writing fails, what is painted goes nowhere and `lost` is called."""

    def __init__(self, file: IO[str], lost: Callable[[], None]) -> None:
        self._file = file
        self._lost = lost
        self._there = True

    def write(self, text: str) -> None:
        self._try(lambda: self._file.write(text))

    def flush(self) -> None:
        self._try(self._file.flush)

    def fileno(self) -> int:
        return self._file.fileno()

    def _try(self, paint: Callable[[], object]) -> None:
        if not self._there:
            return
        try:
            paint()
        except OSError:
            self._there = False
            self._lost()


class TerminalDriver(LinuxDriver):
    """Where the terminal is gone, Textual's writer thread would end and the next paintings wait for it for ever."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        if sys.__stderr__ is not None:
            self._file = _Painted(sys.__stderr__, self._terminal_lost)  # type: ignore[assignment]  # what is used of it
        self._lent = False

    def _get_terminal_size(self) -> tuple[int, int]:
        """The terminal's own; what COLUMNS and LINES say does not follow a window, and counts where it knows none."""
        with suppress(OSError):
            width, height = os.get_terminal_size(TERMINAL)
            if width and height:
                return width, height
        return super()._get_terminal_size()

    def suspend_application_mode(self) -> None:
        super().suspend_application_mode()
        self._lent = True

    def resume_application_mode(self) -> None:
        self._lent = False
        super().resume_application_mode()

    def write(self, data: str) -> None:
        """Nothing while somebody else has the terminal: nobody empties the queue then, and it is soon full for ever."""
        if not self._lent:
            super().write(data)

    def _terminal_lost(self) -> None:
        lost = getattr(self._app, "terminal_lost", None)
        # The writer's thread calls; the loop may have ended already.
        with suppress(RuntimeError):
            if lost is not None:
                self._loop.call_soon_threadsafe(lost)

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except OSError:
            self._terminal_lost()

    def run_input_thread(self) -> None:
        """Wait for keys and pass them on, each byte by itself through the same buffer."""
        keys = KeysIn(self._pasting, debug=self._debug)
        byte = bytearray(1)
        ready = select.poll()
        ready.register(self.fileno, select.POLLIN)
        try:
            while not self.exit_event.is_set():
                if ready.poll(_WAIT * 1000):
                    if not os.readv(self.fileno, [byte]):
                        raise OSError("the end of input")
                    told = keys.feed(byte)
                else:  # only now: what is there already belongs to an escape, however late this thread reads it
                    told = keys.tick()
                for message in told:
                    self.process_message(message)
        finally:
            byte[0] = 0

    def _pasting(self) -> bool:
        """Whether what has the focus takes what is pasted; nothing of a paste is kept otherwise."""
        from textual.widgets import Input, TextArea

        try:
            focused = self._app.focused
            return bool(getattr(focused, "takes_paste", False)) or isinstance(focused, Input | TextArea)
        except ScreenStackError:
            return False
