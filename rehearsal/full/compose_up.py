"""What `docker compose` does for one service, through the engine's API: build, up, down, restart, logs, ps.

The network is always the engine's own host network: an engine of a lab has no bridge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rehearsal.full.service import Service

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

PROJECT: Final = "ccat-ca"
STOP_SECONDS: Final = 10


class ComposeFailed(Exception):
    """What could not be done, for people."""


class Compose:
    """A project of one service on an engine. Methods raise ComposeFailed and docker.errors.DockerException."""

    def __init__(self, client: DockerClient, say: Callable[[str], None]) -> None:
        self.client = client
        self._say = say

    def up(self, service: Service, extra_hosts: Mapping[str, str]) -> None:
        """Build the image, and see to it that a container of it runs as the file says; made anew where it does not."""
        image = self._build(service)
        found = self.container(service.name)
        if found is not None and not _is(found, image, service):
            self._remove(found)
            found = None
        if found is None:
            self._require_volumes(service)
            found = self.client.containers.create(**_wanted(service, extra_hosts))
            self._say(f"Container {found.name}  Created")
        if found.status != "running":
            found.start()
            self._say(f"Container {found.name}  Started")
        else:
            self._say(f"Container {found.name}  Running")

    def down(self, name: str) -> None:
        """Stop and remove the service's container; volumes stay."""
        found = self.container(name)
        if found is None:
            self._say(f"No container of {name} is there.")
            return
        self._remove(found)

    def restart(self, name: str) -> None:
        """Stop and start the service's container."""
        self._existing(name).restart(timeout=STOP_SECONDS)
        self._say(f"Container {container_name(name)}  Restarted")

    def logs(self, name: str, tail: int | str = "all") -> Iterator[str]:
        """Its output so far, a line at a time."""
        text = bytes(self._existing(name).logs(stdout=True, stderr=True, tail=tail))
        return (f"{name}-1  | {line}" for line in text.decode(errors="replace").splitlines())

    def ps(self) -> Iterator[str]:
        """A line for each container of the project."""
        yield f"{'NAME':<28}{'IMAGE':<34}STATUS"
        label = f"com.docker.compose.project={PROJECT}"
        for found in self.client.api.containers(all=True, filters={"label": label}):
            yield f"{found['Names'][0].lstrip('/'):<28}{found['Image']:<34}{found['Status']}"

    def container(self, name: str) -> Container | None:
        """The service's container; None where there is none."""
        from docker.errors import NotFound

        try:
            return self.client.containers.get(container_name(name))
        except NotFound:
            return None

    def _existing(self, name: str) -> Container:
        found = self.container(name)
        if found is None:
            raise ComposeFailed(f'service "{name}" is not running: there is no container {container_name(name)}')
        return found

    def _remove(self, container: Container) -> None:
        container.stop(timeout=STOP_SECONDS)
        self._say(f"Container {container.name}  Stopped")
        container.remove(v=False, force=True)
        self._say(f"Container {container.name}  Removed")

    def _build(self, service: Service) -> str:
        """The image's id."""
        from docker.errors import BuildError

        name = image_name(service.name)
        try:
            image, _ = self.client.images.build(
                path=str(service.context),
                dockerfile=service.dockerfile,
                buildargs=dict(service.build_args),
                tag=name,
                network_mode="host",
                rm=True,
                forcerm=True,
            )
        except BuildError as error:
            raise ComposeFailed(f"the image {name} cannot be built: {error.msg}") from error
        self._say(f"Image {name}  Built")
        return str(image.id)

    def _require_volumes(self, service: Service) -> None:
        """The engine would make a missing volume by itself; an external one has to be there."""
        from docker.errors import NotFound

        for mount in service.mounts:
            if mount.volume:
                try:
                    self.client.volumes.get(mount.source)
                except NotFound:
                    raise ComposeFailed(f'external volume "{mount.source}" not found') from None


def container_name(service: str) -> str:
    """As Compose names the first container of a service."""
    return f"{PROJECT}-{service}-1"


def image_name(service: str) -> str:
    """As Compose names the image that it builds for a service."""
    return f"{PROJECT}-{service}"


def labels(service: str) -> dict[str, str]:
    """What Compose labels a container with, as far as it is asked for."""
    return {"com.docker.compose.project": PROJECT, "com.docker.compose.service": service}


def _wanted(service: Service, extra_hosts: Mapping[str, str]) -> dict[str, Any]:
    """Arguments of `containers.create`."""
    from docker.types import Mount

    mounts = [
        Mount(item.target, item.source, type="volume" if item.volume else "bind", read_only=item.read_only)
        for item in service.mounts
    ]
    return {
        "image": image_name(service.name),
        "name": container_name(service.name),
        "labels": labels(service.name),
        "user": service.user,
        "entrypoint": list(service.entrypoint) or None,
        "environment": dict(service.environment),
        "tmpfs": dict(service.tmpfs),
        "mounts": mounts,
        "devices": [device for device in service.devices if _exists(device)],
        "restart_policy": {"Name": service.restart},
        "healthcheck": service.healthcheck,
        "network_mode": "host",
        "extra_hosts": dict(extra_hosts),
    }


def _exists(device: str) -> bool:
    """A machine without USB has no bus to pass on; the lab's token needs none."""
    return Path(device.partition(":")[0]).exists()


def _is(container: Container, image: str, service: Service) -> bool:
    """Whether the container was made as it would be made now, of the image with this id.

    Asked of the engine part by part: a hash of it all, which Compose keeps in a label, would be one of the PIN too.
    """
    config, host = container.attrs["Config"], container.attrs["HostConfig"]
    environment = {f"{name}={value}" for name, value in service.environment.items()}
    mounts = {(item["Type"], item["Source"], item["Target"]) for item in host.get("Mounts") or ()}
    return bool(
        container.attrs["Image"] == image
        and config["User"] == service.user
        and tuple(config["Entrypoint"] or ()) == service.entrypoint
        and environment <= set(config["Env"])
        and mounts == {("volume" if item.volume else "bind", item.source, item.target) for item in service.mounts}
        and (host.get("Tmpfs") or {}) == service.tmpfs
        and host["RestartPolicy"]["Name"] == service.restart
        and host["NetworkMode"] == "host"
    )
