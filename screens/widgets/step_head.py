"""What a step is, how it stands, and how long it takes beside what is expected."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from runbook.model import Role, Step
from runbook.record.pace import TOLD, about, said
from runbook.record.state import StepState
from screens import clock
from screens.columns import wrap
from screens.lines import Lines
from screens.words import BAD, CALM, QUIET, badge


class StepHead(Lines):
    """Its time goes on while it is at work."""

    SHOWS = ("_step", "_now", "_began", "_wanted")

    def __init__(self, step: Step, now: StepState, began: str = "", wanted: float | None = None) -> None:
        """`began`: when the attempt under way began, RFC 3339. `wanted`: the seconds that are expected."""
        super().__init__()
        self._step, self._now, self._began, self._wanted = step, now, began, wanted
        self._said = ""

    def on_mount(self) -> None:
        super().on_mount()
        self.set_interval(clock.TICK, self._tick)

    def _tick(self) -> None:
        if self._said != self._time():
            self.redraw()

    def _time(self) -> str:
        if self._now.outcome is not None:
            return said(self._now.seconds, self._wanted, over=True)
        since = clock.since(self._began) if self._now.begun else None
        if since is not None:
            return said(since, self._wanted, over=False)
        if self._now.over or self._wanted is None or self._wanted < TOLD:
            return ""
        return f"expected about {about(self._wanted)}"

    def lines(self, width: int) -> Iterator[Content]:
        step, now = self._step, self._now
        yield from wrap(Content.assemble((step.id, f"bold {CALM}"), "  ", Content.styled(step.title, "bold")), width)
        kind = "attestation" if step.role is Role.ATTESTATION else f"{step.role.value} {step.kind}"
        attempt = f"  attempt {now.attempt}" if now.attempt > 1 else ""
        self._said = self._time()
        time = f"  {self._said}" if self._said else ""
        yield from wrap(Content.assemble(badge(now.status), (f"  {kind}{attempt}{time}", QUIET)), width)
        if step.irreversible:
            yield from wrap(Content.styled(" IRREVERSIBLE ", f"bold reverse {BAD}"), width)
