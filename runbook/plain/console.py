"""The operator at a plain terminal: numbered lines and questions, nothing drawn; also for screen readers.

An empty line leaves a prompt that has no default; the end of input (ctrl-d) ends the run.
"""

from __future__ import annotations

from functools import partial

from runbook import typed
from runbook.errors import PromptCancelled
from runbook.groups import grouped_lines
from runbook.operator import (
    Alphabet,
    Attested,
    AttestRequest,
    ChoiceRequest,
    CompareRequest,
    ConfirmRequest,
    Decided,
    Moment,
    PhraseRequest,
    PinRequest,
    PointOfNoReturnRequest,
    SecretRequest,
    SignsHere,
    TerminalRequest,
    TextRequest,
    TranscribeRequest,
    WitnessRequest,
)
from runbook.plain.around import Lent
from runbook.plain.asking import Asking
from runbook.plain.deciding import Deciding
from runbook.secrets import Secret
from runbook.terminal.keyboard import Keyboard
from runbook.terminal.narrator import Narrator
from runbook.ticking import Checklisted, ChecklistRequest, Tick, Ticked


class ConsoleOperator:
    """The operator (`runbook.operator.Operator`) at a plain terminal."""

    def __init__(self, keyboard: Keyboard, narrator: Narrator) -> None:
        self._keyboard = keyboard
        self._narrator = narrator
        self._asking = Asking(keyboard, narrator)
        self.lent = Lent(keyboard, narrator)
        self.deciding = Deciding(self._asking, self.lent)

    async def decide(self, moment: Moment) -> Decided:
        return await self.deciding.decide(moment)

    async def pin(self, request: PinRequest) -> Secret:
        say = self._narrator.say
        left = "unknown" if request.tries_left is None else f"{request.tries_left} of {request.tries_max or 'unknown'}"
        say(f"{request.who} of {request.token}")
        say(f"  for: {request.purpose}")
        say(f"  attempts left before the card locks: {left}")
        if request.flags:
            say(f"  flags: {' '.join(request.flags)}")
        if request.warning:
            say(f"  WARNING: {request.warning}")
        say(f"  {request.min_length} to {request.max_length} bytes; one attempt; it is not shown while you type")
        return await self._secret(f"{request.who} (empty: leave): ")

    async def secret(self, request: SecretRequest) -> Secret:
        if request.purpose:
            self._narrator.say(f"For: {request.purpose}")
        self._narrator.say("It is not shown while you type.")
        return await self._secret(f"{request.question} (empty: leave): ")

    async def confirm(self, request: ConfirmRequest) -> bool:
        if request.dangerous:
            self._narrator.say("CAREFUL: this cannot be undone.")
        for line in request.detail:
            self._narrator.say(f"  {line}")
        return await self._yes(request.question)

    async def choose(self, request: ChoiceRequest) -> str:
        keys = [key for key, _ in request.choices]
        labels = [key if key == text else f"{key}: {text}" for key, text in request.choices]
        return await self._asking.pick(request.question, labels, keys)

    async def type_phrase(self, request: PhraseRequest) -> bool:
        for line in request.detail:
            self._narrator.say(f"  {line}")
        self._narrator.say(request.question)
        self._narrator.say(f"  {request.phrase}")
        return await self._typed("Type the phrase exactly (empty: leave): ") == request.phrase

    async def point_of_no_return(self, request: PointOfNoReturnRequest) -> bool:
        say = self._narrator.say
        say(f"POINT OF NO RETURN: {request.step_id}  {request.title}")
        say("What will be done:")
        for line in request.commands:
            say(f"    {line}")
        if request.conditions:
            say("What must hold:")
        for condition in request.conditions:
            say(f"  {'holds' if condition.holds else 'DOES NOT HOLD'}: {condition.text}")
        if request.probed:
            say(f"Its probe, which asks whether it is done already, says `{request.probed.answer}`:")
            say(f"    {request.probed.outcome.summary}")
        say("The way back:" if request.backout else "NO WAY BACK is known.")
        for line in request.backout:
            say(f"    {line}")
        if request.question and not await self._yes(request.question):
            return False
        question = f"Type the phrase to start {request.step_id}"
        return not request.phrase or await self.type_phrase(PhraseRequest(question, request.phrase))

    async def witness(self, request: WitnessRequest) -> SignsHere:
        say = self._narrator.say
        if request.problem:
            say(request.problem)
        say(f"A second person must approve {request.step_id}  {request.title}")
        for line in request.what:
            say(f"  {line}")
        say(f"  code {request.code}; until {request.until}; in a session of their own: runbook witness")
        labels = list(request.witnesses)
        witness = await self._asking.pick("Or who signs here, at this keyboard?", labels, labels)
        return SignsHere(witness, await self._answer("Path of their key (empty: leave): "))

    async def transcribe(self, request: TranscribeRequest) -> str:
        say = self._narrator.say
        say(f"{request.question}: type it from paper; the program compares")
        if request.help:
            say(f"  {request.help}")
        if request.length:
            say(f"  {request.length} characters; spaces and colons do not count; in as many lines as you like")
        value = ""
        while True:
            more = typed.without_separators(request.alphabet, await self._answer(self._place(request, value)))
            if char := typed.foreign_character(request.alphabet, more):
                say(f"`{char}` is not a {request.alphabet.value} character; type this line again")
                continue
            value += more
            if request.length and len(value) < request.length:
                continue
            problem = typed.problem(request, value)
            if not problem:
                return value
            say(f"{problem}; begin again")
            value = ""

    @staticmethod
    def _place(request: TranscribeRequest, value: str) -> str:
        """The prompt: where on paper the next character stands."""
        if not request.length or request.alphabet is Alphabet.TEXT:
            return "From paper (empty: leave): "
        group = len(value) // request.group
        within = f", after {len(value) % request.group} characters" if len(value) % request.group else ""
        place = f"{chr(ord('A') + group // 4 % 26)}{group % 4 + 1}"
        return f"From group {place}{within}, {request.length - len(value)} characters to go (empty: leave): "

    async def text(self, request: TextRequest) -> str:
        if request.help:
            self._narrator.say(f"  {request.help}")
        if not request.default:
            return await self._answer(f"{request.question} (empty: leave): ")
        return (await self._asking.line(f"{request.question} (empty: {request.default}): ")).strip() or request.default

    async def compare(self, request: CompareRequest) -> bool:
        for title, value in ((request.left_title, request.left), (request.right_title, request.right)):
            self._narrator.say(title)
            for line in grouped_lines(value):
                self._narrator.say(f"    {line}")
        return await self._yes(request.question)

    async def attest(self, request: AttestRequest) -> Attested:
        self._narrator.say(request.title)
        total = len(request.statements)
        return Attested(
            tuple(
                [
                    await self._yes(f"  {number} of {total}: {statement}. Is it so?")
                    for number, statement in enumerate(request.statements, start=1)
                ]
            )
        )

    async def checklist(self, request: ChecklistRequest) -> Checklisted:
        say = self._narrator.say
        say(f"{request.question}: one answer for each of {len(request.items)}")
        say("  y: yes   w: not yet (wait)   n: no, with the reason")
        answers = [await self._tick(request, number) for number in range(len(request.items))]
        return Checklisted(tuple(answers))

    async def _tick(self, request: ChecklistRequest, number: int) -> Ticked:
        """The answer for one item; an empty line keeps what was said before, and else means not yet."""
        before = request.said(number) or Ticked(Tick.NOT_YET)
        kept = f"{before.tick}, {before.reason}" if before.reason else before.tick.value
        prompt = f"  {number + 1} of {len(request.items)}: {request.items[number]} [y/w/n, empty: {kept}]: "
        while True:
            match (await self._asking.line(prompt)).strip().lower():
                case "":
                    return before
                case "y" | "yes":
                    return Ticked(Tick.YES)
                case "w" | "not yet":
                    return Ticked(Tick.NOT_YET)
                case "n" | "no":
                    return Ticked(Tick.NO, await self._answer("    Why not (empty: leave)? "))
            self._narrator.say("Type y for yes, w for not yet, or n for no.")

    async def terminal(self, request: TerminalRequest) -> int:
        self._narrator.say(f"The terminal is for {request.argv[0]} now.")
        code = await self.lent.lend(request)
        self._narrator.say(f"{request.argv[0]} has ended with {code}.")
        return code

    async def _answer(self, prompt: str) -> str:
        """A line that is not empty; raises PromptCancelled."""
        line = (await self._asking.line(prompt)).strip()
        if not line:
            raise PromptCancelled("the prompt was left without an answer")
        return line

    async def _typed(self, prompt: str) -> str:
        """A line that was typed letter by letter and not pasted; raises PromptCancelled."""
        show = partial(self._narrator.prompt, prompt)
        while (typed := await self._keyboard.letters(show, self._narrator.echo)) is None:
            self._narrator.say("That came all at once, as pasted text does, and does not count.")
            self._narrator.say("Type it letter by letter; where the line is slow, wait for each letter to be shown.")
        if not typed.strip():
            raise PromptCancelled("the prompt was left without an answer")
        return typed.strip()

    async def _secret(self, prompt: str) -> Secret:
        secret = await self._keyboard.secret(lambda: self._narrator.prompt(prompt))
        if not len(secret):
            raise PromptCancelled("nothing was typed, and nothing was sent")
        return secret

    async def _yes(self, question: str) -> bool:
        """No unless yes is typed."""
        while True:
            match (await self._asking.line(f"{question} [y/N]: ")).strip().lower():
                case "y" | "yes":
                    return True
                case "" | "n" | "no":
                    return False
            self._narrator.say("Type y for yes or n for no.")
