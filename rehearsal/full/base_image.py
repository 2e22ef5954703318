"""The image that the site's Dockerfile begins with, made of Debian's packages under that very name."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

from rehearsal.full import tools
from rehearsal.full.engine import Engine
from runbook.errors import EnvironmentLacks

NAME, TAG = "smallstep/step-ca", "0.30.2-hsm"
"""What the lab's Dockerfile asks for."""

LABEL = "hsm-runbook.rehearsal"
"""A label of everything in an engine that a rehearsal has made."""

PACKAGES = (
    *("opensc", "opensc-pkcs11", "pcscd", "vsmartcard-vpcd"),
    *("ca-certificates", "curl", "jq", "openssl", "procps", "util-linux"),
)
_USER, _UID = "step", 1000
_HOME = "/home/step"
SCRIPTS = {
    Path(__file__).with_name("step.sh"): "usr/local/bin/step",
    Path(__file__).with_name("pcscd.sh"): "usr/sbin/pcscd",
}
"""What stands in the place of programs that Debian does not have, or not with the same options."""

_PCSCD = "usr/lib/rehearsal/pcscd"
"""Where Debian's own is; its process keeps the name."""

_UNUSED = ("usr/share/doc", "usr/share/info", "usr/share/locale", "usr/share/man", "var/cache/apt", "var/lib/apt/lists")
_DEADLINE = 900.0
"""Seconds; it takes 40."""

_CHANGES = [
    f"USER {_USER}",
    f"WORKDIR {_HOME}",
    f"ENV STEPPATH={_HOME}",
    f"ENV CONFIGPATH={_HOME}/config/ca.json",
    f"ENV PWDPATH={_HOME}/secrets/password",
    "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    f'CMD ["/usr/local/bin/step-ca", "--password-file", "{_HOME}/secrets/password", "{_HOME}/config/ca.json"]',
    f"LABEL {LABEL}=base",
]

INGREDIENTS = (PACKAGES, sorted(SCRIPTS.values()), _PCSCD, _UNUSED, _CHANGES, 1)
"""What another image would come of, besides `SCRIPTS`; the number is for what the code below does."""


async def bootstrap(tree: Path, folder: Path) -> None:
    """Install Debian in `tree`; `folder` gets the log. Raises EnvironmentLacks."""
    await tools.run(
        *("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}"),
        *(tools.codename(), str(tree), *await asyncio.to_thread(_mirror)),
        log=folder / "debootstrap.log",
        deadline=_DEADLINE,
        what="the base image could not be made",
        remedy="debootstrap has to reach Debian's mirror, as apt-get does; look at the log.",
    )


async def furnish(tree: Path, step_ca: Path, root: Path, folder: Path) -> None:
    """Make of the Debian in `tree` the image's: step-ca, its user, trust in the certificate `root`; no sources of apt.

    Without sources `apt-get update` in a build succeeds at once, and nothing there reaches for a network.
    """
    await asyncio.to_thread(_furnish, tree, step_ca, root)
    log = folder / "furnish.log"
    for command in (
        ("useradd", "--uid", str(_UID), "--create-home", "--home-dir", _HOME, "--shell", "/bin/sh", _USER),
        ("update-ca-certificates",),
    ):
        await tools.run("chroot", str(tree), *command, log=log, deadline=60, what="the base image could not be made")


def _furnish(tree: Path, step_ca: Path, root: Path) -> None:
    for unused in _UNUSED:
        shutil.rmtree(tree / unused, ignore_errors=True)
    for folder in ("var/cache/apt/archives/partial", "var/lib/apt/lists/partial"):
        (tree / folder).mkdir(parents=True)
    (tree / "etc/apt/sources.list").write_text("")
    (tree / _PCSCD).parent.mkdir()
    (tree / "usr/sbin/pcscd").rename(tree / _PCSCD)
    for source, target in ((step_ca, "usr/local/bin/step-ca"), *SCRIPTS.items()):
        place = tree / target
        shutil.copyfile(source, place)
        place.chmod(0o755)
    shutil.copyfile(root, tree / "usr/local/share/ca-certificates/rehearsal-public-ca.crt")


async def import_into(engine: Engine, tree: Path) -> None:
    """Have the engine take the tree as an image; raises EnvironmentLacks."""
    await asyncio.to_thread(_import, engine.url, tree)


def _import(url: str, tree: Path) -> None:
    from docker import DockerClient
    from docker.errors import APIError

    client = DockerClient(base_url=url, version="auto", timeout=300)
    packing = subprocess.Popen(
        ["tar", "--create", "--numeric-owner", f"--directory={tree}", "."],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C"},
    )
    try:
        client.api.import_image_from_stream(packing.stdout, repository=NAME, tag=TAG, changes=_CHANGES)
        if packing.wait():
            raise EnvironmentLacks("the base image could not be packed", where=str(tree))
        client.images.get(f"{NAME}:{TAG}")
    except APIError as error:
        raise EnvironmentLacks(f"the engine did not take the base image: {error.explanation or error}") from error
    finally:
        packing.kill()
        packing.wait()
        client.close()


def _mirror() -> tuple[str, ...]:
    """The mirror that this machine's apt uses for its Debian; none: debootstrap's own choice."""
    said = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", f"Codename: {tools.codename()}"],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    uris = [line for line in said.stdout.splitlines() if line.startswith(("http://", "https://", "file:"))]
    return tuple(uri.rstrip("/") for uri in uris[:1])
