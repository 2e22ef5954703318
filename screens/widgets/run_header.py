"""Which run this is, how far it has come, and whether it is real."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from textual.content import Content
from textual.reactive import var

from runbook.gates.window import span
from runbook.model import Step
from runbook.record.pace import Pace, about
from runbook.record.state import RunState, Status
from runbook.record.told import Told
from screens import clock
from screens.columns import wrap
from screens.lines import Lines
from screens.words import GOOD, LOOKS, QUIET, badge

BAR = 10
"""Cells of the progress bar."""

GAP = 2
"""Cells between two things on a line."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which run it is."""

    run_id: str
    title: str
    site: str
    rehearsal: bool
    mark: str = ""
    """A word in capitals that says what kind of screen this is, for example `RESUMED`."""
    runbook_id: str = ""
    runs: Path | None = None
    """The folder in which the runs are; None: it cannot be looked at."""


class RunHeader(Lines):
    """The runbook and its progress; then run id and head; then who, how long, and the clock: on three lines.

    What is for the record or for paper is never cut: run id, head, clock. Where room is short, first the words of the
    progress give way, then the title, the site, and the people. A run id of more than some fifty characters takes a
    line more on a narrow screen.
    """

    ALLOW_SELECT = False

    state = var(RunState())
    head = var("")
    pace = var(Pace(), init=False)
    """What is expected of the steps."""

    def __init__(self, identity: Identity, steps: Sequence[Step], told: Told | None = None) -> None:
        super().__init__()
        self.set_class(identity.rehearsal, "-rehearsal")
        self._identity = identity
        self._steps = tuple(steps)
        self._told = told or Told()
        self._ids = frozenset(step.id for step in steps)
        self._ahead = Pace().among(steps)
        self._time = Content("")

    def on_mount(self) -> None:
        super().on_mount()
        self._ahead = self.pace.among(self._steps)
        self.set_interval(clock.TICK, self._tick)

    def _tick(self) -> None:
        if self._time != self._times():
            self._changed()

    def watch_state(self) -> None:
        self._changed()

    def watch_head(self) -> None:
        self._changed()

    def watch_pace(self) -> None:
        self._ahead = self.pace.among(self._steps)
        self._changed()

    def _changed(self) -> None:
        """The screen is arranged anew only where the number of lines has changed."""
        if not self.is_mounted:
            return
        width, self._drawn = self.content_size.width, None
        if len(self._at(width)) == self.content_size.height:
            self.refresh()
        else:
            self.refresh(layout=True)

    # Drawing.

    def lines(self, width: int) -> Iterator[Content]:
        yield self._title(width)
        self._time = self._times()
        run = Content.assemble((" run ", QUIET), self._identity.run_id)
        head = Content.assemble(("head ", QUIET), (self.head or "–", "bold"), " ")
        who = Content.assemble(*self._people(), ("  site ", QUIET), self._identity.site)
        if _fits(run, who, self._time, head, width=width):
            yield _ends(run + " " + who, self._time + " " + head, width)
        elif _fits(run, head, width=width):
            yield _ends(run, head, width)
            yield self._cut(who, self._time, width)
        else:
            yield from wrap(run, width)
            yield who.truncate(width, ellipsis=True)
            yield _ends(self._face(), head, width)

    def _cut(self, left: Content, right: Content, width: int) -> Content:
        return _ends(left.truncate(max(0, width - right.cell_length - GAP), ellipsis=True), right, width)

    def _people(self) -> Iterator[tuple[str, str]]:
        """The driver, and the witness once there is one."""
        if self._told.driver:
            yield " driver ", QUIET
            yield self._told.driver, ""
        if self._told.witnesses:
            yield "  witness ", QUIET
            yield ", ".join(self._told.witnesses), ""

    def _face(self) -> Content:
        return Content.styled(f" {clock.face(clock.now())} ", QUIET)

    def _times(self) -> Content:
        """How long this sitting has lasted, what is left of what is expected, and the clock: told by the minute."""
        since = clock.since(self._told.began) if not self.state.finished else None
        parts = []
        if since is not None and since >= 60:
            parts.append(f"{span(timedelta(seconds=since))} so far")
        if not self.state.finished and self.pace.of:
            running = clock.since(self._told.step_began) or 0.0
            left, whole = self._ahead.left(self.state, running)
            if left >= 1:
                parts.append(f"about {about(left)}{'' if whole else ' and more'} left")
        return Content.styled(" ".join([*(f"{part} ·" for part in parts), f"{clock.face(clock.now())} "]), QUIET)

    def _title(self, width: int) -> Content:
        marks = Content(" ")
        if self._identity.rehearsal:
            marks += Content.styled(" REHEARSAL ", "$rehearsal-mark") + " "
        if self._identity.mark:
            marks += Content.styled(f" {self._identity.mark} ", "bold reverse") + " "
        progress = self._progress(words=True)
        if marks.cell_length + progress.cell_length + GAP > width:
            progress = self._progress(words=False)
        room = max(0, width - marks.cell_length - progress.cell_length - 1)
        title = Content.styled(self._identity.title, "bold").truncate(room, ellipsis=True)
        return _ends(marks + title, progress, width)

    def _progress(self, *, words: bool) -> Content:
        found = Counter(now.status for step, now in self.state.steps.items() if step in self._ids)
        green = sum(count for status, count in found.items() if status.green)
        full = BAR * green // max(1, len(self._ids))
        bar = Content.assemble(("━" * full, GOOD), ("╌" * (BAR - full), QUIET), " ") if self.size.width >= 100 else ""
        line = Content.assemble(bar, f"{green} of {len(self._ids)} green ")
        for status in (Status.FAILED, Status.ERRORED, Status.SKIPPED, Status.NOT_HERE, Status.IN_DOUBT):
            if count := found[status]:
                sign = badge(status) if words else Content.styled(LOOKS[status].sign, LOOKS[status].style)
                line = Content.assemble(line, f" {count} ", sign, " ")
        return line


def _fits(*parts: Content, width: int) -> bool:
    return sum(part.cell_length for part in parts) + GAP <= width


def _ends(left: Content, right: Content, width: int) -> Content:
    """`left` and `right` at the two ends of a line."""
    return Content.assemble(left.pad_right(max(0, width - left.cell_length - right.cell_length)), right)
