"""Ends a program whose event loop no longer answers, once it was told to end (design §10.6, §10.7).

A kind, also one of another package, can block the loop in plain Python; then no handler of the loop runs, and without
this only SIGKILL would help. Signals are noticed here by a thread of its own: the C handler writes the signal's number
to a socket (`signal.set_wakeup_fd`) whatever the main thread does. Code that holds the interpreter's lock without a
break holds up this thread too.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import socket
import sys
import termios
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self

from runbook.errors import ExitCode
from runbook.terminal.narrator import STDERR, Narrator

if TYPE_CHECKING:
    from runbook.model import Step

GRACE = 5.0
"""Seconds the loop has to answer after a signal, and that it may be late after a step's deadline."""

TOGETHER = 0.5
"""Seconds in which a second signal is taken for the same wish: whoever passes signals on may send them twice."""

_BEAT = 1.0
"""Seconds between two looks at the loop."""

_FAREWELL = 2.0
"""Seconds for the last words; a terminal that was stopped with ctrl-s takes none."""

Signals = Mapping[signal.Signals, str]
"""The signals that end a run, and the reason that is recorded for each."""


class Watchdog:
    """Passes signals on to `stop` in the running loop, and ends the process where the loop does not take them.

    It also ends at once by a second SIGINT or SIGTERM; a terminal that goes away may well send several SIGHUPs.

    To be made before the terminal's modes are changed; entered and left in the main thread, inside the loop. `at` names
    the step at hand; it is called from another thread. `terminal`: the one that is taken, whose modes are put back
    after `undraw` was written to it. `late`: whether a step that blocks the loop past its deadline is told on stderr.
    """

    def __init__(
        self,
        signals: Signals,
        stop: Callable[[str], None],
        at: Callable[[], Step | None],
        run_id: str,
        *,
        terminal: int | None = None,
        undraw: bytes = b"",
        late: bool = True,
    ) -> None:
        self._signals = signals
        self._stop = stop
        self._at = at
        self.run_id = run_id
        """Of the run that is told of; it may be set later."""
        self._terminal = terminal
        self._undraw = undraw
        self._late = late
        self._modes = termios.tcgetattr(terminal) if terminal is not None and os.isatty(terminal) else None
        self._asked: float | None = None
        """Since when the loop owes an answer (time.monotonic); None: it owes none."""
        self._told: signal.Signals | None = None
        """The first signal that came."""
        self._told_at = 0.0
        self._reported = False
        self._alone = False
        """The terminal has gone away."""

    def __enter__(self) -> Self:
        """Raises ValueError outside of the main thread."""
        self._loop = asyncio.get_running_loop()
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        try:
            self._fd_before = signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        except ValueError:
            self._ours.close()
            self._theirs.close()
            raise
        # What whoever started the program wants ignored (nohup) stays so.
        heeded = [number for number in self._signals if signal.getsignal(number) is not signal.SIG_IGN]
        self._before: dict[signal.Signals, Any] = {number: signal.signal(number, _noticed) for number in heeded}
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _place: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(self._fd_before)
        for number, handler in self._before.items():
            # A terminal that goes away may send it once more, in the middle of what is still to be put in order.
            if number is not signal.SIGHUP or not self._alone:
                signal.signal(number, handler)
        self._theirs.close()
        self._thread.join()
        self._ours.close()

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._ours, select.POLLIN)
        if self._terminal is not None:
            poll.register(self._terminal, 0)  # its end only: what is typed is for others
        while True:
            ready = {fd for fd, _ in poll.poll(_BEAT * 1000)}
            if self._ours.fileno() in ready:
                numbers = self._ours.recv(64)
                if not numbers:
                    return
                for number in numbers:
                    self._take(number)
            if self._terminal in ready:
                poll.unregister(self._terminal)
                self._hung_up()
            self._look(time.monotonic())

    def _hung_up(self) -> None:
        """The terminal has gone away. The signal for it goes to those only whose controlling terminal it was."""
        self._alone = True
        if (reason := self._signals.get(signal.SIGHUP)) is not None:
            self._call(lambda: self._stop(reason))

    def _take(self, number: int) -> None:
        """Of any signal that Python handles; one that somebody else handles at the moment is not ours."""
        known = next((known for known in self._signals if known == number), None)
        if known is None or signal.getsignal(known) is not _noticed:
            return
        self._alone = self._alone or known is signal.SIGHUP
        now = time.monotonic()
        if self._told is None:
            self._told, self._told_at = known, now
        elif known is not signal.SIGHUP and now - self._told_at > TOGETHER:
            self._end(f"ended at once by a second signal ({known.name}) while {_named(self._at())} was at work")
        self._call(lambda: self._stop(self._signals[known]))

    def _look(self, now: float) -> None:
        if self._asked is None:
            self._reported = False
            self._asked = now
            self._call(self._answered)
            return
        if self._told is not None and now - max(self._asked, self._told_at) > GRACE:
            step = self._at()
            self._end(
                f"ended by {self._told.name}, as {_named(step)} held up the whole program{_place()}",
                *([f"  Please report it to whoever provides `{step.kind}`."] if step is not None else []),
            )
        step = self._at()
        if self._late and step is not None and not self._reported and now - self._asked > step.deadline + GRACE:
            self._reported = True
            Narrator().say(
                f"   {step.id} holds up the whole program{_place()}, for {now - self._asked:.0f} seconds now; its "
                f"deadline was {step.deadline:g}. SIGTERM ends the program."
            )

    def _answered(self) -> None:
        self._asked = None

    def _call(self, function: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(function)

    def _end(self, *words: str) -> NoReturn:
        """The children die with the process, as each was told to (PR_SET_PDEATHSIG)."""
        telling = threading.Thread(target=self._farewell, args=(words,), daemon=True)
        telling.start()
        telling.join(_FAREWELL)
        os._exit(ExitCode.STOPPED)

    def _farewell(self, words: Sequence[str]) -> None:
        # Otherwise a process in the background would be stopped for touching the terminal (tcsetattr(3)).
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        with contextlib.suppress(OSError, termios.error):  # the terminal may have gone away
            if self._terminal is not None and self._modes is not None:
                os.write(STDERR, self._undraw)
                termios.tcsetattr(self._terminal, termios.TCSANOW, self._modes)
        narrator = Narrator()
        narrator.say(f"error: {words[0]}")
        narrator.say("  What it did last is not known. The record is whole up to there. To go on:")
        narrator.say(f"  runbook resume {self.run_id}")
        for line in words[1:]:
            narrator.say(line)
        narrator.close(_FAREWELL)


def _noticed(_number: int, _frame: object) -> None:
    """What has to be done is done by the thread."""


def _named(step: Step | None) -> str:
    return f"step {step.id}" if step is not None else "something"


def _place() -> str:
    """Where the main thread is at the moment, without any value."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    if frame is None:
        return ""
    last = traceback.extract_stack(frame)[-1]
    return f" ({Path(last.filename).name}:{last.lineno} in {last.name})"
