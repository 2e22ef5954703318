from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from rehearsal.card.virtual_reader import VirtualReader
from tests.card.bench import Bench, make_card


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short path: Unix sockets are made in it."""
    folder = Path(tempfile.mkdtemp(prefix="card"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def bench(short: Path) -> AsyncIterator[Bench]:
    """One personalised card in one reader."""
    state = make_card(short / "one.card")
    (short / "r").mkdir()
    async with VirtualReader(short / "r", [state]) as reader:
        yield Bench(reader, short)
