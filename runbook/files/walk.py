"""The static walk: what cannot work although each step is well formed (design §6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from runbook.files.backouts import LONGEST_UNDONE
from runbook.files.document import Document, Map, Node, Scalar, Seq, text_of
from runbook.files.kind_checks import Used, find_kind, template_problems
from runbook.files.outline import Outline, StageOutline, StepOutline
from runbook.files.problems import Mark, Problem, Severity, did_you_mean
from runbook.files.templates import is_template
from runbook.hints import ENGINE_SYMPTOMS
from runbook.kind import Registry
from runbook.model import Role


@dataclass(slots=True)
class Walk:
    """One pass over the steps in order; each rule yields its problems."""

    document: Document
    outline: Outline
    registry: Registry
    used: Used
    established: set[str] = field(default_factory=set)
    required: set[str] = field(default_factory=set)
    passed: list[str] = field(default_factory=list)
    """Steps that come before the one at hand, and stages that have ended."""

    def problems(self) -> Iterator[Problem]:
        yield from self._ids()
        for stage in self.outline.stages:
            yield from self._window(stage)
            for step in stage.steps:
                for rule in _STEP_RULES:
                    yield from rule(self, step)
                self.passed.append(step.id)
            self.passed.append(stage.id)
        yield from self._roles()
        yield from self._unused_facts()
        yield from self._unused_inputs()

    def error(self, place: Node | Mark, message: str, suggestion: str = "") -> Problem:
        return self.document.problem(place, message, suggestion)

    def warning(self, place: Node | Mark, message: str, suggestion: str = "") -> Problem:
        return self.document.problem(place, message, suggestion, severity=Severity.WARNING)

    def key(self, holder: Map, key: str) -> Mark:
        """The place of a key, or of its holder where the key is not given."""
        return holder.keys.get(key, holder.mark)

    def _ids(self) -> Iterator[Problem]:
        first: dict[str, Node] = {}
        holders = [node for stage in self.outline.stages for node in (stage.node, *(step.node for step in stage.steps))]
        for holder in holders:
            node, name = holder.get("id"), holder.text("id")
            if node is None or not name:
                continue
            known = first.setdefault(name.casefold(), node)
            if known is not node:
                message = f"the id `{name}` is already used in line {known.mark.line}"
                yield self.error(node, message, "Stages and steps share one set of ids; case does not tell them apart.")

    def _window(self, stage: StageOutline) -> Iterator[Problem]:
        for scalar in key_scalars(stage.node, "window"):
            if is_template(scalar.value):
                yield self.warning(scalar, "nothing is inserted here; the braces are shown as they are")

    def _facts(self, step: StepOutline) -> Iterator[Problem]:
        declared = self.outline.facts.items
        for key in ("requires", "establishes"):
            for name, node in step.node.texts(key):
                if name not in declared:
                    hint = did_you_mean(name, declared, "The facts are") or "Declare it under `facts`."
                    yield self.error(node, f"there is no fact named `{name}`", hint)
        for name, node in step.node.texts("requires"):
            self.required.add(name)
            if name in declared and name not in self.established:
                yield self.error(node, f"nothing before this step establishes `{name}`", self._who(name, step))
        self.established.update(name for name, _ in step.node.texts("establishes"))

    def _who(self, name: str, step: StepOutline) -> str:
        makers = [
            other.id for other in self.outline.steps() if name in [text for text, _ in other.node.texts("establishes")]
        ]
        if not makers:
            return "Let an earlier step establish it."
        if makers == [step.id]:
            return "The step establishes it itself; what it requires must hold before."
        return f"`{makers[0]}` establishes it, but later."

    def _unused_facts(self) -> Iterator[Problem]:
        facts = self.outline.facts
        for name, mark in facts.keys.items():
            if name not in self.established:
                yield self.warning(mark, f"no step establishes the fact `{name}`")
            elif name not in self.required and not self._last_words(name):
                yield self.warning(mark, f"no step requires the fact `{name}`")

    def _last_words(self, name: str) -> bool:
        """Whether the very last step establishes it: what a procedure ends with is its result."""
        last = list(self.outline.steps())[-1:]
        return any(name in [text for text, _ in step.node.texts("establishes")] for step in last)

    def _gate(self, step: StepOutline) -> Iterator[Problem]:
        if step.gate is None:
            return
        stage_id = self.outline_stage_id(step)
        for name, node in step.gate.texts("after"):
            if name in (step.id, stage_id):
                what = "the step itself" if name == step.id else "the step's own stage"
                yield self.error(node, f"`{name}` is {what}; it cannot be green before")
            elif name not in self.passed:
                ids = {other.id for other in self.outline.steps()} | {stage.id for stage in self.outline.stages}
                if name in ids:
                    yield self.error(node, f"`{name}` comes later; a gate cannot wait for it")
                else:
                    hint = did_you_mean(name, self.passed)
                    yield self.error(node, f"there is no stage or step `{name}`", hint)
        if self._true(step.gate, "two_person") and len(set(self._role_names())) < 2:
            hint = "Name both under `roles`, for example `roles: [driver, witness]`."
            yield self.error(self.key(step.gate, "two_person"), "two people are asked for, but there is one role", hint)

    def outline_stage_id(self, step: StepOutline) -> str:
        """The id of the step's stage."""
        return next(stage.id for stage in self.outline.stages if stage.index == step.stage)

    def _irreversible(self, step: StepOutline) -> Iterator[Problem]:
        place = self.key(step.node, "irreversible")
        if not self._true(step.node, "irreversible"):
            if step.probe is not None and step.role is not Role.ACTION:
                yield self.warning(self.key(step.node, "probe"), "only an action needs a probe")
            return
        if step.role is Role.CHECK:
            yield self.error(place, "a check changes nothing, so it cannot be irreversible", "Is it an `action`?")
            return
        if step.role is Role.ACTION and "probe" not in step.node.items:
            hint = "Add `probe: {check: KIND, …}`, so that it is never done twice."
            yield self.error(place, "an irreversible action needs a probe that tells whether it is done", hint)
        guards = [key for key in ("confirm", "phrase") if step.gate and step.gate.get(key) is not None]
        if not guards and not (step.gate and self._true(step.gate, "two_person")):
            hint = "Add `gate:` with a `phrase`, a `confirm`, or `two_person: true`."
            yield self.error(place, "an irreversible step needs a gate that asks a person", hint)
        if not step.node.entries("backout"):
            hint = "Say under `backout` how to go back, or that there is no way back."
            yield self.warning(place, "an irreversible step should say how to go back", hint)

    def _backout(self, step: StepOutline) -> Iterator[Problem]:
        if not step.node.entries("backout"):
            return
        place = self.key(step.node, "backout")
        if step.role is Role.CHECK:
            yield self.warning(place, "a check changes nothing, so there is nothing to go back from")
        for entry in step.node.entries("backout"):
            node = entry.get("undone_by") if isinstance(entry, Map) else None
            if node is not None and (name := text_of(node)) is not None:
                yield from self._undone_by(node, name)
        for way in step.ways() if self._true(step.node, "irreversible") else ():
            if way.role is Role.ACTION and way.probe is None:
                hint = "Add `probe: {check: KIND, …}` to it, so that it is never done twice."
                yield self.warning(way.kind_node, "the way back of an irreversible step should have a probe", hint)
        if len(step.id) > LONGEST_UNDONE:
            hint = f"At most {LONGEST_UNDONE} characters; the steps of a roll-back are named after it."
            yield self.error(step.node.items["id"], "this id is too long for a step with a way back", hint)

    def _undone_by(self, node: Node, name: str) -> Iterator[Problem]:
        earlier = {other.id: other for other in self.outline.steps() if other.id in self.passed}
        if name not in earlier:
            hint = did_you_mean(name, earlier) or "Name a step that comes before this one."
            yield self.error(node, f"there is no step `{name}` before this one", hint)
        elif not any(self._leads_back(entry) for entry in earlier[name].node.entries("backout")):
            yield self.error(node, f"`{name}` has no way back of its own", "Give it one under `backout`.")

    @staticmethod
    def _leads_back(entry: Node) -> bool:
        return not isinstance(entry, Map) or "action" in entry.items

    def _hints(self, step: StepOutline) -> Iterator[Problem]:
        kind = find_kind(self.registry, step.role, step.kind) if step.role and step.kind else None
        if kind is None:
            return
        symptoms = {*kind.symptoms, *ENGINE_SYMPTOMS}
        for hint in step.hints():
            for name, node in hint.texts("when"):
                if name not in symptoms:
                    suggestion = did_you_mean(name, symptoms, "Its symptoms are")
                    yield self.error(node, f"`{step.kind}` has no symptom `{name}`", suggestion)

    def _inserted(self, step: StepOutline) -> Iterator[Problem]:
        """Texts outside the kind's keys: only some of them are put together when the step runs."""
        inputs = frozenset(self.outline.inputs.items)
        own = frozenset(key for key, node in step.params.items.items() if isinstance(node, Scalar))
        for key, node in step.gate.items.items() if step.gate else ():
            if key in ("phrase", "confirm"):
                yield from template_problems(self.document, node, self.outline, inputs | own, self.used)
        texts = [scalar for key in ("title", "goal", "hints") for scalar in key_scalars(step.node, key)]
        for entry in step.node.entries("backout"):
            shown = [entry.get("title"), entry.get("stays")] if isinstance(entry, Map) else [entry]
            texts += [scalar for node in shown if node is not None for scalar in node.scalars()]
        for scalar in texts:
            if is_template(scalar.value):
                yield self.warning(scalar, "nothing is inserted here; the braces are shown as they are")

    def _shell(self, step: StepOutline) -> Iterator[Problem]:
        """A line that a shell reads is pointed out, and nothing may be inserted into it."""
        holders = (step.params, *(way.params for way in step.ways()), *step.probes())
        for params in (found for holder in holders for found in _maps(holder)):
            shell = params.get("shell")
            if shell is None or (isinstance(shell, Scalar) and str(shell.value).casefold() in _NO):
                continue
            if isinstance(shell, Scalar) and is_template(shell.value):
                yield self.error(shell, "whether a shell reads a line is never a value that is inserted")
            message = "a shell reads this line: quoting, wildcards and `$` in it mean something"
            yield self.warning(self.key(params, "shell"), message, "An argument list needs no shell; is it enough?")
            line = next(iter(params.entries("run")), None)
            if isinstance(line, Scalar) and is_template(line.value):
                hint = 'Give the value as a further item of `run`, and write "$1" in the line.'
                yield self.error(line, "a value inserted into a shell line would be read as part of it", hint)

    def _roles(self) -> Iterator[Problem]:
        seen: set[str] = set()
        for name, node in self.outline.root.texts("roles"):
            if name in seen:
                yield self.error(node, f"the role `{name}` is given twice")
            seen.add(name)

    def _role_names(self) -> list[str]:
        return [name for name, _ in self.outline.root.texts("roles")]

    def _unused_inputs(self) -> Iterator[Problem]:
        for name, mark in self.outline.inputs.keys.items():
            if name not in self.used.inputs | self.used.unsure:
                yield self.warning(mark, f"the input `{name}` is never used", f"Insert it with `{{{{ {name} }}}}`.")

    @staticmethod
    def _true(holder: Map, key: str) -> bool:
        node = holder.get(key)
        return isinstance(node, Scalar) and (node.value is True or text_of(node) in ("yes", "on", "true"))


def key_scalars(holder: Map, key: str) -> Iterator[Scalar]:
    """Every scalar under the key."""
    node = holder.get(key)
    if node is not None:
        yield from node.scalars()


def _maps(node: Node | None) -> Iterator[Map]:
    """The mapping and all within it: a step may hold several checks."""
    if isinstance(node, Map):
        yield node
        for item in node.items.values():
            yield from _maps(item)
    elif isinstance(node, Seq):
        for item in node.items:
            yield from _maps(item)


_NO = ("false", "no", "off", "n", "f", "0")
"""Everything else, in whatever spelling, may turn a shell on."""

_STEP_RULES: tuple[Callable[[Walk, StepOutline], Iterator[Problem]], ...] = (
    Walk._facts,
    Walk._gate,
    Walk._irreversible,
    Walk._backout,
    Walk._hints,
    Walk._inserted,
    Walk._shell,
)
