"""Containers of a real engine and what they say."""

from __future__ import annotations

from typing import Any

import pytest

from checks.containers.container import DockerContainer
from checks.containers.logs import DockerLogs
from checks.containers.refusals import NotNamed
from checks.evidence.containers import ContainerState, LogsRead
from runbook.outcome import Outcome, Verdict
from tests.containers.engine_bench import OURS, Bench

BOX = {"engine": "ca", "container": "step-ca"}
AGAIN = {"restart_policy": {"Name": "always"}}


async def look(bench: Bench, **params: Any) -> Outcome:
    outcome = await bench.context().run(DockerContainer, **BOX, **params)
    assert outcome.verdict is Verdict.PASSED or outcome.symptom in DockerContainer.symptoms
    return outcome


async def test_running_with_its_image_user_and_mounts(bench: Bench) -> None:
    bench.client.volumes.create(OURS)
    bench.container("sleep", "600", volume=OURS, user="0:0", tmpfs={"/run/secrets": "size=1m"})
    expect = {
        "image": bench.base,
        "user": "0:0",
        "mounts": {"/data": {"source": OURS, "read_only": False}, "/run/secrets": {}},
    }
    outcome = await look(bench, expect=expect)
    assert outcome.verdict is Verdict.PASSED, outcome
    (found,) = outcome.evidence
    assert isinstance(found, ContainerState)
    assert (found.status, found.mounts) == ("running", (f"{OURS}:/data",))
    for wrong, symptom in (
        ({"user": ""}, "other user"),
        ({"mounts": {"/data": {"source": "spare"}}}, "mounts"),
        ({"mounts": {"/data": {"read_only": True}}}, "mounts"),
        ({"mounts": {"/nowhere": {}}}, "mounts"),
        ({"image": "nothing:1"}, "image missing"),
        ({"state": "stopped"}, "running"),
        ({"state": "absent"}, "there"),
        ({"state": "healthy"}, "no health check"),
    ):
        outcome = await look(bench, expect=wrong)
        assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, symptom), wrong
    # The name stands for another image by now.
    bench.client.api.import_image_from_data(b"\0" * 10_240, repository="base-hsm", tag="1")
    assert (await look(bench, expect={"image": bench.base})).symptom == "other image"


async def test_stopped_and_gone(bench: Bench) -> None:
    assert (await look(bench)).symptom == "container missing"
    assert (await look(bench, expect={"state": "absent"})).verdict is Verdict.PASSED
    box = bench.container("true", start=False)
    assert (await look(bench, expect={"state": "stopped"})).verdict is Verdict.PASSED
    box.start()
    box.wait()
    assert (await look(bench, expect={"state": "stopped"})).verdict is Verdict.PASSED
    assert (await look(bench)).symptom == "not running"


async def test_waiting_for_health(bench: Bench) -> None:
    health = {"test": ["CMD", "/bin/cat", "/tmp/ready"], "interval": 10**9, "retries": 100}
    bench.container("sh", "-c", "sleep 2; echo >/tmp/ready; sleep 600", healthcheck=health)
    assert (await look(bench, expect={"state": "healthy"})).symptom == "unhealthy"
    outcome = await look(bench, wait=60, expect={"state": "healthy"})
    assert outcome.verdict is Verdict.PASSED, outcome


async def test_one_that_is_started_again_and_again(bench: Bench) -> None:
    bench.container("sh", "-c", "echo dying; exit 3", **AGAIN)
    until_restarting = await bench.context().run(DockerLogs, **BOX, good="never", wait=60)
    assert until_restarting.symptom == "container restarting"
    outcome = await look(bench, wait=30)
    assert outcome.symptom in ("container restarting", "not running") or outcome.verdict is Verdict.PASSED
    assert (await bench.context().run(DockerLogs, **BOX, bad=[{"match": "dying"}], wait=60)).symptom == "bad line"


async def test_a_name_is_not_the_beginning_of_another_id(bench: Bench) -> None:
    other = bench.container("sleep", "600", name="somebody")
    short = other.id[:12]
    engine = bench.site.engines["ca"]
    bench.site = bench.site.model_copy(update={"engines": {"ca": engine.model_copy(update={"containers": (short,)})}})
    outcome = await bench.context().run(DockerContainer, engine="ca", container=short)
    assert outcome.symptom == "container missing"


# -- logs -----------------------------------------------------------------------------------------------------------


def read(outcome: Outcome) -> LogsRead:
    (found,) = outcome.evidence
    assert isinstance(found, LogsRead)
    return found


async def test_waiting_for_lines_that_come_live_and_once(bench: Bench) -> None:
    say = (
        "for n in 1 2 3 4 5 6; do echo out $n; echo err $n >&2; sleep 0.4; done; echo Serving HTTPS on :9000; sleep 600"
    )
    bench.container("sh", "-c", say)
    ctx = bench.context()
    outcome = await ctx.run(DockerLogs, **BOX, good=[r"^Serving HTTPS on", "out 3"], bad=[{"match": "panic"}], wait=60)
    assert outcome.verdict is Verdict.PASSED, outcome
    assert sorted(ctx.lines) == sorted(
        [*(f"{stream} {n}" for n in range(1, 7) for stream in ("out", "err")), "Serving HTTPS on :9000"]
    )
    assert read(outcome).lines == 13


async def test_a_bad_line_ends_it_at_once_with_its_symptom(bench: Bench) -> None:
    bench.container("sh", "-c", "echo starting; echo pkcs11: no slots >&2; sleep 600")
    bad = [{"match": "panic"}, {"match": "no slots", "symptom": "token not present"}]
    outcome = await bench.context().run(DockerLogs, **BOX, good="Serving", bad=bad, wait=600)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "token not present")
    assert "pkcs11: no slots" in outcome.summary
    assert read(outcome).bad == ("pkcs11: no slots",)
    (line,) = read(outcome).found
    assert (line.text[line.start : line.end], line.good) == (line.pattern, False)


async def test_what_is_not_said_in_time(bench: Bench) -> None:
    bench.container("sh", "-c", "echo hello; sleep 600")
    outcome = await bench.context().run(DockerLogs, **BOX, good="Serving", wait=1)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "not said")
    assert read(outcome).missed == ("Serving",)


async def test_one_that_ended(bench: Bench) -> None:
    bench.container("sh", "-c", "echo hello").wait()
    outcome = await bench.context().run(DockerLogs, **BOX, good="Serving", wait=600)
    assert outcome.symptom == "not running"
    assert (
        await bench.context().run(DockerLogs, engine="ca", container="ghost", good="x")
    ).symptom == "container missing"


async def test_lines_of_an_earlier_start_do_not_count(bench: Bench) -> None:
    box = bench.container("sh", "-c", "[ -e /tmp/been ] || { echo Serving first; echo >/tmp/been; }; exec sleep 600")
    assert (await bench.context().run(DockerLogs, **BOX, good="Serving", wait=60)).verdict is Verdict.PASSED
    box.restart(timeout=0)
    assert (await bench.context().run(DockerLogs, **BOX, good="Serving", wait=1)).symptom == "not said"


async def test_nothing_bad_for_a_while(bench: Bench) -> None:
    bench.container("sh", "-c", "echo ready; sleep 2; echo panic; sleep 600")
    outcome = await bench.context().run(DockerLogs, **BOX, good="ready", bad=[{"match": "panic"}], quiet=60, wait=60)
    assert outcome.symptom == "bad line"


async def test_a_container_that_the_profile_does_not_name(bench: Bench) -> None:
    bench.container("sleep", "600", name="dex")
    for kind, more in ((DockerContainer, {}), (DockerLogs, {"good": "x"})):
        with pytest.raises(NotNamed):
            await bench.context().run(kind, engine="ca", container="dex", **more)  # type: ignore[arg-type]


def test_symptoms_are_ones_that_hints_know() -> None:
    with pytest.raises(ValueError, match="token not present"):
        DockerLogs.Params.model_validate({**BOX, "bad": [{"match": "x", "symptom": "whatever"}]})
