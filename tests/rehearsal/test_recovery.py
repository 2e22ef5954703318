"""The way out of a spent PIN counter, walked by a person: from the drill to a green run."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from rehearsal.card import state
from rehearsal.smartcard import CardPlaces
from tests.rehearsal.program import Terminal, events, journals, runbook, sheet_of, so_pin_of

NEW_PIN = "another-pin-9"
_PROMPT = re.compile(rb"(?P<what>[^\r\n]*): $")
"""What stands at the end when the program waits for somebody to type."""


@pytest.mark.parametrize(("fault", "tries"), [("pin-final", 1), ("pin-locked", 0)])
def test_a_spent_counter_is_filled_again_and_the_run_is_green(
    home: Path, terminal: Callable[..., Terminal], fault: str, tries: int
) -> None:
    lab = home / "lab"
    session = terminal("rehearse", "--plain", "--fault", fault, "--folder", str(lab), "--stage", "P", "--stage", "A")
    session.wait_for(b"Press Enter to begin. ")
    session.type(b"\n")
    before = state.read(CardPlaces(lab).state).user_pin
    assert before is not None
    assert before.tries == tries

    _answer_everything(session, lab)

    assert session.process.wait(20) == 0
    assert b"state    green" in session.shown
    card = state.read(CardPlaces(lab).state)
    assert card.user_pin is not None
    assert card.so_pin is not None
    (journal,) = journals(home)
    attempts = [attempt["who"] for attempt in events(journal, "pin.attempt")]
    assert attempts == ["SO-PIN", "user PIN"], "one of each, and the new PIN is not asked for again"
    assert (card.user_pin.checks, card.user_pin.tries) == (1, 3)
    assert (card.so_pin.checks, card.so_pin.tries) == (1, 15)
    assert runbook("verify", journal).returncode == 0
    sheet = (lab / "paper-sheet.yaml").resolve()
    for secret, places in ((so_pin_of(sheet), [sheet]), (NEW_PIN, [])):
        assert secret.encode() not in session.shown
        assert [path for path in home.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()] == places


def _answer_everything(session: Terminal, lab: Path) -> None:
    """What a person with the sheet types, prompt by prompt, until the program ends."""
    inputs = sheet_of(lab)["inputs"]
    answers = {
        b"Number (empty": b"1",
        b"Is it so? [y/N]": b"yes",
        b"becoming root": b"the lab's roles do not ask for it",
        b"SO-PIN": so_pin_of(lab / "paper-sheet.yaml").encode(),
        b"user PIN": NEW_PIN.encode(),
        b"From paper (empty": inputs["hsm_serial"].encode(),
        b"characters to go": inputs["root_fingerprint"].encode(),
    }
    answered = 0
    while session.read():
        prompt = _PROMPT.search(session.shown, answered)
        asked = [answer for words, answer in answers.items() if prompt and words in prompt["what"]]
        if asked:
            answered = len(session.shown)
            session.type(asked[0] + b"\n")
