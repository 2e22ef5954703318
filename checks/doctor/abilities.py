"""What the terminal can do: size, colours, UTF-8."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from checks.doctor.finding import Finding, State
from runbook.text import clean_line

LEAST = (80, 24)
"""Columns and lines that the screens are made for, at least."""

_FEW_COLOURS = 8


def terminal(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Of the terminal that this program was started at."""
    size = _size()
    name = clean_line(environ.get("TERM", ""), 60)
    if size is None:
        advice = "Screens and --plain need a terminal; without one a run is `runbook run --headless`."
        yield Finding(State.WARNING, "terminal", "this is not started at a terminal", advice)
    elif size[0] < LEAST[0] or size[1] < LEAST[1]:
        advice = f"Make the window {LEAST[0]}x{LEAST[1]} or larger, or use `runbook run --plain`."
        yield Finding(State.WARNING, "terminal", f"{size[0]} columns, {size[1]} lines", advice)
    else:
        yield Finding(State.OK, "terminal", f"{size[0]} columns, {size[1]} lines, TERM {name or 'not set'}")
    yield _colours(environ, name)
    value = clean_line(locale_name(environ), 60)
    if is_utf8(environ):
        yield Finding(State.OK, "UTF-8", f"the locale is {value}")
    else:
        found = f"the locale is {value}" if value else "no locale is set"
        yield Finding(State.WARNING, "UTF-8", found, "Set one with UTF-8, for example LC_ALL=C.UTF-8.")


def locale_name(environ: Mapping[str, str]) -> str:
    """The locale for characters (locale(7)); empty: none is set."""
    return next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "")


def is_utf8(environ: Mapping[str, str]) -> bool:
    """Whether the terminal is said to show UTF-8."""
    return locale_name(environ).lower().replace("-", "").partition("@")[0].endswith("utf8")


def _size() -> tuple[int, int] | None:
    for fd in (1, 2, 0):
        try:
            columns, lines = os.get_terminal_size(fd)
        except OSError:
            continue
        return columns, lines
    return None


def _colours(environ: Mapping[str, str], name: str) -> Finding:
    if environ.get("NO_COLOR"):
        return Finding(State.OK, "colours", "off: NO_COLOR is set; every state is a word, too")
    if name in ("", "dumb"):
        found = f"none: TERM is {name or 'not set'}"
        return Finding(
            State.WARNING, "colours", found, "Set TERM to your terminal's name, or use `runbook run --plain`."
        )
    if environ.get("COLORTERM") in ("truecolor", "24bit"):
        return Finding(State.OK, "colours", "16 million (COLORTERM)")
    count = _known_colours(name)
    if count is None:
        advice = "Install the terminal's description (apt-get install ncurses-term), or set TERM to a known name."
        return Finding(State.WARNING, "colours", f"not known: there is no description of TERM {name}", advice)
    if count < _FEW_COLOURS:
        return Finding(State.WARNING, "colours", f"none: TERM {name} has no colours", "States are read by their words.")
    return Finding(State.OK, "colours", f"{count} (TERM {name})")


def _known_colours(name: str) -> int | None:
    """What terminfo(5) says; None where it does not know the terminal."""
    try:
        import curses

        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - only a descriptor that is no terminal is wanted
            curses.setupterm(name, nowhere.fileno())
        return curses.tigetnum("colors")
    except (ImportError, OSError, _curses_error()):
        return None


def _curses_error() -> type[Exception]:
    try:
        from curses import error
    except ImportError:
        return OSError
    return error
