"""What a certificate authority says, by kind: the green one first."""

from __future__ import annotations

import hashlib

from checks.evidence.ca import (
    BootstrapSeen,
    CertificateIssued,
    ChainLink,
    Listed,
    ProvisionerRow,
    ProvisionersListed,
    ServerAnswer,
    Statement,
)
from checks.evidence.fingerprints import FingerprintPair
from checks.evidence.ssh_login import SshLogin
from runbook.outcome import Evidence

SERVER = "ca.ccat.uni-koeln.de, reached at 127.0.0.1 port 9000"
ROOT = hashlib.sha256(b"root certificate").hexdigest()
OTHER = f"{ROOT[:24]}{'0f' * 4}{ROOT[32:]}"


def _rows(**states: Listed) -> tuple[ProvisionerRow, ...]:
    six = {
        "CCAT-GitHub": "OIDC",
        "prod-services": "JWK",
        "staging-services": "JWK",
        "service-accounts": "JWK",
        "acme": "ACME",
        "sshpop": "SSHPOP",
    }
    return tuple(
        ProvisionerRow(type=type_, name=name, state=states.get(name, Listed.EXPECTED)) for name, type_ in six.items()
    )


def _link(role: str, subject: str, **changed: str) -> ChainLink:
    link = ChainLink(
        role=role,
        subject=subject,
        key="EC P-256" if role in ("issued", "server") else "EC P-384",
        signed_with="ecdsa-with-SHA384",
        begins="2026-04-29T12:00:00+00:00",
        ends="2036-04-29T12:00:00+00:00",
        sha256=hashlib.sha256(subject.encode()).hexdigest(),
    )
    return link.model_copy(update=changed)


_ABOVE = (_link("intermediate", "CN=CCAT Intermediate CA"), _link("root", "CN=CCAT Root CA"))
_SERVER = _link("server", "CN=Step Online CA", ends="2026-05-05T09:12:00+00:00", sha256=ROOT)
_SOFT = _link("intermediate", "CN=CCAT Soft CA", problem="not signed by CN=CCAT Root CA")

_ANSWER = ServerAnswer(
    url="https://ca.ccat.uni-koeln.de/health",
    server=SERVER,
    trusting="root_ca.crt",
    tls="TLSv1.3, TLS_AES_128_GCM_SHA256",
    subject="CN=Step Online CA",
    issuer="CN=CCAT Intermediate CA",
    ends="2026-05-05T09:12:00+00:00",
    sha256=ROOT,
    status="200 OK",
    expected=200,
    size=16,
    chain=(_SERVER, *_ABOVE),
)
_ISSUED = CertificateIssued(
    server=SERVER,
    provisioner="prod-services",
    subject="CN=proof.test",
    names=("proof.test",),
    serial="15E42A3E99ECD85DAE6717252F4A35FD",
    begins="2026-05-04T09:12:00+00:00",
    ends="2026-05-05T09:13:00+00:00",
    key="EC P-256",
    signed_with="ecdsa-with-SHA384",
    chain=(
        _link("issued", "CN=proof.test"),
        *_ABOVE,
    ),
    statements=(
        Statement(text="the intermediate that came with it is intermediate_ca.crt", holds=True),
        Statement(text="it holds the key that was made here", holds=True),
        Statement(text="openssl verify accepts it", holds=True),
    ),
    openssl=("OpenSSL 3.0.15 3 Sep 2024", "issued.pem: OK"),
)
_BOOTSTRAP = BootstrapSeen(
    server=SERVER,
    subject="CN=CCAT Root CA",
    pair=FingerprintPair(form="SHA-256", left_title="announced", left=ROOT, right_title="what the CA gave", right=ROOT),
    statements=(
        Statement(text="the root that it gives has the fingerprint announced", holds=True),
        Statement(text="the CA answers under that root, and says that it is well", holds=True),
    ),
    chain=(_SERVER, *_ABOVE),
)

_SSH_CA = "q8W0oA6tMBqvJrYSLVb9y6hbK1nFbTqkC1sYwq0vUJk"
_LOGIN = SshLogin(
    server=SERVER,
    provisioner="prod-services",
    key_id="proof",
    serial="11846035482318464241",
    principals=("proof",),
    begins="2026-05-04T09:29:00+00:00",
    ends="2026-05-04T09:40:00+00:00",
    ca=FingerprintPair(
        form="OpenSSH SHA256",
        left_title="ssh_user_ca.pub",
        left=_SSH_CA,
        right_title="what has signed it",
        right=_SSH_CA,
    ),
    options=("permit-port-forwarding", "permit-pty"),
    host="input-a",
    account="proof",
    reached=(
        "proof@input-a.data.ccat.uni-koeln.de:22",
        "transport: paramiko (OpenSSH_8.7)",
        "let in by: ecdsa-sha2-nistp256-cert-v01@openssh.com “proof”, for proof, valid until 2026-05-04 09:40 UTC",
    ),
    statements=(
        Statement(text="the key in ssh_user_ca.pub has signed it", holds=True),
        Statement(text="it is valid now", holds=True),
        Statement(text="input-a lets proof in by it", holds=True),
        Statement(text="`true` runs there and ends well", holds=True),
    ),
    printed=("Type: ecdsa-sha2-nistp256-cert-v01@openssh.com user certificate", f"Signing CA: ECDSA SHA256:{_SSH_CA}"),
)
_OTHER_CA = _LOGIN.model_copy(
    update={
        "ca": _LOGIN.ca.model_copy(update={"right": "Zk3yq0m2n8rQeVwTt7dXl4aUoB1sGhJcPi9fR5xWvYE"}),
        "reached": (),
        "statements": (Statement(text="another key than the one in ssh_user_ca.pub has signed it", holds=False),),
    }
)

AUTHORITY: dict[str, tuple[Evidence, ...]] = {
    "server_answer": (
        _ANSWER,
        _ANSWER.model_copy(update={"status": "502 Bad Gateway", "size": 157, "chain": (_SERVER, _SOFT, _ABOVE[1])}),
    ),
    "chain_link": (_SERVER, _SOFT),
    "provisioners": (
        ProvisionersListed(server=SERVER, found=6, expected=6, rows=_rows()),
        ProvisionersListed(
            server=SERVER,
            found=6,
            expected=6,
            rows=(
                *_rows(sshpop=Listed.MISSING, acme=Listed.WRONG_TYPE),
                ProvisionerRow(type="JWK", name="admin", state=Listed.SURPLUS),
            ),
        ),
    ),
    "certificate_issued": (
        _ISSUED,
        _ISSUED.model_copy(
            update={
                "statements": (
                    _ISSUED.statements[1],
                    Statement(text="the key of intermediate_ca.crt has not signed it", holds=False),
                ),
                "chain": (_link("issued", "CN=proof.test"), _SOFT, _ABOVE[1]),
                "openssl": ("CN = proof.test", "error issued.pem: verification failed"),
            }
        ),
    ),
    "bootstrap": (
        _BOOTSTRAP,
        _BOOTSTRAP.model_copy(
            update={
                "pair": FingerprintPair(
                    form="SHA-256", left_title="announced", left=ROOT, right_title="what the CA gave", right=OTHER
                ),
                "statements": (Statement(text="the root that it gives has another fingerprint", holds=False),),
                "chain": (_SERVER, _SOFT, _ABOVE[1]),
            }
        ),
        BootstrapSeen(
            server=SERVER,
            statements=(Statement(text="it knows of no root with this fingerprint", holds=False),),
        ),
    ),
    "ssh_login": (_LOGIN, _OTHER_CA),
}
