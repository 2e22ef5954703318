"""A lab that several tests look at, and a home for the program in which nothing is left running."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rehearsal.full.cache import the_cache
from rehearsal.full.outfit import discard
from rehearsal.lab import Lab, make_lab
from rehearsal.reader import CardReader
from rehearsal.token import TokenKind
from tests.rehearsal.program import Terminal, processes_of

_DEADLINE = 30.0
_POLL = 0.02


@pytest.fixture(scope="module", params=list(TokenKind))
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    made = make_lab(token=request.param)
    with CardReader(made.folder) if request.param is TokenKind.CARD else contextlib.nullcontext():
        yield made
    made.remove()


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home with its own state and temporary folders; its path is short, because sockets are made below it.

    Every process of the program shows it in its environment, and none may be there at the end.
    """
    folder = Path(tempfile.mkdtemp(prefix="rehearsal-test-", dir="/tmp"))
    # What full labs share is made once for all tests.
    monkeypatch.setenv("XDG_CACHE_HOME", str(the_cache().folder.parents[1]))
    for name, variable in (("state", "XDG_STATE_HOME"), ("config", "XDG_CONFIG_HOME"), ("tmp", "TMPDIR")):
        (folder / name).mkdir()
        monkeypatch.setenv(variable, str(folder / name))
    monkeypatch.setenv("HOME", str(folder))
    yield folder
    until = time.monotonic() + _DEADLINE
    while (left := processes_of(folder)) and time.monotonic() < until:
        time.sleep(_POLL)
    shutil.rmtree(folder)
    assert left == []


@pytest.fixture
def full_lab(home: Path) -> Iterator[Path]:
    """Where a full lab is to be made; its engine goes with it."""
    yield home / "lab"
    discard(home / "lab")


@pytest.fixture
def terminal(home: Path) -> Iterator[Callable[..., Terminal]]:
    """Starts the program on a pseudo-terminal."""
    opened: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        opened.append(Terminal(*arguments))
        return opened[-1]

    yield start
    for each in opened:
        each.close()
