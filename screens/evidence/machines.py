"""What was found on a machine: units, USB devices, a file, a copy, a port, a compared secret."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from textual.content import Content

from checks.evidence.machines import Copied, FileState, PortState, SecretCompared, SystemdUnit, UsbDevices
from screens.columns import Cell, pairs, table, wrap
from screens.evidence.pane import Pane, draws, octets, when
from screens.fingerprints import compared
from screens.words import BAD, QUIET, verdict

Row = tuple[str, Cell]


def _judged(matched: Iterable[str], problems: Iterable[str], width: int) -> Iterator[Content]:
    for line in problems:
        yield from wrap(verdict(False, "", line), width, hang=2)
    for line in matched:
        yield from wrap(verdict(True, line, ""), width, hang=2)


@draws(SystemdUnit)
class UnitPane(Pane[SystemdUnit]):
    """One unit: its states, and what starts it."""

    heading = "systemd unit"

    def lines(self, width: int) -> Iterator[Content]:
        unit = self.evidence
        rows: list[Row] = [
            ("unit", Content.styled(unit.unit, "bold")),
            ("on", unit.on),
            ("active", unit.active),
            ("loaded", unit.load),
            ("unit file", unit.file or "none"),
            *([("expected", Content.styled(", ".join(unit.expected), "bold"))] if unit.expected else []),
        ]
        more = (
            ("since", unit.since),
            ("main PID", str(unit.main_pid or "")),
            ("started by", ", ".join(unit.triggered_by)),
            ("what", unit.description),
        )
        rows += [(name, value) for name, value in more if value]
        yield from pairs(rows, width)
        yield from _judged((), unit.problems, width)


@draws(UsbDevices)
class UsbPane(Pane[UsbDevices]):
    """A row for each device."""

    heading = "USB devices"

    def lines(self, width: int) -> Iterator[Content]:
        usb = self.evidence
        count = f"{len(usb.found)} of {usb.device} on {usb.on}"
        yield from wrap(verdict(usb.right, count, f"{count}, expected {usb.expected}"), width, hang=2)
        rows = [
            (
                Content.styled("✓" if item.wanted else "✗", "" if item.wanted else f"bold {BAD}"),
                f"{item.bus}:{item.number}",
                item.port,
                item.serial or "–",
                item.name or "–",
            )
            for item in usb.found
        ]
        if rows:
            yield from table(("", "bus", "port", "serial", "name"), rows, width)
        yield from pairs([("others", str(usb.others))], width)


@draws(FileState)
class FileStatePane(Pane[FileState]):
    """One file: whose it is, what may be done with it, and what was judged."""

    heading = "File on a machine"

    def lines(self, width: int) -> Iterator[Content]:
        file = self.evidence
        rows: list[Row] = [
            ("file", Content.styled(file.path, "bold")),
            ("on", f"{file.on}{', looked at as root' if file.as_root else ''}"),
            ("is", file.found),
        ]
        if file.mode:
            rows += [
                ("mode", f"{file.mode}  {file.owner}:{file.group}"),
                ("size", f"{octets(file.size)}, changed {when(file.changed)}"),
            ]
        rows += [(name, value) for name, value in (("leads to", file.target), ("SHA-256", file.sha256)) if value]
        yield from pairs(rows, width)
        yield from _judged(file.matched, file.problems, width)


@draws(Copied)
class CopiedPane(Pane[Copied]):
    """The file and its copy; where they differ, their hashes side by side."""

    heading = "Copy"

    def lines(self, width: int) -> Iterator[Content]:
        copy = self.evidence
        rows: list[Row] = [("file", f"{copy.source} ({octets(copy.size)})"), ("copy", copy.target)]
        if copy.mode:
            rows.append(("mode", f"{copy.mode}  {copy.owner}:{copy.group}"))
        if copy.same:
            rows.append(("SHA-256", copy.source_sha256))
        yield from pairs(rows, width)
        if copy.same:
            yield verdict(True, "the same", "")
        elif copy.target_sha256:
            yield from compared("file", copy.source_sha256, "copy", copy.target_sha256, width)
        else:
            yield verdict(False, "", "there is no copy")


@draws(PortState)
class PortPane(Pane[PortState]):
    """One port: how it was found, beside how it should be."""

    heading = "Port"

    def lines(self, width: int) -> Iterator[Content]:
        port = self.evidence
        rows: list[Row] = [
            ("address", Content.styled(f"{port.address} port {port.port}", "bold")),
            ("seen from", port.seen_from),
            ("found", verdict(port.right, port.state, port.state)),
            ("expected", port.expected),
        ]
        yield from pairs([*rows, ("tried by", port.by)] if port.by else rows, width)


@draws(SecretCompared)
class SecretPane(Pane[SecretCompared]):
    """Whether they are the same; there is nothing else to see."""

    heading = "Secret in a file"

    def lines(self, width: int) -> Iterator[Content]:
        found = self.evidence
        rows: list[Row] = [("file", found.path), ("on", found.on)]
        yield from pairs([*rows, ("variable", found.variable)] if found.variable else rows, width)
        said = verdict(found.same, "what is there is what was typed", "what is there is not what was typed")
        yield from wrap(said, width, hang=2)
        yield from wrap(Content.styled("Compared in memory; neither is shown or recorded.", QUIET), width)
