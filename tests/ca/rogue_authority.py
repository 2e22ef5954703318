"""A step-ca that is none: right in everything but what a test changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from joserfc import jwt
from joserfc.jwk import ECKey, Key

from tests.ca.conftest import Stage
from tests.ca.pki import Pair, make
from tests.ca.rogue import Rogue, as_json
from tests.ca.step_ca_lab import PASSWORD, URL, jwk_provisioner

NAME = "prod-services"
Issue = Callable[[x509.CertificateSigningRequest], Any]
"""From a request to the whole answer, plain data."""


@dataclass
class Authority:
    """Its state, and what it was asked for."""

    stage: Stage
    key: Key = field(default_factory=lambda: ECKey.generate_key("P-256"))
    issue: Issue | None = None
    provisioner: dict[str, Any] = field(default_factory=dict)
    replies: dict[str, bytes] = field(default_factory=dict)
    """By first lines; they go before everything else."""
    tokens: list[str] = field(default_factory=list)
    server: Rogue = field(init=False)

    def __post_init__(self) -> None:
        self.provisioner = self.provisioner or jwk_provisioner(NAME, self.key)
        self.server = self.stage.serve(self._reply)

    @property
    def asked(self) -> dict[str, Any]:
        """The parameters of `ca.certificate`."""
        stage = self.stage
        return {
            "url": URL,
            "connect": self.server.connect,
            "trust": str(stage.root_file),
            "provisioner": NAME,
            "root": str(stage.root_file),
            "intermediate": str(stage.intermediate_file),
        }

    def claims(self) -> dict[str, Any]:
        """Of the last token, which is for this provisioner."""
        return dict(jwt.decode(self.tokens[-1], self.key).claims)

    def right(self, csr: x509.CertificateSigningRequest, issuer: Pair | None = None, **more: Any) -> dict[str, Any]:
        """What a right authority gives; `more` changes the certificate."""
        issuer = issuer or self.stage.intermediate
        name = csr.subject.rfc4514_string().removeprefix("CN=")
        given = {"public_key": csr.public_key(), "sans": (name,), **more}
        leaf = make(given.pop("name", name), issuer, **given)
        chain = [leaf.pem.decode(), issuer.pem.decode()]
        return {"crt": chain[0], "ca": chain[1], "certChain": chain}

    def _reply(self, first: str, body: bytes) -> bytes:
        if first in self.replies:
            return self.replies[first]
        if first.startswith("GET /provisioners?"):
            return as_json({"provisioners": [{"type": "ACME", "name": "acme"}, self.provisioner], "nextCursor": ""})
        if first == "POST /1.0/sign":
            given = json.loads(body)
            self.tokens.append(given["ott"])
            csr = x509.load_pem_x509_csr(given["csr"].encode())
            return as_json((self.issue or self.right)(csr), 201)
        return as_json({"status": 404, "message": "not found"}, 404)


__all__ = ["NAME", "PASSWORD", "Authority"]
