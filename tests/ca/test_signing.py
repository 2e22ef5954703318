"""The proof that a CA signs with the token's keys: real processes with real modules in a real engine's container."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from checks.ca.signing import Signing
from checks.containers import inside
from checks.containers.engine import connected
from checks.containers.inside import Unreadable
from checks.containers.refusals import NotNamed
from checks.evidence.signing import SigningProof
from checks.hosts.hosts import Hosts
from runbook.outcome import Outcome, Verdict
from runbook.site import EngineProfile, Site
from tests.ca.ca_box import (
    CAP_NET_BIND_SERVICE,
    CONFIG,
    DEVICE,
    IMAGE,
    LIBRARIES,
    MODULE,
    SOFTHSM,
    VPCD,
    CaBox,
    certificate,
)
from tests.containers.engine_bench import Bench
from tests.containers.test_docker_engine import HOSTS, As, OneHost
from tests.containers.test_touched import touched

PARAMS: dict[str, Any] = {
    "engine": "ca",
    "container": "step-ca",
    "module": MODULE,
    "intermediate": "intermediate_ca.crt",
}


@pytest.fixture
def box(bench: Bench) -> CaBox:
    return CaBox(bench)


VPCD_READER = Path("/etc/reader.conf.d/vpcd").read_bytes()


async def prove(box: CaBox, **params: Any) -> Outcome:
    outcome = await box.bench.context().run(Signing, **PARAMS | params)
    assert outcome.verdict is Verdict.PASSED or outcome.symptom in Signing.symptoms
    return outcome


def until_loaded(box: CaBox, name: str = "step-ca") -> None:
    """Until the shell in the container has started everything."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        titles = box.bench.client.containers.get("step-ca").top(ps_args="-eo pid,comm")["Processes"]
        if [line for line in titles if line[1] == name]:
            return
        time.sleep(0.05)
    raise AssertionError((titles, box.bench.client.containers.get("step-ca").logs()))


def proof(outcome: Outcome) -> SigningProof:
    (found,) = outcome.evidence
    assert isinstance(found, SigningProof)
    return found


async def test_every_sign_of_the_token(box: CaBox) -> None:
    box.start()
    until_loaded(box)
    outcome = await prove(box)
    assert outcome.verdict is Verdict.PASSED, outcome
    found = proof(outcome)
    assert found.devices == (DEVICE,)
    assert MODULE in found.mapped
    assert f"{LIBRARIES}/libopensc.so.8" in found.mapped
    assert "user 1000:1000" in found.process
    assert "user 0:0" in found.holder
    assert found.intermediate is not None
    assert found.intermediate.matches
    assert found.keys[0] == "key: pkcs11:id=01"
    assert len(found.right) == 6
    assert found.notes == ()


@pytest.mark.parametrize(
    ("preload", "symptom"),
    [
        ("/usr/lib/x86_64-linux-gnu/libz.so.1", "not mapped"),
        (SOFTHSM, "not mapped"),
        (f"{MODULE}:{SOFTHSM}", "other module"),
        (f"{MODULE}:/opt/libharmless.so", "other module"),
    ],
)
async def test_other_modules(box: CaBox, preload: str, symptom: str) -> None:
    box.more = [(SOFTHSM, "/opt/libharmless.so")]
    box.preload = preload
    box.start()
    until_loaded(box)
    outcome = await prove(box)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, symptom)
    if "softhsm" in preload:
        assert any("libsofthsm2.so: keys that are files" in said for said in proof(outcome).problems)
    if "harmless" in preload:
        assert "/opt/libharmless.so, which is or loads another PKCS#11 module" in outcome.summary


async def test_a_module_behind_a_link(box: CaBox) -> None:
    module = f"{LIBRARIES}/pkcs11/opensc-pkcs11.so".replace("/usr/lib/", "/lib/")
    box.preload = module
    box.config["kms"]["uri"] = f"pkcs11:module-path={module};serial=DENK0100001"
    box.start()
    until_loaded(box)
    outcome = await prove(box, module=module)
    assert outcome.verdict is Verdict.PASSED, outcome
    assert f"{module} ({MODULE})" in proof(outcome).right[1]


async def test_a_module_that_was_replaced(box: CaBox) -> None:
    container = box.start()
    until_loaded(box)
    assert (await prove(box)).verdict is Verdict.PASSED
    replace = f"/opt/busybox cp {MODULE} {MODULE}.new; /opt/busybox mv {MODULE}.new {MODULE}"
    assert container.exec_run(["/opt/busybox", "sh", "-c", replace]).exit_code == 0
    assert (await prove(box)).symptom == "replaced"


@pytest.mark.parametrize("holder", ["", "/usr/sbin/pcscd -f /etc/passwd", f"/usr/bin/cat {DEVICE} -"])
async def test_nobody_holds_the_device(box: CaBox, holder: str) -> None:
    box.holder = holder
    box.start()
    until_loaded(box)
    outcome = await prove(box)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "no device")
    assert (await prove(box, device=[r"^/nothing", r"^/etc/passwd$"])).verdict.green == ("passwd" in holder)


async def test_a_reader_at_a_tcp_port(box: CaBox) -> None:
    """A virtual reader's pcscd holds a socket, which is shown with its ends."""
    box.holder = "/opt/busybox mkdir -p /run/pcscd /etc/reader.conf.d; /usr/sbin/pcscd --foreground"
    box.pcscd = "/usr/sbin/pcscd"
    box.more = [(VPCD, VPCD)]
    box.texts = {"/etc/reader.conf.d/vpcd": VPCD_READER}
    container = box.start()
    until_loaded(box)
    nobody = await until_held(box, r"tcp \S+:35963 listens")
    assert re.fullmatch(r"socket:\[\d+\] tcp 0\.0\.0\.0:35963 listens", nobody)
    card = r"tcp \S+:35963 - \S+ established"
    assert (await prove(box, device=card)).symptom == "no device", "a reader without a card is none"
    stays = "/opt/busybox sleep 600 | /opt/busybox nc 127.0.0.1 35963"
    container.exec_run(["/opt/busybox", "sh", "-c", stays], detach=True)
    assert "127.0.0.1:35963 - 127.0.0.1:" in await until_held(box, card)


async def until_held(box: CaBox, device: str) -> str:
    until = time.monotonic() + 60
    while (outcome := await prove(box, device=device)).symptom == "no device":
        assert time.monotonic() < until, box.bench.client.containers.get("step-ca").logs(stdout=False)
    assert outcome.verdict is Verdict.PASSED, outcome
    return proof(outcome).devices[0]


async def test_a_configuration_with_a_key_in_a_file(box: CaBox) -> None:
    """The module is loaded, and still the key is none of its: as it would be with a file of the same public key."""
    box.config["key"] = "/home/step/secrets/intermediate_ca_key"
    box.start()
    until_loaded(box)
    outcome = await prove(box)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "not pkcs11")
    assert len(proof(outcome).problems) == 1


async def test_another_configuration_or_one_that_changed(box: CaBox) -> None:
    box.process = "/usr/local/bin/step-ca -f /etc/passwd"
    container = box.start()
    until_loaded(box)
    assert (await prove(box)).symptom == "other configuration"
    while True:  # times are told to the second
        container.exec_run(["/opt/busybox", "touch", CONFIG])
        outcome = await prove(box)
        if len(proof(outcome).problems) == 2:
            break
    assert "was changed at" in proof(outcome).problems[1]


async def test_another_intermediate(box: CaBox) -> None:
    (box.bench.folder / "intermediate_ca.crt").write_bytes(certificate())
    box.start()
    until_loaded(box)
    outcome = await prove(box)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "other intermediate")
    found = proof(outcome).intermediate
    assert found is not None
    assert found.different_groups


async def test_a_process_that_the_kernel_shows_to_nobody(box: CaBox) -> None:
    """One that got a capability from its file, as the maker's image has it, is read with the engine's privileges."""
    box.capability = CAP_NET_BIND_SERVICE
    container = box.start()
    until_loaded(box)
    for process in processes_of(container):
        refused = container.exec_run(["cat", f"/proc/{process}/maps"], user="1000:1000")
        assert b"denied" in refused.output
    if container.exec_run(["cat", "/proc/self/status"], user="0:0", privileged=True).exit_code != 0:
        # This machine has not every capability itself, so that its engine can give no process all of them.
        with pytest.raises(Unreadable, match=r"does not show it to its own user .* engine's privileges do not help"):
            await prove(box)
        return
    outcome = await prove(box)
    # The dynamic linker of such a program obeys no LD_PRELOAD: it is seen to have loaded nothing.
    assert outcome.symptom == "not mapped"
    found = proof(outcome)
    assert len(found.mapped) > 2
    assert any("read with the engine's privileges" in note for note in found.notes)


def processes_of(container: Any) -> list[str]:
    listed = container.exec_run(["/opt/busybox", "pidof", "step-ca"]).output.decode().split()
    assert listed
    return listed


@pytest.mark.parametrize("tools", [("ls",), ("cat",), ()])
async def test_an_image_without_the_two_programs(box: CaBox, tools: tuple[str, ...]) -> None:
    box.tools = tools
    box.start()
    until_loaded(box)
    with pytest.raises(Unreadable, match=r"has no `(ls|cat)` that runs"):
        await prove(box)


async def test_what_does_not_run(box: CaBox) -> None:
    assert (await prove(box)).symptom == "container missing"
    container = box.start()
    until_loaded(box)
    assert (await prove(box, process="step-kms")).symptom == "no process"
    with pytest.raises(Unreadable, match="there is no /nowhere"):
        await prove(box, config="/nowhere")
    container.kill()
    assert (await prove(box)).symptom == "not running"


async def test_it_only_reads_and_only_there(box: CaBox) -> None:
    container = box.start()
    box.bench.client.containers.run(
        IMAGE, ["/opt/busybox", "sleep", "600"], name="dex", network_mode="none", detach=True
    )
    until_loaded(box)
    with touched() as seen:
        assert (await prove(box)).verdict is Verdict.PASSED
    assert seen.names <= {"step-ca", container.id}
    allowed = re.compile(rf"POST /(containers/{container.id}/exec|exec/[0-9a-f]+/start)")
    assert [line for line in seen.changing if not line.startswith("HEAD ") and not allowed.fullmatch(line)] == []
    assert container.diff() in (None, [])


async def test_a_container_that_the_profile_does_not_name(box: CaBox) -> None:
    box.image().load(box.bench)
    box.bench.client.containers.run(
        IMAGE, ["/opt/busybox", "sleep", "600"], name="dex", network_mode="none", detach=True
    )
    with pytest.raises(NotNamed):
        await box.bench.context().run(Signing, **{**PARAMS, "container": "dex"})


async def test_an_engine_on_a_host(box: CaBox, dockerd: Path) -> None:
    """Through its own `docker system dial-stdio`."""
    bench = box.bench
    profile = EngineProfile(on="far", url=f"unix://{dockerd}", containers=("step-ca",))
    bench.site = Site(site=1, name="test", hosts=HOSTS, engines={"ca": profile})
    box.start()
    until_loaded(box)
    ctx = bench.context()
    ctx.resources[Hosts] = OneHost(As())
    outcome = await ctx.run(Signing, **PARAMS)
    assert outcome.verdict is Verdict.PASSED, outcome
    assert proof(outcome).devices == (DEVICE,)


async def test_what_a_program_says_is_bounded(box: CaBox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inside, "SAID_LIMIT", 60_000)
    container = box.start()
    until_loaded(box)
    async with connected(box.bench.context(), "ca") as engine:
        whole = await inside.run_inside(engine, container.id, ("cat", "/proc/1/status", "/nowhere"))
        assert (whole.exit_code, whole.cut) == (1, False)
        assert whole.out.startswith(b"Name:\tbusybox\n")
        assert b"/nowhere" in whole.err
        endless = await inside.run_inside(engine, container.id, ("/opt/busybox", "yes"))
        assert (endless.cut, len(endless.out)) == (True, 60_000)
        assert set(endless.out) == {ord("y"), ord("\n")}
