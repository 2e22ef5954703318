"""What is written to terminals of every kind: their own colours, no mouse where none is wanted, nothing by itself."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.bench import Bench
from tests.secrecy.on_pty import OnPty

ENVIRONMENT = {"COLORTERM": "", "NO_COLOR": "", "COLORFGBG": "", "SSH_CONNECTION": ""}
MOUSE = (b"?1000h", b"?1002h", b"?1003h", b"?1006h", b"?1015h", b"?1016h")

_SGR = re.compile(rb"\x1b\[([0-9;:]*)m")
_PLAIN = {"", *map(str, range(10)), *map(str, range(21, 30)), "39", "49"}
"""Codes of ECMA-48 that set no colour: attributes, and the terminal's default."""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@contextmanager
def shown(bench: Bench, *arguments: str, size: tuple[int, int] = (100, 30), **env: str) -> Iterator[OnPty]:
    """The run screen of a small runbook."""
    with OnPty("run", *arguments, cwd=bench.folder, env=bench.env | ENVIRONMENT | env, size=size) as terminal:
        terminal.wait("your turn")
        yield terminal


def configure(bench: Bench, text: str) -> None:
    """Write the user's configuration; an empty text: they have none."""
    mine = bench.folder / "config/hsm-runbook/config.yaml"
    if text:
        mine.parent.mkdir(parents=True)
        mine.write_text(text)


def colours(written: bytes) -> list[str]:
    """The parameters of all that sets a colour."""
    found = [codes.decode() for codes in _SGR.findall(written)]
    return [codes for codes in found if not set(codes.split(";")) <= _PLAIN]


@pytest.mark.parametrize("name", ["linux", "xterm", "screen", "vt220"])
def test_a_terminal_of_sixteen_colours_gets_no_other(bench: Bench, name: str) -> None:
    with shown(bench, TERM=name) as terminal:
        set_ = colours(bytes(terminal.written))
        assert set_
        codes = {code for codes in set_ for code in codes.split(";")}
        assert not codes & {"38", "48"}, "neither 256 colours nor full colour"
        assert {"37", "40"} <= codes, "text and ground are both named"


def test_a_light_ground_gets_dark_text(bench: Bench) -> None:
    with shown(bench, TERM="linux", COLORFGBG="0;15") as terminal:
        codes = {code for codes in colours(bytes(terminal.written)) for code in codes.split(";")}
        assert {"30", "107"} <= codes
        assert "37" not in codes


def test_a_terminal_of_256_colours_gets_those(bench: Bench) -> None:
    with shown(bench, TERM="xterm-256color") as terminal:
        set_ = colours(bytes(terminal.written))
        assert any("38;5;" in codes for codes in set_)
        assert not any("38;2;" in codes or "48;2;" in codes for codes in set_)
        assert not any(codes[-7:] == "48;5;17" for codes in set_), "no grey became blue"


@pytest.mark.parametrize(("theme", "ground"), [("dark", "14;19;25"), ("light", "251;252;253"), ("contrast", "0;0;0")])
def test_a_terminal_of_full_colour_gets_the_look_that_is_asked_for(bench: Bench, theme: str, ground: str) -> None:
    with shown(bench, "--theme", theme, TERM="xterm-256color", COLORTERM="truecolor") as terminal:
        assert any(f"48;2;{ground}" in codes for codes in colours(bytes(terminal.written)))


@pytest.mark.parametrize("name", ["linux", "xterm-256color"])
def test_no_colour_is_written_where_none_is_wanted(bench: Bench, name: str) -> None:
    with shown(bench, "--theme", "light", TERM=name, COLORTERM="truecolor", NO_COLOR="1") as terminal:
        assert colours(bytes(terminal.written)) == []
        assert _SGR.search(bytes(terminal.written)), "it is drawn with attributes"


@pytest.mark.parametrize(
    ("configuration", "arguments", "listened"),
    [
        ("", (), True),
        ("", ("--no-mouse",), False),
        ("mouse: false\n", (), False),
        ("mouse: false\n", ("--mouse",), True),
    ],
)
def test_the_mouse_is_listened_to_only_where_it_is_wanted(
    bench: Bench, configuration: str, arguments: tuple[str, ...], listened: bool
) -> None:
    configure(bench, configuration)
    with shown(bench, *arguments) as terminal:
        assert any(code in terminal.written for code in MOUSE) is listened


def test_lines_instead_of_screens_can_be_preferred_and_screens_asked_for(bench: Bench) -> None:
    configure(bench, "plain: true\n")
    with OnPty("run", cwd=bench.folder, env=bench.env | ENVIRONMENT) as terminal:
        terminal.wait("What now, for A.people?")
        assert b"\x1b[?1049h" not in terminal.written, "no screen was opened"
    with shown(bench, "--screens", XDG_STATE_HOME=str(bench.folder / "another")) as terminal:
        assert b"\x1b[?1049h" in terminal.written


def test_the_look_of_the_environment_comes_before_that_of_the_file(bench: Bench) -> None:
    configure(bench, "theme: contrast\n")
    with shown(bench, HSM_RUNBOOK_THEME="light", TERM="xterm-256color", COLORTERM="truecolor") as terminal:
        assert any("48;2;251;252;253" in codes for codes in colours(bytes(terminal.written)))


def test_keys_of_one_s_own(bench: Bench) -> None:
    configure(bench, "keys: {step.run: 'f5,z', run.note: r}\n")
    with shown(bench) as terminal:
        assert "F5 run" in terminal.shown
        assert "r note" in terminal.shown
        terminal.type("r")
        terminal.wait("A note on")
        terminal.type("rz")
        terminal.wait("rz")
        terminal.type("\x1b")
        terminal.wait("your turn")
        terminal.type("\x1b[15~")
        terminal.wait("Somebody is here")
        terminal.type("\x1b")
        terminal.wait("A.people errored")


QUIET = 3.0
"""Seconds in which nothing happens."""


@pytest.mark.parametrize("line", ["", "192.0.2.1 50000 192.0.2.2 22"], ids=["here", "over SSH"])
@pytest.mark.parametrize("place", ["run screen", "typing", "panels"])
def test_nothing_is_written_while_nothing_happens(bench: Bench, line: str, place: str) -> None:
    with shown(bench, SSH_CONNECTION=line, size=(200, 60) if place == "panels" else (100, 30)) as terminal:
        if place == "typing":
            terminal.type("n")
            terminal.wait("A note on")
        least = 10_000
        until = time.monotonic() + 60
        while time.monotonic() < until and least > 0:  # the clock goes on once a minute
            terminal.read(0.3)
            before = len(terminal.written)
            terminal.read(QUIET)
            least = min(least, len(terminal.written) - before)
        assert least == 0


@pytest.mark.parametrize("name", ["dumb", ""])
def test_a_terminal_that_cannot_draw_is_told_so(bench: Bench, name: str) -> None:
    with OnPty("run", cwd=bench.folder, env=bench.env | ENVIRONMENT | {"TERM": name}) as terminal:
        terminal.wait("Add --plain")
        assert terminal.process.wait(60) == 4
        assert b"\x1b" not in terminal.written
