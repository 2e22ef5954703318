"""What Ansible did: its recap, and the messages of the tasks that failed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import ClassVar

from runbook.outcome import Evidence, ForeignLine


class RecapHost(Evidence):
    """One host's line of the recap (counts of tasks)."""

    kind: ClassVar[str] = "ansible host"
    host: ForeignLine
    ok: int = 0
    changed: int = 0
    unreachable: int = 0
    failed: int = 0
    skipped: int = 0
    rescued: int = 0
    ignored: int = 0

    @property
    def good(self) -> bool:
        return not (self.failed or self.unreachable)

    def plain(self) -> Iterator[str]:
        counts = (
            f"{name}={getattr(self, name)}"
            for name in ("ok", "changed", "unreachable", "failed", "skipped", "rescued", "ignored")
        )
        yield f"{self.host}  {'  '.join(counts)}"


class TaskNote(Evidence):
    """What a task said about one host."""

    kind: ClassVar[str] = "ansible task"
    host: ForeignLine
    task: ForeignLine
    said: tuple[ForeignLine, ...] = ()

    def plain(self) -> Iterator[str]:
        yield f"{self.host}: {self.task}"
        yield from (f"    {line}" for line in self.said)


class AnsibleRecap(Evidence):
    """Hosts × ok, changed, unreachable, failed, skipped, rescued and ignored tasks."""

    kind: ClassVar[str] = "ansible"
    argv: tuple[ForeignLine, ...]
    folder: ForeignLine
    mode: ForeignLine
    """`run`, `dry run` or `second run`."""
    task: ForeignLine = ""
    """The task at hand; empty once it has ended."""
    hosts: tuple[RecapHost, ...] = ()
    failures: tuple[TaskNote, ...] = ()
    changes: tuple[TaskNote, ...] = ()
    """Tasks that changed something, or would have; the first ones."""
    exit_code: int | None = None
    ended_by: ForeignLine = ""
    said: tuple[ForeignLine, ...] = ()
    """Its last lines, where no recap tells more."""
    attached: ForeignLine = ""
    """The attachment that has its whole output."""

    @property
    def sorted(self) -> tuple[RecapHost, ...]:
        """Failures first."""
        return tuple(sorted(self.hosts, key=lambda host: (host.good, host.changed == 0)))

    @property
    def changed(self) -> int:
        return sum(host.changed for host in self.hosts)

    def plain(self) -> Iterator[str]:
        yield f"$ {shlex.join(self.argv)}"
        ended = f"exit code {self.exit_code}" if self.exit_code is not None else f"ended by {self.ended_by or '–'}"
        yield f"  in {self.folder}; {self.mode}; {ended}"
        for host in self.sorted:
            yield from (f"{'ok ' if host.good else 'BAD'} {line}" for line in host.plain())
        for note in self.failures:
            yield from (f"! {line}" for line in note.plain())
        for note in self.changes:
            yield from (f"  changed: {line}" for line in note.plain())
        yield from (f"  {line}" for line in self.said)
        if self.attached:
            yield f"  its whole output is in the attachment {self.attached}"
