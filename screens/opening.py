"""The run screen while the files are still being read: what they say of themselves, and nothing to decide.

Imports no model of a file, so that it stands on the terminal before they are loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.screen import Screen

from runbook.glance import Glance
from runbook.standing import Status
from screens.columns import ends, wrap
from screens.lines import Lines
from screens.words import CALM, LONGEST_ID, LOOKS, QUIET, WIDE, WIDEST, badge

if TYPE_CHECKING:
    from runbook.run.session import Session


@dataclass(frozen=True, slots=True)
class Opening:
    """What is shown, and what makes the session meanwhile."""

    seen: Glance
    begin: Callable[[], Session]
    """Blocking; raises RunbookError with everything that is wrong with the files."""


class OpeningScreen(Screen[None]):
    """Title, steps and the first step's goal, where the run screen will show them."""

    class Ready(Message):
        """It is painted; the files can be read."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,Q", "app.quit", "quit", key_display="q", id="run.quit")]

    DEFAULT_CSS = """
    OpeningScreen { layout: vertical; background: $background; color: $foreground; }
    OpeningScreen:ansi { background: $background; color: $foreground; }
    OpeningHead { background: $panel; }
    OpeningHead.-rehearsal { border-left: outer $rehearsal; border-right: outer $rehearsal; }
    OpeningScreen Horizontal { height: 1fr; }
    OpeningList { width: 29; height: 1fr; background: $surface; border-right: vkey $rule; }
    OpeningScreen.-wide OpeningList, OpeningScreen.-panels OpeningList { width: 46; padding: 1 0 0 0; }
    OpeningScreen.-vast OpeningList { width: 64; padding: 1 0 0 0; }
    OpeningStep { padding: 0 2; }
    OpeningScreen.-wide OpeningStep, OpeningScreen.-vast OpeningStep, OpeningScreen.-panels OpeningStep {
        padding: 1 2 0 2;
    }
    OpeningBar { padding: 0 1; background: $panel; border-left: outer $text-primary; }
    """

    def __init__(self, seen: Glance) -> None:
        super().__init__()
        self._seen = seen

    def compose(self) -> ComposeResult:
        yield OpeningHead(self._seen)
        with Horizontal():
            yield OpeningList(self._seen)
            yield OpeningStep(self._seen)
        yield OpeningBar()

    def on_mount(self) -> None:
        self.call_after_refresh(self.post_message, self.Ready())


class _Part(Lines):
    def __init__(self, seen: Glance) -> None:
        super().__init__()
        self._seen = seen


class OpeningHead(_Part):
    """Which runbook, which site."""

    def __init__(self, seen: Glance) -> None:
        super().__init__(seen)
        self.set_class(seen.rehearsal, "-rehearsal")

    def lines(self, width: int) -> Iterator[Content]:
        mark = Content.styled(" REHEARSAL ", "$rehearsal-mark") + " " if self._seen.rehearsal else Content("")
        line = Content(" ") + mark + Content.styled(self._seen.title, "bold")
        yield line.truncate(width, ellipsis=True)
        yield Content.assemble((" site ", QUIET), self._seen.site).truncate(width, ellipsis=True)


class OpeningList(_Part):
    """The stages and steps that have room."""

    def lines(self, width: int) -> Iterator[Content]:
        rows = (row for stage in self._seen.stages for row in self._rows(stage, width))
        for _, row in zip(range(self.size.height or self.app.size.height), rows, strict=False):
            yield row

    def _rows(self, stage: tuple[str, str, tuple[tuple[str, str], ...]], width: int) -> Iterator[Content]:
        stage_id, title, steps = stage
        name = Content.assemble(" ", (f"{stage_id} ", f"bold {CALM}"), Content.styled(title, "bold"))
        yield ends(name, Content.styled(f" 0/{len(steps)} ", QUIET), width)
        look = LOOKS[Status.WAITING]
        word = Content.styled(f" {Status.WAITING.value.ljust(WIDEST)}", look.style)
        padded = min(LONGEST_ID, max(len(one) for *_, steps in self._seen.stages for one, _ in steps))
        for step_id, step_title in steps:
            there = step_id.ljust(padded) if width >= WIDE else step_id
            shown = Content.styled(f"  {step_title}", QUIET) if width >= WIDE else Content("")
            yield ends(Content.assemble(" ", (look.sign, look.style), " ", there) + shown, word, width)


class OpeningStep(_Part):
    """The first step."""

    def lines(self, width: int) -> Iterator[Content]:
        step_id, title = self._seen.stages[0][2][0]
        yield from wrap(Content.assemble((step_id, f"bold {CALM}"), "  ", Content.styled(title, "bold")), width)
        yield Content.assemble(badge(Status.WAITING), (f"  {self._seen.kind}", QUIET)).truncate(width, ellipsis=True)
        yield Content("")
        yield from wrap(self._seen.goal, width)


class OpeningBar(Lines):
    """What is waited for."""

    def lines(self, width: int) -> Iterator[Content]:
        said = Content.assemble(("▶ ", f"bold {CALM}"), ("the runbook and the site profile are being read", QUIET))
        yield said.truncate(width, ellipsis=True)
