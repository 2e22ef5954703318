"""A phrase at a plain terminal: typed letter by letter, never pasted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.terminal.letters import BURST, Letters
from tests.cli.bench import Bench, Terminal
from tests.cli.test_plain import asking

PROMPT = "Type the phrase exactly (empty: leave): "
REFUSED = "That came all at once"


@pytest.fixture
def terminal(bench: Bench) -> Terminal:
    return asking(bench, "type_phrase(PhraseRequest('Type', 'WIPE it'))")


@pytest.mark.parametrize(("typed", "said"), [("WIPE it", "got True"), ("wipe it", "got False")])
def test_a_phrase_that_is_typed_letter_by_letter(terminal: Terminal, typed: str, said: str) -> None:
    with terminal:
        terminal.until(PROMPT)
        terminal.by_hand(typed)
        terminal.type("\n")
        terminal.until(said)
        assert terminal.end() == 0
        assert terminal.echoes(), "the terminal is given back as it was"
        assert terminal.shown.rindex("\x1b[?2004l") > terminal.shown.rindex("\x1b[?2004h"), (
            "marks are no longer asked for"
        )


@pytest.mark.parametrize(
    "pasted", ["WIPE it\n", "WIPE it", "\x1b[200~WIPE it\x1b[201~", "\x1b[200~W\x1b[201~"], ids=repr
)
def test_what_is_pasted_does_not_count(terminal: Terminal, pasted: str) -> None:
    with terminal:
        terminal.until(PROMPT)
        terminal.type(pasted)
        terminal.until(REFUSED)
        terminal.until(PROMPT)
        terminal.by_hand("WIPE it")
        terminal.type("\n")
        terminal.until("got True")


def test_slips_can_be_corrected(terminal: Terminal) -> None:
    with terminal:
        terminal.until(PROMPT)
        terminal.by_hand("nox")
        terminal.type("\x15")
        terminal.until("\b \b\b \b\b \b")
        terminal.by_hand("WIPE ut")
        terminal.type("\x7f\x7f")
        terminal.until("\b \b\b \b")
        terminal.type("\x1b[D")
        terminal.by_hand("it")
        terminal.type("\n")
        terminal.until("got True")


def test_an_empty_line_leaves_and_the_end_of_input_stops(bench: Bench, terminal: Terminal) -> None:
    with terminal:
        terminal.until(PROMPT)
        terminal.type("\n")
        terminal.until("PromptCancelled")
    with asking(bench, "type_phrase(PhraseRequest('Type', 'WIPE it'))") as again:
        again.until(PROMPT)
        again.type("\x04")
        again.until("OperatorStopped")


keys = st.sampled_from(["a", "B", " ", "é", "漢", "\x7f", "\x15", "\x17", "\x1b[A", "\x1bOP", "\x1bx", "\t", "\0"])


@given(st.lists(keys, max_size=30))
def test_single_keys_make_the_line_that_an_editor_makes(pressed: list[str]) -> None:
    line, shown, wanted = Letters(), "", ""
    for key in pressed:
        shown += line.feed(key.encode())
        match key:
            case "\x7f":
                wanted = wanted[:-1]
            case "\x15":
                wanted = ""
            case "\x17":
                wanted = wanted.rstrip().rpartition(" ")[0] + (" " if " " in wanted.rstrip() else "")
            case _ if key.isprintable():
                wanted += key
    assert line.text == wanted
    assert not line.pasted
    assert "\x1b" not in shown


@given(st.binary(max_size=60))
def test_no_bytes_break_it_and_nothing_but_letters_is_shown(data: bytes) -> None:
    line = Letters()
    shown = "".join(line.feed(data[place : place + 1]) for place in range(len(data)))
    assert all(letter.isprintable() or letter in "\b\n" for letter in shown)
    assert line.text.isprintable()


@given(st.text(st.characters(categories=["L", "N", "P"]), min_size=BURST, max_size=40), st.booleans())
def test_a_text_in_one_read_is_never_taken(text: str, enter: bool) -> None:
    line = Letters()
    line.feed((text + "\r" * enter).encode())
    assert line.pasted
    assert not line.text
    assert not line.done
