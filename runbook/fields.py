"""What the models of files are made of: their base, and the forms of texts in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
"""A name that `{{ }}` may insert: letters, digits, underscore."""

STEP_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
StepId = Annotated[str, Field(pattern=STEP_ID_PATTERN)]
"""An identifier of a stage or step, for example `A` or `A3.sign`."""

Line = Annotated[str, Field(min_length=1, max_length=2000)]


def _regular_expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        at = f" at character {error.pos + 1}" if error.pos is not None else ""
        raise ValueError(f"`{text}` is no regular expression: {error.msg}{at}") from None
    return text


RegularExpression = Annotated[Line, AfterValidator(_regular_expression)]
"""As Python's `re` reads it."""


_SPAN = re.compile(r"(\d+(?:\.\d+)?) ?(s|min|m|h)", re.ASCII)
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600}


def _in_seconds(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = _SPAN.fullmatch(value.strip())
    if match is None:
        raise ValueError(f"`{value}` is no length of time; write seconds, or for example `30s`, `2m` or `1h`")
    return float(match[1]) * _UNITS[match[2]]


Seconds = Annotated[
    float,
    BeforeValidator(_in_seconds, json_schema_input_type=float | Annotated[str, Field(pattern=rf"^{_SPAN.pattern}$")]),
]
"""A length of time in seconds; in a file also `30s`, `2m` or `1h`."""


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


OneOrMore = BeforeValidator(_several, json_schema_input_type=str | list[str])
"""Marks a tuple of texts: a single one may stand there by itself."""


class Model(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True)


def fold_params(data: Any, known: frozenset[str] | set[str]) -> Any:
    """The kind's own keys under `params`: what is not among the known ones."""
    if not isinstance(data, Mapping) or "params" in data:
        return data
    own = {key: value for key, value in data.items() if key not in known}
    return {**{key: value for key, value in data.items() if key in known}, "params": own}
