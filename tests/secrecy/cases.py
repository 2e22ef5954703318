"""Every way in which a secret is asked for on the screens: a runbook of one step, what is around it, what is typed."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import yaml

from runbook.site import HostProfile
from tests.hosts.ssh_bench import bench_in, make_key, public
from tests.secrecy.scan import RUN
from tests.softhsm import LABEL, MODULE, SoftHsm
from tests.ssh_lab.lab import Lab
from tests.ssh_lab.plan import PASSWORD

# Letters between the digits: of six digits in a row, any may be in a time of day somewhere in memory.
PIN = "7q3X91t8w4Z2"
PASSPHRASE = "Kx7g39S18f4v2jwQ"
VALUE = "u4B7k29hD15r3P"


@dataclass(frozen=True, slots=True)
class Places:
    """What cases need."""

    folder: Path
    lab: Lab


@dataclass(frozen=True, slots=True)
class Ready:
    """A folder to run in."""

    folder: Path
    secret: str
    known: tuple[Path, ...] = ()
    """Files that hold it, as they must."""
    run: int = RUN
    """Characters of it in a row that are a copy; of one made of words, more than a word has."""

    @property
    def env(self) -> Mapping[str, str]:
        places = {"HOME": self.folder, "XDG_STATE_HOME": self.folder / "state", "XDG_CONFIG_HOME": self.folder / "conf"}
        return {name: str(place) for name, place in places.items()}


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of prompt."""

    name: str
    asks: str
    """What the prompt says."""
    prepare: Callable[[Places], AbstractContextManager[Ready]]
    then: str = "next is A.two"
    """What the screen says once the secret was used."""


def _write(folder: Path, step: str, site: Mapping[str, object]) -> None:
    (folder / "runbook.yaml").write_text(
        f"runbook: 1\nid: one\ntitle: One secret\nstages:\n  - id: A\n    title: One\n    steps:\n"
        f"      - {{id: A.one, title: One, {step}}}\n"
        "      - {id: A.two, title: Two, check: command, run: [echo, over]}\n"
    )
    (folder / "site.yaml").write_text(yaml.safe_dump({"site": 1, "name": "here", **site}))


@contextlib.contextmanager
def _token(places: Places) -> Iterator[Ready]:
    (places.folder / "hsm").mkdir()
    hsm = SoftHsm(places.folder / "hsm").create()
    hsm.init_token(pin=PIN)
    subprocess.run(
        [
            *("pkcs11-tool", "--module", MODULE, "--token-label", LABEL, "--login", "--pin", PIN, "--keypairgen"),
            *("--key-type", "EC:secp384r1", "--id", "01"),
        ],
        env={**os.environ, **hsm.env},
        check=True,
        capture_output=True,
    )
    token = {"module": MODULE, "label": LABEL, "env": hsm.env}
    step = "check: sign_test, token: intermediate, key: 01, mechanism: ECDSA-SHA384"
    _write(places.folder, step, {"tokens": {"intermediate": token}})
    yield Ready(places.folder, PIN)


@contextlib.contextmanager
def _value(places: Places) -> Iterator[Ready]:
    """Of the file itself the program reads the content; so another value is typed than the one that is there."""
    file = places.folder / "values"
    file.write_text("VALUE=another\n")
    _write(places.folder, f"check: secret_file, path: {file}, variable: VALUE, ask: Which", {})
    yield Ready(places.folder, VALUE)


@contextlib.contextmanager
def _passphrase(places: Places, transport: str) -> Iterator[Ready]:
    place = places.folder / "bench"
    place.mkdir()
    with bench_in(place) as bench:
        bench.key = make_key(place / "locked", passphrase=PASSPHRASE)
        bench.authorized.write_text(public(bench.key) + "\n")
        bench.sshd("alpha")
        site = bench.site().model_dump(mode="json", exclude_defaults=True)
        site["hosts"]["alpha"]["transport"] = transport
        _write(places.folder, "check: command, run: [uname], on: alpha", site)
        yield Ready(places.folder, PASSPHRASE)


@contextlib.contextmanager
def _sudo(places: Places, transport: str, *, kept: bool) -> Iterator[Ready]:
    host = HostProfile.model_validate({"transport": transport, "keep_sudo_password": kept})
    site = places.lab.client().site(beta=host).model_dump(mode="json", exclude_defaults=True)
    _write(places.folder, "check: command, run: [id, -u], on: beta, sudo: true", site)
    yield Ready(places.folder, PASSWORD, run=12)


CASES = (
    Case("user PIN", "User PIN", _token),
    Case("secret", "Which", _value, "is not what was typed"),
    Case("passphrase, paramiko", "Passphrase of", partial(_passphrase, transport="paramiko")),
    Case("passphrase, ssh", "Passphrase of", partial(_passphrase, transport="openssh")),
    Case("sudo, paramiko", "Password for sudo", partial(_sudo, transport="paramiko", kept=False)),
    Case("sudo, ssh", "Password for sudo", partial(_sudo, transport="openssh", kept=False)),
    Case("sudo kept for the stage", "Password for sudo", partial(_sudo, transport="paramiko", kept=True)),
)
