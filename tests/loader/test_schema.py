"""The JSON Schema says of a file what the loader says of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from runbook.files import yaml_source
from runbook.files.schema import json_schema, site_schema
from runbook.kind import Registry
from tests.loader.small_kinds import GOOD, KINDS, SITE

Write = Callable[..., Path]

RUNBOOK_SCHEMA = json_schema(Registry(KINDS))


def faults(write: Write, text: str, schema: dict[str, Any] = RUNBOOK_SCHEMA) -> list[str]:
    document, problems = yaml_source.read(write(text))
    assert problems == []
    return [error.json_path for error in Draft202012Validator(schema).iter_errors(document.root.data())]


def test_the_schemas_are_schemas() -> None:
    Draft202012Validator.check_schema(RUNBOOK_SCHEMA)
    Draft202012Validator.check_schema(site_schema())


def test_what_the_loader_takes_is_valid(write: Write) -> None:
    assert faults(write, GOOD) == []
    assert faults(write, SITE, site_schema()) == []
    assert faults(write, GOOD.replace("count: 1", "count: '{{ serial }}'")) == []
    assert faults(write, GOOD.replace("when: no token", "when: [no token]")) == []
    assert faults(write, GOOD.replace("attest: The dongle is seated", "attest: [a, b]")) == []


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("id: demo", "id: de mo", "$.id"),
        ("runbook: 1", "runbook: 2", "$.runbook"),
        ("title: A small runbook", "titel: A", "$"),
        ("check: slots\n", "check: slot\n", "$.stages[0].steps[1]"),
        ("check: slots\n", "check: slots\n        action: wipe\n", "$.stages[0].steps[1]"),
        ("attest: The dongle is seated", "attest: x\n        check: paper\n        input: y", "$.stages[0].steps[0]"),
        ("        check: slots\n", "", "$.stages[0].steps[1]"),
        ("count: 1", "count: many", "$.stages[0].steps[1].count"),
        ("count: 1", "cuont: 1", "$.stages[0].steps[1]"),
        ("size: 384", "sise: 384", "$.stages[0].steps[1].expect[0]"),
        ("        token: intermediate\n        count", "        count", "$.stages[0].steps[1]"),
        ("action: wipe\n", "action: wipe\n        params: {}\n", "$.stages[1].steps[0]"),
        ("attest: The dongle is seated", "attest: x\n        token: y", "$.stages[0].steps[0]"),
        ("check: slots, token: intermediate", "check: slots, tokn: x", "$.stages[1].steps[0].probe"),
        ("check: slots, token: intermediate", "check: wipe, volume: x", "$.stages[1].steps[0].probe"),
        ("type: sha256", "type: sha255", "$.inputs.fingerprint"),
        ("  seated: The", "  sea-ted: The", "$.facts"),
        ("two_person: true", "two_people: true", "$.stages[1].steps[0].gate"),
        ("    title: Wipe\n", "    title: Wipe\n    window: {}\n", "$.stages[1].window"),
        ("    title: Wipe\n", "    title: Wipe\n    window: 22:00-23:30\n", "$.stages[1].window"),
        ("id: 01", "id: 10", "$.stages[0].steps[1].expect[0].id"),
        ("[Restore the snapshot]", "[{stay: x}]", "$.stages[1].steps[0].backout[0]"),
        ("[Restore the snapshot]", "[{action: wipe, volume: x}]", "$.stages[1].steps[0].backout[0]"),
        ("[Restore the snapshot]", "[{action: wipe, title: x, volum: x}]", "$.stages[1].steps[0].backout[0]"),
    ],
)
def test_what_the_loader_refuses_is_not_valid(write: Write, old: str, new: str, path: str) -> None:
    assert old in GOOD
    found = faults(write, GOOD.replace(old, new, 1))
    assert any(place.startswith(path) for place in found), found


def test_a_stage_may_have_a_window(write: Write) -> None:
    text = GOOD.replace("    title: Wipe\n", "    title: Wipe\n    window: {ask: Downtime window}\n")
    assert faults(write, text) == []


def test_each_form_of_a_way_back_fits(write: Write) -> None:
    way = "{action: wipe, title: x, volume: '{{ mount }}', probe: {check: slots, token: intermediate}}"
    text = GOOD.replace(
        "[Restore the snapshot]",
        f"[By hand, {way}, {{check: slots, title: x, token: y}}, {{stays: x}}, {{undone_by: A1}}]",
    )
    assert faults(write, text) == []


def test_faults_of_a_site_profile(write: Write) -> None:
    assert faults(write, SITE.replace("module:", "modul:"), site_schema())
    assert faults(write, SITE.replace("name: Here", ""), site_schema())


def test_an_editor_can_tell_what_a_key_means() -> None:
    definitions = RUNBOOK_SCHEMA["$defs"]
    step = definitions["Step"]["properties"]
    assert step["check"]["oneOf"][1] == {"const": "slots", "description": "Lists the slots and finds the token."}
    assert definitions["check.slots"]["properties"]["count"]["description"] == "How many tokens there must be."
    assert step["deadline"]["description"]
    assert "params" not in step
    assert "kind" not in step


def test_the_kinds_that_are_installed_make_a_schema(write: Write) -> None:
    schema = json_schema(Registry())
    Draft202012Validator.check_schema(schema)
    shipped = Path(__file__).parents[2] / "runbook.yaml"
    assert faults(write, shipped.read_text(), schema) == []
