"""One engine of the site profile, and a base image that needs no registry."""

from __future__ import annotations

import io
import json
import re
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from docker import DockerClient
from docker.types import Mount

from runbook.site import EngineProfile, Site
from tests.stand_in import StandIn

BUSYBOX = Path("/bin/busybox")
OURS = "ccat-ca_step-ca-data"
OTHERS = "dex-data"


class Bench:
    """A step's surroundings, and the engine as somebody else sees it."""

    def __init__(self, folder: Path, socket: Path, base: str) -> None:
        self.client = DockerClient(base_url=f"unix://{socket}", version="1.41")
        self.base = base
        self.folder = folder
        profile = EngineProfile(url=f"unix://{socket}", volumes=(OURS, "spare"), containers=("step-ca", "ghost"))
        self.site = Site(site=1, name="test", engines={"ca": profile})

    def context(self) -> StandIn:
        return StandIn(self.folder, site=self.site)

    def container(self, *command: str, name: str = "step-ca", start: bool = True, volume: str = "", **more: Any) -> Any:
        mounts = [Mount("/data", volume, type="volume")] if volume else []
        make = self.client.containers.run if start else self.client.containers.create
        detach = {"detach": True} if start else {}
        return make(self.base, list(command), name=name, mounts=mounts, network_mode="none", **detach, **more)

    def inside(self, volume: str, *command: str) -> str:
        """What a command says that runs with the volume at /data."""
        mounts = [Mount("/data", volume, type="volume")]
        said = self.client.containers.run(self.base, list(command), mounts=mounts, network_mode="none", remove=True)
        return bytes(said).decode()

    def clean(self) -> None:
        for container in self.client.containers.list(all=True):
            container.remove(force=True)
        for volume in self.client.volumes.list():
            volume.remove()
        self.client.images.prune(filters={"dangling": False})
        self.client.close()


def base_image(client: DockerClient) -> str:
    """An image with a busybox, what it is linked with and nothing else; its name."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for folder in ("bin", "etc", "tmp"):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
        tar.add(BUSYBOX.resolve(), "bin/busybox")
        for library in _libraries():
            tar.add(Path(library).resolve(), library.lstrip("/"))
        users = b"root:x:0:0::/:/bin/sh\nstep:x:1000:1000::/:/bin/sh\n"
        info = tarfile.TarInfo("etc/passwd")
        info.size = len(users)
        tar.addfile(info, io.BytesIO(users))
        for applet in ("sh", "ls", "cat", "sleep", "echo", "true"):
            info = tarfile.TarInfo(f"bin/{applet}")
            info.type, info.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(info)
    said = client.api.import_image_from_data(packed.getvalue(), repository="base-hsm", tag="1")
    assert "status" in json.loads(said.splitlines()[-1])
    return "base-hsm:1"


def _libraries() -> list[str]:
    """Paths under which the system's busybox is given its libraries (ldd(1)); none for a static one."""
    said = subprocess.run(["ldd", str(BUSYBOX)], capture_output=True, text=True, check=False).stdout
    return re.findall(r"(?:^\s+|=> )(/\S+) \(", said, flags=re.MULTILINE)
