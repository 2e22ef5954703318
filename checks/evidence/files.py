"""Files, git trees, commands and statements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from runbook.outcome import Evidence, ForeignLine, ForeignText


class FileFinding(Evidence):
    """One file and what was found out about it."""

    kind: ClassVar[str] = "file"
    name: ForeignLine
    ok: bool
    found: ForeignLine
    """What the file is."""
    expected: ForeignLine = ""
    details: tuple[ForeignLine, ...] = ()
    problem: ForeignLine = ""

    def plain(self) -> Iterator[str]:
        yield f"{'ok ' if self.ok else 'BAD'} {self.name}: {self.found}"
        yield from (f"      {detail}" for detail in self.details)
        if self.problem:
            yield f"    ! {self.problem}"


class FileTable(Evidence):
    """The files of a folder."""

    kind: ClassVar[str] = "files"
    folder: ForeignLine
    files: tuple[FileFinding, ...]

    def plain(self) -> Iterator[str]:
        yield f"folder {self.folder}"
        for item in self.files:
            yield from item.plain()


class GitTree(Evidence):
    """The state of a git working tree."""

    kind: ClassVar[str] = "git"
    folder: ForeignLine
    branch: ForeignLine
    expected_branch: ForeignLine
    commit: ForeignLine
    upstream: ForeignLine = ""
    """Empty: the branch has none."""
    ahead: int = 0
    behind: int = 0
    """Commits, compared with the upstream as last fetched."""
    changes: tuple[ForeignLine, ...] = ()
    """Lines of `git status --porcelain`."""

    def plain(self) -> Iterator[str]:
        yield f"{self.folder} on {self.branch} (expected {self.expected_branch}) at {self.commit}"
        yield f"upstream {self.upstream or 'none'}: {self.ahead} ahead, {self.behind} behind"
        yield from (f"! {change}" for change in self.changes)


class OutputMark(Evidence):
    """Where in a command's output a pattern was found."""

    kind: ClassVar[str] = "output_mark"
    stream: Literal["stdout", "stderr"]
    line: int
    """From 0, in the output as it is kept here."""
    start: int
    end: int
    """Characters of that line; as far as they go where the match goes over several."""
    good: bool
    """Whether it should be there."""
    pattern: ForeignLine

    def plain(self) -> Iterator[str]:
        yield f"{'ok ' if self.good else 'BAD'} {self.stream} line {self.line + 1}: {self.pattern}"


class CommandOutput(Evidence):
    """A command that ran and what it said."""

    kind: ClassVar[str] = "command"
    argv: tuple[ForeignLine, ...]
    cwd: ForeignLine
    on: ForeignLine = ""
    """The host it ran on; empty: this machine."""
    as_root: bool = False
    """It ran through sudo."""
    exit_code: int | None
    """None: ended by a signal or its deadline."""
    ended_by: ForeignLine = ""
    """For example `SIGKILL` or `deadline`."""
    stdout: ForeignText
    stderr: ForeignText
    matched: tuple[ForeignLine, ...] = ()
    """Patterns that were found as they should be."""
    missed: tuple[ForeignLine, ...] = ()
    """Patterns expected and not found, or forbidden and found."""
    marks: tuple[OutputMark, ...] = ()
    """Where patterns were found, as far as that is shown here."""
    attached: tuple[ForeignLine, ...] = ()
    """Streams of which a part is left out here, and the attachment that has the rest."""

    def plain(self) -> Iterator[str]:
        import shlex

        yield f"$ {'sudo ' if self.as_root else ''}{shlex.join(self.argv)}"
        if self.on:
            yield f"  on {self.on}"
        yield f"  in {self.cwd or 'its own folder'}; exit code {self.exit_code}" + (
            f" ({self.ended_by})" if self.ended_by else ""
        )
        yield from self._marked("stdout", self.stdout, "  ")
        yield from self._marked("stderr", self.stderr, "  2| ")
        yield from (f"  {line}" for line in self.attached)
        yield from (f"  matched: {pattern}" for pattern in self.matched)
        yield from (f"! {pattern}" for pattern in self.missed)

    def _marked(self, stream: str, text: str, before: str) -> Iterator[str]:
        """The lines, and under each the signs for what was found in it."""
        if not text:
            return
        for number, line in enumerate(text.removesuffix("\n").split("\n")):
            yield before + line
            for mark in self.marks:
                if (mark.stream, mark.line) == (stream, number):
                    signs = "^" * max(1, mark.end - mark.start)
                    said = "found" if mark.good else "! found and forbidden"
                    yield f"{' ' * (len(before) + mark.start)}{signs} {said}: {mark.pattern}"


class Statements(Evidence):
    """What a person said is so."""

    kind: ClassVar[str] = "statements"
    statements: tuple[ForeignLine, ...]
    confirmed: tuple[bool, ...]
    by: ForeignLine
    note: ForeignLine = ""

    def plain(self) -> Iterator[str]:
        for statement, yes in zip(self.statements, self.confirmed, strict=True):
            yield f"[{'x' if yes else ' '}] {statement}"
        yield f"said by {self.by}" + (f": {self.note}" if self.note else "")
