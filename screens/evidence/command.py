"""A command's output; where it is long, its beginning and its end."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from textual.content import Content

from checks.evidence.files import CommandOutput
from screens.columns import pairs, wrap
from screens.evidence.pane import Pane, draws
from screens.words import BAD, GOOD, QUIET, verdict

KEPT = 150
"""Lines shown at each end of a long output."""


@draws(CommandOutput)
class CommandPane(Pane[CommandOutput]):
    """The exact command, how it ended, which patterns were found, and what it said."""

    heading = "Command"

    def lines(self, width: int) -> Iterator[Content]:
        ran = self.evidence
        ended = f"exit code {ran.exit_code}" if ran.exit_code is not None else f"ended by {ran.ended_by or 'a signal'}"
        if ran.exit_code is not None and ran.ended_by:
            ended += f" ({ran.ended_by})"
        typed = ("sudo " if ran.as_root else "") + shlex.join(ran.argv)
        yield from wrap(Content.assemble(("$ ", f"bold {GOOD}"), (typed, "bold")), width)
        on = [("on", ran.on)] if ran.on else []
        yield from pairs([*on, ("in", ran.cwd or "its own folder"), ("ended", ended)], width)
        for pattern in ran.matched:
            yield from wrap(verdict(True, f"found: {pattern}", ""), width)
        for pattern in ran.missed:
            yield from wrap(verdict(False, "", pattern), width)
        for line in ran.attached:
            yield from wrap(Content.styled(line, QUIET), width)
        for name, text in (("output", ran.stdout), ("error output", ran.stderr)):
            if text.strip():
                yield Content("")
                yield Content.styled(name, QUIET)
                yield from _ends(text.rstrip("\n").split("\n"), width, BAD if name == "error output" else "")


def _ends(lines: list[str], width: int, style: str) -> Iterator[Content]:
    left_out = len(lines) - 2 * KEPT
    shown = lines if left_out <= 0 else [*lines[:KEPT], *lines[-KEPT:]]
    for number, line in enumerate(shown):
        if left_out > 0 and number == KEPT:
            yield from wrap(Content.styled(f"… {left_out} lines left out here; the record holds them", QUIET), width, 2)
        yield from wrap(Content.styled(line, style), width, indent=2)
