"""A ceremony made by openssl and ssh-keygen: what the product reads was made by the tools it has to agree with."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest


def tool(*argv: str, cwd: Path | None = None, stdin: bytes | None = None) -> bytes:
    """Standard output of a command that must succeed."""
    return subprocess.run(argv, cwd=cwd, input=stdin, check=True, capture_output=True).stdout


@dataclass(frozen=True)
class Ceremony:
    """A folder with the five files and everything they were made from."""

    folder: Path
    work: Path

    def __getitem__(self, name: str) -> Path:
        """A file of the export, or one of those behind it."""
        return self.folder / name if (self.folder / name).exists() else self.work / name

    @property
    def root_sha256(self) -> str:
        der = tool("openssl", "x509", "-in", str(self.folder / "root_ca.crt"), "-outform", "DER")
        return hashlib.sha256(der).hexdigest()


MakeCertificate = Callable[..., Path]


@dataclass(frozen=True)
class Authority:
    """Makes certificates with openssl."""

    folder: Path

    def key(self, name: str, *algorithm: str) -> Path:
        path = self.folder / f"{name}.key"
        if not path.exists():
            chosen = algorithm or ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384")
            tool("openssl", "genpkey", *chosen, "-out", str(path))
        return path

    def certificate(
        self,
        name: str,
        *,
        issuer: str = "",
        subject: str = "",
        extensions: str = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n",
        begin: str = "",
        end: str = "",
        digest: str = "sha384",
        key: tuple[str, ...] = (),
    ) -> Path:
        """A certificate `name.crt`; self-signed unless there is an issuer (the name of another one)."""
        own_key = self.key(name, *key)
        request, extension_file, path = (self.folder / f"{name}{end}" for end in (".csr", ".ext", ".crt"))
        extension_file.write_text(f"[x]\n{extensions}")
        subject = subject or f"/O=Test/CN={name}"
        tool("openssl", "req", "-new", "-key", str(own_key), "-subj", subject, "-out", str(request))
        signer = issuer or name
        database = self.folder / f"{name}.db"
        database.write_text("")
        (self.folder / f"{name}.db.attr").write_text("unique_subject = no\n")
        days = 365 if issuer else 730  # so that none outlives its issuer by the second between them
        configuration = self.folder / f"{name}.cnf"
        configuration.write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={database}\nnew_certs_dir={self.folder}\nrand_serial=yes\n"
            f"default_md={digest}\npolicy=p\ndefault_days={days}\nemail_in_dn=no\npreserve=yes\n[p]\nO=optional\nCN=optional\n"
        )
        issuing = ("-selfsign",) if not issuer else ("-cert", str(self.folder / f"{signer}.crt"))
        dates = (("-startdate", begin) if begin else ()) + (("-enddate", end) if end else ())
        tool(
            *("openssl", "ca", "-batch", "-notext", "-config", str(configuration), "-in", str(request)),
            *("-keyfile", str(self.key(signer)), *issuing, *dates),
            *("-extfile", str(extension_file), "-extensions", "x", "-out", str(path)),
        )
        return path


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    folder = tmp_path / "authority"
    folder.mkdir()
    return Authority(folder)


ROOT = "basicConstraints=critical,CA:TRUE,pathlen:1\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
INTERMEDIATE = ROOT.replace("pathlen:1", "pathlen:0") + "authorityKeyIdentifier=keyid\n"


@pytest.fixture(scope="session")
def _made_ceremony(tmp_path_factory: pytest.TempPathFactory) -> Ceremony:
    work = tmp_path_factory.mktemp("ceremony")
    authority = Authority(work)
    authority.certificate("root", extensions=ROOT)
    authority.certificate("intermediate", issuer="root", extensions=INTERMEDIATE)
    export = work / "export"
    export.mkdir()
    (export / "root_ca.crt").write_bytes((work / "root.crt").read_bytes())
    (export / "intermediate_ca.crt").write_bytes((work / "intermediate.crt").read_bytes())
    for name in ("ssh_user_ca", "ssh_host_ca"):
        tool("ssh-keygen", "-q", "-t", "ecdsa", "-b", "384", "-N", "", "-C", f"{name} 2026", "-f", str(work / name))
        (export / f"{name}.pub").write_bytes((work / f"{name}.pub").read_bytes())
    line = tool("openssl", "x509", "-in", str(work / "root.crt"), "-noout", "-fingerprint", "-sha256")
    (export / "FINGERPRINT.txt").write_bytes(b"The root of the ceremony\n" + line)
    return Ceremony(export, work)


@pytest.fixture
def ceremony(_made_ceremony: Ceremony, tmp_path: Path) -> Ceremony:
    """A ceremony whose export may be spoiled."""
    export = tmp_path / "export"
    export.mkdir()
    for path in _made_ceremony.folder.iterdir():
        (export / path.name).write_bytes(path.read_bytes())
    return Ceremony(export, _made_ceremony.work)
