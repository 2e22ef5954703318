"""Volumes, images and containers of an engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from textual.content import Content

from checks.evidence.containers import ContainerState, ImageState, LogLine, LogsRead, VolumeEntry, VolumeState
from checks.evidence.engine import EngineInfo
from screens.columns import Cell, pairs, table, wrap
from screens.evidence.marked import marked_line
from screens.evidence.pane import Pane, draws, octets, when
from screens.words import BAD, QUIET, verdict

Row = tuple[str, Cell]


_SHORT = len("sha256:") + 12
"""Characters of an image's id in its short form."""

_WIDE = 60
"""Cells above which hashes have twelve digits."""


def _state(box: ContainerState) -> Content:
    if box.status != "running" or box.health not in ("", "healthy"):
        return Content.styled(box.state, f"bold {BAD}" if box.problems else "")
    return verdict(not box.problems, box.state, box.state)


def _several(name: str, values: Iterable[str]) -> Iterator[Row]:
    for number, value in enumerate(values):
        yield "" if number else name, value


def _problems(problems: Iterable[str], width: int) -> Iterator[Content]:
    for problem in problems:
        yield from wrap(verdict(False, "", problem), width, hang=2)


@draws(EngineInfo)
class EnginePane(Pane[EngineInfo]):
    """The engine, what it runs, and the way to it."""

    heading = "Docker engine"

    def lines(self, width: int) -> Iterator[Content]:
        engine = self.evidence
        rows: list[Row] = [
            ("engine", Content.styled(engine.engine, "bold")),
            ("name", engine.name),
            ("version", f"{engine.version}, API {engine.api}"),
            ("system", engine.system),
        ]
        rows += [(name, value) for name, value in (("kernel", engine.kernel), ("storage", engine.storage)) if value]
        rows.append(("containers", f"{engine.running} of {engine.containers} running"))
        rows.append(("images", str(engine.images)))
        rows += _several("by", engine.reached)
        yield from pairs(rows, width)
        yield from _problems(engine.problems, width)


@draws(VolumeState)
class VolumePane(Pane[VolumeState]):
    """The volume, who uses it, and a row for everything in it."""

    heading = "Volume"

    def lines(self, width: int) -> Iterator[Content]:
        volume = self.evidence
        rows: list[Row] = [("volume", Content.styled(volume.volume, "bold")), ("engine", volume.engine)]
        if volume.there:
            rows.append(("driver", volume.driver))
        rows += _several("options", volume.options)
        rows += _several("labels", volume.labels)
        rows += _several("used by", volume.used_by)
        if volume.file:
            rows += [("archive", volume.file), ("SHA-256", volume.file_sha256)]
        rows += _several("note", volume.notes)
        yield from pairs(rows, width)
        if not volume.there:
            yield from wrap(Content.styled("it is not there", QUIET), width)
        if volume.entries:
            yield Content("")
            listed = [
                (
                    entry.path,
                    entry.mode,
                    f"{entry.owner}:{entry.group}",
                    f"{entry.size:,}",
                    entry.sha256[: 12 if width > _WIDE else 8] or entry.type,
                )
                for entry in volume.entries
            ]
            yield from table(("path", "mode", "owner", "bytes", "SHA-256"), listed, width, numbers=(3,))
        if volume.more:
            yield from wrap(Content.styled(f"and {volume.more} more", QUIET), width)
        yield from _problems(volume.problems, width)


@draws(VolumeEntry)
class EntryPane(Pane[VolumeEntry]):
    """One file or folder of a volume."""

    heading = "In a volume"

    def lines(self, width: int) -> Iterator[Content]:
        entry = self.evidence
        rows: list[Row] = [
            ("path", Content.styled(entry.path, "bold")),
            ("is", entry.type),
            ("mode", f"{entry.mode}  {entry.owner}:{entry.group}"),
            ("size", octets(entry.size)),
        ]
        rows += [(name, value) for name, value in (("leads to", entry.target), ("SHA-256", entry.sha256)) if value]
        yield from pairs(rows, width)


@draws(ImageState)
class ImagePane(Pane[ImageState]):
    """The image, and the paths that are in it."""

    heading = "Image"

    def lines(self, width: int) -> Iterator[Content]:
        image = self.evidence
        rows: list[Row] = [
            ("image", Content.styled(image.image, "bold")),
            ("engine", image.engine),
            ("id", image.id),
            ("created", when(image.created)),
            ("size", octets(image.size)),
            ("user", image.user or "root"),
        ]
        rows += _several("tags", image.tags)
        rows += _several("labels", image.labels)
        yield from pairs(rows, width)
        for path in image.found:
            yield from wrap(verdict(True, path, ""), width, hang=2)
        yield from _problems(image.problems, width)


@draws(ContainerState)
class ContainerPane(Pane[ContainerState]):
    """The container and how it is."""

    heading = "Container"

    def lines(self, width: int) -> Iterator[Content]:
        box = self.evidence
        rows: list[Row] = [
            ("container", Content.styled(box.container, "bold")),
            ("engine", box.engine),
            ("is", _state(box)),
        ]
        if box.there:
            rows += [
                ("image", Content.assemble(box.image, (f"  {box.image_id[:_SHORT]}", QUIET))),
                ("started", f"{when(box.started) or 'never'}, {box.restarts} restarts"),
                ("user", box.user or "not set"),
            ]
        rows += _several("mounts", box.mounts)
        yield from pairs(rows, width)
        yield from _problems(box.problems, width)


@draws(LogsRead)
class LogsPane(Pane[LogsRead]):
    """What was looked for in the log, and its last lines."""

    heading = "Log of a container"

    def lines(self, width: int) -> Iterator[Content]:
        log = self.evidence
        yield from pairs(
            [
                ("container", Content.styled(log.container, "bold")),
                ("engine", log.engine),
                ("lines", f"{log.lines} since {_began(log.since)}"),
            ],
            width,
        )
        yield from _problems((f"not found: {line}" for line in log.missed), width)
        for one in sorted(log.found, key=lambda one: one.good):
            yield from _found(one, width)
        if not log.found:
            yield from _problems(log.bad, width)
            for line in log.matched:
                yield from wrap(verdict(True, line, ""), width, hang=2)
        if log.last:
            yield Content("")
            yield Content.styled("its last lines", QUIET)
        places: dict[str, list[LogLine]] = {}
        for one in log.found:
            places.setdefault(one.text, []).append(one)
        for line in log.last:
            yield from marked_line(line, [(one.start, one.end, one.good) for one in places.get(line, ())], width)


def _began(since: str) -> str:
    """A container that has never ended is told to have done so in the year 1."""
    return "it was made" if since.startswith("0001-") else when(since)


def _found(one: LogLine, width: int) -> Iterator[Content]:
    """The pattern, and the line in which it was found."""
    said = f"found {one.pattern}" if one.good else f"must not come: {one.pattern}"
    yield from wrap(verdict(one.good, said, said), width, hang=2)
    yield from marked_line(one.text, [(one.start, one.end, one.good)], width, sign=False)
