"""A real step-ca with keys in files, its six provisioners, and the discovery document that the OIDC one reads."""

from __future__ import annotations

import http.server
import json
import shutil
import subprocess
import threading
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from joserfc import jwe
from joserfc.jwk import ECKey, Key, OctKey

from rehearsal.full.cache import ensure
from tests.ca.pki import Pair, make_intermediate, make_root
from tests.hosts.ssh_bench import free_port

NAME = "ca.example.org"
URL = f"https://{NAME}"
PASSWORD = "quiet Otter under bridge 7"
SIX = (
    {"type": "OIDC", "name": "Somebody"},
    {"type": "JWK", "name": "prod-services"},
    {"type": "JWK", "name": "staging-services"},
    {"type": "JWK", "name": "service-accounts"},
    {"type": "ACME", "name": "acme"},
    {"type": "SSHPOP", "name": "sshpop"},
)
SECONDS = 60.0


def encrypted(key: Key, password: str = PASSWORD, rounds: int = 100_000) -> str:
    """The private key as step-ca's configuration has it (PBES2 of RFC 7518 §4.8), with our own registry of rounds."""
    from checks.ca.jwk import registry

    header = {"alg": "PBES2-HS256+A128KW", "enc": "A256GCM", "cty": "jwk+json", "p2c": rounds}
    with warnings.catch_warnings(action="ignore"):
        inner = OctKey.import_key(password.encode())
        return jwe.encrypt_compact(header, json.dumps(key.as_dict(private=True)), inner, registry=registry())


def jwk_provisioner(name: str, key: Key | None = None, **more: Any) -> dict[str, Any]:
    key = key or ECKey.generate_key("P-256")
    public = {**key.as_dict(private=False), "use": "sig", "kid": key.thumbprint()}
    return {"type": "JWK", "name": name, "key": public, "encryptedKey": encrypted(key), **more}


class Discovery:
    """What the OIDC provisioner reads when step-ca starts."""

    def __init__(self) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(handler) -> None:  # noqa: N805 - the method's name is the library's
                issuer = f"http://127.0.0.1:{self.port}"
                said = {"keys": []} if handler.path == "/keys" else {"issuer": issuer, "jwks_uri": f"{issuer}/keys"}
                body = json.dumps(said).encode()
                handler.send_response(200)
                handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                handler.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class StepCa:
    """One authority: `root`, `intermediate`, its SSH keys, and where it listens."""

    def __init__(self, folder: Path, provisioners: Sequence[dict[str, Any]] | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.root = make_root()
        self.intermediate = make_intermediate(self.root)
        self.root_file, _ = self.root.write(folder, "root_ca")
        self.intermediate_file, key = self.intermediate.write(folder, "intermediate_ca")
        for kind in ("user", "host"):
            _ssh_key(folder / f"ssh_{kind}_ca")
        self.discovery = Discovery()
        self.port = free_port()
        self.jwk = ECKey.generate_key("P-256")
        self.configuration = {
            "root": str(self.root_file),
            "crt": str(self.intermediate_file),
            "key": str(key),
            "address": f"127.0.0.1:{self.port}",
            "dnsNames": [NAME, "localhost"],
            "logger": {"format": "json"},
            "db": {"type": "badgerv2", "dataSource": str(folder / "db")},
            "ssh": {"hostKey": str(folder / "ssh_host_ca"), "userKey": str(folder / "ssh_user_ca")},
            "tls": {"minVersion": 1.2, "maxVersion": 1.3},
            "authority": {
                "provisioners": [self._whole(one) for one in SIX] if provisioners is None else list(provisioners),
                "claims": {"enableSSHCA": True},
            },
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def connect(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def asked(self) -> dict[str, Any]:
        """The parameters of a step that asks it."""
        return {"url": URL, "connect": self.connect, "trust": str(self.root_file)}

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def _whole(self, one: dict[str, str]) -> dict[str, Any]:
        match one["type"]:
            case "OIDC":
                url = f"http://127.0.0.1:{self.discovery.port}/.well-known/openid-configuration"
                return {**one, "clientID": "step-ca", "clientSecret": "none", "configurationEndpoint": url}
            case "JWK":
                return jwk_provisioner(one["name"], self.jwk if one["name"] == "prod-services" else None)
        return dict(one)

    def start(self) -> None:
        """Returns when it listens."""
        (self.folder / "ca.json").write_text(json.dumps(self.configuration))
        binary = ensure(lambda _: None).step_ca
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig=KILL", str(binary), str(self.folder / "ca.json")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={"HOME": str(self.folder), "STEPPATH": str(self.folder), "PATH": "/usr/bin:/bin"},
            )
        until = time.monotonic() + SECONDS
        while "Serving HTTPS" not in self.log:
            assert self._process.poll() is None, self.log
            assert time.monotonic() < until, self.log
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(SECONDS)
            self._process = None

    def close(self) -> None:
        self.stop()
        self.discovery.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def other_authority() -> tuple[Pair, Pair]:
    """Another root and its intermediate, with the very names of the right ones."""
    root = make_root()
    return root, make_intermediate(root)


def _ssh_key(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-C", path.name, "-f", str(path)], check=True)
