"""The witness's screen: it follows a real record, asks what is asked, and leaves answers that hold."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runbook.errors import ExitCode, JournalError
from runbook.outcome import Outcome
from runbook.people import following
from runbook.people.approval import Signed, code_of, judge
from runbook.people.ssh_keygen import Signers
from runbook.record import events as ev
from runbook.record.chain import short_head
from runbook.record.gate_events import ApprovalGiven, ApprovalRefused
from screens.prompts.approval import ApprovalPrompt
from tests.people.keys import Keys
from tests.screens.conftest import StoppedClock
from tests.screens.gate_samples import COMMANDS
from tests.screens.samples import EVIDENCE
from tests.screens.scripted import RUN_ID
from tests.screens.test_foreign import HOSTILE, harmless
from tests.screens.witnessed import PEOPLE, Witnessed, witnessed

STARTED = ev.StepStarted("A1.slots", 1, "slots", {})
GREEN = (
    ev.StepStarted("P.people", 1, "attest", {}),
    ev.StepFinished("P.people", 1, Outcome.passed("all is so", *EVIDENCE["statements"])),
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LOOK", 0.05)


async def until(d: Witnessed, fact: Callable[[], object]) -> None:
    """Until the fact holds."""
    async with asyncio.timeout(60):
        while not fact():
            await d.pilot.pause(0.01)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_what_was_and_what_happens_is_shown(tmp_path: Path, size: tuple[int, int]) -> None:
    async with witnessed(tmp_path, size, *GREEN) as d:
        await d.until("◉ live")
        header = " ".join(" ".join(d.screen.splitlines()[:4]).split())
        for part in ("WITNESS", RUN_ID, "input-b", d.driver.journal.head_short, "1 of 5 green"):
            assert part in header
        await d.driver.say(STARTED, ev.StepFinished("A1.slots", 1, Outcome.failed("another token", *EVIDENCE["slots"])))
        await d.until("✗ failed")
        await d.press("pagedown", "k")
        assert d.app.watched.shown == "P.tree", "one may look around"


async def test_nothing_that_decides_has_a_key(tmp_path: Path) -> None:
    async with witnessed(tmp_path, (80, 24), *GREEN) as d:
        records = d.driver.journal.path.read_bytes()
        await d.press("r", "c", "s", "t", "d", "w", "enter", "a", "escape")
        assert d.driver.journal.path.read_bytes() == records
        assert d.app.screen is d.app.watched
        assert not d.driver.left("approval")


async def test_the_driver_learns_that_a_witness_follows(tmp_path: Path) -> None:
    async with witnessed(tmp_path) as d:
        await until(d, lambda: d.driver.left("joined"))
        assert d.driver.left("joined")[0].witness == "ben"


async def test_a_note_is_left(tmp_path: Path) -> None:
    async with witnessed(tmp_path) as d:
        await d.press("n", "text:the LED is red", "enter")
        assert [left.text for left in d.driver.left("note")] == ["the LED is red"]
        assert "Your note is left" in d.screen


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_what_is_asked_is_shown_exactly_and_later_has_the_focus(
    tmp_path: Path, wall_clock: StoppedClock, size: tuple[int, int]
) -> None:
    async with witnessed(tmp_path, size, *GREEN) as d:
        asked = await d.driver.ask(wall_clock.now())
        await d.until("Your approval is asked")
        assert d.app.focused is not None
        assert d.app.focused.id == "answer-later"
        shown = " ".join(d.screen.replace("┃", " ").replace("▌", " ").split())
        for part in (*(c.removesuffix(" ccat-ca_step-ca-data") for c in COMMANDS), code_of(RUN_ID, asked)):
            assert part in shown
        assert short_head(asked.head) in shown
        assert "15:00" in shown
        await d.press("enter")
        assert d.app.screen is d.app.watched
        assert "A1.slots waits for your approval, 15:00 left" in d.screen
        assert not d.driver.left("approval")
        assert not d.driver.left("refusal")
        wall_clock.go_on(60)
        await d.until("14:00 left")
        await d.press("a")
        assert isinstance(d.app.screen, ApprovalPrompt)


async def test_an_approval_is_signed_and_left(tmp_path: Path, keys: Keys) -> None:
    async with witnessed(tmp_path, (80, 24), *GREEN) as d:
        asked = await d.driver.ask(datetime.now(UTC))
        await d.until("Your approval is asked")
        await d.press("tab", "tab", "enter")
        await d.paste(str(keys.folder / "ben"))
        await d.press("enter")
        await until(d, lambda: d.driver.left("approval"))
        [left] = d.driver.left("approval")
        assert left.nonce == asked.nonce
        assert asked.action_sha256 in left.text
        who = await judge(
            Signed(left.text, left.signature),
            asked,
            RUN_ID,
            people=PEOPLE,
            signers=Signers(keys.allowed),
        )
        assert who[0] == "ben"
        await d.until("Your approval is left")


async def test_the_key_that_was_named_at_the_start_is_proposed(
    tmp_path: Path, keys: Keys, wall_clock: StoppedClock
) -> None:
    async with witnessed(tmp_path, (80, 24), *GREEN, key=keys.folder / "ben") as d:
        await d.driver.ask(wall_clock.now())
        await d.until("Your approval is asked")
        await d.press("tab", "tab", "enter", "enter")
        await until(d, lambda: d.driver.left("approval"))


async def test_a_key_that_is_not_there_is_said_and_asked_again(tmp_path: Path, wall_clock: StoppedClock) -> None:
    async with witnessed(tmp_path, (80, 24), *GREEN) as d:
        await d.driver.ask(wall_clock.now())
        await d.until("Your approval is asked")
        await d.press("tab", "tab", "enter", "text:/nowhere/id", "enter")
        await d.until("there is no such file")
        assert d.app.focused is not None
        assert d.app.focused.id == "answer-later"
        assert not d.driver.left("approval")


async def test_a_no_has_a_reason(tmp_path: Path, wall_clock: StoppedClock) -> None:
    async with witnessed(tmp_path, (80, 24), *GREEN) as d:
        asked = await d.driver.ask(wall_clock.now())
        await d.until("Your approval is asked")
        await d.press("tab", "enter", "enter")
        assert not d.driver.left("refusal")
        await d.press("text:wrong volume", "enter")
        assert [(left.text, left.nonce) for left in d.driver.left("refusal")] == [("wrong volume", asked.nonce)]


@pytest.mark.parametrize("keys_", [(), ("tab", "tab", "enter", "text:/x"), ("question_mark",), ("n",)])
async def test_the_question_goes_away_once_it_is_answered_elsewhere(
    tmp_path: Path, wall_clock: StoppedClock, keys_: tuple[str, ...]
) -> None:
    async with witnessed(tmp_path, (80, 24), *GREEN) as d:
        await d.driver.ask(wall_clock.now())
        await d.until("Your approval is asked")
        await d.press(*keys_)
        await d.driver.say(ApprovalGiven("A1.slots", "ben", "SHA256:x", True, "", ""))
        await until(d, lambda: d.app.screen is d.app.watched)
        await d.until("ben approved A1.slots")
        await d.press("a")
        assert d.app.screen is d.app.watched, "and there is nothing left to answer"


async def test_an_old_question_is_not_asked(tmp_path: Path) -> None:
    refused = ApprovalRefused("A1.slots", "ben", "not now", by_witness=True)
    async with witnessed(tmp_path, (80, 24), *GREEN, STARTED, refused) as d:
        await d.until("◉ live")
        assert d.app.screen is d.app.watched


async def test_an_answer_that_was_not_accepted_is_said_and_asked_again(
    tmp_path: Path, wall_clock: StoppedClock
) -> None:
    async with witnessed(tmp_path, (80, 24), *GREEN) as d:
        await d.driver.ask(wall_clock.now())
        await d.until("Your approval is asked")
        await d.press("escape")
        await d.driver.say(ApprovalRefused("A1.slots", "ben", "the key is not [/yours]", by_witness=False))
        await d.until("the key is not [/yours]")
        assert isinstance(d.app.screen, ApprovalPrompt)


async def test_whoever_is_not_known_is_asked_nothing(tmp_path: Path, wall_clock: StoppedClock) -> None:
    async with witnessed(tmp_path, (80, 24), *GREEN, name="mallory") as d:
        await d.driver.ask(wall_clock.now())
        await d.until("A1.slots waits for your approval")
        await d.press("a")
        assert d.app.screen is d.app.watched
        assert "who you are is not known" in d.screen


async def test_the_end_is_shown_with_the_head_and_leaving_gives_its_code(tmp_path: Path) -> None:
    async with witnessed(tmp_path, (80, 24), *GREEN) as d:
        await d.driver.say(ev.RunFinished("failed", "not green: A1.slots"))
        await d.until("The run is over, failed")
        assert d.driver.journal.head_short in d.screen.splitlines()[-3]
        await d.press("q")
        assert d.app.return_value is ExitCode.FAILED


async def test_leaving_is_not_asked_about(tmp_path: Path) -> None:
    async with witnessed(tmp_path) as d:
        await d.press("q")
        assert d.app.return_value is ExitCode.STOPPED


async def test_a_record_that_is_changed_ends_it(tmp_path: Path) -> None:
    async with witnessed(tmp_path) as d:
        with d.driver.journal.path.open("ab") as file:
            file.write(b'{"forged":true}\n')
        await until(d, lambda: d.app.fault)
        assert isinstance(d.app.fault, JournalError)


@pytest.mark.parametrize("text", list(HOSTILE.values()), ids=list(HOSTILE))
async def test_foreign_text_moves_nothing(tmp_path: Path, wall_clock: StoppedClock, text: str) -> None:
    text = text.replace("\ud83d", "?")
    async with witnessed(tmp_path, (80, 24), *GREEN, ev.NoteAdded("P.people", text, by=text)) as d:
        await d.driver.ask(wall_clock.now(), what=(text, text))
        await d.until("Your approval is asked")
        harmless(d)
        await d.press("pagedown", "escape")
        await d.driver.say(ApprovalRefused("A1.slots", text, text, by_witness=False))
        await until(d, lambda: isinstance(d.app.screen, ApprovalPrompt))
        harmless(d)
        await d.driver.say(ev.NoteAdded("", text, by=text), ApprovalGiven("A1.slots", text, text, True, text, text))
        await until(d, lambda: d.app.screen is d.app.watched)
        harmless(d)


async def test_what_two_people_let_pass_before_a_run_goes_on_is_no_step_of_it(
    tmp_path: Path, wall_clock: StoppedClock
) -> None:
    async with witnessed(tmp_path, (80, 24), *GREEN) as d:
        await d.driver.ask(wall_clock.now(), ("runbook: step A1.slots: the title",), step="resume")
        await d.until("Go on although this was changed")
        await d.driver.say(
            ApprovalGiven("resume", "ben", "SHA256:x", False, "", ""),
            ev.RunResumed("hsm-runbook 1", "", "", "", "input-b", "anna", "anna", "", 0, ("runbook: a title",)),
            STARTED,
        )
        await d.until("ben approved resume")
        await until(d, lambda: d.app.watched.state.at == "A1.slots")
        assert "went on although this changed: runbook: a title" in d.app.watched.state.deviations
