"""What `runbook doctor` says of an engine of this machine."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from checks.doctor import engines
from checks.doctor.finding import State
from runbook.site import EngineProfile


async def test_an_engine_that_answers_is_named(dockerd: Path) -> None:
    one = await engines.engine("docker engine ca", EngineProfile(url=f"unix://{dockerd}"), needed=True)
    assert (one.state, one.remedy) == (State.OK, "")
    assert f"{socket.gethostname()}: Docker " in one.found


async def test_another_engine_than_the_one_meant_is_wrong(dockerd: Path) -> None:
    profile = EngineProfile(url=f"unix://{dockerd}", name="input-b")
    one = await engines.engine("docker engine ca", profile, needed=True)
    assert one.state is State.WRONG
    assert "expected input-b" in one.found


async def test_an_engine_that_is_silent_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_DEADLINE", 0.2)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        one = await engines.engine("docker engine ca", EngineProfile(url=f"unix://{tmp_path}/s"), needed=True)
    assert one.state is State.WRONG
    assert "no answer within" in one.found
