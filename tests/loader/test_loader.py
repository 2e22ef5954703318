"""From a file to a model: versions, hashes, other formats, and no exception but one."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbook.fields import Line, Model
from runbook.files.loader import load_document, load_runbook, load_site
from runbook.files.problems import InvalidDocument, Severity
from runbook.kind import Registry
from runbook.model import Role
from tests.loader.small_kinds import GOOD, KINDS, SITE

Write = Callable[..., Path]

fixtures_are_fine = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)


def test_a_runbook_is_loaded(write: Write, registry: Registry) -> None:
    loaded = load_runbook(write(GOOD), registry)
    assert loaded.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()
    assert loaded.warnings == ()
    step = loaded.model.step("A2")
    assert (step.role, step.kind, step.params["expect"][0]["id"]) == (Role.CHECK, "slots", "01")
    assert loaded.model.step("A1").params == {"statements": ("The dongle is seated",)}
    probe = loaded.model.step("B1").probe
    assert probe is not None
    assert probe.params == {"token": "intermediate"}


def test_the_hash_is_of_the_bytes(write: Write, registry: Registry) -> None:
    raw = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    assert load_runbook(write(raw), registry).sha256 == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize("extra", ["", "id: again\n", "unknown: key\n", "stages: []\n"])
def test_a_newer_version_is_the_only_problem(write: Write, registry: Registry, extra: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        load_runbook(write(GOOD.replace("runbook: 1", "runbook: 2") + extra), registry)
    (problem,) = caught.value.problems
    assert "newer schema version 2" in problem.message
    assert problem.suggestion == "Update the program."


def test_a_site_profile_is_no_runbook(write: Write, registry: Registry) -> None:
    with pytest.raises(InvalidDocument, match="this is a site profile, not a runbook"):
        load_runbook(write(SITE), registry)


def test_warnings_do_not_stop_a_runbook(write: Write, registry: Registry) -> None:
    loaded = load_runbook(write(GOOD.replace("facts:\n", "facts:\n  idle: x\n")), registry)
    assert [warning.severity for warning in loaded.warnings] == [Severity.WARNING]


def test_what_a_fault_of_the_yaml_leaves_behind_is_not_told_again(write: Write, registry: Registry) -> None:
    with pytest.raises(InvalidDocument) as caught:
        load_runbook(write(GOOD.replace("title: Wipe it", "title: !x [a]")), registry)
    assert [p.message for p in caught.value.problems] == ["tags (`!`) are not used here"]


class Sheet(Model):
    """A format of somebody else's."""

    sheet: Literal[1, 2]
    pins: dict[str, Line]


def test_another_format_with_secrets_is_read_without_showing_them(write: Write) -> None:
    assert load_document(write("sheet: 1\npins: {a: '5'}"), Sheet, private=True).model.pins == {"a": "5"}
    for text in ("sheet: 1\npins: {a: 64821907}", "sheet: 1\npins: {a: [64821907]}", "sheet: 1\npins: {a: '64821907}"):
        with pytest.raises(InvalidDocument) as caught:
            load_document(write(text), Sheet, private=True)
        assert "64821907" not in str(caught.value)
    with pytest.raises(InvalidDocument, match="newer schema version 3; this program knows version 2"):
        load_document(write("sheet: 3\npins: {}"), Sheet)


def test_a_kind_whose_validator_fails_in_its_own_way(write: Write) -> None:
    from pydantic import field_validator

    from tests.loader.small_kinds import Paper, PaperParams

    class Broken(PaperParams):
        @field_validator("file")
        @classmethod
        def fail(cls, value: str) -> str:
            raise KeyError(value)

    kind = type("Broken", (Paper,), {"Params": Broken})
    with pytest.raises(InvalidDocument, match="the keys of `paper` cannot be checked: KeyError"):
        load_runbook(write(GOOD), Registry({**KINDS, (Role.CHECK, "paper"): kind}))


def loads_or_tells(path: Path, registry: Registry) -> None:
    """The one promise: a model, or InvalidDocument with at least one error, each with a place in the file."""
    lines = path.read_bytes().count(b"\n") + path.read_bytes().count(b"\r") + 1
    for error in filter(None, (refusal(load_runbook, path, registry), refusal(load_site, path))):
        assert any(p.severity is Severity.ERROR for p in error.problems)
        assert all(0 <= p.line <= lines for p in error.problems)
        assert not {"\x1b", "\0", "\u202e"} & set(str(error))


def refusal(load: Callable[..., object], *arguments: object) -> InvalidDocument | None:
    """What the loader refuses the file with, if it does."""
    try:
        load(*arguments)
    except InvalidDocument as error:
        return error
    return None


@fixtures_are_fine
@given(raw=st.binary(max_size=200))
def test_any_bytes(write: Write, registry: Registry, raw: bytes) -> None:
    loads_or_tells(write(raw), registry)


@fixtures_are_fine
@given(text=st.text(alphabet=" \n\t-:{}[]'\"|>#&*!%@`?,~<01aé漢\x1b\u202e\\", max_size=80))
def test_any_text_that_looks_like_yaml(write: Write, registry: Registry, text: str) -> None:
    loads_or_tells(write(text), registry)


SNIPPETS = [
    "{}",
    "[]",
    "null",
    "1",
    "true",
    "''",
    "x: y",
    "- ",
    "'{{ x }}'",
    "{{",
    "&a",
    "*a",
    "!x",
    "\t",
    "é",
    "\x1b",
    "1.5",
]


@settings(fixtures_are_fine, max_examples=400)
@given(seed=st.integers(0, 2**32), edits=st.integers(1, 4))
def test_a_runbook_with_random_damage(write: Write, registry: Registry, seed: int, edits: int) -> None:
    source = random.Random(seed)  # noqa: S311 - not for secrets
    text = source.choice([GOOD, SITE])
    for _ in range(edits):
        lines = text.split("\n")
        at = source.randrange(len(lines))
        line, snippet = lines[at], source.choice(SNIPPETS)
        change = source.randrange(6)
        if change == 0:
            lines.pop(at)
        elif change == 1:
            lines.insert(at, source.choice(lines))
        elif change == 2 and ":" in line:
            lines[at] = line[: line.index(":") + 1] + " " + snippet
        elif change == 3:
            cut = source.randrange(len(line) + 1)
            lines[at] = line[:cut] + snippet + line[cut:]
        elif change == 4:
            lines[at] = line.replace("s", "", 1)
        else:
            lines[at] = " " * source.randrange(4) + line.lstrip(" ")
        text = "\n".join(lines)
    loads_or_tells(write(text), registry)


WORDS = """
runbook id title roles inputs facts stages steps check action attest token gate after phrase probe hints when try likely
requires type source kind params site tokens run x
"""
KEYS = st.sampled_from(WORDS.split())
TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["A", "slots", "wipe", "x", "{{ x }}", "sha256"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=25,
)


@fixtures_are_fine
@given(tree=st.dictionaries(KEYS, TREES, max_size=8))
def test_any_tree_of_our_own_keys(write: Write, registry: Registry, tree: object) -> None:
    import json

    loads_or_tells(write(json.dumps(tree)), registry)
