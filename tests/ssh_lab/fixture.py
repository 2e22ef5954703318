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


@pytest.fixture
def attentive(monkeypatch: pytest.MonkeyPatch) -> None:
    """A silent line counts as lost after 4 seconds instead of 20."""
    from checks.hosts import openssh_config, paramiko_connection

    monkeypatch.setattr(paramiko_connection, "KEEP_ALIVE", 1.0)
    quick = {"ServerAliveInterval 5": "ServerAliveInterval 1"}
    assert set(quick) <= set(openssh_config.FIXED)
    monkeypatch.setattr(openssh_config, "FIXED", tuple(quick.get(line, line) for line in openssh_config.FIXED))
