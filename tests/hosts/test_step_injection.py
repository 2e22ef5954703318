"""Hostile values in every argument of every kind of step: one argument over there, or refused before anything runs."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from checks.evidence.files import CommandOutput
from checks.hosts.command import CommandAction, CommandCheck
from checks.hosts.copy import Copy
from checks.hosts.file import FileCheck
from checks.hosts.port import Port
from checks.hosts.secret_file import SecretFile
from checks.hosts.supervision import MAX_ARGUMENT
from checks.hosts.systemd import Mask, SystemdCheck
from checks.hosts.usb import Usb
from runbook.errors import StepError
from runbook.kind import Kind
from runbook.outcome import Outcome, Verdict
from tests.fake_context import ScriptedPins
from tests.hosts.fleet_bench import fleet
from tests.hosts.hostile import PRINTS_ARGV, TEXT

examples = settings(max_examples=15)

NAMES = TEXT.map(lambda text: text.replace("/", "_")).filter(
    lambda text: text not in ("", ".", "..") and len(text.encode()) <= 200
)
"""What a file can be called."""


def done(folder: str, kind: type[Kind[Any]], **params: Any) -> tuple[Outcome, list[str]]:
    step, _ = fleet(Path(folder), "web1")
    step.operator = ScriptedPins()
    step.operator.secrets = ["the value"]
    return asyncio.run(step.run(kind, **params)), step.lines


@pytest.mark.parametrize("kind", [CommandCheck, CommandAction])
@pytest.mark.parametrize("on", ["local", "web1"])
@examples
@given(values=st.lists(TEXT, min_size=1, max_size=40), variable=TEXT)
def test_command(kind: type[Kind[Any]], on: str, values: list[str], variable: str) -> None:
    program = PRINTS_ARGV.replace("sys.argv[1:]", "[os.environ['ODD'], *sys.argv[1:]]")
    run = [sys.executable, "-I", "-S", "-c", program, *values]
    with tempfile.TemporaryDirectory() as folder:
        outcome, _ = done(folder, kind, run=run, env={"ODD": variable}, on=on)
    said = outcome.evidence[0]
    assert isinstance(said, CommandOutput)
    assert [bytes.fromhex(item).decode() for item in json.loads(said.stdout)] == [variable, *values]


@pytest.mark.parametrize("on", ["local", "web1"])
@examples
@given(values=st.lists(TEXT, min_size=1, max_size=40))
def test_the_arguments_of_a_shell_line(on: str, values: list[str]) -> None:
    run = [f'exec {sys.executable} -I -S -c "{PRINTS_ARGV}" "$@"', *values]
    with tempfile.TemporaryDirectory() as folder:
        outcome, _ = done(folder, CommandCheck, on=on, **{"run": run, "shell": True})
    said = outcome.evidence[0]
    assert isinstance(said, CommandOutput)
    assert [bytes.fromhex(item).decode() for item in json.loads(said.stdout)] == values


@pytest.mark.parametrize("on", ["local", "web1"])
@examples
@given(name=NAMES)
def test_the_folder_to_run_in(on: str, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).mkdir()
        program = "import os; print(os.fsencode(os.getcwd()).hex())"
        run = [sys.executable, "-I", "-S", "-c", program]
        outcome, _ = done(folder, CommandCheck, run=run, cwd=f"{folder}/{name}", on=on)
        said = outcome.evidence[0]
        assert isinstance(said, CommandOutput)
        assert bytes.fromhex(said.stdout.strip()) == os.fsencode(f"{folder}/{name}")


@pytest.mark.parametrize("on", ["local", "web1"])
@examples
@given(name=NAMES, other=NAMES)
def test_file(on: str, name: str, other: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / other).write_text("old")
        os.utime(Path(folder) / other, (1, 1))
        (Path(folder) / name).write_text(f"content of {name!r}")
        os.utime(Path(folder) / name, (9, 9))
        digest = hashlib.sha256(f"content of {name!r}".encode()).hexdigest()
        expect = {"sha256": digest, "contains": "^content"}
        if other != name:
            expect["newer_than"] = f"{folder}/{other}"
        outcome, _ = done(folder, FileCheck, path=f"{folder}/{name}", expect=expect, on=on)
        assert outcome.verdict is Verdict.PASSED, outcome.summary


@pytest.mark.parametrize(("source_on", "on"), [("local", "web1"), ("web1", "local")])
@examples
@given(name=NAMES, target=NAMES)
def test_copy(source_on: str, on: str, name: str, target: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "from").mkdir()
        (Path(folder) / "to").mkdir()
        (Path(folder) / "from" / name).write_bytes(name.encode())
        params = {"from": source_on, "source": f"{folder}/from/{name}", "target": f"{folder}/to/{target}", "on": on}
        outcome, _ = done(folder, Copy, **params)
        assert outcome.verdict is Verdict.PASSED, outcome.summary
        assert [path.name for path in (Path(folder) / "to").iterdir()] == [target]
        assert (Path(folder) / "to" / target).read_bytes() == name.encode()


@pytest.mark.parametrize("on", ["local", "web1"])
@examples
@given(name=NAMES)
def test_secret_file(on: str, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_text("the value\n")
        outcome, _ = done(folder, SecretFile, path=f"{folder}/{name}", ask="The value", on=on)
        assert outcome.verdict is Verdict.PASSED, outcome.summary


HARMLESS = re.compile(r"[A-Za-z0-9_:.%\\@][A-Za-z0-9_:.%\\@-]*")
"""No option, no wildcard, nothing that a shell or a terminal reads."""


@pytest.mark.parametrize(
    ("kind", "key", "params"),
    [
        (SystemdCheck, "unit", {"expect": {"active": True}}),
        (Mask, "unit", {}),
        (Usb, "device", {}),
        (Port, "address", {"port": 22}),
        (SecretFile, "variable", {"path": "x", "ask": "y"}),
        (Copy, "owner", {"source": "x", "target": "y"}),
        (Copy, "group", {"source": "x", "target": "y"}),
        (Copy, "mode", {"source": "x", "target": "y"}),
        (FileCheck, "on", {"path": "x"}),
        (CommandAction, "on", {"run": ["id"]}),
    ],
)
@settings(max_examples=200)
@given(value=TEXT)
def test_a_name_is_harmless_or_refused(kind: type[Kind[Any]], key: str, params: dict[str, Any], value: str) -> None:
    try:
        kind.Params.model_validate({key: value, **params})
    except ValidationError:
        return
    assert value == "" or HARMLESS.fullmatch(value)


@pytest.mark.parametrize("on", ["local", "web1"])
@pytest.mark.parametrize(
    ("kind", "params"),
    [
        (CommandCheck, {"run": ["echo", "VALUE"]}),
        (CommandCheck, {"run": ["env"], "env": {"A": "VALUE"}}),
        (FileCheck, {"path": "/VALUE"}),
        (SecretFile, {"path": "/VALUE", "ask": "y"}),
        (Copy, {"source": "/VALUE", "target": "/tmp/y"}),
    ],
)
@pytest.mark.parametrize("value", ["a\0b", "x" * 1_000_000], ids=["NUL", "1 MB"])
def test_what_no_system_call_takes_is_said(
    tmp_path: Path, *, kind: type[Kind[Any]], params: dict[str, Any], value: str, on: str
) -> None:
    filled = json.loads(json.dumps(params).replace("VALUE", json.dumps(value)[1:-1]))
    with pytest.raises((StepError, ValidationError)) as raised:
        done(str(tmp_path), kind, on=on, **({**filled, "from": on} if kind is Copy else filled))
    error = raised.value
    if isinstance(error, StepError):
        assert "NUL" in error.what or str(MAX_ARGUMENT) in error.what
        assert error.symptom in kind.symptoms
    else:
        assert "at most 4096" in str(error)  # a path's own limit comes first
        assert value != "a\0b"
