"""Which run this is, how far it has come, and whether it is real."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import var
from textual.widget import Widget

from runbook.session import Session
from runbook.state import RunState, Status
from screens.words import GOOD, QUIET, badge

BAR = 10
"""Cells of the progress bar."""


class RunHeader(Widget):
    """Two lines: the runbook and its progress; run id, site and the head of the journal."""

    ALLOW_SELECT = False

    state = var(RunState())
    head = var("")

    def __init__(self, session: Session, steps: tuple[str, ...]) -> None:
        super().__init__(classes="-rehearsal" if session.site.rehearsal else "")
        self._session = session
        self._steps = steps

    def watch_state(self) -> None:
        self.refresh()

    def watch_head(self) -> None:
        self.refresh()

    def render(self) -> Content:
        session, width = self._session, self.size.width
        mark = Content.styled(" REHEARSAL ", "bold $on-rehearsal on $rehearsal") + " " if session.site.rehearsal else ""
        title = Content.assemble(" ", mark, Content.styled(session.runbook.title, "bold"))
        head = Content.assemble(("head ", QUIET), (self.head or "–", "bold"), " ")
        run = Content.assemble((" run ", QUIET), session.run_id, ("  site ", QUIET), session.site.name)
        return Content("\n").join([_ends(title, self._progress(), width), _ends(run, head, width)])

    def _progress(self) -> Content:
        found = [self.state.step(step).status for step in self._steps]
        green = sum(status.green for status in found)
        full = BAR * green // max(1, len(found))
        bar = Content.assemble(("━" * full, GOOD), ("╌" * (BAR - full), QUIET), " ") if self.size.width >= 100 else ""
        line = Content.assemble(bar, f"{green} of {len(found)} green ")
        for status in (Status.FAILED, Status.ERRORED, Status.SKIPPED, Status.IN_DOUBT):
            if count := found.count(status):
                line = Content.assemble(line, f" {count} ", badge(status), " ")
        return line


def _ends(left: Content, right: Content, width: int) -> Content:
    """`left` and `right` at the two ends of a line; the left one gives way."""
    room = max(0, width - right.cell_length - 1)
    return Content.assemble(left.truncate(room, ellipsis=True).pad_right(max(0, room - left.cell_length) + 1), right)
