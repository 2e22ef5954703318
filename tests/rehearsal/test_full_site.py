"""The site's own commands in a full lab: from the CA of the first phase to one whose keys are on the card."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import shlex
import socket
import ssl
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from docker import DockerClient
from docker.types import Mount
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import OctKey

from rehearsal.card.client import CardControl
from rehearsal.card.status import CardStatus
from rehearsal.full.compose_up import container_name
from rehearsal.full.deployed import deployed_checkout
from rehearsal.full.first_phase import FOLDER, SERVICE, VOLUME
from rehearsal.full.front import ANOTHER_ROOT
from rehearsal.full.front_door import FOLDER as FRONT
from rehearsal.full.front_door import believe
from rehearsal.full.house import public_ca_of, socket_of
from rehearsal.full.interpolation import VariableMissing, interpolate, read_environment
from rehearsal.full.provisioners import JWK_PASSWORDS
from rehearsal.full.service import NoSuchService, read_service
from rehearsal.hosts import FOLDER as HOSTS_FOLDER
from rehearsal.hosts import ssh
from rehearsal.lab import Lab, make_lab
from rehearsal.reader import CardReader
from rehearsal.repository import REPOSITORY
from rehearsal.smartcard import CardPlaces
from rehearsal.vault import Vault

# The first full lab on a machine takes minutes, in which step-ca and the base image are made.
pytestmark = pytest.mark.timeout(900)

SITE_TREE = Path(__file__).parents[2] / "rehearsal" / "site_tree"
SECONDS = 90.0
SIX = [
    ("OIDC", "CCAT-GitHub"),
    ("JWK", "prod-services"),
    ("JWK", "staging-services"),
    ("JWK", "service-accounts"),
    ("ACME", "acme"),
    ("SSHPOP", "sshpop"),
]


def test_a_variable_that_is_insisted_on_and_empty_is_an_error_with_its_own_words() -> None:
    said = "required variable PIN is missing a value: PIN must be set in .env"
    for known in ({}, {"PIN": ""}):
        with pytest.raises(VariableMissing, match=said):
            interpolate("${PIN:?PIN must be set in .env}", known)
    assert interpolate("${PIN?needed}", {"PIN": ""}) == ""
    assert interpolate("a $$PIN ${PIN} $PIN ${NO:-other} ${NO-} ${PIN:+set}", {"PIN": "1"}) == "a $PIN 1 1 other  set"


@given(st.text())
def test_text_without_a_dollar_stays_as_it_is(text: str) -> None:
    plain = text.replace("$", "")
    assert interpolate(plain, {}) == plain


@given(st.dictionaries(st.from_regex(r"[A-Z][A-Z0-9_]{0,9}", fullmatch=True), st.text("abc123-_./+=", max_size=20)))
def test_an_environment_file_is_read_as_it_was_rendered(values: dict[str, str]) -> None:
    rendered = "# comment\n" + "".join(f"{name}={value}\n" for name, value in values.items())
    assert read_environment(rendered) == values


def test_the_service_is_what_the_compose_file_says() -> None:
    service = read_service(SITE_TREE, "step-ca", {"STEP_CA_HSM_PIN": "648219", "CA_DOMAIN": "ca.example"})
    assert service.context == SITE_TREE / "step-ca"
    assert (service.dockerfile, service.user, service.restart) == ("Dockerfile.hsm", "0:0", "always")
    assert service.environment["STEP_CA_HSM_PIN"] == "648219"
    assert service.environment["VIRTUAL_HOST"] == "ca.example"
    assert service.tmpfs == {"/run/secrets": "mode=0700,uid=1000,gid=1000,size=1M"}
    assert [(mount.source, mount.target) for mount in service.mounts if mount.volume] == [(VOLUME, "/home/step")]
    assert all(mount.read_only for mount in service.mounts if not mount.volume)
    assert service.healthcheck is not None
    assert service.healthcheck["timeout"] == 30 * 10**9
    assert "648219" not in repr(service)
    with pytest.raises(VariableMissing, match=r"STEP_CA_HSM_PIN must be set in \.env"):
        read_service(SITE_TREE, "step-ca", {"CA_DOMAIN": "ca.example"})
    with pytest.raises(NoSuchService, match="step-cb"):
        read_service(SITE_TREE, "step-cb", {})


def test_without_an_engine_and_a_checkout_it_says_so(tmp_path: Path) -> None:
    for command, said in (("up", "nothing is deployed"), ("ps", "no Docker engine runs here")):
        argv = [sys.executable, "-I", "-m", "rehearsal.ccat", str(tmp_path), "ca", command]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode
        assert said in done.stderr
        assert "Traceback" not in done.stderr


class Site:
    """A lab whose engine runs, seen from the driver's seat."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab.folder
        self.profile: dict[str, Any] = yaml.safe_load(lab.site.read_text())
        self.pin: str = yaml.safe_load(lab.sheet.read_text())["pins"]["intermediate"]
        self.client = DockerClient(base_url=f"unix://{socket_of(lab.folder)}", version="auto", timeout=60)

    def there(self, command: str, *, fails: bool = False) -> str:
        """What a command on input-b says."""
        argv = [*ssh(self.lab / HOSTS_FOLDER), "input-b", command]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert bool(done.returncode) is fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def ask(self, name: str, path: str, root: Path | None, *, patience: float = 0.0) -> Any:
        """JSON from `ca` or `auth` over the front door, trusting `root` alone, or anybody; waits until they serve."""
        end = time.monotonic() + patience
        while True:
            try:
                return self._ask(name, path, root)
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def _ask(self, name: str, path: str, root: Path | None) -> Any:
        context = ssl.create_default_context(cafile=root)
        if root is None:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        host, _, port = self.profile["inputs"][f"{name}_connect"].partition(":")
        called = f"{name}.ccat.uni-koeln.de"
        with (
            socket.create_connection((host, int(port)), 10) as raw,
            context.wrap_socket(raw, server_hostname=called) as tls,
            closing(http.client.HTTPConnection(called)) as line,
        ):
            line.sock = tls
            line.request("GET", path)
            answer = line.getresponse()
            assert answer.status == 200, answer.read()
            return json.load(answer)

    def card(self) -> CardStatus:
        return asyncio.run(CardControl(CardPlaces(self.lab).control).status())

    def fill(self) -> None:
        """Stage G3 and G4: the volume anew, with exactly the four files."""
        with_root = deployed_checkout(self.lab) / "ansible" / "roles" / "ca_trust" / "files" / "root_ca.crt"
        files = {
            "certs/root_ca.crt": with_root.read_bytes(),
            "certs/intermediate_ca.crt": (self.lab / "export-usb" / "intermediate_ca.crt").read_bytes(),
            "config/ca.json": (deployed_checkout(self.lab) / "step-ca" / "ca.json.hsm").read_bytes(),
            "secrets/password": b"unused-but-required\n",
        }
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for name in (".", "certs", "config", "secrets"):
                entry = tarfile.TarInfo(name)
                entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o755, 1000, 1000
                tar.addfile(entry)
            for name, raw in files.items():
                entry = tarfile.TarInfo(name)
                entry.mode, entry.uid, entry.gid, entry.size = 0o644, 1000, 1000, len(raw)
                tar.addfile(entry, io.BytesIO(raw))
        self.client.volumes.get(VOLUME).remove()
        self.client.volumes.create(VOLUME)
        image = "smallstep/step-ca:0.30.2-hsm"
        mounts = [Mount("/home/step", VOLUME, type="volume")]
        carrier = self.client.containers.create(image, mounts=mounts, network_mode="none")
        carrier.put_archive("/home/step", packed.getvalue())
        carrier.remove()

    def publish_root(self) -> None:
        """Stage B: the ceremony's root goes into the repository, and upstream."""
        tree = self.lab / REPOSITORY
        raw = (self.lab / "export-usb" / "root_ca.crt").read_bytes()
        (tree / "ansible" / "roles" / "ca_trust" / "files" / "root_ca.crt").write_bytes(raw)
        for command in ("commit --quiet --all --message=root", "push --quiet"):
            subprocess.run(["git", *shlex.split(command)], cwd=tree, check=True, capture_output=True, timeout=SECONDS)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    lab = make_lab(full=True)
    try:
        with CardReader(lab.folder, full=True):
            made = Site(lab)
            with closing(made.client):
                yield made
    finally:
        lab.remove()


def test_the_cutover_by_hand(site: Site) -> None:
    """What a person would type at stages B, C and G, and what comes of it."""
    earlier = site.lab / FOLDER / "export" / "root_ca.crt"
    root = site.lab / "export-usb" / "root_ca.crt"

    # The first phase: keys in files, served through the front door, under a root that the hosts trust now.
    assert site.ask("ca", "/health", earlier, patience=SECONDS) == {"status": "ok"}
    assert "Up" in site.there("ccat ca ps")
    with pytest.raises(ssl.SSLCertVerificationError):
        site.ask("ca", "/health", root)
    site.publish_root()
    site.there("ccat ca down")
    assert site.client.containers.list(all=True) == []
    assert [volume.name for volume in site.client.volumes.list()] == [VOLUME]
    # What was pushed meanwhile is on the host.
    pushed = deployed_checkout(site.lab) / "ansible" / "roles" / "ca_trust" / "files" / "root_ca.crt"
    assert pushed.read_bytes() == root.read_bytes()

    # Without the PIN in .env nothing starts, and it says what is missing.
    said = site.there("ccat ca up", fails=True)
    assert "STEP_CA_HSM_PIN must be set in .env" in said
    assert site.client.containers.list(all=True) == []

    Vault(site.lab / REPOSITORY).add("vault_step_ca_hsm_pin", "STEP_CA_HSM_PIN", "PIN", site.pin)
    argv = [str(site.lab / "bin" / "ccat"), "secrets", "provision", "--host", "input-b"]
    subprocess.run(argv, check=True, capture_output=True, timeout=SECONDS)
    environment = read_environment((deployed_checkout(site.lab) / ".env").read_text())
    assert environment == {"CA_DOMAIN": "ca.ccat.uni-koeln.de", "STEP_CA_HSM_PIN": site.pin}

    site.there("systemctl stop pcscd.service pcscd.socket && systemctl mask pcscd.service pcscd.socket")
    site.fill()
    checks = site.card().user_checks
    assert "Started" in site.there("ccat ca up")
    assert site.ask("ca", "/health", root, patience=SECONDS) == {"status": "ok"}
    # One login is enough, and it was right.
    assert site.card().user_checks == checks + 1
    assert site.card().verified
    logs = site.there("ccat ca logs step-ca")
    assert "Serving HTTPS on :9000" in logs
    assert site.pin not in logs
    # Brought up again it stays as it is.
    began = site.client.containers.get(container_name(SERVICE)).attrs["State"]["StartedAt"]
    assert "Running" in site.there("ccat ca up")
    assert site.client.containers.get(container_name(SERVICE)).attrs["State"]["StartedAt"] == began

    _provisioners(site, root)


def _provisioners(site: Site, root: Path) -> None:
    reveal = "$(ccat secrets show vault_dex_stepca_client_secret --reveal | tail -1)"
    script = (
        f'DEX_STEPCA_CLIENT_SECRET="{reveal}" OIDC_ADMIN_EMAIL=a@example.invalid ./step-ca/provisioners-bootstrap.sh'
    )
    inside = f"cd {site.profile['inputs']['deployed']} && "
    assert "OIDC_ADMIN_EMAIL must be set" in site.there(
        f"{inside}DEX_STEPCA_CLIENT_SECRET=x ./step-ca/provisioners-bootstrap.sh", fails=True
    )
    assert site.there(inside + script).count("added\t") == 6
    assert site.there(inside + script).count("added\t") == 0
    site.there("ccat ca restart step-ca")
    site.ask("ca", "/health", root, patience=SECONDS)
    served = site.ask("ca", "/provisioners?limit=100", root)["provisioners"]
    assert [(item["type"], item["name"]) for item in served] == SIX
    passwords = Vault(site.lab / REPOSITORY).read()
    for item in served:
        if item["type"] == "JWK":
            key = OctKey.import_key(passwords[JWK_PASSWORDS[item["name"]]])
            opened = jwe.decrypt_compact(item["encryptedKey"], key, algorithms=["PBES2-HS256+A128KW", "A256GCM"])
            private = json.loads(opened.plaintext or b"")
            assert {name: private[name] for name in ("kid", "x", "y")} == {
                name: item["key"][name] for name in ("kid", "x", "y")
            }
            assert "d" not in item["key"]


def test_dex_is_met_under_the_public_ca(site: Site) -> None:
    public = public_ca_of(site.lab) / "public-ca.crt"
    document = site.ask("auth", "/.well-known/openid-configuration", public)
    assert document["issuer"] == "https://auth.ccat.uni-koeln.de"
    with pytest.raises(ssl.SSLCertVerificationError):
        site.ask("auth", "/.well-known/openid-configuration", site.lab / "export-usb" / "root_ca.crt")


def test_somebody_else_can_answer_in_the_cas_place(site: Site) -> None:
    root = site.lab / "export-usb" / "root_ca.crt"
    marker = site.lab / FRONT / ANOTHER_ROOT
    marker.touch()
    try:
        with pytest.raises(ssl.SSLCertVerificationError):
            site.ask("ca", "/health", root)
        # As a bootstrap asks that has no root yet.
        assert site.ask("ca", "/root/00", None)["ca"] != root.read_text()
    finally:
        believe(site.lab)


def test_a_secret_is_masked_until_it_is_to_be_revealed(site: Site) -> None:
    value = Vault(site.lab / REPOSITORY).read()["vault_dex_stepca_client_secret"]
    assert value not in site.there("ccat secrets show vault_dex_stepca_client_secret")
    assert site.there("ccat secrets show vault_dex_stepca_client_secret --reveal").splitlines()[-1] == value
    assert "no vault_nothing" in site.there("ccat secrets show vault_nothing", fails=True)
