"""A judged file: what does not hold first, each with its line and a sign under the place."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from checks.evidence.documents import DocumentFinding, DocumentJudged, Said
from screens.columns import pairs, wrap
from screens.evidence.pane import Pane, draws
from screens.words import BAD, DOUBT, GOOD, QUIET, verdict

_BEFORE = 12
"""Cells kept before the place in a line that is too long."""


@draws(DocumentJudged)
class DocumentPane(Pane[DocumentJudged]):
    """The file, then what is wrong, what is worth a look, and what holds."""

    heading = "Document"

    def lines(self, width: int) -> Iterator[Content]:
        judged = self.evidence
        where = Content.assemble((judged.path, "bold"), (f"  {judged.format}", QUIET))
        yield from pairs([("file", where), ("on", judged.on)], width)
        wrong = judged.those(Said.WRONG)
        yield from wrap(verdict(not wrong, judged.verdict, judged.verdict), width)
        for finding in wrong:
            yield Content("")
            yield from self._wrong(finding, width)
        for state, sign, style in ((Said.REMARK, "▲", DOUBT), (Said.RIGHT, "✓", GOOD)):
            findings = judged.those(state)
            if findings:
                yield Content("")
            for finding in findings:
                place = f"  line {finding.line}" if finding.line else ""
                yield from wrap(Content.assemble((f"{sign} ", style), finding.text, (place, QUIET)), width)

    def _wrong(self, finding: DocumentFinding, width: int) -> Iterator[Content]:
        yield from wrap(Content.assemble(("✗ ", f"bold {BAD}"), (finding.text, "bold")), width)
        name = self.evidence.path.rpartition("/")[2]
        yield from wrap(Content.styled(finding.place(name), QUIET), width, indent=2)
        if finding.excerpt.strip():
            yield from _excerpt(finding, width - 4)
        if finding.because:
            yield from wrap(Content.styled(f"why: {finding.because}", QUIET), width, indent=2)


def _excerpt(finding: DocumentFinding, width: int) -> Iterator[Content]:
    """The line, cut around the place where it is too long, and a sign under the place."""
    line, column = finding.excerpt, max(finding.column - 1, 0)
    indent = len(line) - len(line.lstrip())
    left = min(indent, column)
    before = Content(line[left:column])
    room = max(_BEFORE, width - 2)
    if before.cell_length > room - _BEFORE:
        left = max(left, column - _BEFORE)
    shown = line[left:]
    cut = Content(shown)
    cut = cut.truncate(room, ellipsis=True) if cut.cell_length > room else cut
    yield Content.assemble(("  │ ", QUIET), cut)
    yield Content.assemble(("  │ ", QUIET), (" " * Content(line[left:column]).cell_length + "^", f"bold {BAD}"))
