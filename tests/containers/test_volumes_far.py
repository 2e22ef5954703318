"""A volume of an engine on a host: archives go through its `docker system dial-stdio` in both directions."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from checks.containers.volume_populate import Populate
from checks.containers.volume_recreate import Recreate
from checks.containers.volume_snapshot import Restore, Snapshot
from checks.evidence.containers import VolumeState
from checks.hosts.hosts import Hosts
from runbook.outcome import Verdict
from runbook.site import EngineProfile, Site
from tests.containers.engine_bench import OURS, Bench
from tests.containers.test_docker_engine import HOSTS, As, OneHost

SIZE = 900_000


@pytest.fixture
def far(bench: Bench, dockerd: Path) -> Bench:
    profile = EngineProfile(on="far", url=f"unix://{dockerd}", volumes=(OURS,))
    bench.site = Site(site=1, name="test", hosts=HOSTS, engines={"ca": profile})
    return bench


async def test_there_and_back_over_the_line(far: Bench, tmp_path: Path) -> None:
    far.client.volumes.create(OURS)
    content = bytes(range(256)) * (SIZE // 256)
    (tmp_path / "big").write_bytes(content)
    volume = {"engine": "ca", "volume": OURS}
    for kind, params in (
        (Populate, {"files": [{"path": "a/big", "source": "big"}]}),
        (Snapshot, {"file": "kept.tar"}),
        (Recreate, {}),
        (Restore, {"file": "kept.tar"}),
    ):
        ctx = far.context()
        ctx.resources[Hosts] = OneHost(As())
        outcome = await ctx.run(kind, **volume, **params)  # type: ignore[arg-type]
        assert outcome.verdict is Verdict.PASSED, outcome
    (state,) = outcome.evidence
    assert isinstance(state, VolumeState)
    assert state.entries[-1].sha256 == hashlib.sha256(content).hexdigest()
    assert far.inside(OURS, "/bin/busybox", "sha256sum", "/data/a/big").startswith(state.entries[-1].sha256)
