"""A machine that steps act on: this one or another, with the same commands, evidence and care."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

from checks.files.process import KEEP, Finished
from checks.hosts.channel import Channel
from runbook.context import Context
from runbook.paths import resolve
from runbook.site import LOCAL


def silent(_line: str) -> None:
    """For `on_line`: what the command says is for the step alone, and no line of it is shown."""


class Machine(ABC):
    """A machine as one step sees it: its prompts and its live output are the step's."""

    name: str
    """As in the site profile; `local` for this machine."""

    @property
    @abstractmethod
    def shown(self) -> tuple[str, ...]:
        """How it was reached, for people; empty for this machine."""

    def path(self, path: str, ctx: Context) -> str:
        """A path of the runbook as it is meant on this machine: elsewhere, relative to the account's folder."""
        return str(resolve(ctx.folder, path)) if self.name == LOCAL else path

    @abstractmethod
    async def run(
        self,
        argv: Sequence[str],
        *,
        deadline: float,
        sudo: bool = False,
        cwd: str = "",
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        on_line: Callable[[str], None] | None = None,
        keep: int = KEEP,
    ) -> Finished:
        """Run an argument list there and return how it ended; a deadline that passes is an ending too.

        `deadline` is in seconds from when the command runs: neither connecting (which has a bound of its own) nor
        people's time counts. `env` is set beside the account's. `stdin` is sent whole, then ended. `on_line` gets
        each line of output, cleaned and redacted; None: the step's live output. Every argument arrives as exactly one
        argument. Whatever is left running there at the deadline or at cancellation is ended; where that cannot be
        made sure of, the error or `Finished.ended_by` says so.

        Raises the HostError that fits, ProgramNotFound, ProgramNotExecutable and FolderMissing.
        """

    @abstractmethod
    async def duplex(self, argv: Sequence[str], *, sudo: bool = False) -> Channel:
        """Run a program that speaks a protocol over its standard streams (p11-kit, an engine's dial-stdio).

        It ends when its input does. Raises as `run`.
        """
