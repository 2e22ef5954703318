"""Files: what each is, beside what it should be."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from checks.evidence.files import FileFinding, FileTable
from screens.columns import wrap
from screens.evidence.pane import Pane, draws
from screens.words import BAD, QUIET, verdict


def _finding(item: FileFinding, width: int) -> Iterator[Content]:
    yield from wrap(Content.assemble(verdict(item.ok, "", ""), (item.name, "bold"), f"  {item.found}"), width, hang=2)
    if item.expected and not item.ok:
        yield from wrap(Content.assemble(("expected ", QUIET), item.expected), width, indent=2, hang=9)
    for detail in item.details:
        yield from wrap(Content.styled(detail, QUIET), width, indent=2, hang=2)
    if item.problem:
        yield from wrap(Content.styled(item.problem, f"bold {BAD}"), width, indent=2, hang=2)


@draws(FileFinding)
class FilePane(Pane[FileFinding]):
    """One file."""

    heading = "File"

    def lines(self, width: int) -> Iterator[Content]:
        yield from _finding(self.evidence, width)


@draws(FileTable)
class FilesPane(Pane[FileTable]):
    """The files of a folder, one after the other."""

    heading = "Files"

    def lines(self, width: int) -> Iterator[Content]:
        files = self.evidence.files
        good = sum(item.ok for item in files)
        yield from wrap(Content.assemble(("folder  ", QUIET), self.evidence.folder), width, hang=8)
        count = f"{good} of {len(files)} are as they should be"
        yield verdict(good == len(files) > 0, count, count)
        for item in files:
            yield Content("")
            yield from _finding(item, width)
