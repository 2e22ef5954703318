"""What a step will do, in exact commands."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from screens.columns import exact
from screens.keys import key_for
from screens.lines import Lines
from screens.words import CALM, QUIET


class StepCommands(Lines):
    """The same lines as at the point of no return."""

    SHOWS = ("_commands",)

    def __init__(self, commands: tuple[str, ...] | None) -> None:
        """None: they are being worked out."""
        super().__init__(classes="commands")
        self._commands = commands

    def lines(self, width: int) -> Iterator[Content]:
        if self._commands is None:
            yield Content.styled("what it will do exactly is being worked out …", QUIET)
        else:
            yield Content.styled(f"what it does, exactly; {key_for(self.app, 'step.commands')} folds it", QUIET)
            yield from exact(self._commands, width, CALM)
