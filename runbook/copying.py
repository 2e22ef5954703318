"""What can be copied at a place of a run, and the clipboard of a terminal that may be far away (OSC 52).

All of it is what the screens show anyway: the run's state and what its steps said, from which known secrets are removed
before they come here. A prompt has nothing that can be copied.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from runbook.children import let_go, start
from runbook.outcome import Evidence
from runbook.paths import JOURNAL_NAME
from runbook.record.state import RunState

LIMIT = 74_994
"""Bytes of one text: what the terminals with the smallest limit take (hterm; 100,000 characters in base64)."""

_PATIENCE = 2.0
_SCREEN_PIECE = 500
"""Characters in one of GNU screen's pass-through strings, which holds 768 at most."""

_NO_CLIPBOARD = ("linux", "vt", "dumb", "ansi", "cons25", "sun", "unknown")
"""Terminals by the beginning of TERM that have no clipboard at all."""


@dataclass(frozen=True, slots=True)
class Copyable:
    """Something that can be copied."""

    word: str
    """What it is called in line mode: one word."""
    name: str
    text: str


def copyables(
    state: RunState, step: str, *, head: str, folder: Path, commands: Iterable[str] = (), output: Iterable[str] = ()
) -> tuple[Copyable, ...]:
    """All that can be copied at the step. `commands`: what it does, exactly; `output`: what it said while it ran."""
    now = state.step(step)
    found = [Copyable("commands", "the step's exact commands", "\n".join(commands))]
    if now.outcome is not None:
        found.append(Copyable("outcome", "its outcome", f"{step} {now.status.value}: {now.outcome.summary}"))
        found += _numbered(now.outcome.evidence)
        lines = [line for evidence in now.outcome.evidence for line in evidence.plain()]
        found.append(Copyable("evidence", "its evidence, as lines", "\n".join(lines)))
    found.append(Copyable("output", "what it said while it ran", "\n".join(output)))
    found += (
        Copyable("head", "the journal's head", head),
        Copyable("run", "the run's id", state.run_id or folder.name),
        Copyable("record", "the path of the record", str(folder / JOURNAL_NAME)),
    )
    return tuple(one for one in found if one.text)


def _numbered(evidence: Iterable[Evidence]) -> Iterator[Copyable]:
    """Fingerprints and the like, each with a word of its own."""
    values = [pair for one in evidence for pair in one.values()]
    for number, (name, value) in enumerate(values, start=1):
        yield Copyable(f"value{number}", name, value)


def fitting(text: str) -> tuple[str, bool]:
    """The end of the text that a clipboard takes, in whole lines where it can be, and whether that is all of it."""
    raw = text.encode()
    if len(raw) <= LIMIT:
        return text, True
    cut = raw[-LIMIT:].decode(errors="ignore")
    return cut.partition("\n")[2] or cut, False


def has_clipboard(environment: Mapping[str, str]) -> bool:
    """Whether the terminal may have a clipboard, as far as TERM tells."""
    term = environment.get("TERM", "")
    return bool(term) and not term.startswith(_NO_CLIPBOARD)


def sequence(text: str, environment: Mapping[str, str]) -> str:
    """What sets the terminal's clipboard (xterm's control sequences, OSC 52); GNU screen passes it on in pieces."""
    set_it = f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\a"
    if not environment.get("STY") or environment.get("TMUX"):
        return set_it
    pieces = (set_it[at : at + _SCREEN_PIECE] for at in range(0, len(set_it), _SCREEN_PIECE))
    return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)


async def told_tmux(text: str, environment: Mapping[str, str]) -> bool:
    """Whether tmux has taken it, for itself and its terminal's clipboard; false outside of tmux.

    What a program sends is dropped unless `set-clipboard` is `on`, and by default it is `external`; what tmux is told
    by a command of its own it passes on in both (tmux(1), `load-buffer -w`, since 3.2).
    """
    tmux = shutil.which("tmux", path=environment.get("PATH", os.defpath)) if environment.get("TMUX") else None
    if tmux is None:
        return False
    pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    try:
        child = await start(tmux, "load-buffer", "-w", "-", stdin=pipe, stdout=null, stderr=null)
    except OSError:
        return False
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(child.communicate(text.encode()), _PATIENCE)
        return child.returncode == 0
    finally:
        if child.returncode is None:
            let_go(child)


def told(name: str, *, whole: bool, environment: Mapping[str, str]) -> tuple[str, ...]:
    """What was done, in words, and what to do where it does not arrive."""
    cut = "" if whole else f"; only its last {LIMIT // 1000} kB, as terminals take no more"
    lines = [f"Copied: {name}{cut}."]
    if environment.get("TMUX"):
        lines.append("If it does not arrive, in tmux: set -g set-clipboard on, and the terminal must allow OSC 52.")
    else:
        lines.append("If it does not arrive: the terminal must allow OSC 52 (clipboard access).")
    return tuple(lines)
