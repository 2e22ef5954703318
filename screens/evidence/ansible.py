"""Ansible's recap: a row for each host, failures first, and what failed under it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from textual.content import Content

from checks.evidence.ansible import AnsibleRecap, RecapHost
from screens.columns import Cell, fits, flow, pairs, table, wrap
from screens.evidence.pane import Pane, draws
from screens.words import BAD, CALM, DOUBT, GOOD, QUIET

_COLUMNS = ("ok", "changed", "unreachable", "failed", "skipped", "rescued", "ignored")
_STYLES = {"changed": DOUBT, "unreachable": f"bold {BAD}", "failed": f"bold {BAD}"}

CHANGES_SHOWN = 30
"""Changed tasks that are listed."""


@draws(AnsibleRecap)
class AnsiblePane(Pane[AnsibleRecap]):
    """The exact command, the counts of tasks, and the messages of those that failed."""

    heading = "Ansible"

    def lines(self, width: int) -> Iterator[Content]:
        ran = self.evidence
        yield from wrap(Content.assemble(("$ ", f"bold {GOOD}"), (shlex.join(ran.argv), "bold")), width, hang=2)
        ended = f"exit code {ran.exit_code}" if ran.exit_code is not None else f"ended by {ran.ended_by}"
        rows: list[tuple[str, Cell]] = [("in", ran.folder), ("mode", ran.mode)]
        if ran.exit_code is None and not ran.ended_by:
            rows.append(("task", Content.styled(ran.task or "starting", f"bold {CALM}")))
        else:
            rows.append(("ended", ended))
        yield from pairs(rows, width)
        if ran.hosts:
            yield Content("")
            yield from _recap(ran.sorted, width)
        for note in ran.failures:
            yield Content("")
            yield from wrap(Content.styled(f"✗ {note.host}: {note.task}", f"bold {BAD}"), width, hang=2)
            for line in note.said:
                yield from wrap(line, width, indent=4, hang=2)
        if ran.changes:
            yield Content("")
            yield Content.styled("would change" if ran.mode == "dry run" else "changed", QUIET)
            for note in ran.changes[:CHANGES_SHOWN]:
                yield from wrap(Content.assemble(("▲ ", DOUBT), f"{note.host}: {note.task}"), width, indent=2, hang=2)
        for line in ran.said:
            yield from wrap(line, width, indent=2, hang=2)
        if ran.attached:
            yield Content("")
            yield from wrap(Content.styled(f"the whole output: attachment {ran.attached}", QUIET), width)


def _recap(hosts: Sequence[RecapHost], width: int) -> Iterator[Content]:
    """A column for each count; where there is no room for them, the counts of a host under its name."""
    head = ("", "host", *_COLUMNS)
    rows: list[tuple[Cell, ...]] = [
        (_sign(host), host.host, *(_count(name, getattr(host, name)) for name in _COLUMNS)) for host in hosts
    ]
    if fits(head, rows, width):
        yield from table(head, rows, width, numbers=range(2, len(head)))
        return
    for host in hosts:
        yield from wrap(Content.assemble(_sign(host), " ", (host.host, "bold")), width, hang=2)
        counts = [
            Content.assemble((f"{name} ", QUIET), _count(name, count))
            for name in _COLUMNS
            if (count := getattr(host, name))
        ]
        yield from wrap(flow(counts, width - 2), width, indent=2)


def _sign(host: RecapHost) -> Content:
    return Content.styled("✓", GOOD) if host.good else Content.styled("✗", f"bold {BAD}")


def _count(name: str, count: int) -> Content:
    return Content.styled(str(count) if count else "·", _STYLES.get(name, "") if count else QUIET)
