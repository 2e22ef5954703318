"""The check `script`: order, syntax, interpreter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks.documents.script import Script
from checks.evidence.documents import Said
from runbook.outcome import Outcome, Verdict
from tests.documents.site_files import judged, wrong
from tests.stand_in import StandIn


async def run(folder: Path, text: str, **expect: Any) -> Outcome:
    path = folder / "run.sh"
    path.write_bytes(text.encode())
    path.chmod(0o755)
    return await StandIn(folder).run(Script, path="run.sh", expect=expect)


async def test_each_step_is_looked_for_after_the_one_before(tmp_path: Path) -> None:
    text = "#!/bin/sh\nthree\none\ntwo\none\n"
    outcome = await run(tmp_path, text, in_order=["^one$", "^two$", {"what": "the third", "pattern": "^three$"}])
    assert outcome.symptom == "order"
    (finding,) = wrong(outcome)
    assert (finding.line, finding.text) == (2, "the third: too early, it must come after ^two$")


async def test_a_missing_step_does_not_hide_those_after_it(tmp_path: Path) -> None:
    outcome = await run(tmp_path, "#!/bin/sh\none\nthree\n", in_order=["^one$", "^two$", "^three$", "^four$"])
    assert [(finding.line, finding.text) for finding in wrong(outcome)] == [
        (2, "^two$: not found after ^one$"),
        (3, "^four$: not found after ^three$"),
    ]


async def test_comments_do_nothing(tmp_path: Path) -> None:
    text = "#!/bin/sh\n# one\n   # set -x\none # set -x\n"
    outcome = await run(tmp_path, text, in_order=["one"], forbidden=["^ *set -x"])
    assert outcome.verdict is Verdict.PASSED
    assert "line 4: one" in [finding.text for finding in judged(outcome).those(Said.RIGHT)]


async def test_everything_forbidden_is_told_with_its_line(tmp_path: Path) -> None:
    outcome = await run(tmp_path, "#!/bin/sh\nx\ny\nx\n", forbidden=[{"what": "an x", "pattern": "^x$"}])
    assert [(finding.line, finding.text) for finding in wrong(outcome)] == [
        (2, "an x: must not be there"),
        (4, "an x: must not be there"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("#!/bin/sh\nif true; then\necho\n", 3, "sh finds a mistake"),
        ("#!/bin/sh\necho 'a\n", 2, "sh finds a mistake"),
        ("#!/bin/bash\nfor ((i=0;i<2;i++)) do\n", 2, "bash finds a mistake"),
        ("#!/usr/bin/env bash\nfi\n", 2, "bash finds a mistake"),
        ("while\n)\n", 2, "sh finds a mistake"),
    ],
)
async def test_the_shell_of_the_first_line_judges_the_syntax(tmp_path: Path, text: str, line: int, said: str) -> None:
    outcome = await run(tmp_path, text)
    assert outcome.symptom == "syntax"
    (finding,) = wrong(outcome)
    assert said in finding.text
    assert line <= finding.line <= line + 1


async def test_what_bash_alone_understands_is_bashs_to_judge(tmp_path: Path) -> None:
    text = "a=(1 2)\n[[ $a == 1 ]] && echo <(true)\n"
    assert (await run(tmp_path, f"#!/bin/bash\n{text}")).verdict is Verdict.PASSED
    assert (await run(tmp_path, f"#!/bin/sh\n{text}")).symptom == "syntax"


async def test_nothing_of_the_script_is_run(tmp_path: Path) -> None:
    await run(tmp_path, f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    assert not (tmp_path / "ran").exists()


async def test_another_interpreter_is_not_asked(tmp_path: Path) -> None:
    outcome = await run(tmp_path, "#!/usr/bin/python3\nif:\n")
    assert outcome.verdict is Verdict.PASSED
    assert "`python3` was not asked" in judged(outcome).those(Said.REMARK)[0].text


@pytest.mark.parametrize(
    ("text", "wanted", "symptom"),
    [
        ("#!/bin/sh\n", "/bin/sh", ""),
        ("#! /bin/sh -e\n", "/bin/sh -e", ""),
        ("#!/bin/sh -x\n", "/bin/sh", "interpreter"),
        ("echo\n", "/bin/sh", "interpreter"),
        ("\n#!/bin/sh\n", "/bin/sh", "interpreter"),
    ],
)
async def test_the_interpreter(tmp_path: Path, text: str, wanted: str, symptom: str) -> None:
    assert (await run(tmp_path, text, interpreter=wanted)).symptom == symptom


async def test_line_ends_of_windows_are_found(tmp_path: Path) -> None:
    outcome = await run(tmp_path, "#!/bin/sh\r\necho\r\n")
    assert "its lines end with CR LF" in [finding.text for finding in wrong(outcome)]
