"""What the steps of a runbook need from a site: which names they use, and which steps use them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runbook.files import templates
from runbook.files.document import text_of
from runbook.files.kind_checks import Use, parts_of_step, uses
from runbook.files.loader import Loaded
from runbook.files.outline import Outline, StepOutline
from runbook.files.shapes import refs
from runbook.kind import Registry
from runbook.model import Runbook
from runbook.site import LOCAL

Steps = dict[str, list[str]]
"""A name → the ids of the steps that use it, in the runbook's order."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Names of the site profile, each with the steps that use it."""

    inputs: Steps = field(default_factory=dict)
    hosts: Steps = field(default_factory=dict)
    """Hosts and groups: which of the two a name is, the site says."""
    hosts_given: Steps = field(default_factory=dict)
    """Inputs whose value is the name of a host."""
    tokens: Steps = field(default_factory=dict)
    engines: Steps = field(default_factory=dict)
    containers: dict[str, Steps] = field(default_factory=dict)
    """By engine."""
    volumes: dict[str, Steps] = field(default_factory=dict)
    """By engine."""
    witnessed: list[str] = field(default_factory=list)
    """The steps that two people must agree to."""


def needs_of(runbook: Loaded[Runbook], registry: Registry) -> Needs:
    """What the runbook needs; raises EnvironmentLacks where a kind cannot load."""
    needs = Needs(witnessed=[step.id for _, step in runbook.model.steps() if step.gate.two_person])
    for step in Outline.of(runbook.document.root).steps():
        for name in _inserted(step):
            _add(needs.inputs, name, step)
        for kind, params, kind_node in parts_of_step(registry, step):
            _add_uses(needs, list(uses(kind, params, kind_node)), step)
            for node, ref in refs(kind.Params, params):
                text = text_of(node) or ""
                if ref.to == "host" and templates.is_template(text):
                    for name in _names(text):
                        _add(needs.hosts_given, name, step)
    return needs


def _inserted(step: StepOutline) -> list[str]:
    """The inputs that the step's texts insert."""
    return [name for scalar in step.node.scalars() if isinstance(scalar.value, str) for name in _names(scalar.value)]


def _names(text: str) -> list[str]:
    return [name for name, _ in templates.names_in(text)]


def _add_uses(needs: Needs, used: list[Use], step: StepOutline) -> None:
    plain: Mapping[str, Steps] = {
        "input": needs.inputs,
        "host": needs.hosts,
        "token": needs.tokens,
        "engine": needs.engines,
    }
    within: Mapping[str, dict[str, Steps]] = {"container": needs.containers, "volume": needs.volumes}
    engines = [use.name for use in used if use.ref.to == "engine"]
    for use in used:
        if use.ref.to in plain and use.name and (use.ref.to, use.name) != ("host", LOCAL):
            _add(plain[use.ref.to], use.name, step)
        for engine in engines if use.ref.to in within else ():
            _add(within[use.ref.to].setdefault(engine, {}), use.name, step)


def _add(steps: Steps, name: str, step: StepOutline) -> None:
    listed = steps.setdefault(name, [])
    if step.id not in listed:
        listed.append(step.id)
