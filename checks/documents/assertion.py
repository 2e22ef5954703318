"""Statements about a structured document: a JMESPath expression, and what it must come to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any

from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, Field, model_validator

from checks.documents.judging import Finding, right, wrong
from checks.documents.places import Found, Places, compile_error
from checks.documents.veil import is_secret_name
from runbook.fields import Line, Model, RegularExpression
from runbook.files.problems import Mark

SHOWN = 120
"""Characters of a value that are shown."""


def _expression(text: str) -> str:
    if reason := compile_error(text):
        raise ValueError(f"this is no JMESPath expression: {reason}")
    return text


class Assertion(Model):
    """One statement; of a list, `matches` and `in` hold for every item."""

    at: Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_expression)] = Field(
        description="A JMESPath expression (jmespath.org), for example `services.web.image`.",
        examples=["authority.provisioners[?type==`JWK`].name"],
    )
    equals: Any = Field(
        None, description="The value, exactly: `1` is not `true` and not `'1'`.", examples=[True, "badgerv2"]
    )
    matches: RegularExpression | None = Field(
        None, description="A pattern that must be found in the text.", examples=["^pkcs11:"]
    )
    among: tuple[Any, ...] | None = Field(
        None,
        alias="in",
        description="The values that are allowed.",
        min_length=1,
        examples=[["always", "unless-stopped"]],
    )
    present: bool | None = Field(None, description="It is there, and not null.")
    absent: bool | None = Field(None, description="It is not there, or null.")
    length: int | None = Field(
        None, ge=0, description="Items of a list, keys of a mapping, characters of a text.", examples=[6]
    )
    because: Line | None = Field(
        None, description="Why it has to be so; shown where it is not.", examples=["The health check asks this port."]
    )

    @model_validator(mode="after")
    def _fits(self) -> Assertion:
        given = self.model_fields_set - {"at", "because"}
        if not given:
            raise ValueError("say what is expected: `equals`, `matches`, `in`, `present`, `absent` or `length`")
        if False in (self.present, self.absent):
            raise ValueError("`present` and `absent` can only be `true`; the one is the other's contrary")
        if self.absent and given != {"absent"}:
            raise ValueError("what is not to be there can have no other property")
        return self

    def judge(self, places: Places, *, private: bool = False) -> Iterator[Finding]:
        """What comes of it in this document; of a private one, no value is told."""
        because = self.because or ""
        show = _hidden if private or is_secret_name(re.split(r"[^\w-]+", self.at.rstrip(" \"'`])"))[-1]) else shorten
        try:
            found = places.ask(self.at)
        except JMESPathError as error:
            said = "this document" if private else str(error).splitlines()[0]
            yield wrong("value", f"`{self.at}` cannot be evaluated on {said}", Mark(1, 1), because)
            return
        if self.absent:
            if found.nothing:
                yield right(f"{self.at} is absent")
            else:
                yield wrong("surplus", f"{self.at} is {show(found.value)}, and must not be there", found.mark, because)
            return
        if found.nothing and not (self._exact and same(found.value, self.equals)):
            expected = f", expected {shorten(self.equals)}" if self._exact else ""
            yield wrong("absent", f"{self.at} is not there{expected}", found.mark, because)
            return
        bad = [wrong("value", f"{self.at} {said}", mark, because) for said, mark in self._differences(found, show)]
        yield from bad or [right(f"{self.at} is {show(found.value)}")]

    @property
    def _exact(self) -> bool:
        return "equals" in self.model_fields_set

    def _differences(self, found: Found, show: Callable[[Any], str]) -> Iterator[tuple[str, Mark]]:
        if self._exact and not same(found.value, self.equals):
            yield f"is {show(found.value)}, expected {shorten(self.equals)}", found.mark
        if self.length is not None:
            length = len(found.value) if isinstance(found.value, str | list | dict) else None
            if length != self.length:
                has = "has no length" if length is None else f"has the length {length}"
                yield f"{has}, expected {self.length}", found.mark
        for value, mark in ((found.value, found.mark),) if found.items is None else found.items:
            if self.matches is not None and not (isinstance(value, str) and re.search(self.matches, value)):
                yield f"is {show(value)}, which does not match {self.matches}", mark
            if self.among is not None and not any(same(value, one) for one in self.among):
                yield f"is {show(value)}, expected one of {', '.join(map(shorten, self.among))}", mark
        if found.items == () and (self.matches is not None or self.among is not None):
            yield "is an empty list, in which nothing can be looked at", found.mark


def same(found: Any, expected: Any) -> bool:
    """Whether two plain values are equal as JSON has it: `true` is not 1, and 1 is 1.0."""
    if isinstance(found, bool) or isinstance(expected, bool):
        return found is expected
    if isinstance(found, dict) and isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[key], expected[key]) for key in found)
    if isinstance(found, list | tuple) and isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(map(same, found, expected))
    return bool(found == expected)


def shorten(value: Any) -> str:
    """A value as JSON on one line."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _hidden(_value: object) -> str:
    return "a value that is not shown"
