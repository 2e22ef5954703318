"""The operator at a plain terminal, on a pseudo-terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from runbook.record.events import NoteAdded, RunFinished
from runbook.record.journal import read_events
from runbook.record.verify import verify
from tests.cli.bench import Bench, Terminal


def _ask(expression: str) -> str:
    """A program that asks one thing at its terminal and says what came of it."""
    return f"""
import asyncio, sys
from runbook.plain.console import ConsoleOperator
from runbook.errors import RunbookError
from runbook.terminal.keyboard import Keyboard
from runbook.terminal.narrator import Narrator
from runbook.operator import *
from runbook.outcome import Outcome
async def main():
    narrator = Narrator()
    operator = ConsoleOperator(Keyboard(), narrator)
    try:
        answer = await operator.{expression}
        said = f"got {{answer!r}}"
        if hasattr(answer, "reveal"):
            said = f"got {{len(answer)}} bytes, {{sum(answer.reveal())}}, {{answer}}"
    except RunbookError as error:
        said = f"{{type(error).__name__}}: {{error.what}}"
    narrator.say(said)
    narrator.close()
asyncio.run(main())
"""


def asking(bench: Bench, expression: str) -> Terminal:
    """That program on a pseudo-terminal."""
    return Terminal([sys.executable, "-c", _ask(expression)], bench.folder, bench.env)


@pytest.fixture
def ask(bench: Bench):  # type: ignore[no-untyped-def]
    return partial(asking, bench)


PIN = "pin(PinRequest('token [1]', 'user PIN', 'sign', 2, 3, ('CKF_USER_PIN_COUNT_LOW',), 6, 15, 'be careful'))"


def test_a_walk_from_start_to_end(bench: Bench) -> None:
    with bench.terminal("run", "--plain") as terminal:
        assert "A.people is next" in terminal.until("Number (empty: 1): ")
        terminal.type("\n")
        terminal.answer("1 of 2: Somebody is here. Is it so? [y/N]: ", "y")
        terminal.answer("2 of 2: The door is closed. Is it so? [y/N]: ", "maybe")
        terminal.until("Type y for yes or n for no.")
        terminal.answer("[y/N]: ", "yes")
        terminal.until("A.people  PASSED")
        terminal.answer("Number (empty: 1): ", "note")
        terminal.answer("Note (empty: none): ", "it is raining")
        terminal.answer("Number (empty: 1): ", "run")
        terminal.answer("From paper (empty: leave): ", "hello")
        terminal.until("A.look  PASSED")
        terminal.answer("Number (empty: 1): ", "1")
        terminal.answer("Wait 0 seconds? [y/N]: ", "y")
        assert terminal.end() == 0
        assert "steps    3 passed" in terminal.shown
    events = list(read_events(bench.journals[0]))
    assert NoteAdded("A.people", "it is raining") in events
    assert verify(bench.journals[0]).intact


def test_a_failed_step_can_be_tried_again_or_skipped_with_a_reason(bench: Bench) -> None:
    with bench.terminal("run", "--plain", "--stage", "A") as terminal:
        terminal.answer("Number (empty: 1): ", "")
        terminal.answer("[y/N]: ", "y")
        terminal.answer("[y/N]: ", "y")
        terminal.answer("Number (empty: 1): ", "")
        terminal.answer("From paper (empty: leave): ", "wrong")
        terminal.until("A.look  FAILED")
        terminal.until("The paper says something else")
        terminal.until("1. try it again")
        terminal.answer("Number: ", "")
        terminal.until("Type a number from 1 to 5")
        terminal.answer("Number: ", "1")
        terminal.until("is tried again, a deviation")
        terminal.answer("From paper (empty: leave): ", "wrong")
        terminal.answer("Number: ", "skip")
        terminal.answer("Reason to skip it (empty: do not): ", "")
        terminal.answer("Number: ", "2")
        terminal.answer("Reason to skip it (empty: do not): ", "known")
        terminal.until("What did not go by the book")
        terminal.answer("1 of 2: A.look tried again. Is it so? [y/N]: ", "y")
        terminal.answer("2 of 2: A.look skipped: known. Is it so? [y/N]: ", "y")
        assert terminal.end() == 1
        assert "A.look tried again" in terminal.shown
        assert "A.look skipped: known" in terminal.shown


def test_a_run_that_is_stopped_says_so_once(bench: Bench) -> None:
    with bench.terminal("run", "--plain") as terminal:
        terminal.answer("Number (empty: 1): ", "stop")
        assert terminal.end() == 3
        assert "state    stopped at A.people\n" in terminal.shown


def test_the_end_of_input_is_a_stop(bench: Bench) -> None:
    with bench.terminal("run", "--plain") as terminal:
        terminal.until("Number (empty: 1): ")
        terminal.type("\x04")
        assert terminal.end() == 3
        assert "state    stopped: the input ended" in terminal.shown
    *_, last = read_events(bench.journals[0])
    assert isinstance(last, RunFinished)


def test_ctrl_c_at_a_prompt_is_a_stop(bench: Bench) -> None:
    with bench.terminal("run", "--plain") as terminal:
        terminal.until("Number (empty: 1): ")
        terminal.type("\x03")
        assert terminal.end() == 3
        assert "stopped by the operator (ctrl-c)" in terminal.shown


def test_a_line_that_drops_ends_the_run_cleanly(bench: Bench) -> None:
    with bench.terminal("run", "--plain") as terminal:
        terminal.until("Number (empty: 1): ")
        terminal.send(signal.SIGHUP)
        assert terminal.end() == 3
    *_, last = read_events(bench.journals[0])
    assert last == RunFinished("stopped", "the terminal has gone away (SIGHUP)")


def test_a_pin_is_not_shown_and_reaches_the_program(ask) -> None:  # type: ignore[no-untyped-def]
    with ask(PIN) as terminal:
        shown = terminal.until("user PIN (empty: leave): ")
        assert "attempts left before the card locks: 2 of 3" in shown
        assert "CKF_USER_PIN_COUNT_LOW" in shown
        assert "WARNING: be careful" in shown
        assert not terminal.echoes()
        terminal.type("648219\n")
        terminal.until(f"got 6 bytes, {sum(b'648219')}, ••••")
        assert terminal.end() == 0
        assert "648219" not in terminal.shown
        assert terminal.echoes()


@pytest.mark.parametrize("leave", ["\x03", "\x04", "TERM", "\n"])
def test_the_terminal_echoes_again_however_a_pin_prompt_is_left(ask, leave: str) -> None:  # type: ignore[no-untyped-def]
    with ask(PIN) as terminal:
        terminal.until("user PIN (empty: leave): ")
        assert not terminal.echoes()
        terminal.type(leave if leave != "TERM" else "648\x03")
        terminal.end()
        assert terminal.echoes()
        assert "648" not in terminal.shown


def test_a_pin_cut_by_the_end_of_input_is_not_taken(ask) -> None:  # type: ignore[no-untyped-def]
    """ctrl-d behind characters hands them over without a line end; that is not a PIN that somebody entered."""
    with ask(PIN) as terminal:
        terminal.until("user PIN (empty: leave): ")
        terminal.type("648219\x04\x04")
        terminal.until("OperatorStopped: the input ended")


def test_what_was_typed_before_the_prompt_is_not_taken_for_an_answer(bench: Bench) -> None:
    wait = (
        "import sys, termios\n"
        "sys.stderr.write('ready\\n'); sys.stderr.flush()\n"
        "import select; select.select([0], [], [])\n"
    )
    program = wait + _ask("confirm(ConfirmRequest('Wipe it?', dangerous=True))")
    with Terminal([sys.executable, "-c", program], bench.folder, bench.env) as terminal:
        terminal.until("ready")
        terminal.type("y\n")
        terminal.until("CAREFUL")
        terminal.until("Wipe it? [y/N]: ")
        terminal.type("\n")
        terminal.until("got False")


@pytest.mark.parametrize(
    ("request_", "lines", "said"),
    [
        ("transcribe(TranscribeRequest('Serial', Alphabet.TEXT))", ["DENK 01"], "got 'DENK 01'"),
        ("transcribe(TranscribeRequest('F', Alphabet.HEX, 16))", ["AB:CD ef01 2345-6789"], "got 'abcdef0123456789'"),
        ("transcribe(TranscribeRequest('F', Alphabet.HEX, 16))", ["abcd ef01", "23456789"], "got 'abcdef0123456789'"),
        ("transcribe(TranscribeRequest('F', Alphabet.HEX, 4))", ["abxd", "abcd"], "got 'abcd'"),
        ("transcribe(TranscribeRequest('F', Alphabet.HEX, 4))", ["abcde", "abcd"], "got 'abcd'"),
        ("transcribe(TranscribeRequest('F', Alphabet.BASE64, 4))", ["A b+/"], "got 'Ab+/'"),
        ("transcribe(TranscribeRequest('F', Alphabet.HEX, 4))", [""], "PromptCancelled"),
        ("text(TextRequest('Where', '/tmp'))", [""], "got '/tmp'"),
        ("text(TextRequest('Where', '/tmp'))", [" /mnt "], "got '/mnt'"),
        ("text(TextRequest('Where'))", [""], "PromptCancelled"),
        ("choose(ChoiceRequest('Which', (('a', 'first'), ('b', 'second'))))", ["3", "2"], "got 'b'"),
        ("choose(ChoiceRequest('Which', (('a', 'first'), ('b', 'second'))))", ["a"], "got 'a'"),
        ("confirm(ConfirmRequest('Sure?', ('this', 'and that')))", [""], "got False"),
        ("confirm(ConfirmRequest('Sure?'))", ["what", "Y"], "got True"),
        ("type_phrase(PhraseRequest('Type', 'WIPE it'))", [""], "PromptCancelled"),
        ("compare(CompareRequest('Same?', 'paper', 'ab' * 8, 'file', 'ac' * 8))", ["y"], "got True"),
        ("secret(SecretRequest('sudo password'))", ["pass w"], f"got 6 bytes, {sum(b'pass w')}"),
        ("decide(Moment('A', 'T', ('it waits',), allowed=(Decision.SKIP, Decision.STOP)))", ["", "2"], "Decision.STOP"),
    ],
)
def test_each_prompt(ask, request_: str, lines: list[str], said: str) -> None:  # type: ignore[no-untyped-def]
    with ask(request_) as terminal:
        for line in lines:
            terminal.until_prompt()
            terminal.type(line + "\n")
        terminal.until(said)
        assert terminal.end() == 0


def test_an_interactive_command_gets_the_terminal_and_gives_it_back(ask, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """ctrl-c ends the command, not the program; the modes it leaves behind are put right."""
    waits = (
        "import signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, [2]); print('listening'); "
        "print(f'<{input()}>', flush=True); signal.sigwait([2]); print('caught'); sys.exit(7)"
    )
    script = f'stty -echo; exec python3 -c "{waits}"'
    with ask(f"terminal(TerminalRequest(('bash', '-c', {script!r}), {str(tmp_path)!r}, {{}}))") as terminal:
        terminal.until("listening")
        terminal.type("hello\n")
        terminal.until("<hello>")
        terminal.type("\x03")
        terminal.until("caught")
        terminal.until("got 7")
        assert terminal.end() == 0
        assert terminal.echoes()


def test_an_interactive_command_dies_with_the_program(ask, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    mark = tmp_path / "pid"
    script = f"trap '' HUP TERM; echo $$ > {mark}; echo listening; while true; do read -r -t 1; done"
    with ask(f"terminal(TerminalRequest(('bash', '-c', {script!r}), '/', {{}}))") as terminal:
        terminal.until("listening")
        pid = int(mark.read_text())
        child = Path(f"/proc/{pid}")
        assert child.exists()
        try:
            terminal.send(signal.SIGKILL)
            terminal.end()
            deadline = time.monotonic() + 10
            while child.exists() and "zombie" not in (child / "status").read_text():
                assert time.monotonic() < deadline, "the command is still there"
                time.sleep(0.01)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def test_a_stopped_terminal_does_not_stop_the_program(bench: Bench) -> None:
    """ctrl-s holds the output; SIGTERM still ends the run, and the record is whole."""
    site = bench.folder / "site.yaml"
    site.write_text(site.read_text().replace("seconds: 0", "seconds: 300"))
    with bench.terminal("run", "--headless", "--answers", "answers.yaml") as terminal:
        terminal.until("-- B.wait")
        terminal.type("\x13")
        terminal.send(signal.SIGTERM)
        deadline = time.monotonic() + 10
        while not isinstance(last := list(read_events(bench.journals[0]))[-1], RunFinished):
            assert time.monotonic() < deadline, "the run goes on"
            time.sleep(0.01)
        assert last == RunFinished("stopped", "asked to end (SIGTERM)")
        terminal.type("\x11")
        assert terminal.end() == 3
