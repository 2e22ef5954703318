"""SSH certificates of all kinds, made by ssh-keygen: what is said of them, and what a real sshd does."""

from __future__ import annotations

import base64
import getpass
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    SSHCertificate,
    SSHCertificateBuilder,
    SSHCertificateType,
    load_ssh_private_key,
    load_ssh_public_identity,
)

from checks.artefacts.keys import load_artefact
from checks.ca.login_files import login_files
from checks.ca.ssh_issuing import SshIssued, SshRequest, ssh_request
from checks.ca.ssh_judging import judge_printed, judge_ssh, print_certificate
from checks.hosts.errors import NotLetIn
from checks.hosts.hosts import Hosts
from checks.hosts.ssh_keys import LATEST
from tests.fake_context import ScriptedPins
from tests.hosts.ssh_bench import Bench, bench_in, make_key
from tests.stand_in import StandIn

USER = getpass.getuser()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_in(tmp_path) as made:
        yield made


@pytest.fixture(params=["paramiko", "openssh"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Signer:
    """An SSH CA that signs whatever it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = make_key(folder / "ssh_user_ca", "ecdsa")
        self.wanted = ssh_request("proof", (USER,))

    def sign(self, *options: str, key: SshRequest | None = None, ca: Path | None = None) -> SshIssued:
        path = self.folder / "id.pub"

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

    issued = signer.sign()
    kind, encoded = issued.line.split()
    blob = bytearray(base64.b64decode(encoded))
    blob[-1] ^= 1
    line = f"{kind} {base64.b64encode(blob).decode()}"
    loaded = load_ssh_public_identity(line.encode())
    assert isinstance(loaded, SSHCertificate)
    (signer.folder / "id-cert.pub").write_text(line)
    assert (await signer.judged(SshIssued(line, loaded)))[0] == "another ssh ca"


@pytest.mark.parametrize("end", [LATEST + 1, 2**62, 2**64 - 1])
async def test_an_end_that_no_calendar_has(signer: Signer, bench: Bench, transport: str, end: int) -> None:
    bench.sshd("input-a", TrustedUserCAKeys=f"{signer.ca}.pub", AuthorizedKeysFile="none")
    ca = load_ssh_private_key(private_bytes(signer.ca), None)
    assert isinstance(ca, ec.EllipticCurvePrivateKey)
    made = (
        SSHCertificateBuilder()
        .public_key(signer.wanted.key.public_key())
        .type(SSHCertificateType.USER)
        .key_id(b"proof")
        .valid_principals([USER.encode()])
        .valid_after(0)
        .valid_before(end)
        .sign(ca)
    )
    line = made.public_bytes().decode()
    ctx = StandIn(bench.folder, ScriptedPins(), site=bench.site(transport=transport))
    hosts = await ctx.use(Hosts)
    try:
        async with login_files(signer.wanted.private(), line) as files:
            connection = await hosts.login("input-a", USER, files, ctx.operator)
            assert "without end" in " ".join(connection.shown)
            await connection.close()
    finally:
        await hosts.close()


def private_bytes(path: Path) -> bytes:
    return path.read_bytes()


@pytest.mark.parametrize("validity", ["20200101:20210101", "-1m:+1h"])
async def test_an_expired_certificate_at_the_host(bench: Bench, signer: Signer, transport: str, validity: str) -> None:
    bench.sshd("input-a", TrustedUserCAKeys=f"{signer.ca}.pub", AuthorizedKeysFile="none")
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
