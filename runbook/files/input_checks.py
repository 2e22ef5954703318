"""Whether the inputs that a runbook declares make sense, and whether a site gives them as it should."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from runbook.files import inputs, templates
from runbook.files.document import Document, Map, Node, Scalar, Seq
from runbook.files.outline import Outline
from runbook.files.problems import Problem, Severity, did_you_mean
from runbook.input_types import ChoiceInput, Input, IntegerInput, ListInput, PathInput, SecretInput, Source, StringInput
from runbook.model import Runbook

_WITH_DEFAULT = (StringInput, IntegerInput, PathInput, ChoiceInput, ListInput)


def declaration_problems(document: Document, outline: Outline) -> Iterator[Problem]:
    """What is wrong with the inputs as they are declared, whatever else is wrong with the runbook."""
    for name, node in outline.inputs.items.items():
        if name.lower() in templates.RESERVED:
            yield document.problem(outline.inputs.keys[name], f"`{name}` cannot be the name of an input")
        if isinstance(node, Map):
            yield from _declaration(document, node)


def _declaration(document: Document, node: Map) -> Iterator[Problem]:
    pattern = node.text("pattern")
    if pattern is not None:
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            offset = getattr(error, "pos", None) or 0
            said = getattr(error, "msg", None) or "too large"
            mark = document.inside(node.items["pattern"], offset)
            yield document.problem(mark, f"this is not a regular expression: {said}")
    low, high = (_whole(node.get(key)) for key in ("minimum", "maximum"))
    if low is not None and high is not None and low > high:
        yield document.problem(node.items["minimum"], "`minimum` is larger than `maximum`")
    seen: set[str] = set()
    for choice, place in node.texts("choices"):
        if choice in seen:
            yield document.problem(place, f"the choice `{choice}` is given twice")
        seen.add(choice)
    if node.text("source") == Source.PAPER and "default" in node.items:
        hint = "What is typed from paper must not be known before."
        yield document.problem(node.keys["default"], "an input from paper has no default", hint)
    if node.text("source") == Source.SITE and node.text("type") == "secret":
        hint = "Secrets are typed each time and stored nowhere."
        yield document.problem(node.items["source"], "a secret is never in the site profile", hint)


def _whole(node: Node | None) -> int | None:
    return node.value if isinstance(node, Scalar) and type(node.value) is int else None


def default_problems(document: Document, outline: Outline, runbook: Runbook) -> Iterator[Problem]:
    """Defaults that the input itself would refuse."""
    for name, declared in runbook.inputs.items():
        node = outline.inputs.map(name)
        if isinstance(declared, _WITH_DEFAULT) and declared.default is not None:
            said = refused(declared, str(declared.default))
            if said and node is not None and "default" in node.items:
                yield document.problem(node.items["default"], f"the default does not fit: {said}")


def refused(declared: Input, text: str) -> str:
    """Why the input would refuse the text; empty where it would not. The disk is not asked."""
    try:
        inputs.parse(declared, text, exists=False)
    except (ValueError, re.error) as error:
        return str(error)
    return ""


def _refused_list(declared: ListInput, node: Seq) -> str:
    """Why the input would refuse the list of a site profile; empty where it would not."""
    texts = [item.text for item in node.items if isinstance(item, Scalar) and isinstance(item.value, str | int)]
    if len(texts) < len(node.items):
        return "expected text in each item; put it in quotes"
    try:
        return refused(declared, inputs.list_text(texts))
    except ValueError as error:
        return str(error)


def site_value_problems(
    runbook: Runbook, runbook_document: Document, site_document: Document, given_elsewhere: Collection[str]
) -> Iterator[Problem]:
    """The site's values against the runbook's inputs."""
    given = site_document.root.map("inputs") or Map(site_document.root.mark, {}, {})
    for name, node in given.items.items():
        yield from _given(runbook, site_document, given, name, node)
    declared_nodes = Outline.of(runbook_document.root).inputs
    for name, declared in runbook.inputs.items():
        missing = name not in given.items and name not in given_elsewhere
        if declared.source is Source.SITE and missing and getattr(declared, "default", None) is None:
            message = f"the site profile {site_document.path} does not give the input `{name}`"
            hint = f"Add `{name}:` under `inputs` there, or give it with --set {name}=VALUE."
            place = declared_nodes.keys.get(name, declared_nodes.mark)
            yield runbook_document.problem(place, message, hint)


def _given(runbook: Runbook, document: Document, given: Map, name: str, node: Node) -> Iterator[Problem]:
    declared = runbook.inputs.get(name)
    if declared is None:
        hint = did_you_mean(name, runbook.inputs, "Its inputs are")
        yield document.problem(given.keys[name], f"the runbook has no input `{name}`", hint, severity=Severity.WARNING)
    elif isinstance(declared, SecretInput):
        hint = "Remove it, and treat the secret as known to others."
        yield document.problem(given.keys[name], f"`{name}` is secret and must not be stored", hint, hide=True)
    elif declared.source is Source.PAPER:
        hint = "Remove it: it is typed from paper."
        yield document.problem(given.keys[name], f"`{name}` comes from paper, never from the site profile", hint)
    elif isinstance(declared, ListInput) and isinstance(node, Seq):
        said = _refused_list(declared, node)
        if said:
            yield document.problem(node, f"the value does not fit the input `{name}`: {said}")
    elif not isinstance(node, Scalar) or node.value is None:
        yield document.problem(node, f"expected one value for the input `{name}`")
    elif isinstance(node.value, float):
        yield document.problem(node, f"expected text or a whole number for the input `{name}`", "Put it in quotes.")
    else:
        said = refused(declared, node.text)
        if said:
            yield document.problem(node, f"the value does not fit the input `{name}`: {said}")
