"""SSH user certificates of a real step-ca, at real sshds."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity

from checks.artefacts.keys import load_artefact
from checks.ca.issuing import Refused
from checks.ca.jwk import WrongPassword
from checks.ca.login_files import NoPlace, login_files
from checks.ca.ssh_issuing import SshCaOff, SshIssued, SshRequest, ssh_request
from checks.ca.ssh_judging import judge_printed, judge_ssh, print_certificate
from checks.ca.ssh_login import SshLoginCheck
from checks.evidence.ssh_login import SshLogin
from checks.hosts.errors import HostKeyUnknown, NotLetIn
from checks.hosts.hosts import Hosts
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
    other = StepCa(tmp_path / "without-ssh")
    try:
        other.configuration = {name: value for name, value in other.configuration.items() if name != "ssh"}
        other.start()
        with pytest.raises(SshCaOff, match="501"):
            await log_in(bench, other, "paramiko")
    finally:
        other.close()


async def test_a_provisioner_that_may_not_sign_for_ssh(bench: Bench, step_ca: StepCa, tmp_path: Path) -> None:
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


def test_nobody_logs_in_at_this_machine() -> None:
    with pytest.raises(ValueError, match="by SSH"):
        SshLoginCheck.Params.model_validate(
            {"url": "https://ca.example.org", "provisioner": "p", "user_ca": "x", "on": "local", "user": "u"}
        )


# -- certificates of all kinds, by ssh-keygen ----------------------------------------------------------------------


class Signer:
    """An SSH CA that signs whatever it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = make_key(folder / "ssh_user_ca", "ecdsa")
        self.wanted = ssh_request("proof", (USER,))

    def sign(self, *options: str, key: SshRequest | None = None, ca: Path | None = None) -> SshIssued:
        path = self.folder / "id.pub"
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        public = (key or self.wanted).key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        path.write_bytes(public)
        identity = () if "-I" in options else ("-I", "proof")
        names = () if "-n" in options or "--" in options else ("-n", USER)
        given = [option for option in options if option != "--"]
        subprocess.run(["ssh-keygen", "-q", "-s", str(ca or self.ca), *identity, *names, *given, str(path)], check=True)
        line = " ".join((self.folder / "id-cert.pub").read_text().split()[:2])
        loaded = load_ssh_public_identity(line.encode())
        assert isinstance(loaded, SSHCertificate)
        return SshIssued(line, loaded)

    async def judged(self, issued: SshIssued) -> list[str]:
        """The symptoms."""
        artefact = await load_artefact(Path(f"{self.ca}.pub"))
        printed = await print_certificate(self.folder / "id-cert.pub", 60)
        found = [*judge_ssh(issued, self.wanted, artefact), judge_printed(printed, self.wanted, artefact)]
        return [one.symptom for one in found if not one.holds]


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path)


async def test_a_right_certificate(signer: Signer) -> None:
    assert await signer.judged(signer.sign("-V", "-1m:+1h", "-O", "clear", "-O", "force-command=true")) == []


@pytest.mark.parametrize(
    ("options", "symptoms"),
    [
        (("-V", "20200101:20210101"), ["not valid"]),
        (("-V", "+1h:+2h"), ["not valid"]),
        (("-n", "somebody"), ["principal missing", "wrong certificate", "ssh-keygen disagrees"]),
        (("-n", f"{USER},root2"), ["wrong certificate", "ssh-keygen disagrees"]),
        (("--",), ["principal missing", "wrong certificate", "ssh-keygen disagrees"]),
        (("-I", 'x"\n  Key ID: "proof'), ["wrong certificate", "ssh-keygen disagrees"]),
        (("-h",), ["wrong certificate", "ssh-keygen disagrees"]),
    ],
)
async def test_a_wrong_certificate(signer: Signer, options: tuple[str, ...], symptoms: list[str]) -> None:
    assert await signer.judged(signer.sign(*options)) == symptoms


async def test_a_certificate_of_another_ca_or_for_another_key(signer: Signer) -> None:
    other = make_key(signer.folder / "other", "ecdsa")
    assert await signer.judged(signer.sign(ca=other)) == ["another ssh ca", "ssh-keygen disagrees"]
    theirs = signer.sign(key=ssh_request("proof", (USER,)))
    assert await signer.judged(theirs) == ["wrong certificate", "ssh-keygen disagrees"]


async def test_a_signature_that_does_not_hold(signer: Signer) -> None:
    import base64

    issued = signer.sign()
    kind, encoded = issued.line.split()
    blob = bytearray(base64.b64decode(encoded))
    blob[-1] ^= 1
    line = f"{kind} {base64.b64encode(blob).decode()}"
    loaded = load_ssh_public_identity(line.encode())
    assert isinstance(loaded, SSHCertificate)
    (signer.folder / "id-cert.pub").write_text(line)
    assert (await signer.judged(SshIssued(line, loaded)))[0] == "another ssh ca"


@pytest.mark.parametrize("validity", ["20200101:20210101", "-1m:+1h"])
async def test_an_expired_certificate_at_the_host(bench: Bench, signer: Signer, transport: str, validity: str) -> None:
    trusting(bench, Path(f"{signer.ca}.pub"))
    issued = signer.sign("-V", validity)
    ctx = StandIn(bench.folder, ScriptedPins(), site=bench.site(transport=transport))
    hosts = await ctx.use(Hosts)
    try:
        async with login_files(signer.wanted.private(), issued.line) as files:
            if validity.startswith("2020"):
                with pytest.raises(NotLetIn, match="EXPIRED"):
                    await hosts.login("input-a", USER, files, ctx.operator)
            else:
                await (await hosts.login("input-a", USER, files, ctx.operator)).close()
    finally:
        await hosts.close()


# -- the files ------------------------------------------------------------------------------------------------------


@pytest.fixture
async def files() -> AsyncIterator[Path]:
    async with login_files(b"a key", "a certificate") as made:
        yield made.key.parent


async def test_the_files_are_private(files: Path) -> None:
    assert mode(files) == 0o700
    assert {name: mode(files / name) for name in ("key", "key-cert.pub")} == {"key": 0o600, "key-cert.pub": 0o600}


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def test_the_files_go_when_it_is_called_off() -> None:
    made: asyncio.Queue[Path] = asyncio.Queue()

    async def use() -> None:
        async with login_files(b"a key", "a certificate") as files:
            await made.put(files.key.parent)
            await asyncio.sleep(600)

    task = asyncio.create_task(use())
    folder = await made.get()
    assert there(folder)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not there(folder)


async def test_no_place_for_the_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setattr("checks.ca.login_files._PLACES", (str(tmp_path / "nothing"),))
    with pytest.raises(NoPlace):
        async with login_files(b"a key", "a certificate"):
            pass
    assert NoPlace.symptom in SshLoginCheck.symptoms


def there(path: Path) -> bool:
    return path.exists()


def test_the_files_go_when_the_program_is_killed() -> None:
    program = textwrap.dedent("""
        import asyncio
        from checks.ca.login_files import login_files

        async def main():
            async with login_files(b"a key", "a certificate") as files:
                print(files.key.parent, flush=True)
                await asyncio.sleep(600)

        asyncio.run(main())
    """)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        folder = Path(running.stdout.readline().strip())
        assert folder.parent == Path(os.environ["XDG_RUNTIME_DIR"])
        assert (folder / "key").read_bytes() == b"a key"
        running.send_signal(signal.SIGKILL)
    until(lambda: not folder.exists(), "the folder goes")
