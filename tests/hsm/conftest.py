"""Modules that misbehave, built from C for the tests."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from rehearsal.card.virtual_reader import VirtualReader
from tests.hsm.cards import CardBench, make_card
from tests.hsm.shim import SOURCE, Shim, compiled
from tests.softhsm import SoftHsm


@pytest.fixture(scope="session")
def compile_module(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Compile C text to a shared library."""
    folder = tmp_path_factory.mktemp("modules")

    return lambda name, text: compiled(name, text, folder)


@pytest.fixture
def shim(compile_module: Callable[[str, str], Path], softhsm: SoftHsm, tmp_path: Path) -> Shim:
    return Shim(compile_module("shim", SOURCE.read_text()), tmp_path, softhsm)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short path: Unix sockets are made in it."""
    with tempfile.TemporaryDirectory(prefix="card") as folder:
        yield Path(folder)


@pytest.fixture
async def bench(short: Path) -> AsyncIterator[CardBench]:
    """One personalised SmartCard-HSM in software, in a reader of the real pcscd."""
    (short / "r").mkdir()
    async with VirtualReader(short / "r", [make_card(short / "one.card")]) as reader:
        yield CardBench(short, reader)
