"""Volumes of a real engine: looked at, recreated, populated."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from checks.containers.carrier import LABEL
from checks.containers.refusals import NotNamed, VolumeInUse, VolumeMissing, VolumeNotEmpty
from checks.containers.volume import VolumeCheck
from checks.containers.volume_populate import Populate
from checks.containers.volume_recreate import Recreate
from checks.evidence.containers import VolumeState
from runbook.outcome import Outcome, Verdict
from tests.containers.engine_bench import OTHERS, OURS, Bench

EMPTY = {"engine": "ca", "volume": OURS, "expect": {"empty": True}}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "root_ca.crt").write_text("the root\n")
    return {
        "engine": "ca",
        "volume": OURS,
        "owner": 1000,
        "group": 1000,
        "mode": "0644",
        "folder_mode": "0750",
        "files": [
            {"path": "certs/root_ca.crt", "source": "root_ca.crt"},
            {"path": "secrets/deep/password", "content": "unused-but-required\n", "mode": "0600", "group": 7},
        ],
    }


def state_of(outcome: Outcome) -> VolumeState:
    (found,) = outcome.evidence
    assert isinstance(found, VolumeState)
    return found


def nothing_left(bench: Bench) -> None:
    assert bench.client.containers.list(all=True, filters={"label": LABEL}) == []
    assert [image.tags for image in bench.client.images.list(all=True)] == [["base-hsm:1"]]


async def test_populated_with_exactly_these_files(bench: Bench, files: dict[str, Any]) -> None:
    bench.client.volumes.create(OURS)
    outcome = await bench.context().run(Populate, **files)
    assert outcome.verdict is Verdict.PASSED, outcome
    entries = {entry.path: entry for entry in state_of(outcome).entries}
    assert entries["certs/root_ca.crt"].sha256 == hashlib.sha256(b"the root\n").hexdigest()
    seen = bench.inside(
        OURS, "/bin/busybox", "find", "/data", "-exec", "/bin/busybox", "stat", "-c", "%n %u:%g %a", "{}", ";"
    )
    assert sorted(seen.splitlines()) == [
        "/data 1000:1000 750",
        "/data/certs 1000:1000 750",
        "/data/certs/root_ca.crt 1000:1000 644",
        "/data/secrets 1000:1000 750",
        "/data/secrets/deep 1000:1000 750",
        "/data/secrets/deep/password 1000:7 600",
    ]
    assert bench.inside(OURS, "cat", "/data/secrets/deep/password") == "unused-but-required\n"
    assert (await bench.context().run(VolumeCheck, **files)).verdict is Verdict.PASSED
    nothing_left(bench)


@pytest.mark.parametrize(
    ("spoil", "symptom"),
    [
        ("echo other >/data/certs/root_ca.crt", "content"),
        ("busybox chown 0:0 /data", "owner"),
        ("busybox chmod 644 /data/secrets/deep/password", "mode"),
        ("busybox rm /data/certs/root_ca.crt", "missing"),
        ("busybox mkdir /data/db", "others"),
        ("busybox ln -sf /etc/passwd /data/certs/root_ca.crt", "type"),
    ],
)
async def test_what_is_not_as_it_should_be(bench: Bench, files: dict[str, Any], spoil: str, symptom: str) -> None:
    bench.client.volumes.create(OURS)
    await bench.context().run(Populate, **files)
    bench.inside(OURS, "sh", "-c", f"PATH=/bin; {spoil}")
    outcome = await bench.context().run(VolumeCheck, **files)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, symptom)
    assert symptom in VolumeCheck.symptoms
    allowed = await bench.context().run(VolumeCheck, **files, expect={"others": True})
    assert (allowed.verdict is Verdict.PASSED) == (symptom == "others")


async def test_a_volume_that_was_half_populated_is_finished(bench: Bench, files: dict[str, Any]) -> None:
    bench.client.volumes.create(OURS)
    bench.inside(OURS, "sh", "-c", "/bin/busybox mkdir /data/certs; echo torn >/data/certs/root_ca.crt")
    assert (await bench.context().run(Populate, **files)).verdict is Verdict.PASSED


async def test_a_volume_that_holds_something_else_is_left_alone(bench: Bench, files: dict[str, Any]) -> None:
    bench.client.volumes.create(OURS)
    bench.inside(OURS, "sh", "-c", "echo mine >/data/db")
    with pytest.raises(VolumeNotEmpty, match="holds db"):
        await bench.context().run(Populate, **files)
    assert bench.inside(OURS, "ls", "/data") == "db\n"
    nothing_left(bench)


async def test_a_volume_in_use_is_not_populated(bench: Bench, files: dict[str, Any]) -> None:
    bench.container("sleep", "600", volume=OURS)
    with pytest.raises(VolumeInUse, match="step-ca"):
        await bench.context().run(Populate, **files)


async def test_recreated_empty_with_labels_and_options_kept(bench: Bench, tmp_path: Path) -> None:
    options = {"type": "none", "o": "bind", "device": str(tmp_path)}
    bench.client.volumes.create("spare", labels={"a": "b"}, driver_opts=options)
    labels = {"com.docker.compose.project": "ccat-ca"}
    before = bench.client.volumes.create(OURS, labels=labels)
    bench.inside(OURS, "sh", "-c", "echo old >/data/old")
    assert (await bench.context().run(VolumeCheck, **EMPTY)).symptom == "others"
    context = bench.context()
    outcome = await context.run(Recreate, engine="ca", volume=OURS)
    assert outcome.verdict is Verdict.PASSED, outcome
    assert bench.client.volumes.get(OURS).attrs["Labels"] == labels
    assert context.events, "what the volume was is on the record before it goes"
    assert [(event.name, event.on, event.how) for event in context.touched] == [
        (OURS, "ca", "removed"),
        (OURS, "ca", "created"),
    ]
    assert (await bench.context().run(VolumeCheck, **EMPTY)).verdict is Verdict.PASSED
    assert bench.inside(OURS, "ls", "-A", "/data") == ""
    assert before.name == OURS

    # A directory that is bound keeps what is in it: the volume is made anew and is not empty, and that is no success.
    (tmp_path / "kept").write_text("x")
    kept = await bench.context().run(Recreate, engine="ca", volume="spare")
    assert (kept.verdict, kept.symptom) == (Verdict.FAILED, "others")
    again = bench.client.volumes.get("spare").attrs
    assert (again["Labels"], again["Options"]) == ({"a": "b"}, options)
    nothing_left(bench)


@pytest.mark.parametrize("start", [True, False])
async def test_a_volume_that_any_container_uses_is_not_removed(bench: Bench, start: bool) -> None:
    bench.client.volumes.create(OURS)
    bench.inside(OURS, "sh", "-c", "echo old >/data/old")
    bench.container("sleep", "600", name="somebody", volume=OURS, start=start)
    with pytest.raises(VolumeInUse, match="somebody"):
        await bench.context().run(Recreate, engine="ca", volume=OURS)
    assert bench.inside(OURS, "cat", "/data/old") == "old\n"


async def test_a_carrier_that_was_left_behind_does_not_keep_it_in_use(bench: Bench) -> None:
    bench.client.volumes.create(OURS)
    bench.container("none", name="left", volume=OURS, start=False, labels={LABEL: "G4"})
    assert (await bench.context().run(Recreate, engine="ca", volume=OURS)).verdict is Verdict.PASSED
    assert bench.client.containers.list(all=True) == []


async def test_a_volume_that_is_gone_is_made_as_the_step_says(bench: Bench) -> None:
    outcome = await bench.context().run(Recreate, engine="ca", volume=OURS, labels={"site": "x"})
    assert outcome.verdict is Verdict.PASSED
    assert bench.client.volumes.get(OURS).attrs["Labels"] == {"site": "x"}


async def test_no_volume(bench: Bench, files: dict[str, Any]) -> None:
    outcome = await bench.context().run(VolumeCheck, **EMPTY)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "volume missing")
    absent = await bench.context().run(VolumeCheck, engine="ca", volume=OURS, expect={"present": False})
    assert absent.verdict is Verdict.PASSED
    with pytest.raises(VolumeMissing):
        await bench.context().run(Populate, **files)
    assert bench.client.volumes.list() == []


async def test_a_volume_that_the_profile_does_not_name(bench: Bench, files: dict[str, Any]) -> None:
    bench.client.volumes.create(OTHERS)
    for kind, params in ((VolumeCheck, EMPTY), (Recreate, {"engine": "ca"}), (Populate, files)):
        with pytest.raises(NotNamed):
            await bench.context().run(kind, **{**params, "volume": OTHERS})  # type: ignore[arg-type]
    with pytest.raises(NotNamed, match="not touched") as raised:
        await bench.context().run(Recreate, engine="ca", volume="ccat-ca_step-ca-dat")
    assert OURS in raised.value.remedy


def test_paths_stay_in_the_volume(files: dict[str, Any]) -> None:
    for path in ("/etc/passwd", "../x", "a/../../x", ".", "certs", "certs/root_ca.crt"):
        more = [*files["files"], {"path": path, "content": "x"}]
        with pytest.raises(ValueError, match=r"within the volume|there twice"):
            Populate.Params.model_validate({**files, "files": more})
