"""What goes wrong in a full lab in a drill, on its engine and in the site's commands; and putting it right."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from rehearsal import mark
from rehearsal.faults import Fault
from rehearsal.full import base_image, engines
from rehearsal.full.deployed import deployed_checkout
from rehearsal.full.first_phase import VOLUME
from rehearsal.full.front_door import believe
from rehearsal.smartcard import CardPlaces

if TYPE_CHECKING:
    from docker import DockerClient

_BACKUP = "backup-of-step-ca"
_MODULE = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
_KEPT = "kept-by-the-drill"
_FILLED = ("certs/root_ca.crt", "certs/intermediate_ca.crt", "config/ca.json", "secrets/password")
"""What is in the volume once G4.fill has filled it."""

_POLL = 0.003
"""Seconds between two looks at the volume: a wipe is over in a tenth of one."""


def armed(lab: Path) -> Fault | None:
    """What is wrong in this lab until it is put right."""
    said = mark.read(lab)
    return said.fault if said and not CardPlaces(lab).mended.exists() else None


@contextlib.asynccontextmanager
async def drilling(lab: Path, url: str, fault: Fault | None) -> AsyncIterator[None]:
    """Inside, what happens on the engine at `url` happens, at its time."""
    watching: asyncio.Task[None] | None = None
    match fault:
        case Fault.VOLUME_IN_USE:
            await asyncio.to_thread(_hold_volume, url)
        case Fault.KILLED_AT_G3:
            watching = asyncio.create_task(_kill_when_gone(lab))
        case Fault.ROOT_OWNED_VOLUME:
            watching = asyncio.create_task(_own_when_filled(lab))
    try:
        yield
    finally:
        if watching:
            watching.cancel()
            await asyncio.wait([watching])


async def mend(lab: Path, url: str, fault: Fault | None) -> None:
    """What a person would put right; nothing where the fault has not shown yet."""
    match fault:
        case Fault.VOLUME_IN_USE | Fault.MODULE_PATH:
            await asyncio.to_thread(_restore_engine, url)
        case Fault.MITM_CA:
            believe(lab)
        case Fault.PIN_FILE_EMPTY:
            await asyncio.to_thread(_restore_pin, lab)


def before_up(lab: Path, client: DockerClient) -> None:
    """What has happened when the site's command brings the CA up."""
    match armed(lab):
        case Fault.PIN_FILE_EMPTY:
            _blank_pin(lab)
        case Fault.MODULE_PATH:
            _other_flavour(client)


def left_out(lab: Path) -> frozenset[str]:
    """The provisioners that the site's script forgets."""
    return frozenset({"service-accounts"} if armed(lab) is Fault.PROVISIONERS_FIVE else ())


def _volume(lab: Path) -> Path:
    return engines.place(lab).data / "volumes" / VOLUME / "_data"


def _hold_volume(url: str) -> None:
    from docker import DockerClient
    from docker.types import Mount

    with contextlib.closing(DockerClient(base_url=url, version="auto")) as client:
        if not client.containers.list(all=True, filters={"name": _BACKUP}):
            mounts = [Mount("/backup", VOLUME, type="volume", read_only=True)]
            client.containers.create(
                f"{base_image.NAME}:{base_image.TAG}", ["true"], name=_BACKUP, mounts=mounts, network_mode="none"
            )


def _other_flavour(client: DockerClient) -> None:
    """Another image under the base's name, without the module; the build in the next moment takes it."""
    if client.images.list(name=f"{base_image.NAME}:{_KEPT}"):
        return
    real = client.images.get(f"{base_image.NAME}:{base_image.TAG}")
    real.tag(base_image.NAME, _KEPT)
    changing = client.containers.create(real, ["rm", _MODULE], user="0", network_mode="none", entrypoint=[])
    changing.start()
    changing.wait(timeout=60)
    changes = ["USER step", "CMD []", "ENTRYPOINT []"]
    changing.commit(repository=base_image.NAME, tag=base_image.TAG, changes=changes)
    changing.remove()


def _restore_engine(url: str) -> None:
    from docker import DockerClient
    from docker.errors import NotFound

    with contextlib.closing(DockerClient(base_url=url, version="auto")) as client:
        with contextlib.suppress(NotFound):
            client.containers.get(_BACKUP).remove(force=True)
        with contextlib.suppress(NotFound):
            client.images.get(f"{base_image.NAME}:{_KEPT}").tag(base_image.NAME, base_image.TAG)


def _blank_pin(lab: Path) -> None:
    path = deployed_checkout(lab) / ".env"
    kept = path.with_name(f".env.{_KEPT}")
    if not kept.exists():
        shutil.copy2(path, kept)
        path.write_text(re.sub(r"(?m)^STEP_CA_HSM_PIN=.*$", 'STEP_CA_HSM_PIN=" "', path.read_text()))


def _restore_pin(lab: Path) -> None:
    path = deployed_checkout(lab) / ".env"
    with contextlib.suppress(FileNotFoundError):
        path.with_name(f".env.{_KEPT}").replace(path)


async def _kill_when_gone(lab: Path) -> None:
    """Kill the program that we are kept for, once: a run that goes on has a new volume."""
    done, volume = lab / "killed-at-g3", _volume(lab)
    if done.exists():
        return
    program = os.getppid()
    while not (volume / "config" / "ca.json").exists():  # noqa: ASYNC110 - another program's files
        await asyncio.sleep(_POLL)
    while (volume / "config" / "ca.json").exists():  # noqa: ASYNC110
        await asyncio.sleep(_POLL)
    done.touch()
    with contextlib.suppress(ProcessLookupError):
        os.kill(program, signal.SIGKILL)


async def _own_when_filled(lab: Path) -> None:
    """Make root the owner of all in the volume, once it has been filled."""
    done, volume = lab / "root-owned-volume", _volume(lab)
    while not (done.exists() or _is_filled(volume)):  # noqa: ASYNC110 - another program's files
        await asyncio.sleep(_POLL)
    if not done.exists():
        done.touch()
        for path in (volume, *volume.rglob("*")):
            os.chown(path, 0, 0, follow_symlinks=False)


def _is_filled(volume: Path) -> bool:
    """With the new CA's files; the first phase's have the same names, and its keys are files."""
    with contextlib.suppress(OSError):
        return all((volume / name).exists() for name in _FILLED) and b'"kms"' in (volume / _FILLED[2]).read_bytes()
    return False
