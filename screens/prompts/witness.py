"""At the driver's keyboard: a second person is to approve, in a session of their own or here."""

from __future__ import annotations

from collections.abc import Iterator

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList

from runbook.operator import SignsHere, WitnessRequest
from runbook.text import clean_line
from screens import clock
from screens.columns import exact, pairs, wrap
from screens.lines import Lines
from screens.prompts.choice import Choices
from screens.prompts.prompt import Prompt, Said, quiet, refusal
from screens.words import CALM, DOUBT


class Asked(Lines):
    """What is to be approved: the step, the exact commands, and the code that both screens show."""

    def __init__(self, step: str, title: str, what: tuple[str, ...], code: str) -> None:
        super().__init__()
        self._step, self._title, self._what, self._code = step, title, what, code

    def lines(self, width: int) -> Iterator[Content]:
        yield from wrap(
            Content.assemble((self._step, f"bold {CALM}"), "  ", Content.styled(self._title, "bold")), width
        )
        yield from exact(self._what, width)
        yield Content("")
        code = Content.styled(f" {self._code} ", "bold reverse")
        yield from pairs([("code", Content.assemble(code, quiet("  the same on both screens")))], width)


class Countdown(Lines):
    """How long the question stands."""

    def __init__(self, until: str) -> None:
        super().__init__()
        self._until = until

    def on_mount(self) -> None:
        self.set_interval(clock.TICK, self.redraw)

    def lines(self, width: int) -> Iterator[Content]:
        yield from pairs([("left", standing(self._until))], width)


def standing(until: str) -> Content:
    """The end of the question and how long that is from now."""
    rest = clock.left(until)
    if rest is None:
        return Content(until)
    if rest.total_seconds() <= 0:
        return Content.styled("the time is over", f"bold {DOUBT}")
    return Content.assemble((clock.countdown(rest), "bold"), quiet(f"  until {clock.face(clock.now() + rest)}"))


class WitnessPrompt(Prompt[SignsHere]):
    """Waiting is the safe choice and has the focus; an answer from elsewhere takes the prompt away."""

    AUTO_FOCUS = "Choices"
    heading = "A second person must approve"
    frame = "-roomy"
    keys = "↑/↓ choose   Enter choose   Esc cancel, nothing is done"

    def __init__(self, request: WitnessRequest) -> None:
        super().__init__()
        self._request = request
        self._chosen = ""

    def body(self) -> Iterator[Widget]:
        asked = self._request
        yield Asked(asked.step_id, asked.title, asked.what, asked.code)
        yield Countdown(asked.until)
        if asked.problem:
            yield Said(refusal(asked.problem))
        yield Said(Content.assemble("In a session of their own they run ", ("runbook witness", f"bold {CALM}"), "."))
        waits = Content.assemble(("Wait", "bold"), "  for an answer from their own session")
        yield Choices(waits, *map(_signs_here, asked.witnesses))
        yield Said(quiet("The driver cannot approve for both."), classes="state")

    @on(OptionList.OptionSelected)
    def _choose(self, message: OptionList.OptionSelected) -> None:
        for shown in self.query(Input):
            shown.remove()
        self._chosen = self._request.witnesses[message.option_index - 1] if message.option_index else ""
        if not self._chosen:
            self._say(quiet("Waiting for an answer from the witness's own session."))
            return
        self._say(
            quiet("Path of a private key, or of a public key whose private part is in an agent or a FIDO2 device."),
            quiet("ssh-keygen then has the whole terminal and asks for the passphrase; nothing of it is kept."),
        )
        entry = Input(placeholder="for example ~/.ssh/id_ed25519", select_on_focus=False)
        entry.border_title = "Path of the witness's key"
        self.query_one("#dialog").mount(entry, before=self.query_one(".state"))
        entry.focus()

    @on(Input.Submitted)
    def _sign(self, message: Input.Submitted) -> None:
        path = clean_line(message.value).strip()
        if path:
            self.dismiss(SignsHere(self._chosen, path))
        else:
            self._say(refusal("The path of the key must be written here; Tab leads back to the choice."))

    def _say(self, *lines: Content) -> None:
        self.query_one(".state", Said).say(*lines)


def _signs_here(name: str) -> Content:
    return Content.assemble((name, "bold"), "  signs here, at this keyboard, with their own key")
