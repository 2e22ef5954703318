"""The journal's promises: on disk or not at all, one writer, readable by its owner alone, no secret."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from checks.evidence.files import CommandOutput
from runbook.errors import ExitCode, JournalError
from runbook.event import Event
from runbook.outcome import Outcome
from runbook.record import events as ev
from runbook.record.journal import Journal, read_events
from runbook.record.runlock import holder
from runbook.record.verify import verify
from runbook.secrets import MASK, Redactor, Secret
from tests.record.sample import EVENTS, Write

NOTE = ev.NoteAdded("A1", "x" * 4000)


async def test_what_was_written_is_read_back(write: Write) -> None:
    written = await write(*EVENTS)
    assert tuple(read_events(written.path)) == EVENTS


async def test_folder_and_file_are_for_the_owner_alone(write: Write, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        written = await write(EVENTS[0], folder=tmp_path / "a" / "b")
    finally:
        os.umask(before)
    assert stat.S_IMODE(written.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(written.path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE((written.path.parent / "driver.lock").stat().st_mode) == 0o600


async def test_each_append_is_synced_before_it_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    sync = os.fsync

    def watched(fd: int) -> None:
        synced.append(os.fstat(fd).st_size)
        sync(fd)

    journal = await Journal.create(tmp_path / "run", Redactor())
    monkeypatch.setattr(os, "fsync", watched)
    for number in range(1, 4):
        await journal.append(EVENTS[0])
        assert len(synced) == number
        assert synced[-1] == journal.path.stat().st_size
    await journal.close()


async def test_known_secrets_are_removed_wherever_they_are(write: Write, tmp_path: Path) -> None:
    redactor = Redactor()
    redactor.learn(Secret.from_text("s3cret&pin"))
    output = CommandOutput(
        argv=("tool", "--pin=s3cret&pin"), cwd="/", exit_code=1, stdout="s3cret%26pin\nczNjcmV0JnBpbg==", stderr=""
    )
    event = ev.StepStarted("A", 1, "k", {"s3cret&pin": ["7333637265742670696e"], "deep": {"x": "as3cret&pinb"}})
    failed = ev.StepFinished("A", 1, Outcome.failed("said s3cret&pin", output), ("s3cret&pin",))
    written = await write(event, failed, ev.NoteAdded("A", "s3cret&pin"), redactor=redactor)
    content = written.path.read_text()
    for form in ("s3cret&pin", "s3cret%26pin", "czNjcmV0JnBpbg", "7333637265742670696e"):
        assert form not in content
    assert MASK in content
    assert verify(written.path).intact


async def test_the_event_that_may_be_shown_has_no_secret(tmp_path: Path) -> None:
    redactor = Redactor()
    journal = await Journal.create(tmp_path / "run", redactor)
    assert await journal.append(NOTE) is NOTE
    redactor.learn(Secret.from_text("648219"))
    shown = await journal.append(ev.NoteAdded("A", "PIN 648219"))
    assert shown == ev.NoteAdded("A", f"PIN {MASK}")
    await journal.close()


async def test_progress_is_not_journalled(tmp_path: Path) -> None:
    journal = await Journal.create(tmp_path / "run", Redactor())
    with pytest.raises(ValueError, match=r"step\.progress"):
        await journal.append(ev.StepProgress("A", "x"))
    await journal.close()


async def test_appends_at_once_are_one_chain(tmp_path: Path) -> None:
    journal = await Journal.create(tmp_path / "run", Redactor())
    await asyncio.gather(*(journal.append(ev.NoteAdded("A", str(number))) for number in range(50)))
    await journal.close()
    assert verify(journal.path, journal.head).intact
    assert {event.text for event in read_events(journal.path) if isinstance(event, ev.NoteAdded)} == {
        str(number) for number in range(50)
    }


async def test_a_second_driver_is_refused_and_told_who_drives(tmp_path: Path) -> None:
    journal = await Journal.create(tmp_path / "run", Redactor())
    with pytest.raises(JournalError, match=r"driven by .*process \d+, since 20"):
        await Journal.create(tmp_path / "run", Redactor())
    held = holder(tmp_path / "run")
    assert held is not None
    assert held.pid == os.getpid()
    await journal.close()
    assert holder(tmp_path / "run") is None


async def test_a_journal_is_never_started_over(write: Write, tmp_path: Path) -> None:
    written = await write(*EVENTS)
    before = written.path.read_bytes()
    with pytest.raises(JournalError, match="File exists"):
        await Journal.create(tmp_path / "run", Redactor())
    assert written.path.read_bytes() == before


async def test_a_link_in_the_place_of_the_journal_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "journal.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError):
        await Journal.create(tmp_path / "run", Redactor())
    assert not (tmp_path / "elsewhere").exists()


async def _until_full(journal: Journal) -> int:
    """How many records were written before the disk was full."""
    failures: list[JournalError] = []
    written = -1
    while not failures:
        written += 1
        try:
            await journal.append(NOTE)
        except JournalError as error:
            failures.append(error)
    assert "No space left" in str(failures[0])
    assert failures[0].exit_code is ExitCode.ENVIRONMENT
    return written


def _remount(place: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", place], check=True)


async def test_a_full_disk_leaves_nothing_half(full_disk: Path) -> None:
    journal = await Journal.create(full_disk / "run", Redactor())
    written = await _until_full(journal)
    assert written > 3
    assert verify(journal.path, journal.head).records == written
    assert verify(journal.path, journal.head).intact

    # A short record may still fit; once there is room, the chain goes on as if nothing had been.
    with pytest.raises(JournalError):
        await journal.append(NOTE)
    _remount(full_disk, "size=256k")
    await journal.append(NOTE)
    await journal.close()
    assert verify(journal.path, journal.head).records == written + 1
    assert verify(journal.path, journal.head).intact


async def test_a_full_disk_at_the_start_is_told(full_disk: Path) -> None:
    (full_disk / "fill").write_bytes(b"x" * 64 * 1024)
    with pytest.raises(JournalError, match="No space left"):
        await Journal.create(full_disk / "run", Redactor())


async def test_a_read_only_state_folder_is_told(full_disk: Path) -> None:
    _remount(full_disk, "ro")
    with pytest.raises(JournalError, match=r"Read-only file system\n.*XDG_STATE_HOME"):
        await Journal.create(full_disk / "run", Redactor())


@pytest.mark.parametrize("how", ["removed", "moved", "replaced"])
async def test_a_journal_that_vanishes_stops_the_run(tmp_path: Path, how: str) -> None:
    folder = tmp_path / "run"
    journal = await Journal.create(folder, Redactor())
    await journal.append(EVENTS[0])
    match how:
        case "removed":
            shutil.rmtree(folder)
        case "moved":
            folder.rename(tmp_path / "elsewhere")
        case "replaced":
            content = journal.path.read_bytes()
            journal.path.unlink()
            journal.path.write_bytes(content)
    head = journal.head
    with pytest.raises(JournalError):
        await journal.append(EVENTS[1])
    assert journal.head == head
    await journal.close()


async def test_bytes_that_somebody_else_adds_stop_the_run(tmp_path: Path) -> None:
    journal = await Journal.create(tmp_path / "run", Redactor())
    await journal.append(EVENTS[0])
    with journal.path.open("ab") as file:
        file.write(b"{}\n")
    with pytest.raises(JournalError, match="changed by somebody else"):
        await journal.append(EVENTS[1])
    assert journal.path.read_bytes().endswith(b"{}\n"), "what somebody else wrote is evidence, and stays"
    await journal.close()


async def test_a_write_that_fails_half_way_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = await Journal.create(tmp_path / "run", Redactor())
    await journal.append(EVENTS[0])
    write = os.write

    def half(fd: int, data: bytes) -> int:
        if len(data) < 100:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return write(fd, data[: len(data) // 2])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        with pytest.raises(JournalError, match="Input/output error"):
            await journal.append(EVENTS[1])
    assert verify(journal.path, journal.head).intact
    await journal.append(EVENTS[1])
    await journal.close()
    assert verify(journal.path, journal.head).records == 2


async def test_nothing_is_written_once_it_is_closed(tmp_path: Path) -> None:
    journal = await Journal.create(tmp_path / "run", Redactor())
    await journal.close()
    await journal.close()
    with pytest.raises(JournalError, match="is closed"):
        await journal.append(EVENTS[0])


WRITER = """
import asyncio, sys
from pathlib import Path
from runbook.record import events as ev
from runbook.record.journal import Journal
from runbook.secrets import Redactor

async def main():
    journal = await Journal.create(Path(sys.argv[1]), Redactor())
    for number in range(1_000_000):
        await journal.append(ev.NoteAdded("A", str(number) + "x" * 3000))
        print(number, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("records", [1, 7, 30])
def test_a_writer_killed_at_any_moment_leaves_what_it_had_said(tmp_path: Path, records: int) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, tmp_path / "run"], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        said = [int(writer.stdout.readline()) for _ in range(records)]
        writer.send_signal(signal.SIGKILL)
        said += [int(line) for line in writer.stdout]
    path = tmp_path / "run" / "journal.jsonl"
    problems = verify(path).problems
    assert [problem for problem in problems if "torn" not in problem.what] == []
    assert len(problems) <= 1
    assert len(list(read_events(path))) >= len(said)
    assert holder(tmp_path / "run") is None, "a dead driver holds nothing"


async def test_any_prefix_of_the_file_is_read_up_to_its_last_whole_record(write: Write) -> None:
    """What a lost power supply leaves: the file cut anywhere."""
    written = await write(*EVENTS[:4])
    content = written.path.read_bytes()
    for size in range(0, len(content), 7):
        written.path.write_bytes(content[:size])
        whole = content[:size].count(b"\n")
        assert tuple(read_events(written.path)) == EVENTS[:whole]


async def test_a_changed_record_stops_the_reading(write: Write) -> None:
    written = await write(*EVENTS)
    lines = written.lines
    lines[3] = lines[3].replace(b'"A"', b'"B"')
    written.path.write_bytes(b"".join(lines))
    with pytest.raises(JournalError, match="record 4: the value `stage` does not match"):
        list(read_events(written.path))


async def test_salts_differ_so_that_equal_values_cannot_be_told(write: Write) -> None:
    written = await write(EVENTS[3], EVENTS[3])
    leaves = [json.loads(line)["leaves"]["stage"] for line in written.lines]
    assert leaves[0] != leaves[1]


async def test_the_loop_is_not_blocked_by_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    stuck, free = threading.Event(), threading.Event()
    sync = os.fsync

    def slow(fd: int) -> None:
        stuck.set()
        assert free.wait(10)
        sync(fd)

    journal = await Journal.create(tmp_path / "run", Redactor())
    monkeypatch.setattr(os, "fsync", slow)
    appending: Awaitable[Event] = asyncio.ensure_future(journal.append(EVENTS[0]))
    await asyncio.to_thread(stuck.wait, 10)
    ticked: list[Callable[[], None]] = []
    asyncio.get_running_loop().call_soon(ticked.append, free.set)
    await asyncio.sleep(0)
    assert ticked, "the loop turns while the disk does not answer"
    free.set()
    await appending
    await journal.close()
