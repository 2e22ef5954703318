"""A journal that is taken up again: exactly the whole records before, and nothing that was changed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runbook.errors import JournalError
from runbook.record import events as ev
from runbook.record.chain import seal
from runbook.record.journal import Journal, read_events
from runbook.record.records import fields_of
from runbook.record.runlock import holder
from runbook.record.state import fold
from runbook.record.verify import verify
from runbook.secrets import Redactor
from tests.record.sample import EVENTS, Write


async def test_what_was_is_known_and_the_chain_goes_on(write: Write, tmp_path: Path) -> None:
    written = await write(*EVENTS)
    journal, found = await Journal.open(tmp_path / "run", Redactor())
    assert found.header == EVENTS[0]
    assert found.state == fold(EVENTS)
    assert found.inputs == {"usb": ("/mnt/usb", "site"), "password": (None, "typed")}
    assert (found.head, found.events_count, found.cut) == (written.head, len(EVENTS), 0)
    assert (journal.head, journal.head_short) == (written.head, written.head_short)
    await journal.append(ev.NoteAdded("A1", "went on"))
    await journal.close()
    assert tuple(read_events(written.path)) == (*EVENTS, ev.NoteAdded("A1", "went on"))
    assert verify(written.path, journal.head).intact
    assert holder(tmp_path / "run") is None


async def test_cut_at_any_byte_it_opens_with_the_whole_records_before(write: Write, tmp_path: Path) -> None:
    """What a lost power supply leaves."""
    written = await write(*EVENTS[:4])
    content = written.path.read_bytes()
    first = content.index(b"\n") + 1
    for size in range(first, len(content) + 1):
        written.path.write_bytes(content[:size])
        whole = content.rfind(b"\n", 0, size) + 1
        journal, found = await Journal.open(tmp_path / "run", Redactor())
        await journal.append(EVENTS[4])
        await journal.close()
        assert found.cut == size - whole
        assert found.events_count == content[:size].count(b"\n")
        assert written.path.read_bytes()[:whole] == content[:whole]
        assert tuple(read_events(written.path)) == (*EVENTS[: found.events_count], EVENTS[4])


async def test_a_run_cut_before_its_header_never_began(write: Write, tmp_path: Path) -> None:
    written = await write(EVENTS[0])
    content = written.path.read_bytes()
    for size in range(len(content)):
        written.path.write_bytes(content[:size])
        with pytest.raises(JournalError, match="nothing was recorded"):
            await Journal.open(tmp_path / "run", Redactor())
        assert written.path.stat().st_size == size
        assert holder(tmp_path / "run") is None


async def test_a_changed_byte_stops_it_and_nothing_is_cut(write: Write, tmp_path: Path) -> None:
    written = await write(*(EVENTS[index] for index in (0, 5, 10, 16)))
    content = written.path.read_bytes()
    for place in range(len(content) - 1):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        written.path.write_bytes(changed + b'{"at":"20')
        number = content[:place].count(b"\n") + 1
        with pytest.raises(JournalError, match=rf"record {number}: .*\n.*runbook verify"):
            await Journal.open(tmp_path / "run", Redactor())
        assert written.path.read_bytes() == changed + b'{"at":"20'


async def test_a_live_driver_is_named(write: Write, tmp_path: Path) -> None:
    await write(*EVENTS)
    journal, _ = await Journal.open(tmp_path / "run", Redactor())
    with pytest.raises(JournalError, match=rf"driven by .* on .*, process {os.getpid()}, since 20"):
        await Journal.open(tmp_path / "run", Redactor())
    await journal.append(EVENTS[1])
    await journal.close()


DRIVER = """
import asyncio, sys
from pathlib import Path
from runbook.record.journal import Journal
from runbook.secrets import Redactor
from tests.record.sample import EVENTS

async def main():
    journal = await Journal.create(Path(sys.argv[1]), Redactor())
    await journal.append(EVENTS[0])
    print("driving", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_the_lock_of_a_dead_driver_is_free(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with subprocess.Popen([sys.executable, "-c", DRIVER, folder], stdout=subprocess.PIPE) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == b"driving\n"
        with pytest.raises(JournalError, match=f"process {driver.pid}"):
            asyncio.run(Journal.open(folder, Redactor()))
        driver.send_signal(signal.SIGKILL)
    journal, found = asyncio.run(Journal.open(folder, Redactor()))
    assert found.header == EVENTS[0]
    held = holder(folder)
    assert held is not None
    assert held.pid == os.getpid()
    asyncio.run(journal.close())


async def test_a_link_or_a_pipe_in_its_place_is_refused(write: Write, tmp_path: Path) -> None:
    written = await write(*EVENTS)
    other = tmp_path / "other"
    written.path.rename(other)
    written.path.symlink_to(other)
    with pytest.raises(JournalError):
        await Journal.open(tmp_path / "run", Redactor())
    written.path.unlink()
    os.mkfifo(written.path)
    with pytest.raises(JournalError, match="not the file of a journal"):
        await Journal.open(tmp_path / "run", Redactor())


async def test_there_is_nothing_to_open(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be opened: No such file"):
        await Journal.open(tmp_path / "run", Redactor())
    assert not (tmp_path / "run").exists()


async def test_a_record_that_this_version_does_not_know_stops_it(write: Write, tmp_path: Path) -> None:
    written = await write(EVENTS[0])
    line, _ = seal(2, written.head, "run.paused", {}, "2026-01-01T00:00:00.000000Z")
    written.path.write_bytes(written.path.read_bytes() + line)
    with pytest.raises(JournalError, match=r"record 2: .*run\.paused.*\n.*version that wrote it"):
        await Journal.open(tmp_path / "run", Redactor())


async def test_a_record_that_begins_otherwise_is_no_run(write: Write, tmp_path: Path) -> None:
    await write(EVENTS[1])
    with pytest.raises(JournalError, match="does not begin with the start of a run"):
        await Journal.open(tmp_path / "run", Redactor())


async def test_what_is_appended_by_somebody_else_stops_the_run(write: Write, tmp_path: Path) -> None:
    written = await write(*EVENTS)
    journal, _ = await Journal.open(tmp_path / "run", Redactor())
    line, _ = seal(len(EVENTS) + 1, written.head, "note", fields_of(EVENTS[14]), "2026-01-01T00:00:00.000000Z")
    with written.path.open("ab") as file:
        file.write(line)
    with pytest.raises(JournalError, match="changed by somebody else"):
        await journal.append(EVENTS[1])
    await journal.close()


OPENED = """
import asyncio, resource, sys
from pathlib import Path
from runbook.record.journal import Journal
from runbook.secrets import Redactor

async def main():
    journal, found = await Journal.open(Path(sys.argv[1]), Redactor())
    await journal.close()
    print(found.events_count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

asyncio.run(main())
"""


def _opened(folder: Path) -> tuple[int, int]:
    """Records and peak of memory in KiB of a process that takes up this run."""
    done = subprocess.run([sys.executable, "-c", OPENED, folder], capture_output=True, text=True, check=True)
    count, peak = map(int, done.stdout.split())
    return count, peak


async def test_what_is_attached_takes_no_memory(write: Write, tmp_path: Path) -> None:
    """Half a gigabyte (of holes) beside the record, and named by it."""
    big = 500_000_000
    attached = ev.Attached("A1", "image", "7" * 64, big)
    peaks: list[int] = []
    for name, size in (("without", 0), ("with", big)):
        folder = tmp_path / name
        await write(EVENTS[0], *[attached] * 50, folder=folder)
        (folder / "attachments").mkdir()
        with (folder / "attachments" / attached.sha256).open("wb") as file:
            file.truncate(size)
        count, peak = await asyncio.to_thread(_opened, folder)
        assert count == 51
        peaks.append(peak)
    assert peaks[1] - peaks[0] < 10_000, f"kibibytes without and with: {peaks}"
