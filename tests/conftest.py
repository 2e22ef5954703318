"""Tokens for every test: a private SoftHSM2, made once a session and copied for each test."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from runbook.site import Site
from tests.fake_context import FakeContext
from tests.softhsm import LABEL, SoftHsm

pytest_plugins = ["tests.ca.fixture", "tests.containers.fixture", "tests.ssh_lab.fixture"]

# The same examples each time, so that a change is judged by itself; `make explore` looks for new ones.
# How long a machine takes to think of one says nothing about the program.
_AT_LEISURE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("steady", _AT_LEISURE, derandomize=True)
settings.register_profile("explore", _AT_LEISURE, max_examples=2_000)
settings.load_profile("explore" if os.environ.get("EXPLORE") else "steady")

# Under nohup SIGHUP is ignored, in the background of a shell SIGINT and SIGQUIT; what the tests start inherits that.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def _made_token(tmp_path_factory: pytest.TempPathFactory) -> SoftHsm:
    made = SoftHsm(tmp_path_factory.mktemp("softhsm") / "hsm").create()
    made.init_token(LABEL)
    for key_id in ("01", "02", "03"):
        made.keypair(key_id)
    return made


@pytest.fixture
def softhsm(_made_token: SoftHsm, tmp_path: Path) -> SoftHsm:
    """One token `ccat-intermediate` with P-384 keys 01, 02, 03."""
    return _made_token.copy_to(tmp_path / "hsm")


@pytest.fixture
def empty_softhsm(tmp_path: Path) -> SoftHsm:
    """No initialised token."""
    return SoftHsm(tmp_path / "hsm").create()


@pytest.fixture
def two_tokens(softhsm: SoftHsm) -> SoftHsm:
    """A second token, with the same label and another serial."""
    first = softhsm.serials[LABEL]
    softhsm.serials["second"] = softhsm.init_token(LABEL)
    softhsm.serials[LABEL] = first
    return softhsm


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[Callable[..., FakeContext]]:
    """Makes contexts for checks; their workers are ended after the test."""
    made: list[FakeContext] = []

    def make(site: Site, *pins: str, deadline: float = 10.0, confirm: bool = True) -> FakeContext:
        made.append(FakeContext(site, tmp_path, *pins, deadline=deadline, confirm=confirm))
        return made[-1]

    yield make
    for one in made:
        await one.pool.close()
