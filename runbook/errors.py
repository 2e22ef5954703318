"""One root for every error that a person is meant to read: what happened, where, what to do next."""

from __future__ import annotations

import errno
from enum import IntEnum


class ExitCode(IntEnum):
    """The program's exit status, an interface (see the README)."""

    GREEN = 0
    FAILED = 1
    USAGE = 2
    STOPPED = 3
    ENVIRONMENT = 4


class RunbookError(Exception):
    """An error for people.

    `what` happened is one sentence, `where` names the file, token or step, `remedy` says what to do next.
    None of the three may ever hold a secret.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        step = f"\n  {self.remedy}" if self.remedy else ""
        return f"{place}{self.what}{step}"


class UsageError(RunbookError):
    """The call, the runbook, the site profile or the answers are wrong."""

    exit_code = ExitCode.USAGE


class EnvironmentLacks(RunbookError):
    """This machine lacks something the program needs: a module, a terminal, a writable folder."""

    exit_code = ExitCode.ENVIRONMENT


class JournalError(EnvironmentLacks):
    """The record cannot be written or is held by another process; nothing may act without it."""


class OperatorStopped(RunbookError):
    """The operator ended the run."""

    exit_code = ExitCode.STOPPED


class PromptCancelled(RunbookError):
    """The operator left a prompt without an answer; nothing was sent and nothing was changed."""


class StepError(RunbookError):
    """A step could not reach a verdict (its outcome is then `errored`).

    `symptom` is one of the symptoms that the step's kind declares, so that hints can match it.
    """

    symptom: str = ""
    in_doubt: bool = False
    """What an action had begun may have been done (its outcome is then `in doubt`)."""

    def __init__(self, what: str, *, where: str = "", remedy: str = "", symptom: str = "") -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.symptom = symptom or type(self).symptom


_NO_THREAD = "can't start new thread"
"""What Python says when the system does not give it one (Modules/_threadmodule.c)."""

_NOT_MAPPED = "failed to map segment"
"""What the dynamic linker says of a library that there is no room for (ld.so(8))."""


def is_exhausted(error: BaseException) -> bool:
    """Whether it says that the machine, or what it allows us, has no more memory or room for another thread."""
    match error:
        case MemoryError():
            return True
        case OSError():
            return error.errno == errno.ENOMEM
        case RuntimeError():
            return str(error) == _NO_THREAD
        case ImportError():
            return _NOT_MAPPED in str(error)
    return False
