"""The rehearsal as a person calls it: from the command line, without a terminal."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rehearsal.ccat import ENV_FILE
from tests.rehearsal.program import Terminal, events, journals, pin_of, runbook, so_pin_of

BOTH = pytest.mark.parametrize("token", ["card", "softhsm"])


@contextmanager
def watched_processes() -> Iterator[set[bytes]]:
    """Every argument list and environment that any process shows while this is open."""
    seen: set[bytes] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.002):
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        seen.add((process / name).read_bytes())
                    except OSError:
                        continue  # it has ended meanwhile

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()


@BOTH
def test_the_rehearsal_is_green_and_its_record_holds(home: Path, token: str) -> None:
    done = runbook("rehearse", "--headless", "--token", token)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "state    green" in done.stdout
    assert "(a rehearsal)" in done.stdout
    assert "not rehearsed  A1.usb: the lab's token is not on a USB bus" in done.stdout
    # How each host was reached, and why its key was believed, is told and on record.
    reached = r"host ca is reached:\n.*\n +transport: the system's ssh .*\n +host key: .* on file in"
    assert re.search(reached, done.stderr)
    assert list((home / "tmp").iterdir()) == [], "the lab is removed at the end"
    (journal,) = journals(home)
    verified = runbook("verify", journal)
    assert verified.returncode == 0, verified.stdout + verified.stderr

    # One bit of one byte in the middle: the record it is in is named.
    lines = journal.read_bytes().split(b"\n")
    middle = len(lines) // 2
    place = len(lines[middle]) // 2
    lines[middle] = lines[middle][:place] + bytes([lines[middle][place] ^ 1]) + lines[middle][place + 1 :]
    journal.write_bytes(b"\n".join(lines))
    verified = runbook("verify", journal)
    assert verified.returncode == 1
    assert re.search(rf"CHANGED .*\b{middle + 1}\b", verified.stdout), verified.stdout


@pytest.mark.parametrize(
    ("fault", "step", "likely"),
    [
        ("wrong-dongle", "A1.slots", "The wrong dongle is in the server"),
        ("tampered-export", "A4.intermediate", "The wrong dongle is in the server, or the export was tampered with"),
        ("wrong-paper", "B1.paper", "The export stick or its root_ca.crt is wrong"),
    ],
)
def test_a_fault_on_softhsm_turns_its_step_red_with_its_hint(home: Path, fault: str, step: str, likely: str) -> None:
    done = runbook("rehearse", "--headless", "--token", "softhsm", "--fault", fault)

    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(rf"^not green +{re.escape(step)}: failed", done.stdout, re.MULTILINE), done.stdout
    assert f"Likely: {likely}" in done.stdout
    assert len(re.findall(r"^not green", done.stdout, re.MULTILINE)) == 1
    (journal,) = journals(home)
    assert runbook("verify", journal).returncode == 0


@BOTH
def test_a_wrong_dongle_never_gets_the_pin(home: Path, token: str) -> None:
    runbook("rehearse", "--headless", "--token", token, "--fault", "wrong-dongle")

    (journal,) = journals(home)
    assert len(events(journal, "run.finished")) == 1
    assert events(journal, "pin.attempt") == []


@BOTH
def test_the_pins_are_nowhere_but_on_the_sheet(home: Path, token: str) -> None:
    lab = home / "lab"
    with watched_processes() as seen:
        done = runbook("rehearse", "--headless", "--token", token, "--folder", lab)

    assert done.returncode == 0, done.stdout + done.stderr
    sheet = lab / "paper-sheet.yaml"
    assert re.fullmatch("[0-9a-f]{16}", so_pin_of(sheet))
    assert len(pin_of(sheet)) in range(6, 16)
    witness = b"rehearsal.keeper" if token == "card" else b"rehearsal.token_maker"
    assert any(witness in text for text in seen), "the watch has seen the token being made or kept"
    assert any(b"checks.hsm" in text for text in seen), "the watch has seen the token's worker"
    for secret in (pin_of(sheet), so_pin_of(sheet)):
        kept = {path for path in home.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()}
        # Stage C puts the user PIN into the environment file of the CA's host; that is what it is for.
        rendered = {lab / "hosts" / "input-b" / ENV_FILE} if secret == pin_of(sheet) else set()
        assert kept == {sheet, *rendered}
        assert secret not in done.stdout + done.stderr
        assert not [text for text in seen if secret.encode() in text]


def test_a_kept_lab_on_softhsm_serves_the_command_run(home: Path) -> None:
    lab = home / "lab"
    kept = runbook("rehearse", "--headless", "--stage", "P", "--token", "softhsm", "--folder", lab)
    assert kept.returncode == 0, kept.stdout + kept.stderr
    assert str(lab) in kept.stderr
    assert "--serve" not in kept.stderr

    again = runbook(
        *("run", Path(__file__).parents[2] / "runbook.yaml", "--site", lab / "site.yaml"),
        *("--headless", "--answers", lab / "paper-sheet.yaml"),
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert "(a rehearsal)" in again.stdout, "the profile carries the mark"


def test_a_later_stage_alone_is_not_walked(home: Path) -> None:
    done = runbook("rehearse", "--headless", "--stage", "B")

    assert done.returncode == 2
    assert "B1.paper waits for" in done.stderr
    assert "--stage P --stage A --stage B" in done.stderr
    assert journals(home) == []


def test_without_a_terminal_it_says_what_to_do(home: Path) -> None:
    done = runbook("rehearse")

    assert done.returncode == 4
    assert "--headless" in done.stderr
    assert done.stdout == ""
    assert list((home / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--headless", "--plain"], "choose one"),
        (["--headless", "--stage", "Z"], "no stage `Z`"),
        (["--fault", "no-such-fault"], "wrong-dongle"),
        (["--headless", "missing.yaml"], "missing.yaml"),
    ],
)
def test_a_wrong_call_leaves_nothing_behind(home: Path, arguments: list[str], said: str) -> None:
    done = runbook("rehearse", *arguments)

    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert list((home / "tmp").iterdir()) == []
    assert journals(home) == []


def test_with_a_terminal_it_shows_the_sheet_and_waits(home: Path, terminal: Callable[..., Terminal]) -> None:
    session = terminal("rehearse", "--plain")
    session.wait_for(b"Press Enter to begin")
    (lab,) = (home / "tmp").iterdir()

    assert f"less {lab}/paper-sheet.yaml".encode() in session.shown
    assert journals(home) == [], "nothing begins before Enter"
    session.type(b"\n")
    session.wait_for(b"P.people")
    assert pin_of(lab / "paper-sheet.yaml").encode() not in session.shown


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_ended_while_it_waits_it_removes_the_lab(
    home: Path, terminal: Callable[..., Terminal], number: signal.Signals
) -> None:
    session = terminal("rehearse")
    session.wait_for(b"Press Enter to begin")
    session.process.send_signal(number)
    session.wait_for(b"stopped" if number == signal.SIGINT else b"asked to end")

    assert session.process.wait(20) == 3
    assert list((home / "tmp").iterdir()) == []


def test_missing_packages_are_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(home))
    done = runbook("rehearse", "--headless")

    assert done.returncode == 4
    assert "apt-get install softhsm2 opensc" in done.stderr


def test_the_shipped_runbook_is_found_from_anywhere(home: Path) -> None:
    done = runbook("rehearse", "--headless", "--stage", "P", cwd=home)

    assert done.returncode == 0, done.stdout + done.stderr
