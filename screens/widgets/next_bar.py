"""What the run waits for, in one sentence: the operator always knows whose turn it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from textual.content import Content

from runbook.operator import Decision, Moment
from runbook.record.state import RunState, Status
from screens import clock
from screens.columns import wrap
from screens.lines import Lines
from screens.words import BAD, CALM, DOUBT, GOOD, LOOKS, QUIET, probe_badge


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn it is."""

    state: RunState
    moment: Moment | None = None
    continuing: bool = False
    head: str = ""


class NextBar(Lines):
    """Docked at the bottom, in the colour of what it says."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = Turn(RunState())

    def on_mount(self) -> None:
        self.set_interval(clock.TICK, self._tick)

    def _tick(self) -> None:
        if self._turn.moment is not None and self._turn.moment.opens:
            self.redraw()

    def show(self, turn: Turn) -> None:
        """Say whose turn it is now."""
        if turn != self._turn:
            self._turn = turn
            self.set_classes(f"-{self._tone()}")
            self.redraw()

    def _tone(self) -> str:
        if self._turn.state.finished:
            return "good" if self._turn.state.finished == "green" else "bad"
        moment = self._turn.moment
        if moment is None:
            return "busy"
        if _doubtful(moment) or moment.unmet:
            return "doubt"
        return "bad" if moment.outcome else "turn"

    def lines(self, width: int) -> Iterator[Content]:
        for line in self._sentences():
            yield from wrap(line, width)

    def _sentences(self) -> Iterator[Content]:
        turn, moment = self._turn, self._turn.moment
        if turn.state.finished:
            yield from self._finished()
        elif moment is None:
            yield self._at_work()
        elif _doubtful(moment):
            yield from self._doubt(moment)
        elif moment.outcome is not None:
            said = f"{moment.step_id} {moment.outcome.verdict.value}: {moment.outcome.summary}"
            yield Content.styled(f"{LOOKS[Status(moment.outcome.verdict.value)].sign} {said}", f"bold {BAD}")
            for hint in moment.hints[:1]:
                yield Content.styled(f"  {hint}", QUIET)
        elif moment.unmet:
            yield from self._opens(moment)
            yield Content.styled(f"■ {moment.step_id} cannot run yet: {'; '.join(moment.unmet)}", f"bold {DOUBT}")
        else:
            yield Content.assemble(
                ("◆ your turn", f"bold {CALM}"),
                ("   next is ", QUIET),
                (moment.step_id, "bold"),
                (f"  {moment.title}", QUIET),
            )

    def _doubt(self, moment: Moment) -> Iterator[Content]:
        """An action that may be done already: what its probe says, and what may be done about it."""
        if moment.outcome is not None:
            yield Content.styled(f"? {moment.step_id} is in doubt: {moment.outcome.summary}", f"bold {DOUBT}")
        else:
            yield Content.styled(f"▲ {moment.step_id} seems to be done already", f"bold {DOUBT}")
        if moment.probed is None:
            yield Content.styled("  it has no probe: only you can say whether it is done", QUIET)
        else:
            yield Content.assemble(("  its probe says ", QUIET), probe_badge(moment.probed.answer))

    def _opens(self, moment: Moment) -> Iterator[Content]:
        """How long it is until the window opens; the engine then asks anew by itself."""
        rest = clock.left(moment.opens) if moment.opens else None
        if rest is not None:
            said = f"in {clock.countdown(rest)}" if rest.total_seconds() > 0 else "now"
            yield Content.assemble(("◷ the window opens ", DOUBT), (said, "bold"), ("; the step is then free", QUIET))

    def _at_work(self) -> Content:
        turn = self._turn
        at = turn.state.at or "the run"
        then = "; then on to the next" if turn.continuing else ""
        if turn.state.step(at).status is Status.NEEDS_YOU:
            return Content.styled(f"◆ {at} has asked you something", f"bold {DOUBT}")
        return Content.assemble(("▶ ", f"bold {CALM}"), (at, "bold"), (f" is at work{then}", QUIET))

    def _finished(self) -> Iterator[Content]:
        state = self._turn.state
        green = state.finished == "green"
        yield Content.styled(
            f"{'✓' if green else '✗'} The run is over, {state.ending}", f"bold {GOOD if green else BAD}"
        )
        yield Content.assemble(("  write the journal's head on paper:  ", QUIET), (self._turn.head or "–", "bold"))


def _doubtful(moment: Moment) -> bool:
    """Whether the step may have been done already."""
    return Decision.DONE in moment.allowed
