"""Who asks at a gate: the window of a stage, the point of no return, a phrase, a yes, a second person (design §7)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runbook.errors import OperatorStopped, PromptCancelled
from runbook.files import templates
from runbook.gates import gates
from runbook.gates.clock import Clock
from runbook.gates.gates import Standing
from runbook.gates.window import BadWindow, TimeWindow, examples, parse
from runbook.model import Stage, Step
from runbook.operator import (
    Condition,
    ConfirmRequest,
    Decided,
    Decision,
    Moment,
    PhraseRequest,
    PointOfNoReturnRequest,
    TextRequest,
)
from runbook.outcome import Outcome
from runbook.people.approval import ExactAction
from runbook.people.witness import NotApproved
from runbook.probing import Answer, Probed, TakenAsDone
from runbook.record.events import StepSettled
from runbook.record.gate_events import WindowSet
from runbook.run.deadline import Deadline
from runbook.run.recording import RecordingOperator
from runbook.text import clean_line

if TYPE_CHECKING:
    from runbook.kind import Kind
    from runbook.run.engine import Engine
    from runbook.run.stepping import StepRun

DECLINED = "gate declined"
"""The symptom of a step whose gate the operator did not open."""

CLOSED = "gate closed"
"""The symptom of a step whose gate held when the question was put, and no longer when it was answered."""

FRESH = 5.0
"""Seconds for which a probe's answer is taken as still true; when people took longer to agree, it is asked again."""

ATTEMPTS = 5
"""How often an unusable window may be typed before the step is held up for want of one."""


class Gatekeeper:
    """The gates of one run."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._no_window: dict[str, str] = {}
        """By stage: why it was asked for its window and has none."""

    @property
    def standing(self) -> Standing:
        engine = self._engine
        return Standing(
            engine.plan.runbook, engine.plan.site, engine.state, engine.selected, self._clock.now(), self._no_window
        )

    def stage(self, step: Step) -> Stage:
        """The stage of the step."""
        return self._engine.plan.runbook.stage_of(step.id)

    async def before(self, step: Step) -> Moment:
        """Where the operator decides on the step, and what it waits for; a stage that begins is asked its window."""
        stage = self.stage(step)
        if stage.window is not None and stage.id not in {*self._engine.state.windows, *self._no_window}:
            await self.give_window(step)
        missing = gates.unmet(self.standing, step)
        if not missing:
            return Moment(step.id, step.title, allowed=(Decision.RUN, Decision.SKIP, Decision.STOP))
        standing = self.standing
        window = standing.window(stage)
        shut = stage.window is not None and not (window and window.is_open(standing.now))
        waits = window is not None and len(missing) == 1 and standing.now < window.opens
        return Moment(
            step.id,
            step.title,
            missing,
            allowed=(*([Decision.WINDOW] if shut else []), Decision.SKIP, Decision.STOP),
            opens=window.recorded[0] if window and waits else "",
        )

    async def decide(self, step: Step, moment: Moment) -> Decided | None:
        """The operator's decision; None where the stage's window opened or closed before there was one."""
        standing = self.standing
        window = standing.window(self.stage(step))
        change = window.next_change(standing.now) if window else None
        if change is None:
            return await self._engine.operator.decide(moment)
        deciding = asyncio.create_task(self._engine.operator.decide(moment), name=f"decide {step.id}")
        waiting = asyncio.create_task(self._clock.until(change), name=f"window {step.id}")
        try:
            await asyncio.wait((deciding, waiting), return_when=asyncio.FIRST_COMPLETED)
            return deciding.result() if deciding.done() else None
        finally:
            deciding.cancel()
            waiting.cancel()
            await asyncio.wait((deciding, waiting))

    async def give_window(self, step: Step, reason: str = "") -> None:
        """Ask for the window of the step's stage, and, where there is one already, why it is changed.

        Leaving a question changes nothing; without a window no step of the stage can start.
        """
        stage = self.stage(step)
        operator = RecordingOperator(self._engine.operator, step.id, self._engine.record, Deadline(step.deadline))
        change = stage.id in self._engine.state.windows
        try:
            window = await self._asked(stage, operator)
            if change and not reason:
                question = f"Why is the window of stage {stage.id} changed?"
                reason = await operator.text(TextRequest(question, help="It is a deviation and stands in the record."))
        except PromptCancelled as cancelled:
            self._no_window[stage.id] = cancelled.what
            return
        await self._engine.record(WindowSet(stage.id, *window.recorded, reason=reason if change else ""))

    async def _asked(self, stage: Stage, operator: RecordingOperator) -> TimeWindow:
        """Raises PromptCancelled, also after too many unusable answers."""
        problem = ""
        for _ in range(ATTEMPTS):
            now = self._clock.now()
            form = f"When it opens and closes, in this host's time ({now:%Z}): {examples(now, self._clock.zone)}."
            asked = TextRequest(stage.window_question, help=f"{problem[:1].upper()}{problem[1:]}" if problem else form)
            try:
                return parse(await operator.text(asked), self._clock.now(), self._clock.zone)
            except BadWindow as bad:
                problem = str(bad)
        raise PromptCancelled(problem)

    async def open(
        self, run: StepRun, kind: Kind[Any], params: Mapping[str, Any], values: Mapping[str, Any]
    ) -> Outcome | None:
        """Ask everything that the step's gate demands of people; None when the way is free.

        `params`: the step's own keys with the values inserted; they and `values` are what its texts may insert. Raises
        PromptCancelled when a prompt is left, and OperatorStopped.
        """
        step = run.step
        texts = {"confirm": step.gate.confirm, "phrase": step.gate.phrase}
        texts = templates.render_params(texts, {**params, **values})
        confirm, phrase = texts["confirm"] or "", texts["phrase"] or ""
        probed = await self._engine.doubts.probe(step) if step.irreversible else None
        probed_at = asyncio.get_running_loop().time()
        if probed is not None and probed.answer is Answer.DONE:
            reason = await self._take_as_done(run, probed)
            if reason:
                return await self._settled(step, probed, reason)
        plan = tuple(clean_line(run.redactor(line), limit=len(line)) for line in kind.plan())
        try:
            approved = await self._approval(run, ExactAction.of(step.kind, params, plan, run.redactor))
        except NotApproved as denied:
            return Outcome.failed(f"{denied.what}; nothing was done", symptom=DECLINED, remedy=denied.remedy)
        if step.irreversible:
            request = PointOfNoReturnRequest(
                step_id=step.id,
                title=step.title,
                commands=(*plan, *self._engine.undoing.notes(step)),
                conditions=(*gates.conditions(self.standing, step), *approved),
                probed=probed,
                backout=step.ways_back,
                # There is always something to be said yes to, or to be typed.
                question=confirm or ("" if phrase else f"Start {step.id}, which cannot be undone?"),
                phrase=phrase,
            )
            opened = await run.operator.point_of_no_return(request)
            said = "" if opened else "the operator turned back at the point of no return"
        else:
            said = await _declined(run, confirm, phrase, self._told(step, plan))
        if said:
            return Outcome.failed(f"{said}; nothing was done", symptom=DECLINED)
        # People take their time.
        if probed is not None and asyncio.get_running_loop().time() - probed_at > FRESH:
            now = await self._engine.doubts.probe(step)
            if now is not None and now.answer is not probed.answer:
                said = f"its probe said `{probed.answer}` and says `{now.answer}` now: {now.outcome.summary}"
                return Outcome.failed(f"nothing was done: {said}", symptom=CLOSED)
        missing = gates.unmet(self.standing, step)
        return Outcome.failed(f"nothing was done: {'; '.join(missing)}", symptom=CLOSED) if missing else None

    def _told(self, step: Step, plan: tuple[str, ...]) -> tuple[str, ...]:
        """What the question says beside the title."""
        if self._engine.plan.rollback is not None:
            return (*self._engine.undoing.notes(step), *plan)
        return tuple(f"Way back: {line}" for line in step.ways_back)

    async def _take_as_done(self, run: StepRun, probed: Probed) -> str:
        """Why the step counts as done although it was not run here; empty: it is run all the same."""
        step = run.step
        allowed = (Decision.DONE, Decision.RETRY, Decision.STOP)
        decided = await self._engine.operator.decide(Moment(step.id, step.title, probed=probed, allowed=allowed))
        if decided.decision is Decision.DONE:
            return decided.reason or await run.operator.text(TextRequest("Why does it count as done?"))
        if decided.decision is Decision.RETRY:
            return ""
        raise OperatorStopped(decided.reason or f"stopped at {step.id}, which seems to be done already")

    async def _settled(self, step: Step, probed: Probed, reason: str) -> Outcome:
        await self._engine.record(StepSettled(step.id, Answer.DONE, reason))
        taken = TakenAsDone(probe=probed.answer, reason=reason)
        return Outcome.passed("done already, as its probe says; it was not run", *probed.outcome.evidence, taken)

    async def _approval(self, run: StepRun, action: ExactAction) -> tuple[Condition, ...]:
        """What a second person said to this action, where one must; raises NotApproved."""
        if not run.step.gate.two_person:
            return ()
        if self._engine.second_people is None:
            raise NotApproved("nobody is named who may approve it")
        given = await self._engine.second_people.obtain(run.step_id, run.step.title, action, run.operator)
        return (Condition(f"{given.witness} approved it with the key {given.key}", holds=True),)


async def _declined(run: StepRun, confirm: str, phrase: str, told: tuple[str, ...]) -> str:
    """What the operator did not say to the gate of a step that can be undone or repeated; empty: the way is free."""
    step = run.step
    detail = (step.title, *told)
    if confirm and not await run.operator.confirm(ConfirmRequest(confirm, detail)):
        return "the operator said no at the gate"
    request = PhraseRequest(f"Type the phrase to start {step.id}", phrase, detail)
    if phrase and not await run.operator.type_phrase(request):
        return "the phrase was not typed as shown"
    return ""
