"""Fixtures of the loader's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runbook.files.loader import load_runbook
from runbook.files.problems import InvalidDocument, Problem
from runbook.kind import Registry
from tests.loader.small_kinds import GOOD, KINDS, Problems


@pytest.fixture
def registry() -> Registry:
    return Registry(KINDS)


@pytest.fixture
def good() -> str:
    return GOOD


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write text or bytes as a file, beside the file of keys that the small site profile names."""
    (tmp_path / "signers").write_text("ben@here ssh-ed25519 AAAA\n")

    def write(content: str | bytes, name: str = "runbook.yaml") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def problems_of(write: Callable[..., Path], registry: Registry) -> Problems:
    """Every problem, also the warnings, of a runbook given as text."""

    def problems_of(text: str) -> list[Problem]:
        try:
            return list(load_runbook(write(text), registry).warnings)
        except InvalidDocument as error:
            return list(error.problems)

    return problems_of
