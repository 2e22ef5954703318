"""A command's output; where it is long, its beginning and its end."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from textual.content import Content

from checks.evidence.files import CommandOutput, OutputMark
from screens.columns import pairs, wrap
from screens.evidence.marked import marked_line
from screens.evidence.pane import Pane, draws
from screens.words import BAD, GOOD, QUIET, verdict

KEPT = 150
"""Lines shown at each end of a long output."""

AROUND = 1
"""Lines shown before and after one in which something was found."""


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
        yield from wrap(Content.assemble(("$ ", f"bold {GOOD}"), (typed, "bold")), width, hang=2)
        on = [("on", ran.on)] if ran.on else []
        yield from pairs([*on, ("in", ran.cwd or "its own folder"), ("ended", ended)], width)
        for pattern in ran.matched:
            absent = pattern.startswith("not there: ")
            yield from wrap(verdict(True, pattern if absent else f"found in {pattern}", ""), width, hang=2)
        for pattern in ran.missed:
            yield from wrap(verdict(False, "", pattern), width, hang=2)
        for line in ran.attached:
            yield from wrap(Content.styled(line, QUIET), width, hang=2)
        streams = [("output", "stdout", ran.stdout, ""), ("error output", "stderr", ran.stderr, BAD)]
        # Where something is wrong, the errors are what one wants to read.
        for name, stream, text, style in reversed(streams) if ran.missed or ran.exit_code != 0 else streams:
            if text.strip():
                yield Content("")
                yield Content.styled(name, QUIET)
                marks = [mark for mark in ran.marks if mark.stream == stream]
                yield from _output(text.rstrip("\n").split("\n"), marks, width, style)


def _output(lines: list[str], marks: list[OutputMark], width: int, style: str) -> Iterator[Content]:
    """Its beginning, its end and the lines in which something was found; what is left out in between is counted."""
    kept = {number for number in range(len(lines)) if number < KEPT or number >= len(lines) - KEPT}
    kept |= {near for mark in marks for near in range(mark.line - AROUND, mark.line + AROUND + 1)}
    before = -1
    for number in sorted(kept & set(range(len(lines)))):
        if number > before + 1:
            count = number - before - 1
            said = f"… {count} {'line' if count == 1 else 'lines'} left out here; the record holds them"
            yield from wrap(Content.styled(said, QUIET), width, indent=2)
        places = [(mark.start, mark.end, mark.good) for mark in marks if mark.line == number]
        yield from marked_line(lines[number], places, width, style)
        before = number
