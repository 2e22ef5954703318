"""The line to the rehearsal's program drops, or the program is told that it did: nothing of its card outlives it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from rehearsal import stay
from tests.endings.line import Line, until
from tests.rehearsal.program import journals, processes_of


def namespaces_of(process: Path) -> set[Path]:
    return {(process / "ns" / kind).readlink() for kind in ("net", "mnt", "user")}


def at_work_in_namespaces(home: Path) -> set[Path]:
    """The processes in namespaces that one with this home in its environment has, and we have not.

    Not the namespaces: the number of one that is gone is given to the next one, of whichever program.
    """
    spaces, homes = dict[Path, set[Path]](), set[Path]()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            spaces[process] = namespaces_of(process) - namespaces_of(Path("/proc/self"))
            if os.fsencode(home) in (process / "environ").read_bytes():
                homes |= spaces[process]
        except OSError:
            continue  # it has ended meanwhile
    return {process for process, its in spaces.items() if its & homes}


@pytest.mark.parametrize("front_end", [(), ("--plain",)], ids=["screens", "plain"])
@pytest.mark.parametrize("how", ["SIGHUP", "line", "line of another session"])
def test_keeper_reader_and_namespaces_go_with_the_line(home: Path, front_end: tuple[str, ...], how: str) -> None:
    argv = [sys.executable, "-m", "runbook", "rehearse", "--token", "card", *front_end]
    env = {**os.environ, "TERM": "xterm-256color"}
    with Line(argv, home, env, signalled=how == "line") as line:
        line.until("Press Enter to begin")
        line.type("\n")
        line.until(r"P\.people")
        line.reading(
            lambda: any(b'"type":"stage.started"' in journal.read_bytes() for journal in journals(home)), "the stage"
        )
        at_work = processes_of(home)
        assert any("rehearsal.card " in process for process in at_work)
        assert any("pcscd --foreground" in process for process in at_work)
        inside = at_work_in_namespaces(home)
        assert len(inside) >= 3, "the holder, pcscd, the card"
        if how == "SIGHUP":
            line.process.send_signal(signal.SIGHUP)
        else:
            line.drop()
        assert line.end() == 3
    until(lambda: not processes_of(home), "the end of everything it started")
    until(lambda: not any(process.exists() for process in inside), "the end of all that was in the reader's namespaces")
    (lab,) = (home / "tmp").iterdir()
    assert stay.unfinished(lab) == [journals(home)[0].parent.name]
