"""What the operator decides in line mode before and after a step, and all that can be done there beside deciding."""

from __future__ import annotations

from runbook.children import unbroken
from runbook.errors import OperatorStopped, RunbookError
from runbook.operator import Decided, Decision, Moment
from runbook.plain.around import WORDS, Lent
from runbook.plain.asking import Asking
from runbook.plain.desk import Desk

_DECISIONS = {
    Decision.RUN: "run this step",
    Decision.RETRY: "try it again",
    Decision.DONE: "take it as done, with a reason",
    Decision.WINDOW: "give the stage's time window, or change it with a reason",
    Decision.SKIP: "skip it, with a reason",
    Decision.STOP: "end the run",
}
_NOTE, _CONTINUE, _SHELL, _MORE = "note", "continue", "shell", "more"
_NUMBERED = {
    _NOTE: "write a note",
    _CONTINUE: "run on by itself until somebody must decide",
    _MORE: "look around, search, copy, editor, shell (more)",
}
_LISTED = (*WORDS.values(), "shell: a shell of your own while the run is paused; it is on record")


def _reasoned(moment: Moment) -> tuple[Decision, ...]:
    """Decisions that need a reason; to run what may be done already is one of them."""
    always = (Decision.SKIP, Decision.DONE)
    return always if moment.probed is None else (*always, Decision.RUN, Decision.RETRY)


class Deciding:
    """Asks until there is a decision; a run that goes on by itself decides where no person is needed."""

    def __init__(self, asking: Asking, terminal: Lent) -> None:
        self.desk: Desk | None = None
        """What else can be done between two steps; set once the run has begun."""
        self._asking = asking
        self._terminal = terminal
        self._continuing = False

    async def decide(self, moment: Moment) -> Decided:
        if self._goes_on(moment):
            return Decided(Decision.RUN)
        self._present(moment)
        allowed, able = list(moment.allowed), self._able(moment)
        words = [decision.value for decision in allowed] + able
        labels = [_DECISIONS[decision] for decision in allowed] + [_NUMBERED[word] for word in able]
        default = 0 if allowed[0] is Decision.RUN and moment.probed is None else None
        more = (*WORDS, _SHELL, _NOTE) if self.desk else ()
        listed = True
        while True:
            asked = f"What now, for {moment.step_id}?"
            word = await self._asking.pick(asked, labels, words, default, more, listed=listed)
            # Whoever looks around hears the choices once, and again when they ask for more.
            listed = word in (*words, _MORE)
            if word == _CONTINUE:
                self._asking.say("It runs on by itself. Enter pauses it before the next step.")
                self._continuing = True
                return Decided(Decision.RUN)
            if word not in allowed:
                await self._beside(word, moment)
                continue
            decision = Decision(word)
            if decision not in _reasoned(moment):
                return Decided(decision)
            why = f"Reason to {_DECISIONS[decision].split(',')[0]} (empty: do not): "
            if reason := (await self._asking.line(why)).strip():
                return Decided(decision, reason)

    def _goes_on(self, moment: Moment) -> bool:
        """Whether the run continues by itself here; a line that was typed meanwhile pauses it."""
        plain = moment.outcome is None and moment.probed is None and not moment.unmet
        if self._continuing and self._asking.keyboard.typed_ahead:
            self._asking.say("Paused.")
            self._continuing = False
        self._continuing = self._continuing and plain and self.desk is not None and not self.desk.grave(moment.step_id)
        return self._continuing

    def _able(self, moment: Moment) -> list[str]:
        """The words of what can be done here beside deciding, by number."""
        if self.desk is None:
            return []
        runs = Decision.RUN in moment.allowed and moment.probed is None
        return [_NOTE, *([_CONTINUE] if runs else []), _MORE]

    def _present(self, moment: Moment) -> None:
        """What the operator has to know before the decision."""
        say = self._asking.say
        if moment.unmet:
            say(f"{moment.step_id} cannot start:")
            for line in moment.unmet:
                say(f"  - {line}")
            if moment.opens:
                say("  It goes on by itself, from this question, when the window opens.")
        elif moment.outcome is None and moment.probed is None:
            say(f"{moment.step_id} is next: {moment.title}")
        if moment.probed is not None:
            say(f"{moment.step_id}, {moment.title}: the probe says `{moment.probed.answer}`")
            say(f"  {moment.probed.outcome.summary}")

    # Beside deciding.

    async def _beside(self, line: str, moment: Moment) -> None:
        """Do what is no decision; what is wrong with it is said, and the question comes again."""
        assert self.desk is not None  # noqa: S101 - without it there is nothing beside
        word, _, rest = line.partition(" ")
        try:
            match word:
                case "note":
                    await self._note(self.desk, rest)
                case "shell":
                    await self._shell(self.desk, moment.step_id)
                case "more":
                    self._asking.say_all((*_LISTED, "Type one of these words in the place of a number."))
                case "help" if not rest.strip():
                    self._asking.say_all(_LISTED)
                case _:
                    self._asking.say_all(await self.desk.do(word, rest.strip(), moment.step_id))
        except OperatorStopped:
            raise
        except RunbookError as error:
            self._asking.say_all(str(error).splitlines())

    async def _shell(self, desk: Desk, step: str) -> None:
        """Until it ends; also where the question is withdrawn meanwhile, as when a time window opens."""
        await unbroken(desk.walk.shell(step, self._terminal.lend))

    async def _note(self, desk: Desk, text: str) -> None:
        text = text.strip() or (await self._asking.line("Note (empty: none): ")).strip()
        if text:
            await desk.walk.note(text)
