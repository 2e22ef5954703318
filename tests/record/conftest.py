"""A real journal, written by the journal itself, and a disk that fills up."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.event import Event
from runbook.record.journal import Journal
from runbook.secrets import Redactor
from tests.record.real import Real, real_run
from tests.record.sample import Write, Written


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write these events to a new journal."""

    async def run(*events: Event, folder: Path = tmp_path / "run", redactor: Redactor | None = None) -> Written:
        journal = await Journal.create(folder, redactor or Redactor())
        try:
            for event in events:
                await journal.append(event)
        finally:
            await journal.close()
        return Written(journal.path, journal.head, journal.head_short)

    return run


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with room for 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.fixture(scope="session")
def real() -> Iterator[Real]:
    """A record that the program itself wrote; nobody may change it."""
    with real_run() as run:
        yield run
