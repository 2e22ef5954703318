"""A file that was judged: what it says rightly, what it does not, and in which line."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import ClassVar

from runbook.outcome import Evidence, ForeignLine


class Said(StrEnum):
    """What came of one statement about the file."""

    RIGHT = "right"
    WRONG = "wrong"
    REMARK = "remark"
    """Worth a look; it does not make the step fail."""


class DocumentFinding(Evidence):
    """One statement about the file, and its place."""

    kind: ClassVar[str] = "document_finding"
    state: Said
    text: ForeignLine
    """What was found, and where it is wrong what was expected."""
    line: int = 0
    """From 1; 0: the file as a whole."""
    column: int = 0
    """From 1, in characters."""
    excerpt: ForeignLine = ""
    """The line as the file has it, without what looks like a secret; empty: it is not shown."""
    before: tuple[ForeignLine, ...] = ()
    after: tuple[ForeignLine, ...] = ()
    """The lines around that one, likewise."""
    because: ForeignLine = ""
    """Why it has to be so."""

    def place(self, path: str) -> str:
        """`file:line:column`, or the file alone."""
        return f"{path}:{self.line}:{self.column}" if self.line else path


class DocumentJudged(Evidence):
    """A file and every statement about it."""

    kind: ClassVar[str] = "document"
    path: ForeignLine
    on: ForeignLine
    format: ForeignLine
    sha256: ForeignLine = ""
    """Of its bytes, in hex; empty: it could not be read, or is private."""
    findings: tuple[DocumentFinding, ...]

    def those(self, state: Said) -> tuple[DocumentFinding, ...]:
        """The findings of one state."""
        return tuple(finding for finding in self.findings if finding.state is state)

    @property
    def verdict(self) -> str:
        """How much of it holds, in words."""
        wrong, right = len(self.those(Said.WRONG)), len(self.those(Said.RIGHT))
        return f"{wrong} of {wrong + right} statements do not hold" if wrong else f"all {right} statements hold"

    def plain(self) -> Iterator[str]:
        wrong = self.those(Said.WRONG)
        yield f"{'BAD' if wrong else 'ok '} {self.path} on {self.on} ({self.format}): {self.verdict}"
        for finding in wrong:
            yield f"    ! {finding.place(self.path)}: {finding.text}"
            yield from self._excerpt(finding)
            if finding.because:
                yield f"      why: {finding.because}"
        for finding in self.those(Said.REMARK):
            yield f"    - {finding.place(self.path)}: {finding.text}"
        for finding in self.those(Said.RIGHT):
            yield f"      ok: {finding.text}"

    @staticmethod
    def _excerpt(finding: DocumentFinding) -> Iterator[str]:
        if not finding.excerpt.strip():
            return
        wide = len(str(finding.line + len(finding.after)))
        for number, line in enumerate(finding.before, finding.line - len(finding.before)):
            yield f"      {number:>{wide}} | {line}".rstrip()
        yield f"      {finding.line:>{wide}} | {finding.excerpt}"
        if 0 < finding.column <= len(finding.excerpt) + 1:
            yield f"      {' ' * wide} | {' ' * (finding.column - 1)}^"
        for number, line in enumerate(finding.after, finding.line + 1):
            yield f"      {number:>{wide}} | {line}".rstrip()
