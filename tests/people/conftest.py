"""Fixtures: people with keys, and the engine's bench."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.world import Bench
from tests.people.keys import PRINCIPALS, Keys


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Anna, Ben and Carl with a key each, all of them allowed."""
    folder = tmp_path / "keys"
    folder.mkdir()
    made = Keys(folder)
    for name, principal in PRINCIPALS.items():
        made.make(name)
        made.allow(principal, name)
    return made


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
