"""Which run this is, how far it has come, and whether it is real."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from textual.content import Content
from textual.reactive import var

from runbook.record.state import RunState, Status
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


class RunHeader(Lines):
    """The runbook and its progress; then run id, site, head and clock, on as many lines as they need.

    Only the title and the words of the progress give way where room is short: everything else is for the record or
    for paper, and is never cut.
    """

    ALLOW_SELECT = False

    state = var(RunState())
    head = var("")

    def __init__(self, identity: Identity, steps: tuple[str, ...]) -> None:
        super().__init__()
        self.set_class(identity.rehearsal, "-rehearsal")
        self._identity = identity
        self._steps = steps
        self._face = ""

    def on_mount(self) -> None:
        self.set_interval(clock.TICK, self._tick)

    def _tick(self) -> None:
        if self._face != clock.face(clock.now()):
            self._changed()

    def watch_state(self) -> None:
        self._changed()

    def watch_head(self) -> None:
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
        identity, self._face = self._identity, clock.face(clock.now())
        run = Content.assemble((" run ", QUIET), identity.run_id)
        site = Content.assemble((" site ", QUIET), identity.site)
        head = Content.assemble(("head ", QUIET), (self.head or "–", "bold"), " ")
        face = Content.styled(f"{self._face} ", QUIET)
        rows: list[tuple[Content, Content]] = [(run + " " + site, head + " " + face)]
        if not _fits(rows, width):
            rows = [(run, head), (site, face)]
        if not _fits(rows, width):
            rows = [(part, end) for text, end in rows for part, end in _folded(text, end, width)]
        for left, right in rows:
            yield _ends(left, right, width)

    def _title(self, width: int) -> Content:
        marks = Content(" ")
        if self._identity.rehearsal:
            marks += Content.styled(" REHEARSAL ", "bold $on-rehearsal on $rehearsal") + " "
        if self._identity.mark:
            marks += Content.styled(f" {self._identity.mark} ", "bold reverse") + " "
        progress = self._progress(words=True)
        if marks.cell_length + progress.cell_length + GAP > width:
            progress = self._progress(words=False)
        room = max(0, width - marks.cell_length - progress.cell_length - 1)
        title = Content.styled(self._identity.title, "bold").truncate(room, ellipsis=True)
        return _ends(marks + title, progress, width)

    def _progress(self, *, words: bool) -> Content:
        found = [self.state.step(step).status for step in self._steps]
        green = sum(status.green for status in found)
        full = BAR * green // max(1, len(found))
        bar = Content.assemble(("━" * full, GOOD), ("╌" * (BAR - full), QUIET), " ") if self.size.width >= 100 else ""
        line = Content.assemble(bar, f"{green} of {len(found)} green ")
        for status in (Status.FAILED, Status.ERRORED, Status.SKIPPED, Status.NOT_HERE, Status.IN_DOUBT):
            if count := found.count(status):
                sign = badge(status) if words else Content.styled(LOOKS[status].sign, LOOKS[status].style)
                line = Content.assemble(line, f" {count} ", sign, " ")
        return line


def _fits(rows: list[tuple[Content, Content]], width: int) -> bool:
    return all(left.cell_length + right.cell_length + GAP <= width for left, right in rows)


def _folded(left: Content, right: Content, width: int) -> Iterator[tuple[Content, Content]]:
    """The left one on lines of its own, the right one beside the last of them or under it."""
    *before, last = wrap(left, width)
    yield from ((line, Content("")) for line in before)
    if _fits([(last, right)], width):
        yield last, right
    else:
        yield from ((last, Content("")), (Content(""), right))


def _ends(left: Content, right: Content, width: int) -> Content:
    """`left` and `right` at the two ends of a line."""
    return Content.assemble(left.pad_right(max(0, width - left.cell_length - right.cell_length)), right)
