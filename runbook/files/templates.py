"""`{{ name }}` in a text of the runbook: one value is put into one text, after parsing (design §6).

Jinja's sandbox does it, and only a name, or a quoted text for literal braces (`{{ '{{.State}}' }}`), may stand
between the braces: no statement, attribute, call, filter or operator. A value is never looked at again, so braces
in it stay braces, and it can change neither the structure nor the number of values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runbook.errors import UsageError
from runbook.files.problems import did_you_mean

RESERVED = frozenset({"self", "super", "caller", "loop", "varargs", "kwargs", "true", "false", "none"})
"""Names that mean something to Jinja; no input may have them."""

_ONLY_NAMES = "Between `{{` and `}}` only the name of an input may stand; for literal braces write `{{ '{{' }}`."

_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined,
    autoescape=False,  # the result is an argument or a path, never HTML
    keep_trailing_newline=True,
    # `{#` is common in shell text; a comment would swallow it. NUL never occurs in a file that was read.
    comment_start_string="\0#",
    comment_end_string="#\0",
)
_ENVIRONMENT.globals.clear()


class BadTemplate(UsageError):
    """A text whose `{{ }}` cannot be used; `offset` is the place in the text, from 0."""

    def __init__(self, what: str, *, offset: int = 0, remedy: str = "") -> None:
        super().__init__(what, remedy=remedy)
        self.offset = offset


def is_template(value: Any) -> bool:
    """Whether something is to be inserted anywhere in the value."""
    return any("{{" in text or "{%" in text for text in _texts(value))


def names(value: Any) -> frozenset[str]:
    """Every name that the value's texts insert; raises BadTemplate."""
    return frozenset(name for text in _texts(value) for name, _ in names_in(text))


def names_in(text: str) -> list[tuple[str, int]]:
    """The names that a text inserts, each with its offset; raises BadTemplate."""
    found: list[tuple[str, int]] = []
    start = 0
    for name in _parse(text):
        match = re.compile(r"\{\{[-+]?\s*(" + re.escape(name) + r")\b").search(text, start)
        found.append((name, match.start(1) if match else 0))
        start = match.end() if match else start
    return found


def check(text: str, known: frozenset[str]) -> list[BadTemplate]:
    """What is wrong with the `{{ }}` of a text, when these names can be inserted."""
    try:
        used = names_in(text)
    except BadTemplate as error:
        return [error]
    return [_unknown(name, offset, known) for name, offset in used if name not in known]


def render(text: str, values: Mapping[str, Any]) -> str:
    """The text with the values inserted; raises BadTemplate."""
    if not is_template(text):
        return text
    for error in check(text, frozenset(values)):
        raise error
    try:
        return _ENVIRONMENT.from_string(text).render({name: str(values[name]) for name in _parse(text)})
    except TemplateError as error:
        raise BadTemplate("the text cannot be put together", remedy=_ONLY_NAMES) from error


def literal(text: str) -> str:
    """The text so spelled that `render` gives it back as it is."""
    return re.sub(r"\{[{%]", lambda braces: f"{{{{ '{braces[0]}' }}}}", text)


def render_params(params: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with the values inserted into each text; keys, lists and other values stay as they are."""
    return {key: _render(value, values) for key, value in params.items()}


def _render(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return render(value, values)
    if isinstance(value, Mapping):
        return render_params(value, values)
    if isinstance(value, list | tuple):
        return type(value)(_render(item, values) for item in value)
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


@lru_cache(maxsize=1024)
def _parse(text: str) -> tuple[str, ...]:
    """The names in the order of the text; raises BadTemplate when there is anything but names and quoted texts."""
    if "{{" not in text and "{%" not in text:
        return ()
    try:
        parts = _ENVIRONMENT.parse(text).body
    except TemplateError as error:
        raise BadTemplate("the `{{ }}` cannot be read", offset=_first(text), remedy=_ONLY_NAMES) from error
    found: list[str] = []
    for part in parts:
        for node in part.nodes if isinstance(part, nodes.Output) else (part,):
            if isinstance(node, nodes.Name) and node.name not in RESERVED:
                found.append(node.name)
            elif not (isinstance(node, nodes.TemplateData) or _quoted(node)):
                raise BadTemplate("this is more than a name", offset=_first(text), remedy=_ONLY_NAMES)
    return tuple(found)


def _quoted(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Const) and isinstance(node.value, str)


def _first(text: str) -> int:
    match = re.search(r"\{[{%]", text)
    return match.start() if match else 0


def _unknown(name: str, offset: int, known: frozenset[str]) -> BadTemplate:
    hint = did_you_mean(name, known, "What can be inserted here:") or "Declare it under `inputs`."
    return BadTemplate(f"there is nothing named `{name}` to insert", offset=offset, remedy=hint)
