"""Inputs of a run: which have a value, and how the operator is asked for the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from functools import partial

from runbook.errors import StepError
from runbook.event import Event
from runbook.files import inputs
from runbook.input_types import ChoiceInput, Input, SecretInput, Sha256Input, Source, StringInput
from runbook.model import Runbook
from runbook.operator import Alphabet, ChoiceRequest, Operator, TextRequest, TranscribeRequest
from runbook.record.events import InputGiven
from runbook.threads import in_thread

ATTEMPTS = 5
"""How often an unusable value may be typed before the step gives up."""

SHA256_HEX = 64


class Inputs:
    """The values of a run's inputs, by name."""

    def __init__(self, runbook: Runbook, record: Callable[[Event], Awaitable[None]]) -> None:
        self._declared = runbook.inputs
        self._record = record
        self.values: dict[str, str] = {}
        self._kept: set[str] = set()

    def restore(self, values: Mapping[str, str], kept: Collection[str]) -> None:
        """Take over values that are on record; those in `kept` were given to a step that did not come to its end."""
        self.values.update(values)
        self._kept.update(kept)

    async def give(self, name: str, value: str, source: str) -> None:
        """Set a value that is already checked and normalised."""
        await self._record(InputGiven(name, value, source))
        self.values[name] = value

    async def need(self, names: Iterable[str], operator: Operator) -> None:
        """Ask for each of these inputs that has no value yet."""
        for name in names:
            if name in self._declared and name not in self.values:
                await self.ask(name, operator)

    def forget_paper(self, names: Iterable[str]) -> None:
        """Forget what was read from paper, so that a step tried again reads it again."""
        for name in names:
            if name in self._declared and self._declared[name].source is Source.PAPER:
                self.values.pop(name, None)
                self._kept.discard(name)

    async def ask(self, name: str, operator: Operator) -> str:
        """Ask until the value is usable; raises StepError after `ATTEMPTS` unusable ones, and for a secret."""
        if name in self._kept:
            self._kept.discard(name)
            return self.values[name]
        declared = self._declared[name]
        if isinstance(declared, SecretInput):
            raise StepError(f"`{name}` is secret, and a value that is kept as text would be on the record")
        problem = ""
        for _ in range(ATTEMPTS):
            typed = await _prompt(declared, problem, operator)
            try:
                value = await in_thread(partial(inputs.parse, declared, typed))
            except ValueError as error:
                problem = str(error)
                continue
            await self.give(name, value, _source(declared, operator))
            return value
        raise StepError(
            f"no usable value for the input `{name}`: {problem}",
            remedy="Look at what is asked for, then try the step again.",
            symptom="unusable input",
        )


def _source(declared: Input, operator: Operator) -> str:
    """Where the value came from: an operator that is no person says so itself."""
    source: str = getattr(operator, "source", "typed")
    return "typed blind" if source == "typed" and declared.source is Source.PAPER else source


async def _prompt(declared: Input, problem: str, operator: Operator) -> str:
    note = f"{problem}. {declared.help}".strip() if problem else declared.help
    if isinstance(declared, ChoiceInput):
        choices = tuple((choice, choice) for choice in declared.choices)
        return await operator.choose(ChoiceRequest(declared.ask, choices))
    if isinstance(declared, Sha256Input):
        return await operator.transcribe(TranscribeRequest(declared.ask, Alphabet.HEX, SHA256_HEX, help=note))
    if declared.source is Source.PAPER:
        pattern = declared.pattern if isinstance(declared, StringInput) else ""
        return await operator.transcribe(TranscribeRequest(declared.ask, Alphabet.TEXT, pattern=pattern, help=note))
    default = getattr(declared, "default", None)
    return await operator.text(TextRequest(declared.ask, "" if default is None else str(default), help=note))
