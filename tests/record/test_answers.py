"""The operator from a file: one answer a prompt, and never a PIN twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runbook.errors import OperatorStopped, PromptCancelled, UsageError
from runbook.model import Runbook
from runbook.operator import (
    Alphabet,
    AttestRequest,
    ChoiceRequest,
    CompareRequest,
    ConfirmRequest,
    Decision,
    Moment,
    PhraseRequest,
    PinRequest,
    SecretRequest,
    TerminalRequest,
    TextRequest,
    TranscribeRequest,
)
from runbook.outcome import Outcome
from runbook.plain.answers import Answers, load_answers
from runbook.plain.scripted import ScriptedOperator
from runbook.secrets import Redactor, Secret

RUNBOOK = Runbook.model_validate(
    {
        "runbook": 1,
        "id": "r",
        "title": "R",
        "inputs": {
            "fingerprint": {"type": "sha256", "ask": "Root fingerprint", "source": "paper"},
            "colour": {"type": "choice", "ask": "Which colour", "choices": ["red", "green"], "default": "green"},
            "place": {"type": "path", "ask": "Where"},
        },
        "stages": [
            {
                "id": "A",
                "title": "A",
                "steps": [
                    {"id": "A.sign", "title": "Sign", "check": "sign_test", "token": "intermediate"},
                    {"id": "A.other", "title": "Other", "check": "sign_test", "token": "other"},
                ],
            }
        ],
    }
)

PIN = PinRequest("ccat-intermediate [0123]", "user PIN", "sign", 3, 3, (), 6, 15)


def _operator(**answers: Any) -> ScriptedOperator:
    return ScriptedOperator(Answers.model_validate({"answers": 1, **answers}), RUNBOOK)


async def _at(operator: ScriptedOperator, step: str = "A.sign") -> ScriptedOperator:
    decided = await operator.decide(Moment(step, step))
    assert decided.decision is Decision.RUN
    return operator


async def test_a_pin_belongs_to_the_token_of_the_step() -> None:
    operator = await _at(_operator(pins={"intermediate": "648219"}))
    assert (await operator.pin(PIN)).reveal() == b"648219"
    await _at(operator, "A.other")
    with pytest.raises(PromptCancelled, match=r"the answers have no `pins\.other`"):
        await operator.pin(PIN)


async def test_a_pin_may_be_listed_by_the_tokens_own_name() -> None:
    operator = await _at(_operator(pins={"ccat-intermediate [0123]": "648219"}))
    assert (await operator.pin(PIN)).reveal() == b"648219"


async def test_a_pin_is_sent_once_a_step() -> None:
    operator = await _at(_operator(pins={"intermediate": "648219"}))
    await operator.pin(PIN)
    with pytest.raises(PromptCancelled, match="was sent once"):
        await operator.pin(PIN)


async def test_a_user_pin_is_no_so_pin() -> None:
    operator = await _at(_operator(pins={"intermediate": "648219"}))
    with pytest.raises(PromptCancelled, match="SO-PIN"):
        await operator.pin(PinRequest(PIN.token, "SO-PIN", "reset", 15, 15, (), 6, 15))


async def test_after_a_failure_it_stops_whatever_is_allowed() -> None:
    operator = _operator()
    moment = Moment("A.sign", "Sign", outcome=Outcome.failed("no"), allowed=tuple(Decision))
    assert (await operator.decide(moment)).decision is Decision.STOP


async def test_what_cannot_start_stops_with_what_it_waits_for() -> None:
    decided = await _operator().decide(Moment("A.sign", "Sign", ("stage P is not green",)))
    assert decided.decision is Decision.STOP
    assert "stage P is not green" in decided.reason


async def test_a_skip_has_its_reason() -> None:
    decided = await _operator(skip={"A.sign": "no token here"}).decide(Moment("A.sign", "Sign"))
    assert (decided.decision, decided.reason) == (Decision.SKIP, "no token here")


async def test_inputs_are_found_by_their_question() -> None:
    operator = await _at(_operator(inputs={"fingerprint": "AB:CD ef-01", "place": "/mnt"}))
    request = TranscribeRequest("Root fingerprint", Alphabet.HEX)
    assert await operator.transcribe(request) == "abcdef01"
    assert await operator.text(TextRequest("Where")) == "/mnt"
    assert await operator.choose(ChoiceRequest("Which colour", (("red", "red"), ("green", "green")))) == "green"
    with pytest.raises(PromptCancelled, match=r"`inputs\.fingerprint` cannot be used: 8 digits"):
        await operator.transcribe(TranscribeRequest("Root fingerprint", Alphabet.HEX, help="8 digits"))
    with pytest.raises(PromptCancelled, match=r"no `inputs\.…` \(What else\)"):
        await operator.text(TextRequest("What else"))


async def test_a_choice_that_is_none_stops() -> None:
    operator = await _at(_operator(inputs={"colour": "blue"}))
    with pytest.raises(OperatorStopped, match="not one of red, green"):
        await operator.choose(ChoiceRequest("Which colour", (("red", "red"), ("green", "green"))))


async def test_no_to_every_question() -> None:
    operator = await _at(_operator(confirm="none"))
    assert await operator.confirm(ConfirmRequest("Sure?")) is False


async def test_yes_no_phrases_and_statements_by_step() -> None:
    operator = await _at(_operator(confirm={"A.sign": "yes"}, phrases=["A.sign"], attest=["A.sign"]))
    assert await operator.confirm(ConfirmRequest("Sure?"))
    assert await operator.type_phrase(PhraseRequest("Type", "WIPE"))
    assert (await operator.attest(AttestRequest("T", ("a", "b")))).confirmed == (True, True)
    await _at(operator, "A.other")
    for prompt, key in (
        (operator.confirm(ConfirmRequest("Sure?")), r"confirm\.A\.other"),
        (operator.type_phrase(PhraseRequest("Type", "WIPE")), r"phrases: \[A\.other\]"),
        (operator.attest(AttestRequest("T", ("a",))), r"attest: \[A\.other\]"),
    ):
        with pytest.raises(PromptCancelled, match=key):
            await prompt


async def test_all_means_all() -> None:
    operator = await _at(_operator(phrases="all", attest="all"), "A.other")
    assert await operator.type_phrase(PhraseRequest("Type", "WIPE"))
    assert (await operator.attest(AttestRequest("T", ("a",)))).confirmed == (True,)


async def test_eyes_terminals_and_passwords_are_for_persons() -> None:
    operator = await _at(_operator())
    for prompt in (
        operator.compare(CompareRequest("Same?", "l", "a", "r", "a")),
        operator.terminal(TerminalRequest(("vault",), "/")),
        operator.secret(SecretRequest("sudo password")),
    ):
        with pytest.raises(PromptCancelled):
            await prompt


def test_a_pin_shows_in_no_form_of_the_model(tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text("answers: 1\npins: {intermediate: '648219'}\n")
    path.chmod(0o600)
    answers = load_answers(path)
    assert isinstance(answers.pins["intermediate"], Secret)
    for shown in (repr(answers), str(answers), answers.model_dump_json(), str(answers.model_dump(mode="json"))):
        assert "648219" not in shown


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_pins_that_others_can_read_are_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text("answers: 1\npins: {intermediate: '648219'}\n")
    path.chmod(mode)
    with pytest.raises(UsageError, match=f"mode {mode:04o}"):
        load_answers(path)
    path.write_text("answers: 1\n")
    load_answers(path)


def test_the_redactor_learns_every_pin() -> None:
    redactor = Redactor()
    _operator(pins={"intermediate": "648219", "other": "geheim"}).teach(redactor)
    assert "648219" not in redactor("a648219b geheim")
    assert "geheim" not in redactor("a648219b geheim")


def test_the_rehearsals_sheet_is_an_answers_file(tmp_path: Path) -> None:
    from rehearsal.sheet import Gates, write_sheet

    path = tmp_path / "sheet.yaml"
    write_sheet(
        path,
        serial="0123456789abcdef",
        pin=Secret.from_text("geheim"),
        so_pin=Secret.from_text("99"),
        fingerprint="ab" * 32,
        witness_key=tmp_path / "witness",
        gates=Gates(),
    )
    answers = load_answers(path)
    assert answers.pins["intermediate"].reveal() == b"geheim"
    assert answers.attest == "all"
    assert answers.inputs["root_fingerprint"] == "ab" * 32
