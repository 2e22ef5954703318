"""The lab as a fixture: one for all tests of a session, started when the first one wants it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ssh_lab.lab import Lab


@pytest.fixture(scope="session")
def ssh_lab() -> Iterator[Lab]:
    """A missing tool or capability is a failure that says what is missing."""
    with Lab() as lab:
        yield lab
