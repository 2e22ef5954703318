"""What a header says of the program can be computed again by a stranger."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from runbook.version import PACKAGES, versions

DOCUMENT = Path(__file__).parents[2] / "docs" / "journal.md"


def _own(root: Path) -> str:
    code = "from runbook.version import program_sha256; print(program_sha256())"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _documented(root: Path) -> str:
    command = re.search(r"^    (find checks .*)$", DOCUMENT.read_text(), re.MULTILINE)
    assert command is not None
    done = subprocess.run(["sh", "-c", command[1]], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.split()[0]


def test_the_documented_command_gives_the_same_hash_and_every_file_counts(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    for package in PACKAGES:
        shutil.copytree(root / package, tmp_path / package)
    before = _own(tmp_path)
    assert re.fullmatch("[0-9a-f]{64}", before)
    assert _documented(tmp_path) == before
    for name in ("checks/hsm/slots.py", "screens/__init__.py"):
        with (tmp_path / name).open("a") as file:
            file.write("# changed\n")
        after = _own(tmp_path)
        assert after != before
        assert _documented(tmp_path) == after
        before = after
    (tmp_path / "runbook" / "new.py").write_text("")
    assert _own(tmp_path) != before


def test_versions_name_python_and_the_libraries() -> None:
    found = versions()
    assert found["python"] == platform.python_version()
    assert {"cryptography", "python-pkcs11", "rfc8785", "textual"} <= set(found)
    assert "pytest" not in found
    assert all(re.match(r"\d", number) for number in found.values()), found
