"""A service of a Compose file as Compose would start it: everything filled in, paths absolute, sizes in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from checks.documents import compose_values as values
from checks.documents.yaml_tree import parse_yaml
from rehearsal.full.interpolation import interpolate
from runbook.files.document import Map, Node, Scalar, Seq

FILE = "docker-compose.ca.yml"
_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Mounted:
    """A volume, or a file or folder of this machine, in a container."""

    source: str
    target: str
    read_only: bool
    volume: bool


@dataclass(frozen=True, slots=True)
class Service:
    """What a container is made of. Its environment has secrets in it and is not shown."""

    name: str
    context: Path
    dockerfile: str
    build_args: Mapping[str, str]
    user: str
    restart: str
    environment: Mapping[str, str] = field(repr=False)
    devices: tuple[str, ...]
    """`HOST:CONTAINER:PERMISSIONS`."""
    tmpfs: Mapping[str, str]
    """Where it is mounted → options."""
    mounts: tuple[Mounted, ...]
    entrypoint: tuple[str, ...]
    healthcheck: Mapping[str, object] | None
    """As the engine takes it: durations in nanoseconds."""


class NoSuchService(Exception):
    """The file has no such service."""


def read_service(folder: Path, name: str, known: Mapping[str, str]) -> Service:
    """The service of the Compose file in `folder`.

    Raises NoSuchService, Malformed where it is no YAML, VariableMissing, OSError.
    """
    root = parse_yaml((folder / FILE).read_text())
    services = root.map("services") if isinstance(root, Map) else None
    own = services.map(name) if services else None
    if own is None or not isinstance(root, Map):
        raise NoSuchService(f"no such service: {name}")
    filled = _filled(own, known)
    if not isinstance(filled, Map):
        raise TypeError("a mapping stays one")
    build = filled.map("build") or Map(own.mark, {}, {})
    return Service(
        name=name,
        context=(folder / _text(build.get("context"), ".")).resolve(),
        dockerfile=_text(build.get("dockerfile"), "Dockerfile"),
        build_args={key: value or "" for key, value, _ in _pairs(build, "args")},
        user=_text(filled.get("user")),
        restart=_text(filled.get("restart"), "no"),
        environment={
            key: known.get(key, "") if value is None else value for key, value, _ in values.environment(filled)
        },
        devices=tuple(f"{item.source}:{item.target}:{item.options['permissions']}" for item in values.devices(filled)),
        tmpfs={
            item.target: ",".join(f"{key}={value}" if value else key for key, value in item.options.items())
            for item in values.tmpfs(filled)
        },
        mounts=tuple(_mounted(item, folder, root.map("volumes")) for item in values.mounts(filled)),
        entrypoint=tuple(values.command(filled.get("entrypoint"))),
        healthcheck=_health(filled.map("healthcheck")),
    )


def _filled(node: Node, known: Mapping[str, str]) -> Node:
    """The same tree with references filled in."""
    if isinstance(node, Map):
        return Map(node.mark, {key: _filled(item, known) for key, item in node.items.items()}, node.keys)
    if isinstance(node, Seq):
        return Seq(node.mark, tuple(_filled(item, known) for item in node.items))
    if isinstance(node, Scalar) and isinstance(node.value, str):
        text = interpolate(node.value, known)
        return Scalar(node.mark, text, text)
    return node


def _pairs(holder: Map, key: str) -> list[tuple[str, str | None, object]]:
    """Build arguments are written as an environment is."""
    node = holder.get(key)
    return [] if node is None else list(values.environment(Map(holder.mark, {"environment": node}, holder.keys)))


def _mounted(item: values.Entry, folder: Path, declared: Map | None) -> Mounted:
    if item.source.startswith((".", "/", "~")):
        return Mounted(str((folder / item.source).resolve()), item.target, item.read_only, volume=False)
    volume = declared.map(item.source) if declared else None
    return Mounted(_text(volume.get("name") if volume else None, item.source), item.target, item.read_only, volume=True)


def _health(own: Map | None) -> Mapping[str, object] | None:
    """HEALTHCHECK as the engine's API has it."""
    if own is None:
        return None
    test = own.get("test")
    words = [text for text, _ in values.texts(test)]
    found: dict[str, object] = {"test": words if isinstance(test, Seq) else ["CMD-SHELL", *words]}
    for key in ("interval", "timeout", "start_period"):
        if (seconds := values.seconds(_text(own.get(key)))) is not None:
            found[key] = int(seconds * _NANOSECONDS)
    if retries := _text(own.get("retries")):
        found["retries"] = int(retries)
    return found


def _text(node: Node | None, otherwise: str = "") -> str:
    return node.text if isinstance(node, Scalar) and node.value is not None else otherwise
