"""Commands that run for a step tell of themselves: one place, whichever check or helper starts them.

Whoever starts a process for a step calls `tell` once it has ended. The run takes it as `CommandRan`; where no run
listens (the doctor, a test) nothing happens.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import ClassVar

from runbook.event import Event
from runbook.site import LOCAL
from runbook.text import clean, clean_line

LONGEST = 8_000
"""Characters kept of one command; what it was given in full is with the step's parameters."""


@dataclass(frozen=True, slots=True)
class CommandRan(Event):
    """A command that a step ran has ended, or was ended."""

    type: ClassVar[str] = "command.ran"
    step: str
    command: str
    """As a person would type it into a POSIX shell; its line breaks are kept."""
    on: str
    """The host, by its name in the site profile; `local`: this machine."""
    as_root: bool
    cwd: str
    """The folder it ran in; empty: where such commands begin there."""
    exit_code: int | None
    """None: it did not end by itself, or how it ended was not heard."""
    env: Mapping[str, str]
    """Variables set for it, beside those of the account."""
    ended_by: str = ""
    """What ended it: a signal, `deadline`, `cancelled`; `kept open`: it serves the step over its streams."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Ran:
    """What the starter of a process knows of it."""

    argv: Sequence[str]
    on: str = LOCAL
    as_root: bool = False
    cwd: str = ""
    env: Mapping[str, str] | None = None
    """Variables set beside those of the account."""
    exit_code: int | None = None
    ended_by: str = ""
    seconds: float = 0.0

    def event(self, step: str, redact: Callable[[str], str]) -> CommandRan:
        """As it is recorded. Secrets are removed from each argument, before quotes come into them."""
        return CommandRan(
            step,
            command=clean(shlex.join(map(redact, self.argv)), LONGEST),
            on=self.on,
            as_root=self.as_root,
            cwd=clean_line(redact(self.cwd)),
            exit_code=self.exit_code,
            env={clean_line(name): clean_line(redact(value)) for name, value in (self.env or {}).items()},
            ended_by=self.ended_by,
            seconds=round(self.seconds, 3),
        )


Listener = Callable[[Ran], None]

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Whatever is started within, also in tasks made within, tells `listener`."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def tell(ran: Ran) -> None:
    """Say that a command has ended; returns at once."""
    listener = _LISTENER.get()
    if listener is not None:
        listener(ran)


def added(env: Mapping[str, str] | None) -> Mapping[str, str]:
    """The variables of a whole environment (None: ours) that are not as in ours."""
    return {name: value for name, value in (env or {}).items() if os.environ.get(name) != value}
