"""A judged file: what does not hold first, each with its line and a sign under the place."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from textual.content import Content

from checks.evidence.documents import DocumentFinding, DocumentJudged, Said
from screens.columns import leading, pairs, wrap
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
        yield from wrap(verdict(not wrong, judged.verdict, judged.verdict), width, hang=2)
        for finding in wrong:
            yield Content("")
            yield from self._wrong(finding, width)
        for state, sign, style in ((Said.REMARK, "▲", DOUBT), (Said.RIGHT, "✓", GOOD)):
            findings = judged.those(state)
            if findings:
                yield Content("")
            for finding in findings:
                place = f"  line {finding.line}" if finding.line else ""
                yield from wrap(Content.assemble((f"{sign} ", style), finding.text, (place, QUIET)), width, hang=2)

    def _wrong(self, finding: DocumentFinding, width: int) -> Iterator[Content]:
        yield from wrap(Content.assemble(("✗ ", f"bold {BAD}"), (finding.text, "bold")), width, hang=2)
        name = self.evidence.path.rpartition("/")[2]
        yield from wrap(Content.styled(finding.place(name), QUIET), width, indent=2)
        if finding.excerpt.strip():
            yield from _excerpt(finding, width)
        if finding.because:
            yield from wrap(Content.styled(f"why: {finding.because}", QUIET), width, indent=2, hang=5)


def _excerpt(finding: DocumentFinding, width: int) -> Iterator[Content]:
    """The line and those around it with their numbers, cut where they are long, and a sign under the place."""
    line, column = finding.excerpt, max(finding.column - 1, 0)
    lines = (*finding.before, line, *finding.after)
    first = finding.line - len(finding.before)
    wide = len(str(finding.line + len(finding.after)))
    room = max(_BEFORE, width - wide - 5)
    around = min((leading(one) for one in lines if one.strip()), default=0)
    left = min(around, column)
    if cell_len(line[left:column]) > room - _BEFORE:
        left = max(left, column - _BEFORE)
    for number, one in enumerate(lines, first):
        here = number == finding.line
        cut = Content.styled(one[left if here else around :], "" if here else QUIET)
        cut = cut.truncate(room, ellipsis=True) if cut.cell_length > room else cut
        sign = Content.styled("▸ ", f"bold {BAD}") if here else Content("  ")
        yield Content.assemble(sign, (f"{number:>{wide}} │ ", QUIET), cut.rstrip()).rstrip()
        if here:
            under = " " * cell_len(line[left:column]) + "^"
            yield Content.assemble((f"  {' ' * wide} │ ", QUIET), (under, f"bold {BAD}"))
