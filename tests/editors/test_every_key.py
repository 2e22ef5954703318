"""Every key of every file says what it is, with an example that fits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from runbook.files.schema import configuration_schema, json_schema, site_schema
from runbook.kind import Registry

SCHEMAS = {"runbook": json_schema(Registry()), "site": site_schema(), "config": configuration_schema()}

Schema = dict[str, Any]


def keys(schema: Any, at: str = "") -> Iterator[tuple[str, Schema]]:
    """Every key that a file may have, by where it is in the schema; what a condition asks for is none of them."""
    match schema:
        case dict():
            for name, below in schema.get("properties", {}).items():
                if below is not False:
                    yield f"{at}.{name}", below
            for name, below in schema.items():
                if name not in ("if", "examples", "default", "enum", "const"):
                    yield from keys(below, f"{at}.{name}".removesuffix(".properties"))
        case list():
            for number, below in enumerate(schema):
                yield from keys(below, f"{at}[{number}]")


def alternatives(root: Schema, schema: Schema) -> Iterator[Schema]:
    """The schema, or what it is any one of, without what is inserted and without `null`."""
    if "$ref" in schema:
        yield from alternatives(root, root["$defs"][schema["$ref"].rpartition("/")[2]])
    elif "anyOf" in schema or "oneOf" in schema:
        for each in schema.get("anyOf") or schema["oneOf"]:
            yield from alternatives(root, each)
    elif schema.get("type") != "null" and "{{" not in str(schema.get("pattern", "")).replace("\\", ""):
        yield schema


def speaks_for_itself(root: Schema, schema: Schema) -> bool:
    """Whether all that can stand there is listed: an editor proposes it."""
    return all(
        "enum" in each or "const" in each or each.get("type") == "boolean" for each in alternatives(root, schema)
    )


EVERY = [
    pytest.param(root, schema, id=f"{file}{at.replace('.$defs', '')}")
    for file, root in SCHEMAS.items()
    for at, schema in keys(root)
]


def test_there_are_as_many_as_one_thinks() -> None:
    assert len(EVERY) > 500
    assert {"config.theme", "site.tokens", "runbook.Step.title", "runbook.check.slots.token"} <= {
        str(key.id) for key in EVERY
    }


@pytest.mark.parametrize(("root", "schema"), EVERY)
def test_a_key_is_described_with_an_example_that_fits(root: Schema, schema: Schema) -> None:
    assert schema.get("description"), "it has no description"
    examples = schema.get("examples", [])
    assert examples or speaks_for_itself(root, schema), "it has no example"
    validator = Draft202012Validator({"$defs": root.get("$defs", {}), **schema})
    for example in examples:
        assert [error.message for error in validator.iter_errors(example)] == [], example
