"""SSH user certificates of a real step-ca, at real sshds."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checks.ca.issuing import Refused
from checks.ca.jwk import WrongPassword
from checks.ca.ssh_issuing import SshCaOff
from checks.ca.ssh_login import SshLoginCheck
from checks.evidence.ssh_login import SshLogin
from checks.hosts.errors import HostKeyUnknown, UnknownHost
from runbook.outcome import Outcome, Verdict
from tests.ca.step_ca_lab import PASSWORD, StepCa
from tests.fake_context import ScriptedPins
from tests.hosts.ssh_bench import Bench, bench_in, make_key, printed, until
from tests.stand_in import StandIn

USER = getpass.getuser()


@pytest.fixture(autouse=True)
def own_place(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where key and certificate lie meanwhile, and nobody else's."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_in(tmp_path) as made:
        yield made


@pytest.fixture(params=["paramiko", "openssh"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def trusting(bench: Bench, ca: Path, name: str = "input-a", **options: Any) -> Any:
    return bench.sshd(
        name, TrustedUserCAKeys=ca, AuthorizedKeysFile=options.pop("AuthorizedKeysFile", "none"), **options
    )


def user_ca(step_ca: StepCa) -> Path:
    return step_ca.folder / "ssh_user_ca.pub"


async def log_in(bench: Bench, step_ca: StepCa, transport: str, **params: Any) -> Outcome:
    person = ScriptedPins()
    person.secrets = [PASSWORD]
    ctx = StandIn(bench.folder, person, site=bench.site(transport=transport))
    given = {"provisioner": "prod-services", "user_ca": str(user_ca(step_ca)), "on": "input-a", "user": USER, **params}
    try:
        outcome = await ctx.run(SshLoginCheck, **step_ca.asked, **given)
    finally:
        for resource in ctx.resources.values():
            await resource.close()
        assert leftovers() == []
    assert outcome.verdict is Verdict.PASSED or outcome.symptom in SshLoginCheck.symptoms
    said = json.dumps([list(one.plain()) for one in outcome.evidence])
    assert PASSWORD not in said
    assert "PRIVATE KEY" not in said
    return outcome


def leftovers() -> list[Path]:
    return list(Path(os.environ["XDG_RUNTIME_DIR"]).glob("runbook-login-*"))


def seen(outcome: Outcome) -> SshLogin:
    (found,) = outcome.evidence
    assert isinstance(found, SshLogin)
    return found


async def test_the_host_lets_the_certificate_in(bench: Bench, step_ca: StepCa, transport: str) -> None:
    sshd = trusting(bench, user_ca(step_ca))
    outcome = await log_in(bench, step_ca, transport, key_id="cutover-proof", principals=[USER, "proof"])
    assert outcome.verdict is Verdict.PASSED, outcome
    found = seen(outcome)
    assert found.ca.matches
    assert set(found.principals) == {USER, "proof"}
    assert any("cert-v01@openssh.com “cutover-proof”" in line for line in found.reached)
    assert any(
        f"transport: {'paramiko' if transport == 'paramiko' else 'the system'}" in line for line in found.reached
    )
    assert any(found.ca.right in line for line in found.printed)
    assert f"serial {found.serial}" in "\n".join(found.plain())
    assert f'Accepted certificate ID "cutover-proof" (serial {found.serial}) signed by ECDSA CA' in sshd.log
    assert "Starting session: command for" in sshd.log


async def test_nothing_else_is_offered(bench: Bench, step_ca: StepCa, transport: str) -> None:
    """The operator's own key would be let in; that proves nothing of the CA."""
    sshd = bench.sshd("input-a")
    outcome = await log_in(bench, step_ca, transport)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "not let in")
    assert printed(bench.key) not in sshd.log
    assert "trustedusercakeys" in outcome.remedy
    assert seen(outcome).reached == ()


@pytest.fixture
def agent(bench: Bench) -> Iterator[Path]:
    """One with the operator's key."""
    path = bench.folder / "agent"
    running = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    try:
        until(path.exists, "ssh-agent")
        subprocess.run(["ssh-add", "-q", str(bench.key)], env={**os.environ, "SSH_AUTH_SOCK": str(path)}, check=True)
        yield path
    finally:
        running.kill()
        running.wait()


async def test_an_agent_is_not_asked(bench: Bench, step_ca: StepCa, transport: str, agent: Path) -> None:
    bench.sshd("input-a", f"IdentityAgent {agent}", "IdentitiesOnly no")
    assert (await log_in(bench, step_ca, transport)).symptom == "not let in"


async def test_a_host_that_lets_anybody_in_proves_nothing(bench: Bench, step_ca: StepCa, transport: str) -> None:
    """The plain key would do there: it is seen that the certificate was not what let us in."""
    options: dict[str, Any] = {"AuthorizedKeysCommand": "/usr/bin/echo %t %k", "AuthorizedKeysCommandUser": USER}
    bench.sshd("input-a", AuthorizedKeysFile="none", **options)
    outcome = await log_in(bench, step_ca, transport)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "let in otherwise")


async def test_another_ssh_ca_is_critical(bench: Bench, step_ca: StepCa) -> None:
    sshd = trusting(bench, user_ca(step_ca))
    other = make_key(bench.folder / "other_ca", "ecdsa")
    outcome = await log_in(bench, step_ca, "paramiko", user_ca=f"{other}.pub")
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "another ssh ca")
    assert outcome.remedy.startswith("Critical. Stop")
    assert seen(outcome).ca.different_groups
    assert "Connection from" not in sshd.log, "nobody logs in with a certificate of another CA"


async def test_a_principal_that_the_host_does_not_let_in(bench: Bench, step_ca: StepCa, transport: str) -> None:
    sshd = trusting(bench, user_ca(step_ca))
    outcome = await log_in(bench, step_ca, transport, principals="somebody-else")
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "not let in")
    assert "name is not a listed principal" in sshd.log
    assert "somebody-else" in outcome.remedy


async def test_a_host_whose_key_is_not_on_file(bench: Bench, step_ca: StepCa, transport: str) -> None:
    sshd = trusting(bench, user_ca(step_ca), known=False)
    with pytest.raises(HostKeyUnknown):
        await log_in(bench, step_ca, transport)
    assert "publickey" not in sshd.log.partition("Connection from")[2], "who we are was not said"


async def test_a_host_with_a_certificate_of_its_own(bench: Bench, step_ca: StepCa) -> None:
    sshd = trusting(bench, user_ca(step_ca))
    host_ca = make_key(bench.folder / "host_ca")
    bench.certify(sshd, host_ca, "127.0.0.1")
    bench.known.write_text(f"@cert-authority [127.0.0.1]:{sshd.port} {(bench.folder / 'host_ca.pub').read_text()}")
    outcome = await log_in(bench, step_ca, "auto")
    assert outcome.verdict is Verdict.PASSED, outcome
    assert any("the system's ssh (input-a: host certificates of the CA" in line for line in seen(outcome).reached)


async def test_through_a_jump_host(bench: Bench, step_ca: StepCa, transport: str) -> None:
    """It sees the operator's own key, and the host behind it the certificate alone."""
    jump = bench.sshd("jump")
    trusting(bench, user_ca(step_ca))
    bench.alias("input-a", *bench._hosts["input-a"][1:], "ProxyJump jump")
    outcome = await log_in(bench, step_ca, transport)
    assert outcome.verdict is Verdict.PASSED, outcome
    assert "Accepted publickey" in jump.log
    assert any(line.startswith("through ") for line in seen(outcome).reached)


async def test_a_shell_that_ends_badly(bench: Bench, step_ca: StepCa, transport: str) -> None:
    trusting(bench, user_ca(step_ca), ForceCommand="/bin/sh -c 'yes | head -c 3000000; exit 7'")
    outcome = await log_in(bench, step_ca, transport)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "command failed")
    assert "ended there with 7" in outcome.summary


async def test_an_authority_without_an_ssh_ca(bench: Bench, step_ca: StepCa, tmp_path: Path) -> None:
    bench.alias("input-a")
    other = StepCa(tmp_path / "without-ssh")
    try:
        other.configuration = {name: value for name, value in other.configuration.items() if name != "ssh"}
        other.start()
        with pytest.raises(SshCaOff, match="501"):
            await log_in(bench, other, "paramiko")
    finally:
        other.close()


async def test_a_provisioner_that_may_not_sign_for_ssh(bench: Bench, step_ca: StepCa, tmp_path: Path) -> None:
    bench.alias("input-a")
    other = StepCa(tmp_path / "ssh-not-claimed")
    try:
        authority: Any = other.configuration["authority"]
        authority["claims"] = {"enableSSHCA": False}
        other.start()
        with pytest.raises(Refused, match="401"):
            await log_in(bench, other, "paramiko")
    finally:
        other.close()


async def test_a_wrong_password_asks_for_nothing(bench: Bench, step_ca: StepCa) -> None:
    sshd = trusting(bench, user_ca(step_ca))
    person = ScriptedPins()
    person.secrets = ["another"]
    ctx = StandIn(bench.folder, person, site=bench.site())
    given = {"provisioner": "prod-services", "user_ca": str(user_ca(step_ca)), "on": "input-a", "user": USER}
    with pytest.raises(WrongPassword):
        await ctx.run(SshLoginCheck, **step_ca.asked, **given)
    assert "Connection from" not in sshd.log


@pytest.mark.parametrize("on", ["nowhere", "all"])
async def test_what_is_no_host_is_told_before_the_password(bench: Bench, step_ca: StepCa, on: str) -> None:
    site = bench.site()
    ctx = StandIn(bench.folder, ScriptedPins(), site=site.model_copy(update={"groups": {"all": ()}}))
    given = {"provisioner": "prod-services", "user_ca": str(user_ca(step_ca)), "on": on, "user": USER}
    with pytest.raises(UnknownHost):
        await ctx.run(SshLoginCheck, **step_ca.asked, **given)


def test_nobody_logs_in_at_this_machine() -> None:
    with pytest.raises(ValueError, match="by SSH"):
        SshLoginCheck.Params.model_validate(
            {"url": "https://ca.example.org", "provisioner": "p", "user_ca": "x", "on": "local", "user": "u"}
        )
