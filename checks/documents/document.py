"""The check `document`: what a JSON, YAML or TOML file says, by JMESPath expressions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import ClassVar, Literal

from pydantic import Field

from checks.documents.assertion import Assertion
from checks.documents.judging import SYMPTOMS, DocumentCheck, DocumentsParams, Finding, Source
from checks.documents.places import Places
from checks.hosts.machine import Machine
from runbook.context import Context
from runbook.files.document import Node
from runbook.threads import in_thread

Format = Literal["json", "yaml", "toml"]

_BY_SUFFIX: Mapping[str, Format] = {".json": "json", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml"}

ASSERTION_SYMPTOMS: Mapping[str, str] = {
    "absent": "Something that must be there is not.",
    "surplus": "Something is there that must not be.",
    "value": "A value is another than expected.",
}


class Params(DocumentsParams):
    """A structured document, and what it must say."""

    format: Format | None = Field(None, description="By default as the name's ending says: .json, .yaml, .yml, .toml.")
    private: bool = Field(False, description="It may hold secrets: no value and no line of it is shown.")
    expect: tuple[Assertion, ...] = Field(
        min_length=1,
        description="What the document must say, one statement each.",
        examples=[[{"at": "services.web.image", "present": True}]],
    )


class Document(DocumentCheck[Params]):
    """A JSON, YAML or TOML file says what it must: JMESPath expressions and what each comes to.

    All statements are judged, and each that does not hold is told with its line. A key given twice is an error.
    Anchors, merge keys and plain scalars of YAML are read as Compose does.
    """

    name = "document"
    Params = Params
    symptoms: ClassVar = {**SYMPTOMS, **ASSERTION_SYMPTOMS}

    def format_of(self, path: str) -> str:
        return _format(path, self.params.format)

    def is_private(self) -> bool:
        return self.params.private

    def plan(self) -> tuple[str, ...]:
        return (f"read {self.params.path}", *(f"  {one.at}: {_said(one)}" for one in self.params.expect))

    async def judge(self, source: Source, _machine: Machine, _ctx: Context) -> Iterable[Finding]:
        return await in_thread(lambda: self._judge(source))

    def _judge(self, source: Source) -> list[Finding]:
        places = Places(parse(source.text, _format(source.path, self.params.format)))
        return [
            finding
            for assertion in self.params.expect
            for finding in assertion.judge(places, private=self.params.private)
        ]


def _said(assertion: Assertion) -> str:
    given = assertion.model_dump(mode="json", by_alias=True, include=assertion.model_fields_set - {"at", "because"})
    return ", ".join(f"{name} {value}" for name, value in given.items())


def _format(path: str, given: Format | None) -> Format:
    """By the last ending that is known, so that `ca.json.hsm` is JSON."""
    if given:
        return given
    endings = reversed(PurePosixPath(path).suffixes)
    return next((_BY_SUFFIX[ending] for ending in endings if ending in _BY_SUFFIX), "yaml")


def parse(text: str, format: Format) -> Node:  # noqa: A002 - the field's word
    """The document as a tree with places. Raises Malformed."""
    match format:
        case "json":
            from checks.documents.json_tree import parse_json

            return parse_json(text)
        case "toml":
            from checks.documents.toml_tree import parse_toml

            return parse_toml(text)
    from checks.documents.yaml_tree import parse_yaml

    return parse_yaml(text)
