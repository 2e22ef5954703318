"""Each prompt: its answer, its refusals, the safe focus, and leaving it."""

from __future__ import annotations

import asyncio

import pytest
from textual.events import Key
from textual.widgets import Input

from runbook.operator import (
    Alphabet,
    Attested,
    AttestRequest,
    ChoiceRequest,
    CompareRequest,
    ConfirmRequest,
    PhraseRequest,
    PinRequest,
    SecretRequest,
    TextRequest,
    TranscribeRequest,
)
from runbook.record import events as ev
from runbook.secrets import Secret
from runbook.ticking import ChecklistRequest
from screens.keys_in import CapsLock
from screens.prompts.confirm import ConfirmPrompt
from screens.prompts.phrase_entry import PhraseEntry
from screens.prompts.transcript_entry import TranscriptEntry
from tests.screens.conftest import Drive, Driven
from tests.screens.samples import ATTEST, PAPER, PIN, ROOT, TOKEN, swapped
from tests.screens.scripted import asks

CONFIRM = ConfirmRequest("Go on?", ("it matters",))
CHOICE = ChoiceRequest("Which?", (("stop", "leave it"), ("[/go]", "go [b]on[/b]")))
PHRASE = PhraseRequest("It cannot be undone", "WIPE ccat ca")
COMPARE = CompareRequest("The same?", "file", ROOT, "paper", swapped(ROOT, 27))
TEXT = TextRequest("Where is the export?", "/media/usb", "a folder")
SECRET = SecretRequest("sudo password", "to read the counter")
SERIAL = TranscribeRequest("Serial", Alphabet.TEXT, pattern=r"DENK[0-9]{7}")


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("pin", PIN),
        ("secret", SECRET),
        ("confirm", CONFIRM),
        ("choose", CHOICE),
        ("type_phrase", PHRASE),
        ("transcribe", PAPER),
        ("text", TEXT),
        ("compare", COMPARE),
        ("attest", ATTEST),
    ],
)
async def test_escape_leaves_without_an_answer(drive: Drive, method: str, request_: object) -> None:
    async with drive(P_people=asks(method, request_)) as d:
        await d.press("r", "escape")
        assert d.app.screen is d.app.run_screen
        assert d.walk.answers == []
        finished = [event for event in d.walk.seen if isinstance(event, ev.StepFinished)]
        assert [event.outcome.symptom for event in finished] == ["cancelled"]


class TestPin:
    async def test_the_value_arrives(self, drive: Drive) -> None:
        async with drive(P_people=asks("pin", PIN)) as d:
            await d.press("r", "text:64821ü3", "enter")
            [pin] = d.walk.answers
            assert isinstance(pin, Secret)
            assert pin.equals(Secret.from_text("64821ü3"))

    async def test_backspace_takes_a_whole_character_and_ctrl_u_all(self, drive: Drive) -> None:
        async with drive(P_people=asks("pin", PIN)) as d:
            await d.press("r", "text:9999", "ctrl+u", "text:64821ü", "backspace", "text:77", "enter")
            assert d.walk.answers[0].equals(Secret.from_text("6482177"))

    async def test_the_mask_tells_nothing_of_the_length(self, drive: Drive) -> None:
        async with drive(P_people=asks("pin", PIN)) as d:
            await d.press("r", "text:1")
            one = d.screen
            await d.press("text:23456789")
            assert d.screen == one

    async def test_counter_limits_and_cost_are_beside_it(self, drive: Drive) -> None:
        request = PinRequest(
            TOKEN, "user PIN", "sign", 2, 3, ("CKF_USER_PIN_COUNT_LOW",), 6, 15, "One wrong PIN is known"
        )
        async with drive(P_people=asks("pin", request)) as d:
            await d.press("r")
            for part in (
                TOKEN,
                "■ ■ □ 2 of 3",
                "leaves 1, the last one",
                "CKF_USER_PIN_COUNT_LOW",
                "6 to 15",
                "One wrong PIN",
            ):
                assert part in d.screen

    async def test_an_unknown_counter_is_said_to_be_unknown(self, drive: Drive) -> None:
        request = PinRequest(TOKEN, "user PIN", "sign", None, None, (), 4, 255)
        async with drive(P_people=asks("pin", request)) as d:
            await d.press("r")
            assert "unknown" in d.screen

    @pytest.mark.parametrize(("typed", "word"), [("12345", "shorter"), ("1234567890123456", "longer")])
    async def test_outside_the_limits_nothing_is_sent(self, drive: Drive, typed: str, word: str) -> None:
        async with drive(P_people=asks("pin", PIN)) as d:
            await d.press("r", f"text:{typed}", "enter")
            assert d.walk.answers == []
            assert f"That is {word} than this token takes" in d.screen
            await d.press("text:654321", "enter")
            assert d.walk.answers[0].equals(Secret.from_text("654321")), "what was refused is gone"

    async def test_nothing_is_pasted(self, drive: Drive) -> None:
        async with drive(P_people=asks("pin", PIN)) as d:
            await d.press("r")
            await d.paste("654321")
            await d.press("enter")
            assert d.walk.answers == []
            assert "shorter" in d.screen


async def test_a_secret_arrives_and_an_empty_one_does_not(drive: Drive) -> None:
    async with drive(P_people=asks("secret", SECRET)) as d:
        await d.press("r", "enter")
        assert d.walk.answers == []
        await d.press("text:hunter 2", "enter")
        assert d.walk.answers[0].equals(Secret.from_text("hunter 2"))


@pytest.mark.parametrize(("keys", "answer"), [(["enter"], False), (["right", "enter"], True), (["tab", "space"], True)])
async def test_confirm_has_the_focus_on_no(drive: Drive, keys: list[str], answer: bool) -> None:
    async with drive(P_people=asks("confirm", CONFIRM)) as d:
        await d.press("r", "y", *keys)
        assert d.walk.answers == [answer], "and no single key says yes"


@pytest.mark.parametrize(("keys", "answer"), [(["enter"], "stop"), (["down", "enter"], "[/go]")])
async def test_choice_begins_with_the_safe_one(drive: Drive, keys: list[str], answer: str) -> None:
    async with drive(P_people=asks("choose", CHOICE)) as d:
        await d.press("r")
        assert "go [b]on[/b]" in d.screen
        await d.press(*keys)
        assert d.walk.answers == [answer]


async def test_a_phrase_must_be_exact_and_is_not_pasted(drive: Drive) -> None:
    async with drive(P_people=asks("type_phrase", PHRASE)) as d:
        await d.press("r")
        await d.paste("WIPE ccat ca")
        await d.press("enter", "text:wipe ccat ca", "enter")
        assert d.walk.answers == []
        assert "not the phrase yet" in d.screen
        await d.press("ctrl+u", "text:WIPE ccat ca", "enter")
        assert d.walk.answers == [True]


@pytest.mark.parametrize(("keys", "answer"), [(["enter"], False), (["right", "enter"], True)])
async def test_compare_marks_the_place_and_has_the_focus_on_no(drive: Drive, keys: list[str], answer: bool) -> None:
    async with drive(P_people=asks("compare", COMPARE)) as d:
        await d.press("r")
        assert "different in B3 (1 of 16 groups)" in d.screen
        await d.press(*keys)
        assert d.walk.answers == [answer]


async def test_text_starts_with_its_default(drive: Drive) -> None:
    async with drive(P_people=asks("text", TEXT)) as d:
        await d.press("r", "text:/e", "enter")
        assert d.walk.answers == ["/media/usb/e"]


class TestTranscription:
    async def type(self, d: Driven, *keys: str) -> None:
        await d.press("r", *keys)

    async def test_spaces_colons_and_either_case_are_accepted(self, drive: Drive) -> None:
        typed = " ".join(ROOT[i : i + 2].upper() for i in range(0, 32, 2)) + ":" + ROOT[32:]
        async with drive(P_people=asks("transcribe", PAPER)) as d:
            await self.type(d, f"text:{typed}")
            assert "all 16 groups are typed" in d.screen
            await d.press("enter")
            assert d.walk.answers == [ROOT]

    async def test_progress_names_the_group(self, drive: Drive) -> None:
        async with drive(P_people=asks("transcribe", PAPER)) as d:
            await self.type(d, "text:" + ROOT[:22])
            assert "5 groups done of 16, 22 of 64 characters; now B2" in d.screen

    async def test_it_is_submitted_only_when_complete(self, drive: Drive) -> None:
        async with drive(P_people=asks("transcribe", PAPER)) as d:
            await self.type(d, "text:" + ROOT[:63], "enter")
            assert d.walk.answers == []
            assert "not complete" in d.screen

    @pytest.mark.parametrize("wrong", ["g", "O", "l", "é"])
    async def test_another_character_is_refused_with_a_word(self, drive: Drive, wrong: str) -> None:
        async with drive(P_people=asks("transcribe", PAPER)) as d:
            await self.type(d, "text:00", f"text:{wrong}")
            assert f"`{wrong}` is not a hexadecimal digit" in d.screen
            assert d.app.screen.query_one(TranscriptEntry).value == "00"

    async def test_more_than_asked_is_refused(self, drive: Drive) -> None:
        async with drive(P_people=asks("transcribe", PAPER)) as d:
            await self.type(d, "text:" + ROOT + "0", "enter")
            assert d.walk.answers == [ROOT]

    async def test_it_can_be_corrected_in_the_middle(self, drive: Drive) -> None:
        async with drive(P_people=asks("transcribe", PAPER)) as d:
            wrong = swapped(ROOT, 2)
            keys = ["home", "right", "right", "delete", f"text:{ROOT[2]}"]
            await self.type(d, "text:" + wrong, *keys, "enter")
            assert d.walk.answers == [ROOT]

    @pytest.mark.parametrize("rehearsal", [True, False])
    async def test_it_is_pasted_only_in_a_rehearsal(self, drive: Drive, rehearsal: bool) -> None:
        async with drive(rehearsal=rehearsal, P_people=asks("transcribe", PAPER)) as d:
            await d.press("r")
            await d.paste(ROOT)
            assert ("Nothing can be pasted here" in d.screen) is not rehearsal
            await d.press("enter")
            assert d.walk.answers == ([ROOT] if rehearsal else [])

    async def test_the_form_is_checked_but_not_the_value(self, drive: Drive) -> None:
        async with drive(P_people=asks("transcribe", SERIAL)) as d:
            await self.type(d, "text:DENK01", "enter")
            assert "does not have the form" in d.screen
            await d.press("text:00009", "enter")
            assert d.walk.answers == ["DENK0100009"]


class TestAttestation:
    async def test_each_statement_is_answered_by_itself(self, drive: Drive) -> None:
        async with drive(P_people=asks("attest", ATTEST)) as d:
            await d.press("r", "space", "space", "space")
            assert "2 without an answer" in d.screen, "holding the key answers one statement only"
            await d.press("tab", "tab")
            assert d.app.focused is None or d.app.focused.id != "answer-submit", "it cannot be submitted yet"
            assert d.walk.answers == []

    async def test_it_is_submitted_when_all_are_answered(self, drive: Drive) -> None:
        async with drive(P_people=asks("attest", ATTEST)) as d:
            await d.press("r", "y", "j", "n", "down", "space", "tab", "text:see the log", "enter", "enter")
            assert d.walk.answers == [Attested((True, False, True), "see the log")]

    async def test_a_long_list_is_walked_through_statement_by_statement(self, drive: Drive) -> None:
        said = tuple(f"{number}: step S{number} skipped, {'because the sheet came late ' * 5}" for number in range(30))
        async with drive(P_people=asks("attest", AttestRequest("Deviations", said))) as d:
            await d.press("r")
            for number in range(30):
                assert f"{number}: step S{number} skipped" in d.screen, "the statement under the cursor is in sight"
                assert d.walk.answers == []
                await d.press("y", "down")
            await d.press("enter")
            assert d.walk.answers == [Attested((True,) * 30)]

    async def test_a_slow_line_may_deliver_a_few_keys_at_once(self, drive: Drive) -> None:
        async with drive(P_people=asks("attest", ATTEST)) as d:
            await d.press("r")
            at_once(d, "y", "j", "y")
            await d.settle()
            assert "1 without an answer" in d.screen
            await d.press("j", "y", "enter")
            assert d.walk.answers == [Attested((True, True, True))]

    async def test_what_is_pasted_into_it_as_keys_answers_nothing(self, drive: Drive) -> None:
        async with drive(P_people=asks("attest", ATTEST)) as d:
            await d.press("r")
            at_once(d, "y", "j", "y", "j", "y", "enter", "enter")
            await d.settle()
            assert "Too many keys came at once" in d.screen
            assert "✓ yes" not in d.screen
            await d.press("enter", "enter", "enter")
            assert d.walk.answers == []

    async def test_a_key_that_is_held_down_answers_one_statement(self, drive: Drive) -> None:
        async with drive(P_people=asks("attest", ATTEST)) as d:
            for key in ("space", "enter", "y"):
                await d.press("r", *[key] * 12)
                assert d.screen.count("✓ yes") <= 1, key
                assert d.walk.answers == []
                await d.press("escape")

    @pytest.mark.parametrize("method", ["attest", "checklist"])
    async def test_a_statement_that_was_scrolled_away_is_shown_before_it_is_answered(
        self, drive: Drive, method: str
    ) -> None:
        said = tuple(f"statement {number} {'which is long ' * 9}" for number in range(20))
        request = AttestRequest("Many", said) if method == "attest" else ChecklistRequest("Many", "Is it so?", said)
        async with drive(P_people=asks(method, request)) as d:
            await d.press("r", "down", "down")
            d.app.screen.query_one("#dialog").scroll_end(animate=False)
            await d.settle()
            assert "statement 2 " not in d.screen
            await d.press("y")
            assert "statement 2 " in d.screen
            assert "✓ yes" not in d.screen
            await d.press("y")
            assert d.screen.count("✓ yes") == 1

    @pytest.mark.parametrize("answers", [[], ["y"], ["y", "j", "n"]])
    async def test_a_note_alone_submits_nothing(self, drive: Drive, answers: list[str]) -> None:
        async with drive(P_people=asks("attest", ATTEST)) as d:
            await d.press("r", *answers, "tab", "text:hm", "enter", "enter")
            assert d.walk.answers == []


async def test_caps_lock_is_told_beside_a_pin_where_the_terminal_tells_it(drive: Drive) -> None:
    async with drive(P_people=asks("pin", PIN)) as d:
        await d.press("r", "A", "B", "C")
        assert "Caps Lock" not in d.screen, "it is never guessed from a PIN"
        d.app.post_message(CapsLock(True))
        await d.settle()
        assert "▲ Caps Lock is on" in d.screen
        d.app.post_message(CapsLock(False))
        await d.settle()
        assert "Caps Lock" not in d.screen


@pytest.mark.parametrize(
    ("typed", "asked"), [("wipe", True), ("w", False), ("Wipe", False), ("WIPE", False), ("wipx", False)]
)
async def test_a_phrase_in_the_other_case_asks_for_caps_lock(drive: Drive, typed: str, asked: bool) -> None:
    async with drive(P_people=asks("type_phrase", PHRASE)) as d:
        await d.press("r", f"text:{typed}")
        said = " ".join(d.screen.replace("┃", " ").replace("▕", " ").split())
        assert ("is Caps Lock on?" in said) == asked
        assert ("is Caps Lock on?" in d.app.screen.query_one(PhraseEntry).standing) == asked


@pytest.mark.parametrize(("low", "high", "said"), [(6, 15, "6 to 15 characters"), (16, 16, "exactly 16 characters")])
async def test_a_pin_says_how_long_it_is(drive: Drive, low: int, high: int, said: str) -> None:
    request = PinRequest("t", "user PIN", "sign", 3, 3, (), low, high)
    async with drive(P_people=asks("pin", request)) as d:
        await d.press("r")
        assert said in d.screen


async def test_the_answer_at_hand_has_an_arrow(drive: Drive) -> None:
    async with drive(P_people=asks("choose", CHOICE)) as d:
        await d.press("r")
        assert "▸ stop" in d.screen
        await d.press("down")
        assert "▸ stop" not in d.screen
        assert "▸ [/go]" in d.screen


def at_once(d: Driven, *keys: str) -> None:
    """As one read of the terminal gives them."""
    for key in keys:
        d.app.post_message(Key(key, key if len(key) == 1 else None))


async def test_resizing_keeps_what_was_typed(drive: Drive) -> None:
    async with drive((120, 40), P_people=asks("text", TEXT)) as d:
        await d.press("r", "text:/x")
        for size in ((80, 24), (200, 60), (90, 30)):
            await d.pilot.resize_terminal(*size)
            await d.settle()
            assert d.app.screen.query_one(Input).value == "/media/usb/x"
        await d.press("enter")
        assert d.walk.answers == ["/media/usb/x"]


async def test_a_question_withdrawn_while_it_comes_up_does_not_stay(drive: Drive) -> None:
    async with drive() as d:
        prompt = ConfirmPrompt(CONFIRM)
        asking = asyncio.create_task(d.app.ask(prompt))
        while prompt not in d.app.screen_stack:  # noqa: ASYNC110 - the screen is pushed within a turn or two
            await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert prompt not in d.app.screen_stack
