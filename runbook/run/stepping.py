"""One attempt at one step: inputs, gate, the record, the kind itself, its deadline and its errors."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from runbook.backout import Probe
from runbook.context import Resource
from runbook.errors import JournalError, OperatorStopped, PromptCancelled, RunbookError, StepError, is_exhausted
from runbook.event import Event
from runbook.files import templates
from runbook.kind import Kind
from runbook.model import Role, Step
from runbook.operator import Operator
from runbook.outcome import Evidence, Outcome
from runbook.ran import heard_by
from runbook.record.events import StepStarted
from runbook.run.commands import Commands
from runbook.run.deadline import Deadline
from runbook.run.recording import RecordingOperator
from runbook.secrets import Redactor
from runbook.site import LOCAL, Site
from runbook.text import clean_line
from runbook.touched import Touched

if TYPE_CHECKING:
    from runbook.run.engine import Engine

R = TypeVar("R", bound=Resource)


class StepRun:
    """The context (`runbook.context.Context`) of one attempt, and the attempt itself."""

    def __init__(self, engine: Engine, step: Step, attempt: int) -> None:
        self.step = step
        self.attempt = attempt
        self.started = False
        self._engine = engine
        self._last = engine.state.step(step.id).outcome
        self._deadline = Deadline(step.deadline)
        self._operator = RecordingOperator(engine.operator, step.id, engine.record, self._deadline)
        self._commands = Commands(step.id, engine.record, engine.redactor)

    @staticmethod
    def names(step: Step) -> frozenset[str]:
        """The names that the step's texts insert."""
        return templates.names({"params": step.params, "gate": (step.gate.phrase or "", step.gate.confirm or "")})

    @property
    def run_id(self) -> str:
        return self._engine.plan.header.run_id

    @property
    def step_id(self) -> str:
        return self.step.id

    @property
    def runbook_title(self) -> str:
        return self._engine.plan.runbook.title

    @property
    def folder(self) -> Path:
        return self._engine.plan.folder

    @property
    def site(self) -> Site:
        return self._engine.plan.site

    @property
    def operator(self) -> Operator:
        return self._operator

    @property
    def seconds_left(self) -> float:
        return self._deadline.left

    @property
    def redactor(self) -> Redactor:
        return self._engine.redactor

    @property
    def last(self) -> Outcome | None:
        return self._last

    @property
    def touched(self) -> tuple[Touched, ...]:
        return self._engine.state.touched

    async def touch(self, what: str, name: str, *, on: str = LOCAL, how: str = "changed") -> None:
        await self.record(Touched(self.step.id, what, clean_line(name), on, how))

    async def record(self, event: Event) -> None:
        await self._engine.record(event)

    async def attach(self, name: str, content: bytes | Path | Iterable[bytes]) -> str:
        return await self._engine.attach(self.step.id, name, content)

    def progress(self, line: str) -> None:
        self._engine.progress(self.step.id, clean_line(self._engine.redactor(line)))

    def show(self, evidence: Evidence) -> None:
        self._engine.show(self.step.id, evidence)

    async def use(self, resource: type[R]) -> R:
        return await self._engine.resources.use(resource)

    async def ask_input(self, name: str) -> str:
        return await self._engine.inputs.ask(name, self._operator)

    async def outcome(self) -> Outcome:
        """What the attempt ends with; raises only OperatorStopped, JournalError and CancelledError."""
        try:
            with heard_by(self._commands.hear):
                try:
                    return await self._attempt()
                finally:
                    await self._commands.recorded()
        except (OperatorStopped, JournalError):
            raise
        except PromptCancelled as cancelled:
            return Outcome.errored(f"cancelled: {cancelled.what}", symptom="cancelled", remedy=cancelled.remedy)
        except StepError as error:
            if error.in_doubt and self.started and self.step.role is Role.ACTION:
                return Outcome.in_doubt(_said(error), symptom=error.symptom, remedy=error.remedy)
            return Outcome.errored(_said(error), symptom=error.symptom, remedy=error.remedy)
        except RunbookError as error:
            return Outcome.errored(_said(error), remedy=error.remedy)
        except TimeoutError:
            return self._late()
        except ValidationError as error:
            return Outcome.errored(_invalid(error), symptom="unusable input", remedy="Correct the value and try again.")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a kind, also a plug-in's, must not take the run down
            if is_exhausted(error):
                return self._exhausted()
            return _broken(self.step, error)

    async def _attempt(self) -> Outcome:
        kind, params = await self._kind()
        instead = await self._engine.gates.open(self, kind, params, self._engine.inputs.values)
        if instead is not None:
            return instead
        await _load(kind.loads)
        await self.record(StepStarted(self.step.id, self.attempt, self.step.kind, params))
        self.started = True
        return await self._run(kind)

    async def _kind(self) -> tuple[Kind[Any], dict[str, Any]]:
        """The step's kind, ready to run, and its parameters with the values inserted."""
        await self._engine.inputs.need(sorted(self.names(self.step)), self._operator)
        params = templates.render_params(self.step.params, self._engine.inputs.values)
        kind_class = self._engine.registry.get(self.step.role, self.step.kind)
        return kind_class(kind_class.Params.model_validate(params)), params

    async def _run(self, kind: Kind[Any]) -> Outcome:
        async with self._deadline.running():
            outcome: object = await kind.run(self)
        if not isinstance(outcome, Outcome):
            raise TypeError("a kind's `run` returns an Outcome")
        return outcome

    def _exhausted(self) -> Outcome:
        said = "this machine had not enough memory for it"
        if self.step.role is Role.ACTION and self.started:
            return Outcome.in_doubt(f"{said}; whether it is done is not known", symptom="out of memory")
        return Outcome.errored(said, symptom="out of memory", remedy="End other programs there, then try again.")

    def _late(self) -> Outcome:
        said = f"not done within its {self.step.deadline:g} seconds"
        if self.step.role is Role.ACTION:
            return Outcome.in_doubt(f"{said}; whether it is done is not known", symptom="deadline")
        return Outcome.errored(said, symptom="deadline", remedy="Look at why it hangs, then try again.")


class ProbeRun(StepRun):
    """The probe of an action: a check, so it only reads; it has no gate and is no step of its own."""

    def __init__(self, engine: Engine, step: Step, probe: Probe) -> None:
        check = Step(
            id=step.id,
            title=step.title,
            role=Role.CHECK,
            kind=probe.check,
            params=probe.params,
            deadline=step.deadline,
        )
        super().__init__(engine, check, attempt=0)

    async def _attempt(self) -> Outcome:
        kind, _ = await self._kind()
        await _load(kind.loads)
        return await self._run(kind)


async def _load(modules: Sequence[str]) -> None:
    """Import them in a thread: what a step needs first can take longer than a screen may stand still."""
    missing = [name for name in modules if name not in sys.modules]
    if missing:
        await asyncio.to_thread(lambda: [import_module(name) for name in missing])


def _said(error: RunbookError) -> str:
    return f"{error.where}: {error.what}" if error.where else error.what


def _invalid(error: ValidationError) -> str:
    """The problems by key, without the values."""
    problems = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()]
    return "the step's keys are unusable with these values: " + "; ".join(problems)


def _broken(step: Step, error: BaseException) -> Outcome:
    """A defect in the kind's code: its type and place, never its message or variables (they may hold anything)."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    said = f"a defect in {step.role.value} `{step.kind}`: {type(error).__name__} at {place}"
    remedy = "Report it with this line and the version of the program."
    if step.role is Role.ACTION:
        return Outcome.in_doubt(said, symptom="defect", remedy=remedy)
    return Outcome.errored(said, symptom="defect", remedy=remedy)
