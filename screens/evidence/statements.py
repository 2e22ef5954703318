"""What a person said is so."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from checks.evidence.files import Statements
from screens.columns import pairs, wrap
from screens.evidence.pane import Pane, draws
from screens.words import verdict


@draws(Statements)
class StatementsPane(Pane[Statements]):
    """Each statement with its answer, and who gave it."""

    heading = "Statements"

    def lines(self, width: int) -> Iterator[Content]:
        said = self.evidence
        for statement, yes in zip(said.statements, said.confirmed, strict=True):
            lines = wrap(statement, width - 7)
            for number, line in enumerate(lines):
                yield Content.assemble(verdict(yes, "yes  ", "no   ") if number == 0 else " " * 7, line)
        rows = [("said by", said.by)] + ([("note", said.note)] if said.note else [])
        yield Content("")
        yield from pairs(rows, width)
