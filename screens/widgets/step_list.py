"""Stages and their steps, each with its state: drawn line by line, so that thousands cost no more than ten."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.content import Content
from textual.geometry import Region, Size
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from runbook.model import Stage, Step
from runbook.record.state import RunState
from runbook.standing import Status
from screens.columns import ends
from screens.marks import FOUND, HERE, marked
from screens.words import CALM, LONGEST_ID, LOOKS, QUIET, WIDE, WIDEST

Row = Stage | Step

NARROW = 100
"""Cells of the screen below which the list shows no titles, and is as wide as its ids and words need."""

AROUND = 15
"""Cells beside the longest id: marks, the longest word, a scroll bar, the border."""

MOST = 0.45
"""Part of a narrow screen that the list may take; longer ids are shortened in their middle."""


DRAWN = 500
"""Rows that are kept as they were drawn."""


class StepList(ScrollView, can_focus=True, inherit_bindings=False):
    """The cursor chooses which step is shown; it follows the step at hand until it is moved."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="list.down"),
        Binding("ctrl+b", "page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("ctrl+f", "page(1)", "Page down", show=False, id="list.page_down"),
        Binding("home,g", "move(-1000000)", "First step", show=False, id="list.first"),
        Binding("end,G", "move(1000000)", "Last step", show=False, id="list.last"),
        Binding("left,h", "stage(-1)", "Stage before", show=False, id="list.stage_before"),
        Binding("right,l", "stage(1)", "Next stage", show=False, id="list.stage_next"),
    ]

    state = var(RunState())
    at = var("")
    """The step at hand: the one the run is at or the operator decides on."""

    def __init__(self, stages: tuple[Stage, ...], shown: Callable[[str], None]) -> None:
        """`shown` is called with the id of the step under the cursor when that is another one.

        At once rather than by a message, which would come after a frame with the cursor here and the old page there.
        """
        super().__init__()
        self._shown = shown
        self._rows: list[Row] = []
        for stage in stages:
            self._rows += [stage, *stage.steps]
        self._line = {row.id: number for number, row in enumerate(self._rows) if isinstance(row, Step)}
        self._ids = min(LONGEST_ID, max(len(step_id) for step_id in self._line))
        self._cursor = next(iter(self._line.values()))
        self._following = True
        self._short: Mapping[str, str] = {}
        """Ids that have no room, and what stands for them."""
        self._sought: re.Pattern[str] | None = None
        self._found: frozenset[str] = frozenset()
        self._strips: LRUCache[tuple[object, ...], Strip] = LRUCache(DRAWN)
        """Rows as they were drawn, by all that their look depends on: a list that scrolls draws one row, not all."""

    def on_mount(self) -> None:
        self._measure()

    def on_resize(self) -> None:
        self._measure()
        self._show_cursor()

    def fit(self, screen: int) -> None:
        """The screen is that wide: below `NARROW` no id is cut so that it could be another's."""
        longest = max(len(step_id) for step_id in self._line)
        room = int(screen * MOST) - AROUND
        narrow = screen < NARROW
        self.styles.width = max(29, min(longest, room) + AROUND) if narrow else None
        self._short = shortened(tuple(self._line), room) if narrow and longest > room else {}
        self.refresh()

    def _measure(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._rows))

    def watch_state(self) -> None:
        self.refresh()

    def watch_at(self, at: str) -> None:
        if self._following and at in self._line:
            self._go(self._line[at])

    @property
    def cursor(self) -> str:
        """The id of the step under the cursor."""
        return self._rows[self._cursor].id

    def go(self, step: str) -> None:
        """Show this step."""
        if step in self._line:
            self._leave(self._line[step])

    def place(self, step: str) -> int:
        """The line of a step of the list."""
        return self._line[step]

    def mark(self, sought: re.Pattern[str] | None, found: Collection[str] = ()) -> None:
        """Mark these steps, and what is sought in what the list shows of them."""
        self._sought, self._found = sought, frozenset(found)
        self.refresh()

    @property
    def following(self) -> bool:
        """Whether it stays with the step at hand."""
        return self._following

    def follow(self) -> None:
        """Back to the step at hand, and stay with it."""
        self._following = True
        self.watch_at(self.at)

    def action_move(self, by: int) -> None:
        lines = list(self._line.values())
        place = lines.index(self._cursor) + by
        self._leave(lines[max(0, min(len(lines) - 1, place))])

    def action_page(self, direction: int) -> None:
        self.action_move(direction * max(1, self.size.height - 2))

    def action_stage(self, direction: int) -> None:
        heads = [number for number, row in enumerate(self._rows) if isinstance(row, Stage)]
        here = max(number for number in heads if number < self._cursor)
        place = heads.index(here) + direction
        if 0 <= place < len(heads):
            self._leave(heads[place] + 1)

    def on_click(self, event: events.Click) -> None:
        line = event.y + round(self.scroll_y)
        if line < len(self._rows) and isinstance(self._rows[line], Step):
            self._leave(line)

    def _leave(self, line: int) -> None:
        self._following = self._rows[line].id == self.at
        self._go(line)

    def _go(self, line: int) -> None:
        if line != self._cursor:
            self.refresh_line(self._cursor)
            self._cursor = line
            self.refresh_line(line)
            self._shown(self.cursor)
        self._show_cursor()

    def _show_cursor(self) -> None:
        first = self._cursor - 1 if isinstance(self._rows[self._cursor - 1], Stage) else self._cursor
        self.scroll_to_region(Region(0, first, 1, self._cursor - first + 1), animate=False, force=True)

    def render_line(self, y: int) -> Strip:
        line = y + round(self.scroll_y)
        width = self.scrollable_content_region.width
        if line >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        row, here = self._rows[line], line == self._cursor
        marked_as = (here, here and self.has_focus, row.id in self._found and self._sought, self._short.get(row.id))
        look = (line, width, self._said(row), row.id == self.at, *marked_as, self.visual_style, self.app.theme)
        strip = self._strips.get(look)
        if strip is None:
            strip = self._strips[look] = self._strip(row, width, here)
        return strip

    def _said(self, row: Row) -> int | Status:
        """What changes in a row while the run goes on."""
        return self._green(row) if isinstance(row, Stage) else self.state.step(row.id).status

    def _strip(self, row: Row, width: int, here: bool) -> Strip:
        content = self._stage(row, width) if isinstance(row, Stage) else self._step(row, width, here)
        if here:
            ground = "$marked" if self.has_focus else "on $panel"
            content = content.stylize_before(ground)
        segments = content.render_segments(self.visual_style)
        return Strip([Segment(text, style) for text, style, _ in segments], width)

    def _green(self, stage: Stage) -> int:
        return sum(self.state.step(step.id).status.green for step in stage.steps)

    def _stage(self, stage: Stage, width: int) -> Content:
        count = Content.styled(f" {self._green(stage)}/{len(stage.steps)} ", QUIET)
        title = Content.assemble(" ", (f"{stage.id} ", f"bold {CALM}"), Content.styled(stage.title, "bold"))
        return ends(title, count, width)

    def _step(self, step: Step, width: int, here: bool) -> Content:
        status = self.state.step(step.id).status
        look = LOOKS[status]
        at_hand, wide, shown = step.id == self.at, width >= WIDE, self._short.get(step.id, step.id)
        word = Content.styled(f" {status.value.ljust(WIDEST)}", look.style)
        name = Content.assemble(
            ("▌" if here else " ", CALM),
            (look.sign, look.style),
            ("›" if at_hand else " ", f"bold {CALM}"),
            (shown.ljust(self._ids) if wide else shown, "bold" if at_hand or here else ""),
            (f"  {step.title}" if wide else "", "" if at_hand or here else QUIET),
        )
        return ends(self._marked(name, step, here) if step.id in self._found else name, word, width)

    def _marked(self, name: Content, step: Step, here: bool) -> Content:
        """What is sought; the id where it stands in something that the list does not show."""
        if self._sought is not None and self._sought.search(name.plain):
            return marked(name, self._sought, 0 if here else -1)
        shown = self._short.get(step.id, step.id)
        start = name.plain.index(shown)
        return name.stylize(HERE if here else FOUND, start, start + len(shown))


def shortened(ids: Sequence[str], room: int) -> dict[str, str]:
    """Ids longer than `room`, with as much of their middle left out as it takes, and no two of all alike.

    Ids that differ only where there is no room for it keep their whole length.
    """
    short: dict[str, str] = {}
    taken = {one for one in ids if len(one) <= room}
    for one in ids:
        if len(one) <= room:
            continue
        cuts = (f"{one[: room - 1 - end]}…{one[len(one) - end :]}" for end in range(room // 2, room))
        found = next((cut for cut in cuts if cut not in taken), one)
        taken.add(found)
        short[one] = found
    return short
