"""The point of no return: everything that a person must know before what cannot be undone."""

from __future__ import annotations

from collections.abc import Iterator

from textual import on
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget

from runbook.operator import PointOfNoReturnRequest
from runbook.probing import Answer as Probe
from screens.columns import exact, wrap
from screens.lines import Lines
from screens.prompts.answer import Answer, Answers
from screens.prompts.phrase import COUNTS
from screens.prompts.phrase_entry import PhraseEntry
from screens.prompts.prompt import Prompt, Said, caution, quiet, refusal
from screens.words import BAD, CALM, probe_badge, verdict

_HOLDS = 19
"""Cells of `✗ does not hold` with what is around it."""


class _Banner(Lines):
    """A glyph and words; it never scrolls away."""

    def lines(self, width: int) -> Iterator[Content]:
        yield from wrap(Content("▲ POINT OF NO RETURN   What follows cannot be undone."), width)


class _More(Lines):
    """Says that the page goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.below = False

    def lines(self, width: int) -> Iterator[Content]:
        said = "▼ there is more: PgDn" if self.below else ""
        yield Content.styled(said, f"bold {CALM}").truncate(width)


class _Page(Lines):
    """What is done, what must hold, the probe's answer, and the way back."""

    def __init__(self, request: PointOfNoReturnRequest) -> None:
        super().__init__()
        self._request = request

    def lines(self, width: int) -> Iterator[Content]:
        asked = self._request
        yield from wrap(
            Content.assemble((asked.step_id, f"bold {CALM}"), "  ", Content.styled(asked.title, "bold")), width
        )
        yield from _headed("Will be done, exactly")
        yield from exact(asked.commands, width)
        if asked.conditions:
            yield from _headed("Must hold")
        # What does not hold comes first: at 80 by 24 the rest may have to be scrolled to.
        for condition in sorted(asked.conditions, key=lambda condition: condition.holds):
            said = verdict(condition.holds, "holds", "does not hold").pad_left(2)
            for line in wrap(condition.text, width - _HOLDS):
                yield said.pad_right(_HOLDS - said.cell_length) + line
                said = Content("")
        yield from _headed("Is it done already? The probe says")
        yield from self._probe(width)
        yield from _headed("Way back")
        if not asked.backout:
            yield from wrap(Content.styled("✗ none: the runbook knows no way back from here", f"bold {BAD}"), width, 2)
        for number, way in enumerate(asked.backout, start=1):
            for count, part in enumerate(wrap(way, width - 5)):
                yield Content.assemble(quiet(f"{number:>3}  " if count == 0 else " " * 5), part)

    def _probe(self, width: int) -> Iterator[Content]:
        probed = self._request.probed
        if probed is None:
            yield from wrap(
                quiet("nothing: this step has no probe, so nobody can ask later whether it was done"), width, 2
            )
            return
        yield from wrap(Content.assemble(probe_badge(probed.answer), "   ", probed.outcome.summary), width, indent=2)
        if probed.answer is not Probe.NOT_DONE:
            yield from wrap(caution("Before the step, `not done` is what it should say."), width, indent=2)


def _headed(title: str) -> Iterator[Content]:
    yield Content("")
    yield Content.styled(title, f"bold {CALM}")


class PointOfNoReturnPrompt(Prompt[bool]):
    """True once yes was said and the phrase was typed. Leaving it has the focus, and is always in sight."""

    AUTO_FOCUS = "#answer-no"
    BINDINGS = [  # noqa: RUF012 - Textual's name
        Binding("pageup", "page(-1)", "Page up", show=False, id="prompt.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="prompt.page_down"),
    ]
    heading = "Point of no return"
    frame = "-dangerous -grave"

    def __init__(self, request: PointOfNoReturnRequest) -> None:
        super().__init__()
        self._request = request
        self.keys = "PgUp/PgDn scroll   Tab next   Esc leave, nothing is done"

    def dialog(self) -> Vertical:
        return Vertical(id="dialog", classes=self.frame)

    def body(self) -> Iterator[Widget]:
        asked = self._request
        yield _Banner(classes="banner")
        yield VerticalScroll(_Page(asked), id="page", can_focus=False)
        yield _More()
        with Vertical(id="foot"):
            yield Said(Content.styled(asked.question or "Go past this point?", "bold"), classes="question")
            if asked.phrase:
                yield PhraseEntry(asked.phrase)
                yield Said(quiet(f"type the phrase under itself; {COUNTS}"), classes="state")
            yield Answers(
                Answer("no", "Leave it, nothing is done"), Answer("yes", "Do it", disabled=bool(asked.phrase))
            )

    def on_mount(self) -> None:
        page = self.query_one("#page", VerticalScroll)
        for name in ("scroll_y", "max_scroll_y", "virtual_size", "size"):
            self.watch(page, name, self._scrolled, init=False)
        self.call_after_refresh(self._scrolled)

    def _scrolled(self) -> None:
        more, page = self.query_one(_More), self.query_one("#page", VerticalScroll)
        below = page.scroll_y < page.max_scroll_y
        if below != more.below:
            more.below = below
            more.redraw()

    def action_page(self, direction: int) -> None:
        page = self.query_one("#page", VerticalScroll)
        if direction < 0:
            page.scroll_page_up(animate=False)
        else:
            page.scroll_page_down(animate=False)

    @property
    def _typed(self) -> bool:
        return not self._request.phrase or self.query_one(PhraseEntry).exact

    @on(PhraseEntry.Changed)
    def _changed(self) -> None:
        # Asked of the entry now: a message that comes late must not enable what no longer holds.
        self.query_one("#answer-yes", Answer).disabled = not self._typed
        self._say(quiet(f"{self.query_one(PhraseEntry).standing}; {COUNTS}"))

    @on(PhraseEntry.Submitted)
    def _submitted(self) -> None:
        if not self._typed:
            self._say(refusal(f"That is not the phrase yet: {self.query_one(PhraseEntry).standing}."))
        elif self._request.question:
            self.query_one("#answer-no", Answer).focus()
        else:
            self.dismiss(True)

    @on(PhraseEntry.Refused)
    def _refused(self, message: PhraseEntry.Refused) -> None:
        self._say(refusal(message.why))

    @on(Answer.Pressed)
    def _answer(self, message: Answer.Pressed) -> None:
        if message.key == "no" or self._typed:
            self.dismiss(message.key == "yes")

    def _say(self, line: Content) -> None:
        self.query_one(".state", Said).say(line)
