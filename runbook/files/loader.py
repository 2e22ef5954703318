"""From a YAML file to a frozen model, or to every problem it has with file, line and column (design §6).

Blocking: from async code, call through `asyncio.to_thread`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from runbook import paths
from runbook.files import yaml_source
from runbook.files.document import Document, Map, Scalar
from runbook.files.engine_checks import not_allowed
from runbook.files.host_checks import host_problems, unknown_hosts, unknown_in_hints
from runbook.files.input_checks import declaration_problems, default_problems, site_value_problems
from runbook.files.kind_checks import Used, kind_problems, parts_of_step, uses
from runbook.files.outline import FOLDED, Outline, StepOutline
from runbook.files.people_checks import people_problems
from runbook.files.problems import InvalidDocument, Problem, Severity, did_you_mean, in_order
from runbook.files.walk import Walk
from runbook.files.wording import problems_of
from runbook.kind import Registry
from runbook.model import Runbook
from runbook.site import SIGNER_FILES, Site

M = TypeVar("M", bound=BaseModel)

_FORMATS = {"runbook": "a runbook", "site": "a site profile", "answers": "an answers file"}
"""The version keys of the program's files, and what a file with that key is."""


@dataclass(frozen=True, slots=True)
class Loaded(Generic[M]):
    """A model and the file it comes from."""

    model: M
    path: Path
    sha256: str
    """Of the file's bytes, in lower-case hex."""
    document: Document
    """Where everything stands, for problems that are found later."""
    warnings: tuple[Problem, ...] = ()


Check = Callable[[Document, BaseModel | None], Iterable[Problem]]
"""Further rules of a format; the model is None where the file does not fit it."""


def load_document(
    path: Path, model: type[M], *, private: bool = False, check: Check | None = None, drop: frozenset[str] = frozenset()
) -> Loaded[M]:
    """Read a file as a model; raises InvalidDocument with all problems.

    A field `NAME: Literal[…numbers…]` is the format's version; a newer one is the only problem told. `private`: the
    file may hold secrets, so no line of it is shown. `drop`: keys of steps that `check` reports itself.
    """
    document, composed = yaml_source.read(path, private=private)
    _refuse_other_format(document, model)
    built: M | None = None
    problems: list[Problem] = []
    try:
        built = model.model_validate(_data(document.root, drop), by_alias=True, by_name=False)
    except ValidationError as error:
        problems += problems_of(_without_roles(error), document, document.root, model)
    if check is not None:
        problems += check(document, built)
    told = {(problem.line, problem.column) for problem in composed}
    # What a fault of the YAML leaves behind fits no model either; that would be told twice.
    problems = composed + [problem for problem in problems if (problem.line, problem.column) not in told]
    if built is None or any(problem.severity is Severity.ERROR for problem in problems):
        raise InvalidDocument(problems)
    return Loaded(built, path, document.sha256, document, in_order(problems))


def load_runbook(path: Path, registry: Registry) -> Loaded[Runbook]:
    """The runbook, with each step checked against its kind; raises InvalidDocument, EnvironmentLacks."""

    def check(document: Document, model: BaseModel | None) -> Iterator[Problem]:
        outline, used = Outline.of(document.root), Used()
        yield from kind_problems(document, outline, registry, used)
        yield from Walk(document, outline, registry, used).problems()
        yield from declaration_problems(document, outline)
        if isinstance(model, Runbook):
            yield from default_problems(document, outline, model)

    return load_document(path, Runbook, check=check, drop=FOLDED)


def load_site(path: Path, runbook: Loaded[Runbook] | None = None) -> Loaded[Site]:
    """The site profile, the paths in it made absolute; raises InvalidDocument.

    With a runbook, a profile that is no profile yet is told what its values lack too, which `check_site` tells else.
    """

    def check(document: Document, model: BaseModel | None) -> Iterable[Problem]:
        if runbook is None or model is not None:
            return ()
        return site_value_problems(runbook.model, runbook.document, document, ())

    loaded = load_document(path, Site, check=check)
    return replace(loaded, model=resolved(loaded.model, path.absolute().parent))


def resolved(site: Site, folder: Path) -> Site:
    """The profile that lies in `folder`, the paths of modules and of files of keys made absolute."""
    tokens = {
        # A bare name would send the dynamic loader through its own search path (dlopen(3)).
        # A path on another host means what it means there.
        name: token if token.far else token.model_copy(update={"module": str(paths.resolve(folder, token.module))})
        for name, token in site.tokens.items()
    }
    two = site.two_people
    if two is not None:
        absolute = {key: str(paths.resolve(folder, name)) for key in SIGNER_FILES if (name := getattr(two, key))}
        two = two.model_copy(update=absolute)
    files = {
        key: str(paths.resolve(folder, name)) for key in ("ssh_config", "inventory") if (name := getattr(site, key))
    }
    return site.model_copy(update={"tokens": tokens, "two_people": two, **files})


def check_site(
    runbook: Loaded[Runbook], site: Loaded[Site], registry: Registry, *, given: Collection[str] = ()
) -> tuple[Problem, ...]:
    """What does not fit between the two: tokens, hosts, engines and people that the site lacks, volumes and containers
    that its engines do not name, values that the inputs refuse.

    `given` names the inputs that get their value elsewhere, for example on the command line.
    """
    found = [*_references(runbook, site, registry), *_people(runbook, site)]
    found += people_problems(site.document, site.model)
    found += host_problems(site.document, site.model)
    found += site_value_problems(runbook.model, runbook.document, site.document, given)
    return in_order(found)


def _references(runbook: Loaded[Runbook], site: Loaded[Site], registry: Registry) -> Iterator[Problem]:
    for step in _served(Outline.of(runbook.document.root), site.model):
        yield from unknown_in_hints(runbook.document, step.node, site.model, site.path)
        for part in parts_of_step(registry, step):
            used = list(uses(*part))
            yield from unknown_hosts(runbook.document, used, site.model, site.path)
            yield from not_allowed(runbook.document, used, site.model, site.path)
            for use in used:
                known = {"token": site.model.tokens, "engine": site.model.engines}.get(use.ref.to)
                if known is not None and use.name not in known:
                    kinds = f"{use.ref.to}s"
                    hint = did_you_mean(use.name, known, f"Its {kinds} are") or f"Add it under `{kinds}` there."
                    message = f"the site profile {site.path} has no {use.ref.to} `{use.name}`"
                    yield runbook.document.problem(use.node, message, hint)


def _served(outline: Outline, site: Site) -> Iterator[StepOutline]:
    """The steps that are walked at this site: what a rehearsal's lab cannot serve needs nothing there."""
    for stage in outline.stages:
        for step in stage.steps:
            if site.rehearsal is None or not site.rehearsal.why_not(stage.id, step.id):
                yield step


def _people(runbook: Loaded[Runbook], site: Loaded[Site]) -> Iterator[Problem]:
    """Gates for two people where the site does not say who they may be."""
    two = site.model.two_people
    if two is not None and any("witness" in person.may for person in two.people.values()):
        return
    asked = {step.id for _, step in runbook.model.steps() if step.gate.two_person}
    for step in Outline.of(runbook.document.root).steps():
        if step.id in asked and step.gate is not None:
            message = f"the site profile {site.path} names nobody who may approve a step as its witness"
            hint = "Add `two_people` there: the file of their keys, and their names (docs/approval.md)."
            yield runbook.document.problem(step.gate.keys["two_person"], message, hint)


def _refuse_other_format(document: Document, model: type[BaseModel]) -> None:
    """Tell a newer version, or a file of another format, as the only problem."""
    key, newest = next(_versions(model), ("", 0))
    if not key:
        return
    given = document.root.get(key)
    if isinstance(given, Scalar) and type(given.value) is int and given.value > newest:
        message = f"this file has the newer schema version {given.value}; this program knows version {newest}"
        raise InvalidDocument([document.problem(given, message, "Update the program.")])
    others = [name for name in _FORMATS if name != key and name in document.root.items]
    if given is None and others:
        message = f"this is {_FORMATS[others[0]]}, not {_FORMATS.get(key, key)}"
        raise InvalidDocument([document.problem(document.root.keys[others[0]], message)])


def _versions(model: type[BaseModel]) -> Iterator[tuple[str, int]]:
    for name, field in model.model_fields.items():
        numbers = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
        if numbers and all(type(number) is int for number in numbers):
            yield name, max(numbers)


def _data(root: Map, drop: frozenset[str]) -> dict[str, Any]:
    """The plain data, without the keys that must not stand in a step, a way back or a probe."""
    data = root.data()
    if drop:
        for stage in _items(data, "stages"):
            for step in _items(stage, "steps"):
                for holder in (step, *_items(step, "backout")):
                    probe = holder.get("probe")
                    for key in drop:
                        holder.pop(key, None)
                        if isinstance(probe, dict):
                            probe.pop(key, None)
    return data


def _items(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    listed = holder.get(key)
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def _without_roles(error: ValidationError) -> list[ErrorDetails]:
    """The errors, but for those about a step's role and kind: `kind_checks` knows their places."""
    found: list[ErrorDetails] = []
    for details in error.errors(include_url=False):
        loc = details["loc"]
        in_step = len(loc) > 3 and (loc[0], loc[2]) == ("stages", "steps")
        no_role = len(loc) == 4 and details["type"] == "value_error"
        if not (in_step and (no_role or loc[4:] == ("kind",))):
            found.append(details)
    return found
