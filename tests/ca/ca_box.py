"""A container that looks like the CA's: programs of this machine with what they are linked with, and no shell tools."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.containers.engine_bench import Bench

LIBRARIES = "/usr/lib/x86_64-linux-gnu"
MODULE = f"{LIBRARIES}/opensc-pkcs11.so"
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
VPCD = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
CONFIG = "/home/step/config/ca.json"
CERTIFICATE = "/home/step/certs/intermediate_ca.crt"
DEVICE = "/dev/bus/usb/001/004"
IMAGE = "ca-box:1"

CAP_NET_BIND_SERVICE = bytes.fromhex("0100000200040000000000000000000000000000")
"""The attribute that `setcap cap_net_bind_service=+ep` writes (struct vfs_cap_data, little-endian)."""

GOOD: dict[str, Any] = {
    "root": "/home/step/certs/root_ca.crt",
    "crt": CERTIFICATE,
    "key": "pkcs11:id=01",
    "kms": {"type": "pkcs11", "uri": f"pkcs11:module-path={MODULE};serial=DENK0100001?pin-source=/run/secrets/hsm-pin"},
    "ssh": {"userKey": "pkcs11:id=02", "hostKey": "pkcs11:id=03"},
    "authority": {"enableAdmin": False},
}


def certificate(name: str = "CCAT Intermediate") -> bytes:
    """A certificate in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=9))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


class Image:
    """Files as an image: those of this machine under their own path, or another."""

    def __init__(self) -> None:
        self._packed = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._packed, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self._there: set[str] = set()

    def add(self, source: str, path: str = "", *, capability: bytes = b"") -> None:
        """A program or library, and what it is linked with."""
        self._file(path or source, Path(source).resolve().read_bytes(), 0o755, capability)
        linked = subprocess.run(["ldd", source], capture_output=True, text=True, check=False).stdout
        for library in re.findall(r"(?:^\s+|=> )(/\S+) \(", linked, flags=re.MULTILINE):
            self._file(library, Path(library).resolve().read_bytes(), 0o755, b"")

    def write(self, path: str, content: bytes) -> None:
        self._file(path, content, 0o644, b"")

    def link(self, path: str, target: str) -> None:
        self.folder(str(Path(path).parent))
        info = tarfile.TarInfo(path.lstrip("/"))
        info.type, info.linkname = tarfile.SYMTYPE, target
        self._tar.addfile(info)

    def folder(self, path: str) -> None:
        if path in self._there or path == "/":
            return
        self._there.add(path)
        self.folder(str(Path(path).parent))
        info = tarfile.TarInfo(path.lstrip("/"))
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        self._tar.addfile(info)

    def _file(self, path: str, content: bytes, mode: int, capability: bytes) -> None:
        path = re.sub("^/(lib|lib64|bin|sbin)/", r"/usr/\1/", path)
        if path in self._there:
            return
        self._there.add(path)
        self.folder(str(Path(path).parent))
        info = tarfile.TarInfo(path.lstrip("/"))
        info.size, info.mode = len(content), mode
        if capability:
            info.pax_headers = {"SCHILY.xattr.security.capability": capability.decode("utf-8", "surrogateescape")}
        self._tar.addfile(info, io.BytesIO(content))

    def load(self, bench: Bench) -> None:
        self._tar.close()
        said = bench.client.api.import_image_from_data(
            self._packed.getvalue(), repository=IMAGE.split(":", 1)[0], tag="1"
        )
        assert "status" in json.loads(said.splitlines()[-1])


class CaBox:
    """A CA's container: `step-ca` keeps its configuration open, and has loaded what it is told to."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.config = json.loads(json.dumps(GOOD))
        self.preload = MODULE
        self.process = f"/usr/local/bin/step-ca -f {CONFIG}"
        self.holder = f"/usr/sbin/pcscd -f {DEVICE}"
        self.intermediate = certificate()
        self.pcscd = "/bin/tail"
        self.capability = b""
        self.tools = ("cat", "ls")
        self.more: list[tuple[str, str]] = []
        self.texts: dict[str, bytes] = {}
        (bench.folder / "intermediate_ca.crt").write_bytes(self.intermediate)

    def image(self) -> Image:
        image = Image()
        for name in ("lib", "lib64", "bin", "sbin"):
            image.link(f"/{name}", f"usr/{name}")
        for name in ("/tmp", "/run", "/etc", "/proc", "/dev"):
            image.folder(name)
        image.add("/bin/tail", "/usr/local/bin/step-ca", capability=self.capability)
        image.add(self.pcscd, "/usr/sbin/pcscd")
        image.add("/bin/busybox", "/opt/busybox")
        image.add("/usr/bin/setpriv", "/opt/setpriv")
        for tool in self.tools:
            image.add(f"/bin/{tool}", f"/usr/bin/{tool}")
        image.add(MODULE)
        image.link(f"{LIBRARIES}/pkcs11/opensc-pkcs11.so", "../opensc-pkcs11.so")
        image.add(SOFTHSM)
        for source, path in self.more:
            image.add(source, path)
        for path, text in self.texts.items():
            image.write(path, text)
        image.write(CONFIG, json.dumps(self.config, indent=1).encode())
        image.write(CERTIFICATE, self.intermediate)
        image.write("/etc/passwd", b"root:x:0:0::/:/bin/sh\nstep:x:1000:1000::/:/bin/sh\n")
        return image

    def start(self) -> Any:
        self.image().load(self.bench)
        # As in the site's entrypoint: pcscd as root, the CA as another user.
        other_user = "/opt/setpriv --reuid 1000 --regid 1000 --clear-groups /opt/busybox env"
        line = f"{self.holder or ':'} & {other_user} LD_PRELOAD={self.preload} {self.process} & wait"
        return self.bench.client.containers.run(
            IMAGE,
            ["/opt/busybox", "sh", "-c", line],
            name="step-ca",
            network_mode="none",
            detach=True,
            devices=[f"/dev/null:{DEVICE}:r"],
        )
