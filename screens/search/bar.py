"""The line in which one types what is sought; it counts the places and goes to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from runbook.text import clean_line
from screens.search.grounds import Ground, StepsGround
from screens.words import CALM, DOUBT, QUIET

PAUSE = 0.05
"""Seconds without a key before millions of lines are read."""

_KEYS = "  Enter go   ↑ ↓ more   Esc back "


class SearchEntry(Input):
    """Enter goes there, escape back to where one was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", show=False, id="search.leave"),
        Binding("down,ctrl+n", "onward(1)", "Next", show=False, id="search.down"),
        Binding("up,ctrl+p", "onward(-1)", "Before", show=False, id="search.up"),
    ]

    def __init__(self, bar: SearchBar) -> None:
        super().__init__(compact=True, select_on_focus=True)
        self._bar = bar

    def action_leave(self) -> None:
        self._bar.leave()

    def action_onward(self, direction: int) -> None:
        self._bar.onward(direction)


class SearchBar(Horizontal):
    """Open while one types; afterwards it keeps what is sought and the count, until the search is ended."""

    def __init__(self) -> None:
        super().__init__()
        self._ground: Ground | None = None
        self._text = ""
        self._count = 0
        self._at = -1
        self._width = 0
        self._entry = SearchEntry(self)
        self._said = Static()

    def compose(self) -> ComposeResult:
        yield Static(Content.styled(" / ", f"bold {CALM}"))
        yield self._entry
        yield self._said

    @property
    def open(self) -> bool:
        """Whether one types."""
        return self.has_class("-open")

    @property
    def active(self) -> bool:
        """Whether something is sought and marked."""
        return self._ground is not None and not self.open

    def begin(self, ground: Ground) -> None:
        """Seek there, beginning with what was sought last."""
        text = self._text
        self.end()
        self._ground = ground
        self._open()
        with self._entry.prevent(Input.Changed):
            self._entry.value = text
        self.screen.set_focus(self._entry)  # now, and not with the next message: the next key may be here already
        if isinstance(ground, StepsGround):
            self.run_worker(ground.warm(), name="warm", description="the steps are read", group="warm")
        self._seek(text)

    @on(Input.Changed)
    def _typed(self, message: Input.Changed) -> None:
        message.stop()
        self._seek(message.value)

    @on(Input.Submitted)
    def _done(self, message: Input.Submitted) -> None:
        """Keep the place; what was typed last may still be sought."""
        message.stop()
        self._instead(partial(self._keep, message.value))

    def _seek(self, text: str) -> None:
        self._instead(partial(self._find, text))

    def _instead(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Instead of the search that goes on; one that has not even begun is never made."""
        self.run_worker(
            work,  # type: ignore[arg-type]  # Textual's overload does not infer what nobody takes
            name="seek",
            description="a search",
            group="seek",
            exclusive=True,
        )

    async def _find(self, text: str) -> None:
        ground = self._ground
        if ground is None:
            return
        if ground.slow:
            await asyncio.sleep(PAUSE)
        count = await ground.seek(text)
        if ground is not self._ground:
            return
        self._text, self._count = text, count
        if count and text.strip():
            self._go(ground.nearest())
        else:
            self._at = -1
            ground.restore()
        self._tell()

    async def _keep(self, text: str) -> None:
        if text != self._text:
            await self._find(text)
        ground = self._ground
        if ground is None:
            return
        if not self._count:
            self.leave()
            return
        self._close()
        ground.widget.focus(scroll_visible=False)
        self._tell()

    def _go(self, index: int) -> None:
        if self._ground is not None and index >= 0:
            self._at = index
            self._ground.go(index)

    def onward(self, direction: int) -> None:
        """The next place or the one before, round the end; what has come since is found too."""
        self._instead(partial(self._onward, direction))

    async def _onward(self, direction: int) -> None:
        ground = self._ground
        if ground is None or not self._text.strip():
            return
        self._count = await ground.seek(self._text)
        if ground is self._ground:
            self._go(ground.nearest(direction) if self._count else -1)
            self._tell()

    def leave(self) -> None:
        """End the search and go back to where one was."""
        ground = self._ground
        self.end()
        if ground is not None:
            ground.restore()
            ground.widget.focus(scroll_visible=False)

    def end(self) -> None:
        """End the search; nothing is marked any more."""
        ground, self._ground = self._ground, None
        self._count, self._at = 0, -1
        self.workers.cancel_group(self, "seek")
        self._close()
        self.display = False
        if ground is not None:
            ground.clear()

    def _open(self) -> None:
        """The keys of the screen give way: none of them works while one types."""
        self.display = True
        self.add_class("-open")
        if self.parent is not None:
            self.parent.add_class("-searching")

    def _close(self) -> None:
        self.remove_class("-open")
        if self.parent is not None:
            self.parent.remove_class("-searching")

    def _tell(self) -> None:
        """How many places there are, and which one this is."""
        if self._ground is None:
            return
        if not self._text.strip():
            said = Content.styled(f"type what you seek in {self._ground.where}", QUIET)
        elif self._count:
            said = Content.assemble((f"{self._at + 1} of {self._count}", "bold"), (f" {self._ground.name}", QUIET))
        else:
            said = Content.styled("not found", f"bold {DOUBT}")
        if self.open:
            said = Content.assemble("  ", said, (_KEYS, QUIET))
        else:
            said = Content.assemble((clean_line(self._text.strip()), "bold"), "  ", said, "   ")
        # The screen is arranged anew only where the count has become wider or narrower.
        self._said.update(said, layout=said.cell_length != self._width)
        self._width = said.cell_length
        self.screen.refresh_bindings()
