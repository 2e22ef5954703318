"""What the run waits for, in one sentence: the operator always knows whose turn it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from textual.content import Content

from runbook.operator import Moment
from runbook.state import RunState, Status
from screens.columns import wrap
from screens.lines import Lines
from screens.words import BAD, CALM, DOUBT, GOOD, LOOKS, QUIET


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
        return "bad" if moment.outcome else "doubt" if moment.unmet else "turn"

    def lines(self, width: int) -> Iterator[Content]:
        for line in self._sentences():
            yield from wrap(line, width)

    def _sentences(self) -> Iterator[Content]:
        turn, moment = self._turn, self._turn.moment
        if turn.state.finished:
            yield from self._finished()
        elif moment is None:
            yield self._at_work()
        elif moment.outcome is not None:
            said = f"{moment.step_id} {moment.outcome.verdict.value}: {moment.outcome.summary}"
            yield Content.styled(f"{LOOKS[Status(moment.outcome.verdict.value)].sign} {said}", f"bold {BAD}")
            for hint in moment.hints[:1]:
                yield Content.styled(f"  {hint}", QUIET)
        elif moment.unmet:
            yield Content.styled(f"■ {moment.step_id} cannot run yet: {'; '.join(moment.unmet)}", f"bold {DOUBT}")
        else:
            yield Content.assemble(
                ("◆ your turn", f"bold {CALM}"),
                ("   next is ", QUIET),
                (moment.step_id, "bold"),
                (f"  {moment.title}", QUIET),
            )

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
