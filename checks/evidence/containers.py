"""Volumes, images and containers of an engine, and what a container says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from runbook.outcome import Evidence, ForeignLine


class VolumeEntry(Evidence):
    """A file or folder of a volume."""

    kind: ClassVar[str] = "volume_entry"
    path: ForeignLine
    """Within the volume; `.` is its root."""
    type: ForeignLine
    """`file`, `folder`, `symbolic link`, `hard link` or `device or pipe`."""
    owner: int
    """The user's number."""
    group: int
    mode: ForeignLine
    """Four octal digits."""
    size: int
    """Bytes."""
    sha256: ForeignLine = ""
    """Of a file's content, in hex."""
    target: ForeignLine = ""
    """Where a link leads."""

    def plain(self) -> Iterator[str]:
        yield f"{self.mode} {self.owner}:{self.group} {self.size:>9} {self.path}" + (
            f" -> {self.target}" if self.target else ""
        )
        if self.sha256:
            yield f"     sha256 {self.sha256}"


class VolumeState(Evidence):
    """A volume and what is in it."""

    kind: ClassVar[str] = "volume"
    engine: ForeignLine
    """As the site profile names it."""
    volume: ForeignLine
    there: bool
    driver: ForeignLine = ""
    labels: tuple[ForeignLine, ...] = ()
    """As `NAME=VALUE`."""
    options: tuple[ForeignLine, ...] = ()
    """The driver's, as `NAME=VALUE`."""
    used_by: tuple[ForeignLine, ...] = ()
    """Containers, each with its state."""
    entries: tuple[VolumeEntry, ...] = ()
    more: int = 0
    """Entries that are not listed."""
    file: ForeignLine = ""
    """The archive on this machine, where one was written or read."""
    file_sha256: ForeignLine = ""
    notes: tuple[ForeignLine, ...] = ()
    problems: tuple[ForeignLine, ...] = ()

    def plain(self) -> Iterator[str]:
        mark = "BAD" if self.problems else "ok "
        yield f"{mark} volume {self.volume} of engine {self.engine}" + ("" if self.there else ": not there")
        if self.there:
            yield f"      driver {self.driver}"
        yield from (f"      option {option}" for option in self.options)
        yield from (f"      label {label}" for label in self.labels)
        yield from (f"      used by {name}" for name in self.used_by)
        for entry in self.entries:
            yield from (f"      {line}" for line in entry.plain())
        if self.more:
            yield f"      and {self.more} more"
        if self.file:
            yield f"      archive {self.file}"
            yield f"      sha256 {self.file_sha256}"
        yield from (f"      {note}" for note in self.notes)
        yield from (f"    ! {problem}" for problem in self.problems)


class ImageState(Evidence):
    """An image."""

    kind: ClassVar[str] = "image"
    engine: ForeignLine
    image: ForeignLine
    """As it was asked for."""
    id: ForeignLine
    created: ForeignLine
    """As the engine says it (RFC 3339)."""
    size: int
    """Bytes."""
    tags: tuple[ForeignLine, ...] = ()
    labels: tuple[ForeignLine, ...] = ()
    user: ForeignLine = ""
    """Empty: root."""
    found: tuple[ForeignLine, ...] = ()
    """Paths that are in it."""
    problems: tuple[ForeignLine, ...] = ()

    def plain(self) -> Iterator[str]:
        yield f"{'BAD' if self.problems else 'ok '} image {self.image} of engine {self.engine}"
        yield f"      {self.id}"
        yield f"      created {self.created}, {self.size} bytes, user {self.user or 'root'}"
        yield from (f"      tag {tag}" for tag in self.tags)
        yield from (f"      label {label}" for label in self.labels)
        yield from (f"      in it: {path}" for path in self.found)
        yield from (f"    ! {problem}" for problem in self.problems)


class ContainerState(Evidence):
    """A container."""

    kind: ClassVar[str] = "container"
    engine: ForeignLine
    container: ForeignLine
    there: bool
    id: ForeignLine = ""
    image: ForeignLine = ""
    image_id: ForeignLine = ""
    status: ForeignLine = ""
    """The engine's word: `created`, `running`, `restarting`, `exited` …"""
    health: ForeignLine = ""
    """`starting`, `healthy`, `unhealthy`; empty: it has no health check."""
    exit_code: int | None = None
    restarts: int = 0
    started: ForeignLine = ""
    user: ForeignLine = ""
    """Empty: root, or the image's."""
    mounts: tuple[ForeignLine, ...] = ()
    """As `SOURCE:TARGET`, with `:ro` where it can only be read."""
    problems: tuple[ForeignLine, ...] = ()

    def plain(self) -> Iterator[str]:
        mark = "BAD" if self.problems else "ok "
        yield f"{mark} container {self.container} of engine {self.engine}: {self.state}"
        if self.there:
            yield f"      {self.id}"
            yield f"      image {self.image} ({self.image_id})"
            yield f"      started {self.started}, {self.restarts} restarts, user {self.user or 'not set'}"
        yield from (f"      mount {mount}" for mount in self.mounts)
        yield from (f"    ! {problem}" for problem in self.problems)

    @property
    def state(self) -> str:
        """In a few words."""
        if not self.there:
            return "not there"
        code = f" with {self.exit_code}" if self.status == "exited" else ""
        return f"{self.status}{code}" + (f", {self.health}" if self.health else "")


class LogLine(Evidence):
    """A line in which a pattern was found."""

    kind: ClassVar[str] = "log_line"
    text: ForeignLine
    start: int = 0
    end: int = 0
    """Characters of the text; 0 to 0: where it was found is not shown."""
    good: bool
    """Whether it was waited for, rather than must not come."""
    pattern: ForeignLine

    def plain(self) -> Iterator[str]:
        yield f"{'ok ' if self.good else 'BAD'} {self.pattern}"
        yield f"      | {self.text}"
        if self.end > self.start:
            yield f"        {' ' * self.start}{'^' * (self.end - self.start)}"


class LogsRead(Evidence):
    """What was looked for in a container's log, and its last lines."""

    kind: ClassVar[str] = "container_logs"
    engine: ForeignLine
    container: ForeignLine
    since: ForeignLine
    """When the run of the container began whose lines count (RFC 3339); year 1: it is its first."""
    lines: int
    """How many came."""
    matched: tuple[ForeignLine, ...] = ()
    """Patterns that were found, each with its line."""
    missed: tuple[ForeignLine, ...] = ()
    bad: tuple[ForeignLine, ...] = ()
    """Lines that must not come."""
    found: tuple[LogLine, ...] = ()
    """The same lines with their patterns, each at its place."""
    last: tuple[ForeignLine, ...] = ()

    def plain(self) -> Iterator[str]:
        yield f"{'BAD' if self.bad or self.missed else 'ok '} log of {self.container} on engine {self.engine}"
        yield f"      {self.lines} lines since {self.since}"
        if self.found:
            for one in self.found:
                yield from (f"  {line}" for line in one.plain())
        else:
            yield from (f"      found {line}" for line in self.matched)
            yield from (f"    ! {line}" for line in self.bad)
        yield from (f"    ! not found: {line}" for line in self.missed)
        yield from (f"      | {line}" for line in self.last)
