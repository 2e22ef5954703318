"""What a step-ca configuration with its keys on a token must say, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from checks.documents.assertion import Assertion
from checks.hsm.key_id import KeyId
from runbook.fields import Line, Model

KNOWN_KEYS: Mapping[str, frozenset[str]] = {
    "": frozenset(
        {
            *("root", "federatedRoots", "crt", "key", "address", "insecureAddress", "dnsNames", "kms", "ssh", "logger"),
            *("db", "monitoring", "authority", "tls", "password", "templates", "commonName", "crl", "metricsAddress"),
        }
    ),
    "kms": frozenset({"type", "credentialsFile", "uri", "pin", "managementKey", "region", "profile"}),
    "ssh": frozenset({"hostKey", "userKey", "keys", "addUserPrincipal", "addUserCommand", "bastion"}),
    "authority": frozenset(
        {
            *("authorityId", "deploymentType", "provisioners", "admins", "template", "claims", "policy"),
            *("disableIssuedAtCheck", "backdate", "enableAdmin", "disableGetSSHHosts"),
        }
    ),
    "tls": frozenset({"cipherSuites", "minVersion", "maxVersion", "renegotiation"}),
}
"""The keys that step-ca reads (smallstep/certificates, authority/config, version 0.30)."""

SECRET_KEYS = ("password", "kms.pin", "kms.managementKey")
"""Keys of step-ca that hold a secret itself."""


EXAMPLE: Mapping[str, Any] = {
    "address": ":9000",
    "dns_names": ["ca.example.org", "localhost"],
    "root": "/home/step/certs/root_ca.crt",
    "crt": "/home/step/certs/intermediate_ca.crt",
    "db_folder": "/home/step/db",
    "key": "01",
    "ssh_user_key": "02",
    "ssh_host_key": "03",
    "serial": "{{ hsm_serial }}",
    "module_path": "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so",
    "pin_source": "/run/secrets/hsm-pin",
    "tls": {"cipher_suites": ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]},
}
"""What is expected, for editors."""


class TlsExpect(Model):
    """What the CA offers on its own port."""

    cipher_suites: tuple[Line, ...] = Field(
        min_length=1,
        description="In this order.",
        examples=[["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]],
    )
    min_version: float = Field(1.2, description="The oldest version of TLS.", examples=[1.2])
    max_version: float = Field(1.3, description="The newest version of TLS.", examples=[1.3])


class Expect(Model):
    """What is expected beside the rules that always hold (see the kind)."""

    address: Line = Field(description="Where step-ca listens, for example `:9000`.", examples=[":9000"])
    dns_names: tuple[Line, ...] = Field(
        min_length=1,
        description="The names of the CA's own certificate, in this order.",
        examples=[["ca.example.org", "localhost"]],
    )
    root: Line = Field(description="The root certificate, in the container.", examples=["/home/step/certs/root_ca.crt"])
    crt: Line = Field(
        description="The intermediate certificate, in the container.", examples=["/home/step/certs/intermediate_ca.crt"]
    )
    db_type: Line = Field("badgerv2", description="The type of its database.", examples=["badgerv2"])
    db_folder: Line = Field(description="In the container.", examples=["/home/step/db"])
    log_format: Line = Field("text", description="The form of its log.", examples=["text"])
    key: KeyId = Field(description="CKA_ID of the intermediate's key.", examples=["01"])
    ssh_user_key: KeyId = Field(description="CKA_ID of the SSH user CA's key.", examples=["02"])
    ssh_host_key: KeyId = Field(description="CKA_ID of the SSH host CA's key.", examples=["03"])
    serial: Line = Field(description="The token's serial number as on paper.", examples=["{{ hsm_serial }}"])
    module_path: Line = Field(
        description="The PKCS#11 module, in the container.", examples=["/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"]
    )
    host_module: Line | None = Field(
        None, description="The host's module, which it must not be.", examples=["/usr/lib/opensc-pkcs11.so"]
    )
    pin_source: Line = Field(
        description="The file that the entrypoint puts the PIN into.", examples=["/run/secrets/hsm-pin"]
    )
    tls: TlsExpect = Field(
        description="What it offers on its own port.",
        examples=[{"cipher_suites": ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]}],
    )

    def assertions(self) -> Iterator[tuple[str, Assertion]]:
        """Symptom and statement for each plain key."""
        for at, symptom, wanted, because in (
            ("address", "address", self.address, "The proxy and the health check ask this port."),
            ("dnsNames", "address", list(self.dns_names), "The CA's own certificate carries these names."),
            ("logger.format", "log", self.log_format, "People read this log at the cutover, line by line."),
            ("db.type", "database", self.db_type, "Another type would be another, empty database."),
            (
                "db.dataSource",
                "database",
                self.db_folder,
                "It has to be in the volume, or it is gone with the container.",
            ),
            ("root", "certificate", self.root, "Where the volume gets the root certificate."),
            ("crt", "certificate", self.crt, "Where the volume gets the intermediate certificate."),
            ("kms.type", "not pkcs11", "pkcs11", "Without it step-ca looks for the keys in files."),
            (
                "authority.enableAdmin",
                "remote administration",
                False,
                "With it, step-ca keeps its provisioners in the database and silently ignores changes to this file.",
            ),
            (
                "authority.claims.enableSSHCA",
                "ssh ca off",
                True,
                "Nothing else turns it on without the auto-initialisation; every SSH certificate would be refused.",
            ),
            ("authority.provisioners", "provisioners", [], "They are added by the site's script after the start."),
            ("tls.cipherSuites", "tls", list(self.tls.cipher_suites), "Only forward-secret suites with GCM."),
            ("tls.minVersion", "tls", self.tls.min_version, "Nothing older may be offered."),
            ("tls.maxVersion", "tls", self.tls.max_version, "The newest version must not be shut out."),
            ("tls.renegotiation", "tls", False, "Nothing here needs it, and it has been attacked."),
        ):
            yield symptom, equal(at, wanted, because)


def equal(at: str, wanted: Any, because: str) -> Assertion:
    """The statement that a key has this value."""
    return Assertion.model_validate({"at": at, "equals": wanted, "because": because})
