"""What can be copied, what the terminal is sent for it, and that no secret is among it."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence.fingerprints import FingerprintPair, KeyMatch, PaperFingerprint
from runbook.copying import LIMIT, copyables, fitting, has_clipboard, sequence, told
from runbook.groups import VEIL
from runbook.outcome import Outcome
from runbook.record.events import StepFinished
from runbook.record.state import RunState, apply

LEFT, RIGHT = "ab" * 32, "ab" * 31 + "ac"
PAIR = FingerprintPair(
    form="SPKI SHA-256", left_title="on the token", left=LEFT, right_title="in the file", right=RIGHT
)
MATCH = KeyMatch(token="t", key_id="01", key_type="EC", artefact="a", artefact_format="PEM", pairs=(PAIR,))


def state(*evidence: FingerprintPair | KeyMatch | PaperFingerprint) -> RunState:
    return apply(RunState(run_id="r7"), StepFinished("A1", 1, Outcome.failed("they differ", *evidence)))


def texts(run: RunState, **more: tuple[str, ...]) -> dict[str, str]:
    found = copyables(run, "A1", head="3F9A 07C1", folder=Path("/runs/7"), **more)
    assert len({one.word for one in found}) == len(found)
    return {one.name: one.text for one in found}


def test_each_side_of_a_fingerprint_also_inside_a_key_match() -> None:
    for evidence in (PAIR, MATCH):
        found = texts(state(evidence))
        assert found["SPKI SHA-256 on the token"] == LEFT
        assert found["SPKI SHA-256 in the file"] == RIGHT


def test_what_is_hidden_from_a_blind_try_cannot_be_copied() -> None:
    veiled = PAIR.model_copy(update={"right": RIGHT[:-4] + VEIL * 4})
    paper = PaperFingerprint(file="f", subject="s", method="blind", pair=veiled)
    found = texts(state(paper))
    assert "SPKI SHA-256 on the token" in found
    assert "SPKI SHA-256 in the file" not in found
    assert RIGHT not in "".join(found.values())


def test_everything_else_of_the_place() -> None:
    found = texts(state(PAIR), commands=("ls -l",), output=("one", "two"))
    assert found["the step's exact commands"] == "ls -l"
    assert found["what it said while it ran"] == "one\ntwo"
    assert found["its outcome"] == "A1 failed: they differ"
    assert (found["the journal's head"], found["the run's id"]) == ("3F9A 07C1", "r7")
    assert found["the path of the record"] == "/runs/7/journal.jsonl"


def test_before_a_step_there_is_no_outcome() -> None:
    assert set(texts(RunState())) == {"the journal's head", "the run's id", "the path of the record"}


@given(st.text(max_size=200))
def test_what_is_sent_holds_nothing_but_base64(text: str) -> None:
    sent = sequence(text, {})
    match = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\a", sent)
    assert match is not None
    assert base64.b64decode(match.group(1)).decode() == text


@given(st.text(max_size=4_000))
def test_screen_passes_it_on_in_pieces_that_it_holds(text: str) -> None:
    sent = sequence(text, {"STY": "1.tty"})
    pieces = re.findall(r"\x1bP(.*?)\x1b\\", sent, re.DOTALL)
    assert "".join(pieces) == sequence(text, {})
    assert max(map(len, pieces)) <= 768
    assert sequence(text, {"STY": "1.tty", "TMUX": "inside"}) == sequence(text, {})


@given(st.text(max_size=50), st.integers(0, 4_000))
def test_a_long_text_is_cut_to_its_last_lines_and_says_so(line: str, count: int) -> None:
    text = "\n".join([line] * count)
    cut, whole = fitting(text)
    assert len(cut.encode()) <= LIMIT
    assert whole == (cut == text)
    assert text.endswith(cut)
    assert ("last" in told("x", whole=whole, environment={})[0]) is not whole


@pytest.mark.parametrize(("term", "has"), [("xterm-256color", True), ("linux", False), ("vt220", False), ("", False)])
def test_terminals_without_a_clipboard(term: str, has: bool) -> None:
    assert has_clipboard({"TERM": term}) is has
