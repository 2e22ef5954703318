"""Fixtures of the engine's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.world import Bench, Lamp


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    Lamp.ended.clear()
    return Bench(tmp_path)
