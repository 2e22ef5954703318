"""What the witness should know now: whether they follow live, and whether they are asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from textual.content import Content

from runbook.record.state import RunState, Status
from screens import clock
from screens.columns import wrap
from screens.lines import Lines
from screens.words import BAD, CALM, DOUBT, GOOD, LOOKS, QUIET


@dataclass(frozen=True, slots=True)
class Watch:
    """How the witness stands to the run."""

    state: RunState
    head: str = ""
    live: bool = False
    """Whether everything that is on record was shown."""
    me: str = ""
    """Who follows, by their name in the site profile; empty: not known, so nothing can be answered."""
    driven: str = ""
    """Who drives, in words; empty: nobody, or it cannot be seen from here."""
    asked: str = ""
    """The step that waits for an approval."""
    code: str = ""
    until: str = ""
    said: str = ""
    """What came of the last thing the witness said."""


class WitnessBar(Lines):
    """Docked at the bottom."""

    def __init__(self) -> None:
        super().__init__()
        self._watch = Watch(RunState())

    def on_mount(self) -> None:
        self.set_interval(clock.TICK, self._tick)

    def _tick(self) -> None:
        if self._watch.asked:
            self.redraw()

    def show(self, watch: Watch) -> None:
        """Say how it stands now."""
        if watch != self._watch:
            self._watch = watch
            self.set_classes(f"-{self._tone()}")
            self.redraw()

    def _tone(self) -> str:
        finished = self._watch.state.finished
        return "doubt" if self._watch.asked else "busy" if not finished else "good" if finished == "green" else "bad"

    def lines(self, width: int) -> Iterator[Content]:
        for line in self._sentences():
            yield from wrap(line, width)

    def _sentences(self) -> Iterator[Content]:
        watch = self._watch
        if watch.asked:
            yield self._asked()
        elif watch.state.finished:
            green = watch.state.finished == "green"
            said = f"{'✓' if green else '✗'} The run is over, {watch.state.ending}"
            yield Content.styled(said, f"bold {GOOD if green else BAD}")
            yield Content.assemble(("  write the journal's head on paper:  ", QUIET), (watch.head or "–", "bold"))
        else:
            yield self._at_work()
        who = f"you follow as {watch.me}" if watch.me else "you follow, and cannot answer: who you are is not known"
        driven = f"; {watch.driven} drives" if watch.driven else ""
        yield Content.styled(f"  {who}{driven}; nothing here changes the run", QUIET)
        if watch.said:
            yield Content.assemble(("  ", QUIET), watch.said)

    def _asked(self) -> Content:
        rest = clock.left(self._watch.until)
        left = f", {clock.countdown(rest)} left" if rest is not None else ""
        return Content.assemble(
            (f"◆ {self._watch.asked} waits for your approval{left}", f"bold {DOUBT}"),
            ("   a answers   code ", QUIET),
            (self._watch.code, "bold"),
        )

    def _at_work(self) -> Content:
        state = self._watch.state
        live = ("◉ live", f"bold {GOOD}") if self._watch.live else ("◌ reading the record", f"bold {CALM}")
        if not state.at:
            return Content.assemble(live)
        status = state.step(state.at).status
        word = "asks the driver something" if status is Status.NEEDS_YOU else status.value
        look = LOOKS[status]
        return Content.assemble(live, ("   ", QUIET), (state.at, "bold"), " ", (f"{look.sign} {word}", look.style))
