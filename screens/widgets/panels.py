"""Facts and journal: a third column where there is room, otherwise one of them in the place of the step's page."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from textual.app import ComposeResult
from textual.containers import Vertical

from runbook.model import Runbook
from runbook.record.state import RunState
from runbook.record.told import Told
from screens.widgets.facts_panel import FactsPanel
from screens.widgets.journal_panel import JournalPanel

ROOM: Final = 160
"""Cells from which there is room for a third column."""


class Panel(StrEnum):
    """Which of the two."""

    FACTS = "facts"
    JOURNAL = "journal"


class Panels(Vertical):
    """Opened and closed by name; in a column of their own both are open until they are closed."""

    def __init__(self, runbook: Runbook, told: Told, stages: Collection[str]) -> None:
        super().__init__(id="panels")
        self.facts = FactsPanel(runbook, told, stages)
        self.journal = JournalPanel(told)
        self._beside = False
        self._shut: set[Panel] = set()
        """Of the column."""
        self._instead: Panel | None = None
        """Which stands in the place of the page."""

    def compose(self) -> ComposeResult:
        yield self.facts
        yield self.journal

    @property
    def replace_page(self) -> bool:
        """Whether one of them stands where the page would be."""
        return self._instead is not None and not self._beside

    @property
    def front(self) -> FactsPanel | JournalPanel | None:
        """The one in the place of the page."""
        if not self.replace_page:
            return None
        return self.facts if self._instead is Panel.FACTS else self.journal

    def is_open(self, panel: Panel) -> bool:
        return panel not in self._shut if self._beside else self._instead is panel

    def toggle(self, panel: Panel) -> None:
        """Open it, or close it."""
        if self._beside:
            self._shut ^= {panel}
        else:
            self._instead = None if self._instead is panel else panel
        self._arrange()

    def fit(self, width: int) -> None:
        """The screen is that wide now."""
        self._beside = width >= ROOM
        self._arrange()

    def _arrange(self) -> None:
        self.set_class(self._beside, "-beside")
        for panel, widget in ((Panel.FACTS, self.facts), (Panel.JOURNAL, self.journal)):
            was, widget.display = widget.display, self.is_open(panel)
            if widget.display and not was:
                self.call_after_refresh(widget.flush)
        self.display = self.facts.display or self.journal.display

    def show(self, state: RunState) -> None:
        """The run stands like this, and more may have been told."""
        if not self.display:
            return
        self.facts.show(state)
        if self.journal.display:
            self.journal.grown()
