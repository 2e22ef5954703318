"""Commands as steps: exit code, patterns, and failures told apart."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from checks.evidence.files import CommandOutput
from checks.hosts.command import CommandAction, CommandCheck, CommandParams
from runbook.errors import StepError
from runbook.kind import Registry
from runbook.model import Role
from runbook.outcome import Outcome, Verdict
from runbook.secrets import Secret
from tests.stand_in import StandIn


async def do(folder: Path, *run: str, **params: Any) -> tuple[Outcome, CommandOutput]:
    outcome = await StandIn(folder).run(CommandCheck, run=run, **params)
    assert outcome.symptom in {"", *CommandCheck.symptoms}
    said = outcome.evidence[0]
    assert isinstance(said, CommandOutput)
    return outcome, said


def test_both_are_installed() -> None:
    assert Registry().get(Role.CHECK, "command") is CommandCheck
    assert Registry().get(Role.ACTION, "command") is CommandAction


async def test_exit_code_as_expected(tmp_path: Path) -> None:
    outcome, said = await do(tmp_path, "sh", "-c", "pwd; exit 4", expect={"exit_code": 4})
    assert outcome.verdict is Verdict.PASSED
    assert (said.exit_code, said.cwd, said.stdout) == (4, str(tmp_path), f"{tmp_path}\n")


async def test_another_exit_code(tmp_path: Path) -> None:
    outcome, _ = await do(tmp_path, "false")
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "exit code")
    assert outcome.summary == "false ended with exit code 1, expected 0"


async def test_patterns(tmp_path: Path) -> None:
    expect = {"stdout": [r"^slot \d+$", "absent"], "stderr": "warn", "forbidden": ["error", "never"]}
    outcome, said = await do(tmp_path, "sh", "-c", "echo a; echo slot 12; echo warn >&2", expect=expect)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "output missing")
    assert said.matched == (r"stdout: ^slot \d+$", "stderr: warn", "not there: error", "not there: never")
    assert said.missed == ("missing: stdout: absent",)


async def test_patterns_are_marked_where_they_stand(tmp_path: Path) -> None:
    expect = {"stdout": [r"slot \d+$", "two\nlines", "gone"], "stderr": "^warn", "forbidden": ["a+"]}
    script = r"printf 'x\n- slot 12\n  slot 3\n two\nlines\naaa b a\n'; echo warn >&2"
    _, said = await do(tmp_path, "sh", "-c", script, expect=expect)
    lines = {"stdout": said.stdout.split("\n"), "stderr": said.stderr.split("\n")}
    assert [
        (mark.stream, mark.line, lines[mark.stream][mark.line][mark.start : mark.end], mark.good) for mark in said.marks
    ] == [
        ("stdout", 1, "slot 12", True),
        ("stdout", 2, "slot 3", True),
        ("stdout", 3, "two", True),
        ("stderr", 0, "warn", True),
        ("stdout", 5, "aaa", False),
        ("stdout", 5, "a", False),
        ("stderr", 0, "a", False),
    ]
    plain = list(said.plain())
    assert plain[plain.index("  - slot 12") + 1] == "    ^^^^^^^ found: slot \\d+$"
    assert plain[plain.index("  2| warn") + 1 :][:2] == ["     ^^^^ found: ^warn", "      ^ ! found and forbidden: a+"]


async def test_marks_are_bounded_and_of_what_is_shown(tmp_path: Path) -> None:
    _, said = await do(tmp_path, "seq", "100000", expect={"stdout": r"^\d+$", "forbidden": "^$"})
    assert len(said.marks) == 20
    context = StandIn(tmp_path)
    context.redactor.learn(Secret(b"hunter22"))
    outcome = await context.run(CommandCheck, run=["echo", "pin hunter22 end"], expect={"stdout": "end"})
    found = outcome.evidence[0]
    assert isinstance(found, CommandOutput)
    (mark,) = found.marks
    assert found.stdout[mark.start : mark.end] == "end"
    assert "hunter22" not in repr(found)


@pytest.mark.parametrize("stream", ["", " >&2"])
async def test_forbidden_output_on_either_stream(tmp_path: Path, stream: str) -> None:
    outcome, said = await do(tmp_path, "sh", "-c", f"echo CKR_PIN_LOCKED{stream}", expect={"forbidden": "PIN_LOCKED"})
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "output forbidden")
    assert said.missed == ("forbidden: PIN_LOCKED",)


async def test_a_pattern_of_stdout_is_not_looked_for_in_stderr(tmp_path: Path) -> None:
    assert (await do(tmp_path, "sh", "-c", "echo yes >&2", expect={"stdout": "yes"}))[0].symptom == "output missing"


async def test_environment_is_added_to_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    outcome, _ = await do(tmp_path, "env", env={"ADDED": "2"}, expect={"stdout": ["^OURS=1$", "^ADDED=2$"]})
    assert outcome.verdict is Verdict.PASSED


async def test_folder_is_relative_to_the_runbook(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    assert (await do(tmp_path, "pwd", cwd="sub"))[1].stdout == f"{tmp_path}/sub\n"


@pytest.mark.parametrize(
    ("run", "cwd", "symptom"),
    [
        (["no-such-program"], "", "program not found"),
        (["./plain"], "", "not executable"),
        (["true"], "absent", "wrong folder"),
    ],
)
async def test_what_cannot_run(tmp_path: Path, run: list[str], cwd: str, symptom: str) -> None:
    (tmp_path / "plain").write_text("text")
    with pytest.raises(StepError) as caught:
        await do(tmp_path, *run, cwd=cwd)
    assert caught.value.symptom == symptom
    assert symptom in CommandCheck.symptoms
    assert caught.value.remedy


async def test_killed_by_a_signal(tmp_path: Path) -> None:
    outcome, said = await do(tmp_path, "sh", "-c", "kill -9 $$")
    assert (outcome.verdict, outcome.symptom, said.ended_by) == (Verdict.FAILED, "killed", "SIGKILL")


@pytest.mark.parametrize(("kind", "verdict"), [(CommandCheck, Verdict.ERRORED), (CommandAction, Verdict.IN_DOUBT)])
async def test_a_command_that_hangs_keeps_what_it_said(
    tmp_path: Path, kind: type[CommandCheck | CommandAction], verdict: Verdict
) -> None:
    context = StandIn(tmp_path, seconds_left=1.0)
    outcome = await context.run(kind, run=["sh", "-c", "echo waiting for the lock; sleep 600"])
    assert (outcome.verdict, outcome.symptom) == (verdict, "deadline")
    said = outcome.evidence[0]
    assert isinstance(said, CommandOutput)
    assert (said.stdout, said.ended_by, said.exit_code) == ("waiting for the lock\n", "deadline", None)


async def test_output_that_cannot_be_judged_whole_is_never_green(tmp_path: Path) -> None:
    flood = "yes ok | head -c 20000000; echo evil; yes ok | head -c 20000000"
    outcome, _ = await do(tmp_path, "sh", "-c", flood, expect={"forbidden": "evil"})
    assert (outcome.verdict, outcome.symptom) == (Verdict.ERRORED, "output too long")
    outcome, _ = await do(tmp_path, "sh", "-c", flood, expect={"stdout": "evil"})
    assert outcome.verdict is Verdict.ERRORED
    outcome, said = await do(tmp_path, "sh", "-c", flood, expect={"stdout": "^ok$"})
    assert outcome.verdict is Verdict.PASSED
    assert len(said.stdout) < 200_000


async def test_secrets_leave_output_and_live_lines(tmp_path: Path) -> None:
    context = StandIn(tmp_path)
    context.redactor.learn(Secret(b"648219"))
    (tmp_path / "leak").write_text("PIN 648219\n")
    outcome = await context.run(CommandCheck, run=["cat", "leak"], expect={"stdout": "PIN ••••"})
    assert outcome.verdict is Verdict.PASSED
    assert context.lines == ["PIN ••••••••"]
    assert "648219" not in outcome.evidence[0].model_dump_json()


async def test_the_action_is_judged_the_same_way(tmp_path: Path) -> None:
    outcome = await StandIn(tmp_path).run(CommandAction, run=[sys.executable, "-c", "raise SystemExit(7)"])
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "exit code")


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"run": []}, "at least 1"),
        ({"run": "make all"}, "tuple"),
        ({"run": ["x"], "expect": {"stdout": ["(open"]}}, r"`\(open` is no regular expression: missing \)"),
        ({"run": ["x"], "expect": {"forbidden": "*"}}, "at character 1"),
        ({"run": ["x"], "expect": {"exit_code": 256}}, "255"),
        ({"run": ["x"], "shel": True}, "Extra"),
        ({"run": [" "]}, "is empty"),
    ],
)
def test_parameters_are_checked_when_they_are_read(params: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        CommandParams.model_validate(params)
