"""Authorities for tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ca.step_ca_lab import StepCa


@pytest.fixture(scope="session")
def step_ca(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StepCa]:
    """A real step-ca with six provisioners; nobody stops it."""
    made = StepCa(tmp_path_factory.mktemp("step-ca") / "ca")
    try:
        made.start()
        yield made
    finally:
        made.close()
