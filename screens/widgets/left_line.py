"""Where a run that goes on was left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from textual.content import Content

from runbook.record.state import RunState, Status
from screens.columns import wrap
from screens.lines import Lines
from screens.words import DOUBT, QUIET, badge


class LeftLine(Lines):
    """When and at which step, and what is in doubt since; shown until the run has gone on."""

    def __init__(self, history: RunState, left_at: str) -> None:
        super().__init__()
        self._history, self._left_at = history, left_at
        self.display = bool(history.run_id)

    def lines(self, width: int) -> Iterator[Content]:
        history = self._history
        where = f" at {history.at}" if history.at else " before its first step"
        how = f", {history.ending}" if history.finished else ""
        yield from wrap(
            Content.assemble(("↻ resumed", f"bold {DOUBT}"), f": it was left{where}{how}", (self._when(), QUIET)), width
        )
        doubts = [step for step, now in history.steps.items() if in_doubt(history, step)]
        if doubts:
            yield from wrap(Content.assemble(badge(Status.IN_DOUBT), f": {', '.join(doubts)}"), width, indent=2)

    def _when(self) -> str:
        try:
            moment = datetime.fromisoformat(self._left_at)
        except ValueError:
            return ""
        return f", on {moment.astimezone(UTC):%Y-%m-%d at %H:%M:%S UTC}"


def in_doubt(state: RunState, step: str) -> bool:
    """Whether the step had begun and not ended when the run was left, or ended in doubt."""
    now = state.step(step)
    return now.begun or now.in_doubt or now.status is Status.IN_DOUBT
