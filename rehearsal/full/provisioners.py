"""The six provisioners of the site, put into `ca.json` in the CA's volume as the site's script does it."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from rehearsal.full.names import ISSUER
from runbook.secrets import Secret

if TYPE_CHECKING:
    from docker.models.containers import Container

CONFIGURATION: Final = "/home/step/config/ca.json"
OIDC_NAME: Final = "CCAT-GitHub"

JWK_PASSWORDS: Final[Mapping[str, str]] = {
    "prod-services": "vault_step_ca_prov_prod_services_password",
    "staging-services": "vault_step_ca_prov_staging_services_password",
    "service-accounts": "vault_step_ca_prov_service_accounts_password",
}
"""Name of the provisioner → name of its password in the vault."""

CLIENT_SECRET: Final = "vault_dex_stepca_client_secret"  # noqa: S105 - a name in the vault, not a secret
"""What Dex knows step-ca by."""

VAULT_ENTRIES: Final = (*JWK_PASSWORDS.values(), CLIENT_SECRET)
"""What the vault has to hold before."""

_ITERATIONS: Final = 100_000
"""Of PBKDF2, as step's command line has them (go.step.sm/crypto/jose)."""

_CLAIMS: Final[Mapping[str, Mapping[str, object]]] = {
    OIDC_NAME: {"defaultUserSSHCertDuration": "16h", "maxUserSSHCertDuration": "16h"},
    "prod-services": {"defaultTLSCertDuration": "2160h", "maxTLSCertDuration": "2160h"},
    "staging-services": {"defaultTLSCertDuration": "720h", "maxTLSCertDuration": "720h"},
    "service-accounts": {"defaultUserSSHCertDuration": "24h", "maxUserSSHCertDuration": "24h"},
    "acme": {"defaultTLSCertDuration": "2160h", "maxTLSCertDuration": "2160h"},
    "sshpop": {"defaultHostSSHCertDuration": "168h", "maxHostSSHCertDuration": "168h"},
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the provisioners are made with."""

    client_secret: Secret
    """The one that Dex knows step-ca by."""
    admin: str
    """An e-mail address."""
    passwords: Mapping[str, Secret] = field(repr=False)
    """By the name of the provisioner."""
    without: frozenset[str] = frozenset()
    """Names that are left out, for a drill."""


def add_provisioners(container: Container, wanted: Wanted) -> list[str]:
    """Add those that are missing by name to the container's ca.json; what was added.

    step-ca reads the file at its start alone. Raises docker.errors.DockerException, ValueError where it is no JSON.
    """
    stream, _ = container.get_archive(CONFIGURATION)
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as tar:
        member = tar.next()
        content = tar.extractfile(member) if member else None
        if member is None or content is None:
            raise ValueError(f"{CONFIGURATION} is no file")
        configuration = json.loads(content.read())
    present = configuration["authority"].setdefault("provisioners", [])
    names = {item["name"] for item in present}
    added = [item for item in _all(wanted, names) if item["name"] not in names | wanted.without]
    present.extend(added)
    raw = (json.dumps(configuration, indent=2) + "\n").encode()
    member.size = len(raw)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(member, io.BytesIO(raw))  # owner and mode stay what they were
    if not container.put_archive(CONFIGURATION.rpartition("/")[0], packed.getvalue()):
        raise ValueError(f"the engine did not take {CONFIGURATION}")
    return [f"{item['type']}\t{item['name']}" for item in added]


def _all(wanted: Wanted, known: set[str]) -> list[dict[str, Any]]:
    oidc = {
        "type": "OIDC",
        "name": OIDC_NAME,
        "clientID": "step-ca",
        "clientSecret": wanted.client_secret.reveal_text(),
        "configurationEndpoint": f"{ISSUER}/.well-known/openid-configuration",
        "admins": [wanted.admin],
        "listenAddress": ":10000",
    }
    keys = (
        {"type": "JWK", "name": name, **_key_pair(wanted.passwords[name])}
        for name in JWK_PASSWORDS
        if name not in known | wanted.without
    )
    every: list[dict[str, Any]] = [oidc, *keys, {"type": "ACME", "name": "acme"}, {"type": "SSHPOP", "name": "sshpop"}]
    return [{**item, "claims": {"enableSSHCA": True, **_CLAIMS[item["name"]]}} for item in every]


def _key_pair(password: Secret) -> dict[str, object]:
    """A fresh key on P-256: the public JWK, and the private one encrypted with the password (RFC 7517 §C.4)."""
    from joserfc import jwe
    from joserfc.jwk import ECKey, OctKey

    key = ECKey.generate_key("P-256")
    public = {"use": "sig", "kid": key.thumbprint(), "alg": "ES256"}
    algorithms = ["PBES2-HS256+A128KW", "A256GCM"]
    header = {"alg": algorithms[0], "enc": algorithms[1], "cty": "jwk+json", "p2c": _ITERATIONS}
    private = json.dumps(key.as_dict(private=True) | public)
    encrypted = jwe.encrypt_compact(header, private, OctKey.import_key(bytes(password.reveal())), algorithms=algorithms)
    return {"key": key.as_dict(private=False) | public, "encryptedKey": encrypted}
