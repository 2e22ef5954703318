"""`runbook validate`, `schema` and `checks` as they are called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SHIPPED = Path(__file__).parents[2] / "runbook.yaml"


def runbook(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "NO_COLOR": "1", "COLUMNS": "100"}
    argv = [sys.executable, "-m", "runbook", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, cwd=cwd, env=env, timeout=60, check=False)


def test_the_shipped_runbook_is_valid(tmp_path: Path) -> None:
    done = runbook("validate", str(SHIPPED), cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout == f"{SHIPPED} is valid: 1 warning\n"
    (warned,) = [line for line in done.stderr.splitlines() if "warning: " in line]
    assert "a shell reads this line" in warned, "the secret that a script of the site takes from its environment"


def test_problems_go_to_stderr_and_the_verdict_to_stdout(tmp_path: Path) -> None:
    text = SHIPPED.read_text().replace("check: slots", "check: slot").replace("type: sha256", "type: sha255")
    (tmp_path / "runbook.yaml").write_text(text)
    done = runbook("validate", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == "runbook.yaml cannot be used: 2 errors and 1 warning\n"
    assert "there is no check named `slot`" in done.stderr
    assert "did you mean `slots`?" in done.stderr
    line = text[: text.index("check: slot\n")].count("\n") + 1
    assert f"runbook.yaml:{line}:16: " in done.stderr


def test_warnings_do_not_fail(tmp_path: Path) -> None:
    text = SHIPPED.read_text().replace("facts:\n", "facts:\n  idle: Nobody cares\n")
    (tmp_path / "runbook.yaml").write_text(text)
    done = runbook("validate", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout == "runbook.yaml is valid: 2 warnings\n"
    assert "warning: no step establishes the fact `idle`" in done.stderr


def test_the_site_is_checked_with_the_runbook(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("site: 1\nname: x\ntokens: {other: {module: /x.so, label: x}}\ninputs: {repository: /x}\n")
    done = runbook("validate", str(SHIPPED), "--site", str(site), cwd=tmp_path)
    assert done.returncode == 2
    assert "has no token `intermediate`" in done.stderr
    assert "does not give the input `export_usb`" in done.stderr
    assert "repository" not in done.stderr


def test_faults_of_both_files_are_told_together(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("site: 1\nnam: x\n")
    done = runbook("validate", "missing.yaml", "--site", str(site), cwd=tmp_path)
    assert done.returncode == 2
    assert "missing.yaml: cannot be opened" in done.stderr
    assert "did you mean `name`?" in done.stderr


@pytest.mark.parametrize("arguments", [("schema",), ("schema", "--site")])
def test_the_schema_is_json(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = runbook(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_kinds_are_listed(tmp_path: Path) -> None:
    done = runbook("checks", cwd=tmp_path)
    assert done.returncode == 0
    starts = [line.split("  ")[0] for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert {"check: slots", "check: sign_test", "action: command", "attest: STATEMENTS"} <= set(starts)


def test_what_a_kind_takes(tmp_path: Path) -> None:
    done = runbook("checks", "slots", cwd=tmp_path)
    assert done.returncode == 0
    assert "  token: the name of a token; required" in done.stdout
    assert "      count: a whole number; by default 1" in done.stdout
    assert "  no token: " in done.stdout
    assert "  slots: " in done.stdout


def test_an_unknown_kind(tmp_path: Path) -> None:
    done = runbook("checks", "slot", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean `slots`?" in done.stderr


def test_validating_imports_no_user_interface_and_no_device_library(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from runbook.kind import Registry\n"
        "from runbook.files.loader import load_runbook\n"
        f"load_runbook(Path({str(SHIPPED)!r}), Registry())\n"
        "heavy = {'textual', 'rich', 'pkcs11', 'paramiko', 'docker', 'cryptography'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, timeout=60)
