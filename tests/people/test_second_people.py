"""Approvals in real runs: the engine, its journal, ssh-keygen, and what witnesses leave beside the record."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from runbook.errors import PromptCancelled
from runbook.event import Event
from runbook.operator import ChoiceRequest, Decided, Decision, SignsHere, TerminalRequest, WitnessRequest
from runbook.outcome import Verdict
from runbook.people import inbox
from runbook.people.approval import statement_for
from runbook.people.approval_check import verify_approvals
from runbook.people.following import Following
from runbook.people.inbox import Left, account_name
from runbook.record.events import NoteAdded, PromptAnswered, RunFinished, StepFinished, StepStarted
from runbook.record.gate_events import ApprovalAsked, ApprovalGiven, ApprovalRefused, PeopleNamed, WitnessJoined
from runbook.record.journal import read_events, read_records
from runbook.record.records import event_of
from tests.engine.world import Bench, Script, action, check, stage
from tests.people.keys import PRINCIPALS, Keys, until

GATED = stage(action("A1", word="ja", gate={"two_person": True}))


@dataclass
class Driver(Script):
    """Says who drives, and lets these people sign at the keyboard one after the other; then nobody comes."""

    signs: list[SignsHere] = field(default_factory=list)
    witness_asked: list[WitnessRequest] = field(default_factory=list)
    chosen: list[ChoiceRequest] = field(default_factory=list)
    drives: str = "anna"
    leaves: bool = False
    """Leaves the question for a witness once nobody is left to sign."""

    async def choose(self, request: ChoiceRequest) -> str:
        self.chosen.append(request)
        if not self.drives:
            raise PromptCancelled("nobody")
        return self.drives

    async def witness(self, request: WitnessRequest) -> SignsHere:
        self.witness_asked.append(request)
        if not self.signs:
            if self.leaves:
                raise PromptCancelled("left")
            await asyncio.Event().wait()
        return self.signs.pop(0)

    async def terminal(self, request: TerminalRequest) -> int:
        raise AssertionError(f"no terminal is needed for {request.argv}")


@dataclass
class Place:
    """A bench with people, and the witness's side of it."""

    bench: Bench
    keys: Keys

    @property
    def driver(self) -> Driver:
        assert isinstance(self.bench.operator, Driver)
        return self.bench.operator

    @property
    def journal(self) -> Path:
        return self.bench.folder / "run" / "journal.jsonl"

    def people(self, **rest: Any) -> None:
        self.bench.site = {"two_people": self.keys.two_people(**rest).model_dump()}

    @asynccontextmanager
    async def walking(self, *stages: dict[str, Any]) -> AsyncIterator[asyncio.Task[list[Event]]]:
        walking = asyncio.create_task(self.bench.walk(*(stages or (GATED,))))
        try:
            yield walking
        finally:
            walking.cancel()
            with suppress(asyncio.CancelledError):
                await walking

    async def seen(self, kind: type[Event], count: int = 1) -> Any:
        """The last event of that kind, once there are so many."""
        await until(lambda: len(self.bench.of(kind)) >= count)
        return self.bench.of(kind)[-1]

    @asynccontextmanager
    async def witness(self, name: str = "ben") -> AsyncIterator[Following]:
        """Somebody who follows, from when they see a question."""
        await self.seen(ApprovalAsked)
        following = Following(self.journal, name)

        async def follow() -> None:
            async for _ in following.events():
                pass

        task = asyncio.create_task(follow())
        try:
            await until(lambda: following.asked is not None)
            yield following
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def place(bench: Bench, keys: Keys) -> Place:
    bench.operator = Driver()
    made = Place(bench, keys)
    made.people()
    return made


def key(place: Place, name: str) -> Path:
    return place.keys.folder / name


async def test_signed_at_the_keyboard(place: Place) -> None:
    place.driver.signs.append(SignsHere("ben", str(key(place, "ben"))))
    await place.bench.walk(GATED)
    (named,) = place.bench.of(PeopleNamed)
    assert (named.driver, named.known_by, named.witnesses) == ("anna", "chosen", ("ben",))
    assert place.driver.chosen[0].choices == tuple(PRINCIPALS.items())
    (request,) = place.driver.witness_asked
    assert request.what == ("do", '  word: "ja"')
    (given,) = place.bench.of(ApprovalGiven)
    assert (given.witness, given.at_keyboard, given.account) == ("ben", True, account_name())
    events = place.bench.events
    assert events.index(given) < events.index(place.bench.of(StepStarted)[0])
    assert place.bench.of(RunFinished) == [RunFinished("green")]
    assert place.bench.engine is not None
    assert place.bench.engine.state.approvals == {"A1": "ben"}


async def test_who_drives_is_known_by_the_account(place: Place) -> None:
    people = place.keys.two_people().model_dump()
    people["people"]["carl"]["accounts"] = [account_name()]
    place.bench.site = {"two_people": people}
    await place.bench.walk(stage(check("A1")))
    (named,) = place.bench.of(PeopleNamed)
    assert (named.driver, named.known_by, named.witnesses) == ("carl", "account", ("anna", "ben"))
    assert named.accounts[account_name()] == "carl"


async def test_nobody_is_asked_who_drives_where_no_gate_needs_it(place: Place) -> None:
    await place.bench.walk(stage(check("A1")))
    (named,) = place.bench.of(PeopleNamed)
    assert (named.driver, named.known_by) == ("", "")
    assert place.driver.chosen == []


async def test_without_a_driver_there_is_no_second_person(place: Place) -> None:
    place.driver.drives = ""
    await place.bench.walk(GATED)
    assert len(place.driver.chosen) == 2, "at the start and again at the gate"
    assert "nobody has said who drives" in place.bench.of(StepFinished)[0].outcome.summary
    assert place.bench.world.ran == []


async def test_approved_in_a_session_of_their_own(place: Place) -> None:
    async with place.walking() as walking, place.witness() as ben:
        await ben.join()
        await ben.approve(ben.asked or pytest.fail("nothing asked"), key(place, "ben"))
        await walking
    (given,) = place.bench.of(ApprovalGiven)
    assert (given.witness, given.at_keyboard) == ("ben", False)
    assert place.bench.of(PromptAnswered)[-1].answer == "cancelled", "the question at the keyboard was taken away"
    assert place.bench.of(WitnessJoined)[0].account == f"ben (account {account_name()})"
    assert place.bench.world.ran == ["A1"]


async def test_a_refused_answer_is_recorded_and_the_wait_goes_on(place: Place) -> None:
    place.driver.signs += [SignsHere("ben", str(key(place, "anna"))), SignsHere("ben", str(key(place, "gone")))]
    async with place.walking() as walking, place.witness() as ben:
        await place.seen(ApprovalRefused, 2)
        await ben.approve(ben.asked or pytest.fail("nothing asked"), key(place, "carl"))
        await place.seen(ApprovalRefused, 3)
        await ben.approve(ben.asked or pytest.fail("nothing asked"), key(place, "ben"))
        await walking
    reasons = [refused.reason for refused in place.bench.of(ApprovalRefused)]
    assert "belongs to anna@example.org" in reasons[0]
    assert "no such file" in reasons[1]
    assert "belongs to carl@example.org" in reasons[2]
    assert [refused.by_witness for refused in place.bench.of(ApprovalRefused)] == [False] * 3
    problems = [request.problem for request in place.driver.witness_asked]
    assert problems[0] == ""
    assert all(reason in problem for reason, problem in zip(reasons, problems[1:], strict=False))
    assert place.bench.of(RunFinished) == [RunFinished("green")]


async def test_the_witness_says_no(place: Place) -> None:
    async with place.walking() as walking, place.witness() as ben:
        await ben.refuse(ben.asked or pytest.fail("nothing asked"), "the window is\nnot open\x1b[2J")
        await walking
    (refused,) = place.bench.of(ApprovalRefused)
    assert refused.by_witness
    assert refused.witness == f"ben (account {account_name()})"
    assert "\x1b" not in refused.reason
    outcome = place.bench.of(StepFinished)[0].outcome
    assert outcome.verdict is Verdict.FAILED
    assert "said no: the window is" in outcome.summary
    assert place.bench.world.ran == []


async def test_a_no_counts_only_from_a_witness_and_for_this_question(place: Place) -> None:
    async with place.walking() as walking, place.witness() as ben:
        asked = ben.asked or pytest.fail("nothing asked")
        run = place.journal.parent
        await asyncio.to_thread(inbox.leave, run, Left("refusal", "anna", "me too", nonce=asked.nonce))
        await asyncio.to_thread(inbox.leave, run, Left("refusal", "ben", "an old no", nonce="00" * 16))
        await place.seen(ApprovalRefused, 2)
        await ben.approve(asked, key(place, "ben"))
        await walking
    assert {refused.reason for refused in place.bench.of(ApprovalRefused)} == {
        "it says no, and they are none of those who may witness",
        "it says no to another question than the one that is open",
    }
    assert not any(refused.by_witness for refused in place.bench.of(ApprovalRefused))
    assert place.bench.world.ran == ["A1"]


async def test_the_driver_cannot_witness_from_another_session(place: Place) -> None:
    async with place.walking(), place.witness("anna") as anna:
        asked = anna.asked or pytest.fail("nothing asked")
        with pytest.raises(Exception, match="anna drives this run"):
            await anna.approve(asked, key(place, "anna"))


async def test_nobody_answers(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runbook.people.witness._MINUTE", 0.01)
    place.people(minutes=20)
    await place.bench.walk(GATED)
    outcome = place.bench.of(StepFinished)[0].outcome
    assert outcome.verdict is Verdict.FAILED
    assert "nobody approved it until" in outcome.summary
    (refused,) = place.bench.of(ApprovalRefused)
    assert (refused.witness, refused.by_witness) == ("", False)
    assert place.bench.of(PromptAnswered)[-1].answer == "cancelled"


async def test_the_driver_leaves_the_question(place: Place) -> None:
    place.driver.leaves = True
    await place.bench.walk(GATED)
    assert place.bench.of(StepFinished)[0].outcome.symptom == "cancelled"
    assert place.bench.world.ran == []


async def test_an_answer_of_before_does_not_serve_again(place: Place) -> None:
    """The step fails, is tried again, and what was signed the first time lies there once more."""
    place.bench.world.behaviour["A1"] = lambda ctx: (_ for _ in ()).throw(RuntimeError)
    place.driver.decisions = [Decided(Decision.RETRY)]
    gated = stage(check("A1", gate={"two_person": True}))
    async with place.walking(gated), place.witness() as ben:
        await ben.approve(ben.asked or pytest.fail("nothing asked"), key(place, "ben"))
        given = await place.seen(ApprovalGiven)
        await place.seen(ApprovalAsked, 2)
        old = Left("approval", "ben", given.statement, given.signature)
        await asyncio.to_thread(inbox.leave, place.journal.parent, old)
        refused = await place.seen(ApprovalRefused)
        assert "its nonce is not of this one" in refused.reason
        assert len(place.bench.of(ApprovalGiven)) == 1


async def test_the_file_of_keys_must_stay_as_it_is(place: Place) -> None:
    place.bench.world.behaviour["A0"] = lambda ctx: place.keys.allow("eve@example.org", "anna")
    place.driver.signs.append(SignsHere("ben", str(key(place, "ben"))))
    await place.bench.walk(stage(check("A0"), action("A1", gate={"two_person": True})))
    assert "allowed-signers file was changed" in place.bench.of(StepFinished)[1].outcome.summary
    assert place.bench.world.ran == ["A0"]


async def test_notes_are_taken_during_the_whole_run(place: Place) -> None:
    go_on = asyncio.Event()
    place.bench.world.behaviour["A1"] = lambda ctx: go_on.wait()
    async with place.walking(stage(check("A1"))) as walking:
        await place.seen(StepStarted)
        ben = Following(place.journal, "ben")
        async for _ in ben.events():
            if ben.caught_up:
                break
        await ben.note("the door \x07 is open")
        note = await place.seen(NoteAdded)
        go_on.set()
        await walking
    assert (note.step, note.text, note.by) == ("A1", "the door ␇ is open", f"ben (account {account_name()})")
    assert list((place.journal.parent / inbox.FOLDER).iterdir()) == []


async def test_what_lies_in_the_folder_and_is_no_answer(place: Place, tmp_path: Path) -> None:
    """None of it ends the run, is followed, or is waited for."""
    async with place.walking() as walking, place.witness() as ben:
        folder = place.journal.parent / inbox.FOLDER
        secret = tmp_path / "secret"
        secret.write_text(
            json.dumps({"v": 1, "kind": "note", "witness": "ben", "text": "leak", "signature": "", "nonce": ""})
        )
        (folder / "a.json").symlink_to(secret)
        os.mkfifo(folder / "b.json")
        (folder / "c.json").mkdir()
        (folder / "d.json").write_bytes(b"x" * 100_000)
        for number, content in enumerate((b"", b"{}", b"[]", b'"x"', b"\xff", b'{"v":1,"kind":3}', b"[" * 50_000)):
            (folder / f"e{number}.json").write_bytes(content)
        await until(lambda: {path.name for path in folder.iterdir()} == {"c.json"})
        await ben.approve(ben.asked or pytest.fail("nothing asked"), key(place, "ben"))
        await walking
    assert place.bench.of(NoteAdded) == []
    assert secret.exists()
    assert place.bench.world.ran == ["A1"]


async def test_a_witness_sees_that_the_question_is_not_about_what_it_shows(place: Place) -> None:
    async with place.walking(), place.witness() as ben:
        asked = ben.asked or pytest.fail("nothing asked")
        ben.asked = replace(asked, what=("ls",))
        with pytest.raises(Exception, match="not the one of the action"):
            await ben.approve(ben.asked, key(place, "ben"))


async def checked(path: Path, signers: Path, edit: Callable[[Event], Event] = lambda event: event) -> list[str]:
    events = [(edit(event_of(record.type, record.fields)), record.prev) for record in read_records(path)]
    return [one.problem for one in await verify_approvals(events, signers)]


async def test_the_record_shows_who_approved_what(place: Place) -> None:
    place.driver.signs.append(SignsHere("ben", str(key(place, "ben"))))
    await place.bench.walk(GATED)
    assert await checked(place.journal, place.keys.allowed) == [""]

    def other(kind: type[Event], **changes: Any) -> Callable[[Event], Event]:
        return lambda event: replace(event, **changes) if isinstance(event, kind) else event  # type: ignore[type-var]

    for edit, message in (
        (other(ApprovalAsked, what=("ls",)), "not the one of the action that it shows"),
        (other(ApprovalAsked, head="00" * 32), "no question of the record"),
        (other(ApprovalGiven, witness="carl"), "the record says otherwise"),
        (other(ApprovalGiven, signature="x"), "no SSH signature"),
        (other(ApprovalGiven, statement="{}"), "no approval of a step"),
        (other(StepStarted, params={"word": "nein"}), "not what was approved"),
        (other(PeopleNamed, driver="ben"), "ben drives this run"),
    ):
        (problem,) = await checked(place.journal, place.keys.allowed, edit)
        assert message in problem
    other_file = place.keys.folder / "other"
    other_file.write_text(place.keys.allowed.read_text() + "# more\n")
    assert "not the one that the run had" in (await checked(place.journal, other_file))[0]
    other_file.write_text(f"{PRINCIPALS['ben']} {place.keys.public('carl')}\n")
    assert "is unknown" in (await checked(place.journal, other_file))[0]


async def test_what_is_signed_is_on_record_word_for_word(place: Place) -> None:
    place.driver.signs.append(SignsHere("ben", str(key(place, "ben"))))
    await place.bench.walk(GATED)
    asked = next(event for event in read_events(place.journal) if isinstance(event, ApprovalAsked))
    given = next(event for event in read_events(place.journal) if isinstance(event, ApprovalGiven))
    said = json.loads(given.statement)
    assert said == json.loads(statement_for(asked, "r1", PRINCIPALS["ben"]).text()) | {"signed_at": said["signed_at"]}
