"""What is typed at a prompt of the real program: where it is a second after it was used. As root, who may look.

The figures that docs/secrets.md tells are those of these tests (`python -m tests.secrecy` prints them).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.secrecy.cases import CASES, Case, Places
from tests.secrecy.on_pty import OnPty, command_line, descendants
from tests.secrecy.scan import copies
from tests.ssh_lab.lab import Lab


@pytest.fixture
def places(tmp_path: Path, ssh_lab: Lab) -> Places:
    return Places(tmp_path, ssh_lab)


def test_the_scan_finds_what_is_there() -> None:
    """In every form, so that a zero means something."""
    secret = "".join(map(chr, (55, 51, 57, 49, 56, 52, 50, 48, 54)))
    kept = [secret.encode(form) for form in ("utf-8", "utf-16-le", "utf-32-le")]
    kept += [secret[::-1].encode(), secret.encode().hex().encode(), b"x" + secret[2:8].encode() + b"x"]
    found = copies(os.getpid(), secret)
    for form in ("utf-8", "utf-16-le", "utf-32-le", "reversed utf-8", "hex"):
        assert any(copy.form == form for copy in found), form
    assert len(found) >= len(kept)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_copy_stays_where_the_screens_are_drawn(case: Case, places: Places) -> None:
    with case.prepare(places) as ready, OnPty("run", cwd=ready.folder, env=ready.env) as program:
        program.wait("your turn")
        program.type("r")
        program.wait(case.asks)
        program.wait("·" * 8)
        program.type(ready.secret)  # all of it in one write, as a fast hand or a slow line gives it
        program.wait("•" * 8)
        everybody = [program.pid, *descendants(program.pid)]
        assert nobody_tells(everybody, ready.secret)
        assert leaves_no_core(program.pid)
        program.type("\r")
        program.wait(case.then)
        program.read(1.0)
        everybody = [program.pid, *descendants(program.pid)]
        assert nobody_tells(everybody, ready.secret)
        left = {command_line(pid): copies(pid, ready.secret, ready.run) for pid in everybody}
        assert copies(program.pid, ready.secret, ready.run) == []
        assert [line for line, found in left.items() if found] == []
        assert nothing_written(program, ready.secret)
        assert kept_nowhere(ready.folder, ready.secret, ready.known)


@pytest.mark.parametrize("marked", [True, False], ids=["marked", "as keys"])
def test_of_what_is_pasted_nothing_stays(marked: bool, places: Places) -> None:
    case = CASES[0]
    with case.prepare(places) as ready, OnPty("run", cwd=ready.folder, env=ready.env) as program:
        program.wait("your turn")
        program.type("r")
        program.wait("·" * 8)
        program.type(f"\x1b[200~{ready.secret}\x1b[201~" if marked else ready.secret)
        program.wait("Nothing can be pasted here" if marked else "•" * 8)
        if not marked:
            program.type("\x15")
            program.wait("·" * 8)
        program.type("\x1b")
        program.wait("was left without")
        program.read(1.0)
        assert copies(program.pid, ready.secret) == []
        assert nothing_written(program, ready.secret)


def nobody_tells(pids: list[int], secret: str) -> bool:
    """No argument and no environment holds it."""
    told = b""
    for pid in pids:
        for name in ("cmdline", "environ"):
            try:
                told += Path(f"/proc/{pid}/{name}").read_bytes()
            except OSError:
                continue  # it has ended
    return len(told) > 0 and secret.encode() not in told


def leaves_no_core(pid: int) -> bool:
    limits = Path(f"/proc/{pid}/limits").read_text()
    return "Max core file size        0 " in limits


def nothing_written(program: OnPty, secret: str) -> bool:
    """Neither the secret nor anything for the clipboard (OSC 52) went to the terminal."""
    written = bytes(program.written)
    return secret.encode() not in written and secret[:12].encode() not in written and b"\x1b]52" not in written


def kept_nowhere(folder: Path, secret: str, known: tuple[Path, ...]) -> bool:
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink() and path not in known]
    assert any(path.name == "journal.jsonl" for path in files)
    return not [path for path in files if secret.encode() in path.read_bytes()]
