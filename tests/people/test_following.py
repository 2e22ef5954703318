"""The follower, fed with a record that is being written, torn, cut, replaced and changed."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.errors import JournalError, UsageError
from runbook.event import Event
from runbook.people.following import Following
from runbook.record.events import NoteAdded, RunFinished, RunResumed
from runbook.record.gate_events import ApprovalAsked, ApprovalGiven
from runbook.record.journal import Journal
from runbook.record.runlock import NAME, RunLock, holder
from runbook.secrets import Redactor
from tests.people.keys import until
from tests.record.sample import EVENTS


@dataclass
class Watched:
    """A follower at work."""

    following: Following
    seen: list[Event] = field(default_factory=list)
    caught_up: list[bool] = field(default_factory=list)
    error: JournalError | None = None

    async def follow(self) -> None:
        try:
            async for event in self.following.events():
                self.seen.append(event)
                self.caught_up.append(self.following.caught_up)
        except JournalError as error:
            self.error = error

    async def fails(self) -> str:
        await until(lambda: self.error)
        return str(self.error)


@asynccontextmanager
async def watching(path: Path, name: str = "ben") -> AsyncIterator[Watched]:
    watched = Watched(Following(path, name))
    task = asyncio.create_task(watched.follow())
    try:
        yield watched
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runbook.people.following.LOOK", 0.005)


async def written(folder: Path, *events: Event) -> bytes:
    """The bytes of a record of these events."""
    journal = await Journal.create(folder, Redactor())
    for event in events:
        await journal.append(event)
    await journal.close()
    return journal.path.read_bytes()


NOTES = [NoteAdded("", f"note {number}") for number in range(4)]


async def test_it_grows_with_the_record(tmp_path: Path) -> None:
    journal = await Journal.create(tmp_path / "run", Redactor())
    await journal.append(NOTES[0])
    async with watching(journal.path) as watched:
        for count, event in enumerate([*NOTES[1:], RunFinished("green")], start=2):
            await journal.append(event)
            await until(lambda count=count: len(watched.seen) == count)
            assert watched.caught_up[-1]
            assert watched.following.head == journal.head_short
    await journal.close()
    assert watched.seen == [*NOTES, RunFinished("green")]


async def test_every_kind_of_event_comes_as_it_was_written(tmp_path: Path) -> None:
    await written(tmp_path / "run", *EVENTS)
    following = Following(tmp_path / "run" / "journal.jsonl")
    assert [event async for event in following.events()] == list(EVENTS)
    assert following.asked is None, "the run has ended, and so have its questions"


async def test_it_ends_with_the_run_and_not_where_an_earlier_part_ended(tmp_path: Path) -> None:
    goes_on = next(event for event in EVENTS if isinstance(event, RunResumed))
    events = [NOTES[0], RunFinished("stopped"), goes_on, NOTES[1], RunFinished("green")]
    await written(tmp_path / "run", *events)
    following = Following(tmp_path / "run" / "journal.jsonl")
    assert [event async for event in following.events()] == events


@given(cuts=st.lists(st.integers(min_value=1, max_value=2000), min_size=1, max_size=8))
def test_a_record_that_comes_in_pieces(tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    """Whatever was on the disk at a look: no event is lost, doubled or torn."""
    folder = tmp_path_factory.mktemp("pieces")

    async def follow() -> None:
        data = await written(folder / "run", *NOTES, RunFinished("green"))
        path = folder / "half"
        places = sorted({min(cut, len(data)) for cut in cuts})
        path.write_bytes(data[: places[0]])
        async with watching(path) as watched:
            for place in [*places[1:], len(data)]:
                with path.open("ab") as file:
                    file.write(data[path.stat().st_size : place])
                whole = data[:place].count(b"\n")
                await until(lambda whole=whole: len(watched.seen) == whole)
        assert watched.seen == [*NOTES, RunFinished("green")]

    asyncio.run(follow())


async def test_a_torn_line_that_is_cut_when_the_run_goes_on(tmp_path: Path) -> None:
    data = await written(tmp_path / "run", *NOTES)
    lines = data.splitlines(keepends=True)
    path = tmp_path / "torn"
    path.write_bytes(b"".join(lines[:2]) + lines[2][:50])
    async with watching(path) as watched:
        await until(lambda: len(watched.seen) == 2)
        with path.open("r+b") as file:
            file.truncate(len(lines[0]) + len(lines[1]))
        with path.open("ab") as file:
            file.write(lines[2] + lines[3])
        await until(lambda: len(watched.seen) == 4)
    assert watched.error is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("cut", "the record was cut"),
        ("replaced", "the record was replaced"),
        ("gone", "it cannot be read"),
        ("doubled", "it is number 2 where 3 should be"),
        ("garbage", "record 3"),
        ("another chain", "record 3: it does not follow"),
    ],
)
async def test_a_record_that_is_tampered_with(tmp_path: Path, change: str, message: str) -> None:
    data = await written(tmp_path / "run", *NOTES)
    lines = data.splitlines(keepends=True)
    other = (await written(tmp_path / "other", *NOTES)).splitlines(keepends=True)
    path = tmp_path / "journal"
    path.write_bytes(lines[0] + lines[1])
    async with watching(path) as watched:
        await until(lambda: len(watched.seen) == 2)
        match change:
            case "cut":
                path.write_bytes(lines[0])
            case "replaced":
                (tmp_path / "new").write_bytes(data)
                (tmp_path / "new").rename(path)
            case "gone":
                path.unlink()
            case _:
                more = {"doubled": lines[1], "garbage": b"{}\n", "another chain": other[2]}[change]
                with path.open("ab") as file:
                    file.write(more)
        said = await watched.fails()
    assert message in said
    assert "Approve nothing" in said
    assert len(watched.seen) == 2


def question() -> tuple[ApprovalAsked, ApprovalGiven]:
    asked = next(event for event in EVENTS if isinstance(event, ApprovalAsked))
    return asked, next(event for event in EVENTS if isinstance(event, ApprovalGiven))


async def test_a_question_asked_at_another_head_is_none(tmp_path: Path) -> None:
    """Whoever writes the record cannot have something signed for another state of it."""
    asked, _ = question()
    await written(tmp_path / "run", NOTES[0], asked)
    async with watching(tmp_path / "run" / "journal.jsonl") as watched:
        await until(lambda: len(watched.seen) == 2)
        assert watched.following.asked is None


async def test_who_follows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await written(tmp_path / "run", *EVENTS)
    path = tmp_path / "run" / "journal.jsonl"

    async def me(name: str, account: str) -> str:
        monkeypatch.setattr("runbook.people.following.account_name", lambda: account)
        following = Following(path, name)
        async for _ in following.events():
            pass
        return following.me.name

    assert await me("", "op") == "anna"
    assert await me("ben", "op") == "ben"
    for name, account in (("", "somebody"), ("eve", "op")):
        with pytest.raises(UsageError, match="who are you"):
            await me(name, account)


async def test_a_look_at_who_drives_keeps_no_driver_out(tmp_path: Path) -> None:
    """A follower looks by locking for an instant; a run that is resumed in that instant must not be refused."""
    lock = RunLock.take(tmp_path)
    lock.release()
    with (tmp_path / NAME).open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        taking = asyncio.create_task(asyncio.to_thread(RunLock.take, tmp_path))
        await asyncio.sleep(0.03)  # it is being looked at while somebody begins to drive
        fcntl.flock(file, fcntl.LOCK_UN)
    taken = await taking
    assert holder(tmp_path) is not None
    with pytest.raises(JournalError, match="is being driven by"):
        RunLock.take(tmp_path)
    taken.release()
    assert holder(tmp_path) is None
