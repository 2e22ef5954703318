"""What people are told, and what they answered one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from runbook.outcome import Evidence, ForeignLine, ForeignText
from runbook.ticking import Tick


class Announcement(Evidence):
    """A text for sending, in full."""

    kind: ClassVar[str] = "announcement"
    text: ForeignText
    sha256: ForeignLine
    """Of the text as UTF-8, in hex: the name of its attachment."""
    root: ForeignLine
    """The certificate whose fingerprint it has to give."""
    subject: ForeignLine
    fingerprint: ForeignLine
    """64 hex digits, computed from that certificate."""
    file: ForeignLine = ""
    """Where it was written; empty: nowhere."""
    problems: tuple[ForeignLine, ...] = ()

    def plain(self) -> Iterator[str]:
        yield f"{'BAD' if self.problems else 'ok '} announcement with the fingerprint of {self.root}: {self.subject}"
        yield f"      fingerprint {self.fingerprint}, computed from the certificate"
        yield f"      SHA-256 of the text {self.sha256}"
        if self.file:
            yield f"      written to {self.file}"
        yield from (f"    ! {problem}" for problem in self.problems)
        yield from (f"  | {line}".rstrip() for line in self.text.rstrip("\n").split("\n"))


class ListItem(Evidence):
    """One item and its answer."""

    kind: ClassVar[str] = "list_item"
    item: ForeignLine
    answer: Tick
    reason: ForeignLine = ""
    """Why not; of a no always there."""

    def plain(self) -> Iterator[str]:
        yield f"[{'x' if self.answer is Tick.YES else ' '}] {self.item}: {self.answer}" + (
            f", {self.reason}" if self.reason else ""
        )


class ListAnswers(Evidence):
    """One answer for each item."""

    kind: ClassVar[str] = "list_answers"
    question: ForeignLine
    items: tuple[ListItem, ...]
    by: ForeignLine
    note: ForeignLine = ""

    @property
    def sorted(self) -> tuple[ListItem, ...]:
        """What is not done first: a no, then what is still to come, each as it was listed."""
        return tuple(item for tick in (Tick.NO, Tick.NOT_YET, Tick.YES) for item in self.those(tick))

    def those(self, tick: Tick) -> tuple[ListItem, ...]:
        """The items with that answer."""
        return tuple(item for item in self.items if item.answer is tick)

    @property
    def progress(self) -> str:
        """In a few words."""
        done = f"{len(self.those(Tick.YES))} of {len(self.items)} done"
        others = [f"{len(those)} {tick}" for tick in (Tick.NOT_YET, Tick.NO) if (those := self.those(tick))]
        return ", ".join((done, *others))

    def plain(self) -> Iterator[str]:
        yield f"{self.question}: {self.progress}"
        for item in self.sorted:
            yield from item.plain()
        yield f"said by {self.by}" + (f": {self.note}" if self.note else "")
