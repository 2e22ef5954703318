"""What people are told, and what they answered one by one."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from checks.evidence.people import Announcement, ListAnswers, ListItem
from runbook.ticking import Tick
from screens.columns import leading, pairs, table, wrap
from screens.evidence.pane import Pane, draws
from screens.words import BAD, DOUBT, GOOD, QUIET, verdict

_LOOKS = {Tick.YES: ("✓ yes", GOOD), Tick.NOT_YET: ("○ not yet", DOUBT), Tick.NO: ("✗ no", f"bold {BAD}")}


@draws(Announcement)
class AnnouncementPane(Pane[Announcement]):
    """The whole text as it is sent, a bar beside it; what is folded is indented."""

    heading = "To be sent"

    def lines(self, width: int) -> Iterator[Content]:
        said = self.evidence
        rows = [("root", said.subject), ("from", said.root), ("fingerprint", said.fingerprint)]
        rows += [("written to", said.file)] if said.file else []
        yield from pairs(rows, width)
        for problem in said.problems:
            yield from wrap(verdict(False, "", problem), width, hang=2)
        if not said.problems:
            yield from wrap(verdict(True, "the fingerprint in it is computed from the certificate", ""), width, hang=2)
        yield Content("")
        for line in said.text.rstrip("\n").split("\n"):
            for part in wrap(line, width - 2, hang=leading(line) + 2):
                yield Content.assemble(("│ ", QUIET), part)


@draws(ListAnswers)
class AnswersPane(Pane[ListAnswers]):
    """How far it is, and a row for every item: what is not done first."""

    heading = "Checklist"

    def lines(self, width: int) -> Iterator[Content]:
        said = self.evidence
        yield from wrap(Content.styled(said.question, "bold"), width)
        done = len(said.those(Tick.YES)) == len(said.items)
        yield from wrap(verdict(done, said.progress, said.progress), width, hang=2)
        yield Content("")
        rows = [(Content.styled(*_LOOKS[item.answer]), item.item) for item in said.sorted]
        yield from table(("answer", "item"), rows, width, under=[_reason(item) for item in said.sorted])
        yield Content("")
        yield from pairs([("said by", said.by), *([("note", said.note)] if said.note else [])], width)


@draws(ListItem)
class ItemPane(Pane[ListItem]):
    """One item and its answer."""

    heading = "Item"

    def lines(self, width: int) -> Iterator[Content]:
        item = self.evidence
        yield from wrap(Content.assemble(item.item, "  ", _LOOKS[item.answer]), width, hang=2)
        if item.reason:
            yield from wrap(_reason(item), width, indent=2)


def _reason(item: ListItem) -> Content:
    return Content.styled(item.reason, QUIET)
