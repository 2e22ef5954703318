"""What the run waits for, in one sentence: the operator always knows whose turn it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from textual.content import Content

from runbook.operator import Decision, Moment
from runbook.state import RunState
from screens.columns import wrap
from screens.lines import Lines
from screens.words import BAD, CALM, DOUBT, GOOD, QUIET

_KEYS = {Decision.RUN: "R run", Decision.RETRY: "T try again", Decision.SKIP: "S skip", Decision.STOP: "Q stop"}


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
            then = ", then on to the next" if turn.continuing else ""
            at = turn.state.at or "the run"
            yield Content.assemble((f"▶ {at} is at work{then}", CALM), ("    Q stop", QUIET))
        elif moment.outcome is not None:
            said = f"{moment.step_id} {moment.outcome.verdict.value}: {moment.outcome.summary}"
            yield Content.styled(f"✗ {said}", f"bold {BAD}")
            yield _keys(moment)
        elif moment.unmet:
            yield Content.styled(f"■ {moment.step_id} cannot run yet: {'; '.join(moment.unmet)}", f"bold {DOUBT}")
            yield _keys(moment)
        else:
            yield Content.assemble(("▶ next  ", CALM), (f"{moment.step_id}  {moment.title}", "bold"))
            yield _keys(moment)

    def _finished(self) -> Iterator[Content]:
        state = self._turn.state
        style = GOOD if state.finished == "green" else BAD
        sign = "✓" if state.finished == "green" else "✗"
        yield Content.styled(
            f"{sign} The run is over: {state.finished}" + (f". {state.reason}" if state.reason else ""), style
        )
        yield Content.assemble(
            ("  Write the head on paper: ", QUIET), (self._turn.head or "–", "bold"), ("    Q leave", QUIET)
        )


def _keys(moment: Moment) -> Content:
    words = [_KEYS[decision] for decision in moment.allowed if decision in _KEYS]
    if Decision.RUN in moment.allowed:
        words.insert(1, "C continue")
    return Content.styled("  your turn:  " + "   ".join(words), QUIET)
