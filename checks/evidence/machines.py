"""What was found on a machine: units of systemd, USB devices, one file, a port, a copy, a compared value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from runbook.outcome import Evidence, ForeignLine


class SystemdUnit(Evidence):
    """A unit as `systemctl show` tells of it (systemd.unit(5), org.freedesktop.systemd1(5))."""

    kind: ClassVar[str] = "systemd_unit"
    unit: ForeignLine
    on: ForeignLine
    description: ForeignLine = ""
    load: ForeignLine
    """LoadState, such as `loaded`, `masked` or `not-found`."""
    active: ForeignLine
    """ActiveState and, in parentheses, SubState."""
    file: ForeignLine
    """UnitFileState, such as `enabled`; empty: it has no file."""
    main_pid: int = 0
    since: ForeignLine = ""
    """When ActiveState changed last, as the host writes it."""
    triggered_by: tuple[ForeignLine, ...] = ()
    expected: tuple[ForeignLine, ...] = ()
    problems: tuple[ForeignLine, ...] = ()

    def plain(self) -> Iterator[str]:
        yield f"{'BAD' if self.problems else 'ok '} {self.unit} on {self.on}: {self.active}, {self.load}"
        yield f"      unit file: {self.file or 'none'}" + (f", main PID {self.main_pid}" if self.main_pid else "")
        if self.since:
            yield f"      since {self.since}"
        if self.triggered_by:
            yield f"      started by {', '.join(self.triggered_by)}"
        yield from (f"      expected: {line}" for line in self.expected)
        yield from (f"    ! {problem}" for problem in self.problems)


class UsbDevice(Evidence):
    """A USB device as the kernel lists it in sysfs."""

    kind: ClassVar[str] = "usb_device"
    device: ForeignLine
    """Vendor and product as `20a0:4230`."""
    bus: ForeignLine
    number: ForeignLine
    port: ForeignLine
    """The path of ports, as `1-1.4`."""
    serial: ForeignLine = ""
    name: ForeignLine = ""
    wanted: bool = True

    def plain(self) -> Iterator[str]:
        serial = f", serial {self.serial}" if self.serial else ", no serial"
        yield f"{self.device} bus {self.bus} device {self.number} port {self.port}{serial}: {self.name or 'no name'}"


class UsbDevices(Evidence):
    """The devices of one vendor and product on a machine."""

    kind: ClassVar[str] = "usb"
    on: ForeignLine
    device: ForeignLine
    expected: int
    found: tuple[UsbDevice, ...]
    others: int
    """Further devices on the machine's buses."""

    @property
    def right(self) -> bool:
        return len(self.found) == self.expected and all(item.wanted for item in self.found)

    def plain(self) -> Iterator[str]:
        yield f"{self.device} on {self.on}: {len(self.found)} found, {self.expected} expected"
        for item in self.found:
            yield from (f"  {'' if item.wanted else '! another serial: '}{line}" for line in item.plain())
        yield f"  {self.others} other devices"


class FileState(Evidence):
    """One file of a machine: what it is, beside what it should be."""

    kind: ClassVar[str] = "file_state"
    path: ForeignLine
    on: ForeignLine
    as_root: bool = False
    found: ForeignLine
    """`regular file`, `directory`, … or `nothing`."""
    mode: ForeignLine = ""
    """Four octal digits."""
    owner: ForeignLine = ""
    group: ForeignLine = ""
    size: int = 0
    """In bytes."""
    changed: ForeignLine = ""
    """When its content changed last, RFC 3339 in UTC."""
    sha256: ForeignLine = ""
    """In hex; empty: it was not asked for."""
    target: ForeignLine = ""
    """Where a symbolic link leads."""
    matched: tuple[ForeignLine, ...] = ()
    """What is as it should be."""
    problems: tuple[ForeignLine, ...] = ()

    def plain(self) -> Iterator[str]:
        yield f"{'BAD' if self.problems else 'ok '} {self.path} on {self.on}: {self.found}"
        if self.mode:
            yield f"      mode {self.mode}, {self.owner}:{self.group}, {self.size} bytes, changed {self.changed}"
        if self.target:
            yield f"      a symbolic link to {self.target}"
        if self.sha256:
            yield f"      SHA-256 {self.sha256}"
        yield from (f"      {line}" for line in self.matched)
        yield from (f"    ! {problem}" for problem in self.problems)


class Copied(Evidence):
    """A file and its copy."""

    kind: ClassVar[str] = "copied"
    source: ForeignLine
    """With its machine, as `local:/etc/hosts`."""
    target: ForeignLine
    size: int
    """Of the source, in bytes."""
    source_sha256: ForeignLine
    target_sha256: ForeignLine
    """Read from the file in its place; empty: there is none."""
    mode: ForeignLine = ""
    owner: ForeignLine = ""
    group: ForeignLine = ""

    @property
    def same(self) -> bool:
        return self.source_sha256 == self.target_sha256

    def plain(self) -> Iterator[str]:
        yield f"{self.source} ({self.size} bytes)"
        yield f"  SHA-256 {self.source_sha256}"
        yield f"{self.target}" + (f" (mode {self.mode}, {self.owner}:{self.group})" if self.mode else "")
        yield f"  SHA-256 {self.target_sha256 or 'none: there is no such file'}"
        yield "the same" if self.same else "! not the same"


class PortState(Evidence):
    """A TCP port as a machine sees it."""

    kind: ClassVar[str] = "port"
    address: ForeignLine
    port: int
    seen_from: ForeignLine
    state: ForeignLine
    """`open`, or why it is not: `refused`, `no answer`, `unreachable`."""
    expected: ForeignLine
    """`open` or `closed`."""
    by: ForeignLine = ""
    """The program that tried, where it was not this one."""

    @property
    def right(self) -> bool:
        return (self.state == "open") == (self.expected == "open")

    def plain(self) -> Iterator[str]:
        by = f" (tried by {self.by})" if self.by else ""
        yield f"{self.address} port {self.port}, seen from {self.seen_from}: {self.state}, expected {self.expected}{by}"


class SecretCompared(Evidence):
    """Whether a value in a file is the one that was typed; neither is here, nor anything made from them."""

    kind: ClassVar[str] = "secret_compared"
    path: ForeignLine
    on: ForeignLine
    variable: ForeignLine = ""
    """The variable in the file; empty: the whole file is the value."""
    same: bool

    def plain(self) -> Iterator[str]:
        what = f"`{self.variable}` in {self.path}" if self.variable else self.path
        yield f"{what} on {self.on} {'is' if self.same else 'is NOT'} what was typed; compared in memory, not shown"
