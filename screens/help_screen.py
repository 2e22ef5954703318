"""The help: keys of the place one is in, then of the others; states, words, and the kinds of the runbook's steps."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input

from runbook import help_texts
from runbook.help_texts import Chapter, Entry
from runbook.kind import Registry
from runbook.record.state import Status
from screens.columns import wrap
from screens.help.chapters import chapters
from screens.help.keys import KeyEntry
from screens.lines import Lines
from screens.modal import Modal
from screens.run_view import RunView
from screens.theme import STYLE
from screens.words import CALM, QUIET, badge

NAMES = 16
"""Cells of the names; what is told stands beside them."""

FEW = 2
"""Entries of which everything is told at once."""


class HelpPage(Lines):
    """Chapters in two columns."""

    def __init__(self) -> None:
        super().__init__()
        self._chapters: Sequence[Chapter] = ()

    def show(self, found: Sequence[Chapter], sought: re.Pattern[str] | None) -> None:
        """Show these."""
        self._chapters = found
        self.seek(sought)
        self.redraw()

    def lines(self, width: int) -> Iterator[Content]:
        if not self._chapters:
            yield Content.styled("Nothing in the help says that.", QUIET)
        few = sum(len(chapter.entries) for chapter in self._chapters) <= FEW
        for number, chapter in enumerate(self._chapters):
            if number:
                yield Content("")
            yield from wrap(Content.styled(chapter.title, f"bold {CALM}"), width)
            if chapter.told:
                yield from wrap(Content.styled(chapter.told, QUIET), width, indent=2)
            for entry in chapter.entries:
                yield from _entry(entry, width, more=few)


def _entry(entry: Entry, width: int, *, more: bool) -> Iterator[Content]:
    """The name on a line of its own where it is longer than its column."""
    name, told = _name(entry), Content(entry.told)
    if isinstance(entry, KeyEntry) and not entry.now:
        told = Content.assemble((entry.told, QUIET), ("  not now", f"italic {QUIET}"))
    lines = list(wrap(told, width - NAMES - 4))
    if name.cell_length > NAMES:
        yield from wrap(name, width, indent=2)
    else:
        yield Content.assemble("  ", name.pad_right(NAMES - name.cell_length + 2), lines.pop(0))
    yield from (line.pad_left(NAMES + 4) for line in lines)
    for line in entry.more if more else entry.more[:1]:
        yield from wrap(Content.styled(line, QUIET), width, indent=NAMES + 4)
    if not more and len(entry.more) > 1:
        left = f"{len(entry.more) - 1} symptoms, told where its name is sought"
        yield from wrap(Content.styled(left, QUIET), width, indent=NAMES + 4)


def _name(entry: Entry) -> Content:
    if isinstance(entry, KeyEntry):
        return Content.styled(entry.name, f"bold {CALM}")
    known = next((status for status in Status if help_texts.STATES.get(status) == entry.told), None)
    return badge(known) if known is not None else Content.styled(entry.name, "bold")


class HelpEntry(Input):
    """What is sought in the help."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "All", show=False, id="help.all"),
        Binding("down", "scroll(1)", "Down", show=False, id="help.entry.down"),
        Binding("up", "scroll(-1)", "Up", show=False, id="help.entry.up"),
    ]

    def action_leave(self) -> None:
        self.value = ""
        self.display = False
        self.screen.query_one(HelpText).focus()

    def action_scroll(self, direction: int) -> None:
        self.screen.query_one(HelpText).scroll_relative(y=direction, animate=False)


class HelpText(VerticalScroll, can_focus=True):
    """Scrolls with arrow keys and as vim does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", "Down", show=False, id="help.down"),
        Binding("k", "scroll_up", "Up", show=False, id="help.up"),
        Binding("g", "scroll_home", "Top", show=False, id="help.top"),
        Binding("G", "scroll_end", "Bottom", show=False, id="help.bottom"),
        Binding("space,ctrl+f", "page_down", "Page down", show=False, id="help.page_down"),
        Binding("ctrl+b", "page_up", "Page up", show=False, id="help.page_up"),
    ]


class HelpScreen(Modal[None]):
    """For the screen that was in front; nothing there is touched."""

    CSS_PATH = STYLE / "prompts.tcss"
    AUTO_FOCUS = "HelpText"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,q,question_mark,f1,enter",
            "close",
            "Close",
            show=False,
            id="help.close",
        ),
        Binding(
            "slash",
            "search",
            "Search",
            show=False,
            id="help.search",
        ),
    ]

    def __init__(self, about: str = "") -> None:
        """`about`: what is sought from the beginning."""
        super().__init__()
        self._about = about
        self._chapters: list[Chapter] = []

    def compose(self) -> ComposeResult:
        dialog = Vertical(id="dialog", classes="-roomy -help")
        dialog.border_title = "Help"
        dialog.border_subtitle = "/ seek   ↑ ↓ j k scroll   Esc close"
        with dialog:
            entry = HelpEntry(self._about, placeholder="a key, a state, a word", compact=True, select_on_focus=False)
            entry.display = bool(self._about)
            yield entry
            with HelpText():
                yield HelpPage()

    def on_mount(self) -> None:
        stack = self.app.screen_stack
        self._chapters = chapters(self.app, stack[stack.index(self) - 1])
        self._narrow(self._about)
        run = next((screen for screen in stack if isinstance(screen, RunView)), None)
        if run is not None:
            self.run_worker(self._kinds(run), name="kinds", description="the kinds of the runbook's steps")

    async def _kinds(self, run: RunView) -> None:
        """Kinds may have to be imported first."""
        told = await asyncio.to_thread(help_texts.kinds, run.runbook, Registry())
        self._chapters.append(told)
        self._narrow(self.query_one(HelpEntry).value)

    @on(Input.Changed)
    def _typed(self, message: Input.Changed) -> None:
        message.stop()
        self._narrow(message.value)
        self.query_one(HelpText).scroll_home(animate=False)

    @on(Input.Submitted)
    def _done(self, message: Input.Submitted) -> None:
        message.stop()
        self.query_one(HelpText).focus()

    def _narrow(self, text: str) -> None:
        words = text.split()
        sought = re.compile("|".join(map(re.escape, words)), re.IGNORECASE) if words else None
        self.query_one(HelpPage).show(help_texts.narrowed(self._chapters, text), sought)

    def action_search(self) -> None:
        entry = self.query_one(HelpEntry)
        entry.display = True
        self.set_focus(entry)  # now: the next key may be here already

    def action_close(self) -> None:
        self.dismiss(None)
