"""Answers of a file at the prompts of an interactive command: real commands, real pseudo-terminals."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runbook.errors import PromptCancelled, UsageError
from runbook.operator import TerminalRequest
from runbook.plain import typist
from runbook.plain.answers import Answers, Typed, load_answers
from runbook.plain.typist import type_answers
from tests.cli.bench import Bench

ASKS = """\
import getpass, sys
name = input("env_name: ")
value = getpass.getpass("value: ")
open(sys.argv[1], "w").write(f"{name}={value}")
sys.exit(3)
"""


def lines(*pairs: tuple[str, str]) -> list[Typed]:
    return [Typed.model_validate({"when": when, "secret": text}) for when, text in pairs]


def asking(folder: Path, program: str = ASKS) -> TerminalRequest:
    return TerminalRequest((sys.executable, "-c", program, str(folder / "got")), str(folder))


async def test_each_line_is_typed_at_its_prompt(tmp_path: Path) -> None:
    typed = lines(("env_name: ", "STEP_CA_HSM_PIN"), ("value: ", "s3same äö"))
    assert await type_answers(asking(tmp_path), typed) == 3
    assert (tmp_path / "got").read_text() == "STEP_CA_HSM_PIN=s3same äö"


async def test_a_prompt_that_does_not_come_and_one_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typist, "PATIENCE", 0.5)
    monkeypatch.setattr(typist, "SILENCE", 0.5)
    with pytest.raises(PromptCancelled, match="did not ask for `Password`"):
        await type_answers(asking(tmp_path), lines(("Password", "x")))
    with pytest.raises(PromptCancelled, match="may wait for an answer"):
        await type_answers(asking(tmp_path), lines(("env_name", "x")))
    assert not (tmp_path / "got").exists()


async def test_a_command_that_ends_early_or_is_killed(tmp_path: Path) -> None:
    assert await type_answers(asking(tmp_path, "raise SystemExit(5)"), lines(("never", "x"))) == 5
    assert await type_answers(asking(tmp_path, "import os; os.kill(os.getpid(), 9)"), []) == 128 + 9


RUNBOOK = """\
runbook: 1
id: vault
title: A vault
stages:
  - id: C
    title: The vault
    steps:
      - id: C1
        title: The value is in the vault
        action: terminal
        run: [{python}, ask.py, got]
        exit_code: 3
"""
ANSWERS = """\
answers: 1
typed:
  C1:
    - {when: 'env_name: ', type: PIN_NAME}
    - {when: 'value: ', secret: zeuxis-4711}
"""


def test_a_headless_run_types_them_and_no_trace_of_them_is_kept(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    (tmp_path / "site.yaml").write_text("site: 1\nname: here\n")
    (tmp_path / "ask.py").write_text(ASKS)
    (tmp_path / "runbook.yaml").write_text(RUNBOOK.format(python=sys.executable))
    answers = tmp_path / "answers.yaml"
    answers.write_text(ANSWERS)
    answers.chmod(0o644)
    open_to_all = bench("run", "--headless", "--answers", "answers.yaml")
    assert open_to_all.returncode == 2
    assert "holds secrets" in open_to_all.stderr
    answers.chmod(0o600)
    done = bench("run", "--headless", "--answers", "answers.yaml")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "got").read_text() == "PIN_NAME=zeuxis-4711"
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path.name not in ("got", "answers.yaml")]
    assert any(path.name == "journal.jsonl" for path in kept)
    assert not [path for path in kept if b"zeuxis-4711" in path.read_bytes()]
    assert "zeuxis-4711" not in done.stdout + done.stderr


def test_a_step_that_is_not_there_is_told(tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text("answers: 1\ntyped:\n  C1:\n    - {when: '(', type: x}\n")
    path.chmod(0o600)
    with pytest.raises(UsageError, match="no regular expression"):
        load_answers(path)
    assert Answers(answers=1).typed == {}
