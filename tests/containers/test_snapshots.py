"""A volume as a file, and back."""

from __future__ import annotations

import asyncio
import hashlib
import stat
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from checks.containers.carrier import LABEL
from checks.containers.refusals import DiskFull, VolumeInUse, VolumeNotEmpty
from checks.containers.snapshot_file import Draft, SnapshotProblem
from checks.containers.volume_recreate import Recreate
from checks.containers.volume_snapshot import Restore, Restored, Snapshot
from checks.evidence.containers import VolumeState
from runbook.outcome import Verdict
from runbook.probing import Answer, answer_of
from tests.containers.engine_bench import OURS, Bench

KEEP = {"engine": "ca", "volume": OURS, "file": "old.tar"}
FILL = """
mkdir -p /data/db /data/empty; echo secret >/data/db/one; chmod 600 /data/db/one; chown 1000:7 /data/db/one
chown 1000:1000 /data; chmod 711 /data; ln -s one /data/db/link; ln /data/db/one /data/db/hard
head -c 3000000 /dev/urandom >/data/db/much
"""
LIST = "cd /data; find . -exec stat -c '%n %u:%g %a %F' {} ';' | sort; find . -type f | sort | xargs sha256sum"


def sh(bench: Bench, script: str) -> str:
    links = "mkdir -p /t; /bin/busybox --install -s /t; PATH=/t;"
    return bench.inside(OURS, "/bin/busybox", "sh", "-c", f"/bin/busybox {links} {script}")


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def kept(bench: Bench) -> str:
    """The volume with all sorts of things in it; what they are."""
    bench.client.volumes.create(OURS, labels={"a": "b"})
    sh(bench, FILL)
    return sh(bench, LIST)


async def test_there_and_back(bench: Bench, kept: str, tmp_path: Path) -> None:
    outcome = await bench.context().run(Snapshot, **KEEP)
    assert outcome.verdict is Verdict.PASSED, outcome
    (state,) = outcome.evidence
    assert isinstance(state, VolumeState)
    file = tmp_path / "old.tar"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert state.file_sha256 == digest
    assert (tmp_path / "old.tar.sha256").read_text() == f"{digest}  old.tar\n"
    assert modes(tmp_path) == {
        "old.tar": 0o600,
        "old.tar.sha256": 0o600,
    }
    assert "./db/hard 1000:7 600" in kept

    await bench.context().run(Recreate, engine="ca", volume=OURS)
    assert sh(bench, LIST) != kept
    back = await bench.context().run(Restore, **KEEP)
    assert back.verdict is Verdict.PASSED, back
    assert sh(bench, LIST) == kept
    # Once more, as after a program that was killed in between: it is the same.
    assert (await bench.context().run(Restore, **KEEP, sha256=digest)).verdict is Verdict.PASSED


async def test_nothing_is_overwritten_or_left_half(bench: Bench, kept: str, tmp_path: Path) -> None:
    (tmp_path / "old.tar").write_text("mine")
    with pytest.raises(SnapshotProblem) as raised:
        await bench.context().run(Snapshot, **KEEP)
    assert raised.value.symptom == "snapshot there"
    assert (tmp_path / "old.tar").read_text() == "mine"
    bench.container("sleep", "600", volume=OURS)
    with pytest.raises(VolumeInUse, match="step-ca"):
        await bench.context().run(Snapshot, **KEEP | {"file": "new.tar"})
    assert list(modes(tmp_path)) == ["old.tar"]
    with pytest.raises(SnapshotProblem) as raised:
        await bench.context().run(Snapshot, **KEEP | {"file": "nowhere/new.tar"})
    assert raised.value.symptom == "snapshot not written"


async def test_what_a_killed_program_left_is_no_snapshot_and_goes_with_the_next(
    bench: Bench, kept: str, tmp_path: Path
) -> None:
    (tmp_path / ".old.tar.abcd_123").write_bytes(b"half of it")
    (tmp_path / "old.tar.sha256").write_text(f"{'0' * 64}  old.tar\n")  # it comes first
    assert answer_of(await bench.context().run(Restored, **KEEP)) is Answer.NOT_DONE

    assert (await bench.context().run(Snapshot, **KEEP)).verdict is Verdict.PASSED
    assert sorted(modes(tmp_path)) == ["old.tar", "old.tar.sha256"]
    assert answer_of(await bench.context().run(Restored, **KEEP)) is Answer.DONE


@pytest.mark.parametrize("damage", ["flipped", "cut", "other hash", "no archive", "gone", "no hash"])
async def test_a_snapshot_that_is_not_what_it_was(bench: Bench, kept: str, tmp_path: Path, damage: str) -> None:
    await bench.context().run(Snapshot, **KEEP)
    await bench.context().run(Recreate, engine="ca", volume=OURS)
    file, more = tmp_path / "old.tar", {}
    content = bytearray(file.read_bytes())
    match damage:
        case "flipped":
            content[len(content) // 2] ^= 1
            file.write_bytes(content)
        case "cut":
            file.write_bytes(content[:-1])
        case "other hash":
            more["sha256"] = "0" * 64
        case "no archive":
            file.write_bytes(b"x" * 10_240)
            more["sha256"] = hashlib.sha256(b"x" * 10_240).hexdigest()
        case "gone":
            file.unlink()
        case "no hash":
            (tmp_path / "old.tar.sha256").write_text("")
    with pytest.raises(SnapshotProblem) as raised:
        await bench.context().run(Restore, **KEEP, **more)
    expected = "snapshot missing" if damage in ("gone", "no hash") else "snapshot damaged"
    assert raised.value.symptom == expected
    assert expected in Restore.symptoms
    assert bench.inside(OURS, "ls", "-A", "/data") == ""


async def test_a_volume_with_something_else_in_it_is_left_alone(bench: Bench, kept: str) -> None:
    await bench.context().run(Snapshot, **KEEP)
    sh(bench, "rm -r /data/db; echo new >/data/ca.json")
    with pytest.raises(VolumeNotEmpty, match=r"ca\.json"):
        await bench.context().run(Restore, **KEEP)
    assert sh(bench, "ls /data").split() == ["ca.json", "empty"]


async def test_what_was_put_back_is_known_from_what_was_not(bench: Bench, kept: str) -> None:
    await bench.context().run(Snapshot, **KEEP)

    async def probe() -> Answer:
        outcome = await bench.context().run(Restored, **KEEP)
        assert outcome.symptom in {"", *Restored.symptoms}
        return answer_of(outcome)

    assert await probe() is Answer.DONE
    sh(bench, "echo new >/data/ca.json")
    assert await probe() is Answer.NOT_DONE, "something that is not in the snapshot"
    sh(bench, "rm /data/ca.json; chmod 644 /data/db/one")
    assert await probe() is Answer.NOT_DONE, "another mode"
    await bench.context().run(Recreate, engine="ca", volume=OURS)
    assert await probe() is Answer.NOT_DONE
    await bench.context().run(Restore, **KEEP)
    assert await probe() is Answer.DONE


async def test_no_space_on_the_engine(bench: Bench, kept: str) -> None:
    await bench.context().run(Snapshot, **KEEP)
    small: dict[str, Any] = {"type": "tmpfs", "device": "tmpfs", "o": "size=100k"}
    bench.client.volumes.create("spare", driver_opts=small)
    with pytest.raises(DiskFull):
        await bench.context().run(Restore, **KEEP | {"volume": "spare"})


async def test_a_step_that_is_cancelled_leaves_nothing(
    bench: Bench, kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, on = threading.Event(), threading.Event()
    write = Draft.write

    def slowly(self: Draft, pieces: Iterable[bytes]) -> str:
        def halting() -> Iterator[bytes]:
            for piece in pieces:
                yield piece
                there.set()
                on.wait(60)

        return write(self, halting())

    monkeypatch.setattr(Draft, "write", slowly)
    step = asyncio.ensure_future(bench.context().run(Snapshot, **KEEP))
    assert await asyncio.to_thread(there.wait, 60)
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step
    on.set()
    assert modes(tmp_path) == {}
    assert bench.client.containers.list(all=True, filters={"label": LABEL}) == []
    assert (await bench.context().run(Recreate, engine="ca", volume=OURS)).verdict is Verdict.PASSED
