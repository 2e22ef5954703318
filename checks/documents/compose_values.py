"""The small languages inside a Compose file: mounts, tmpfs options, devices, durations, sizes, variables.

Source: the Compose Specification (compose-spec/spec.md), services' elements and "Specifying durations", "byte values".
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from runbook.files.document import Map, Node, Scalar, Seq
from runbook.files.problems import Mark

_UNITS: Mapping[str, float] = {
    **{"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3},
    **{"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0},
}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h|d|w)")
_BYTES = re.compile(r"([0-9]+)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a service lists, and where."""

    mark: Mark
    source: str
    """Empty: an anonymous volume, or a tmpfs."""
    target: str
    options: Mapping[str, str] = field(default_factory=dict)
    """Of a tmpfs `mode`, `uid`, `gid` and `size` as spelled; of a mount `ro`; of a device `permissions`."""

    @property
    def read_only(self) -> bool:
        return "ro" in self.options


def seconds(text: str) -> float | None:
    """A duration such as `1m30s` in seconds; None: it is none, for example for lack of a unit."""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def size(text: str) -> int | None:
    """Bytes from `1M`, `64k`, `1048576`; None: it is no size."""
    match = _BYTES.fullmatch(text)
    return int(match[1]) * 1024 ** " kmgt".index(match[2].lower() or " ") if match else None


def path(text: str) -> str:
    """A path without what makes no difference, such as the final slash; one of the project begins with `./`."""
    if not text or not text.startswith((".", "/", "~")):
        return text
    normal = posixpath.normpath(text)
    return normal if normal.startswith(("/", "~", "..")) or normal == "." else f"./{normal}"


def split(text: str) -> list[str]:
    """At colons, but for those inside `${…}`."""
    kept: list[str] = []

    def hide(match: re.Match[str]) -> str:
        kept.append(match.group())
        return f"\0{len(kept) - 1}\0"

    parts = _REFERENCE.sub(hide, text).split(":")
    return [re.sub("\0([0-9]+)\0", lambda match: kept[int(match[1])], part) for part in parts]


def texts(node: Node | None) -> Iterator[tuple[str, Mark]]:
    """The texts of a list, or the one text that stands in its place."""
    for item in node.items if isinstance(node, Seq) else (node,):
        if isinstance(item, Scalar) and item.value is not None:
            yield item.text, item.mark


def _text(holder: Map, key: str) -> str:
    node = holder.get(key)
    return node.text if isinstance(node, Scalar) and node.value is not None else ""


def mounts(service: Map) -> Iterator[Entry]:
    """What `volumes` mounts, in the short syntax (`SOURCE:TARGET:MODE`) and the long one; no tmpfs."""
    for item in service.entries("volumes"):
        if isinstance(item, Map) and _text(item, "type") != "tmpfs":
            options = {"ro": ""} if _text(item, "read_only").lower() == "true" else {}
            yield Entry(item.mark, path(_text(item, "source")), path(_text(item, "target")), options)
        elif isinstance(item, Scalar):
            parts = split(item.text)
            source, target = ("", parts[0]) if len(parts) == 1 else (parts[0], parts[1])
            options = dict.fromkeys(parts[2].split(","), "") if len(parts) > 2 else {}
            yield Entry(item.mark, path(source), path(target), options)


def tmpfs(service: Map) -> Iterator[Entry]:
    """What `tmpfs`, and `volumes` of that type, mount."""
    for text, mark in texts(service.get("tmpfs")):
        target, _, options = text.partition(":")
        pairs = (option.partition("=")[::2] for option in options.split(",") if option)
        yield Entry(mark, "", path(target), dict(pairs))
    for item in service.entries("volumes"):
        if isinstance(item, Map) and _text(item, "type") == "tmpfs":
            own = item.map("tmpfs")
            mode = own.get("mode") if own else None
            given = {"size": _text(own, "size")} if own and own.get("size") else {}
            if isinstance(mode, Scalar) and isinstance(mode.value, int):
                given["mode"] = f"{mode.value:04o}"
            yield Entry(item.mark, "", path(_text(item, "target")), given)


def devices(service: Map) -> Iterator[Entry]:
    """What `devices` passes on: `HOST:CONTAINER:PERMISSIONS`, where the last two may be left out."""
    for item in service.entries("devices"):
        if isinstance(item, Map):
            source = _text(item, "source")
            target, permissions = _text(item, "target") or source, _text(item, "permissions") or "rwm"
        elif isinstance(item, Scalar):
            source, *rest = split(item.text)
            target, permissions = (rest or [source])[0], (rest[1:] or ["rwm"])[0]
        else:
            continue
        yield Entry(item.mark, path(source), path(target), {"permissions": permissions})


def environment(service: Map) -> Iterator[tuple[str, str | None, Mark]]:
    """Name, text and place of each variable; None: passed on from the shell that runs Compose."""
    node = service.get("environment")
    if isinstance(node, Map):
        for name, item in node.items.items():
            given = isinstance(item, Scalar) and item.value is not None
            yield name, item.text if given and isinstance(item, Scalar) else None, node.keys[name]
        return
    for text, mark in texts(node):
        name, equals, value = text.partition("=")
        yield name, value if equals else None, mark


def command(node: Node | None) -> list[str]:
    """A command's words: a list as it is, a text as a shell splits it."""
    if isinstance(node, Seq):
        return [text for text, _ in texts(node)]
    text = node.text if isinstance(node, Scalar) and node.value is not None else ""
    try:
        return shlex.split(text)
    except ValueError:
        return [text]
