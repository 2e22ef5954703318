"""The command palette. It opens over the run alone, never over a prompt: what is typed there goes to the prompt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import ClassVar

from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider

from screens.base_app import BaseApp
from screens.marks import spanned
from screens.palette.commands import GO_TO, Command, commands
from screens.run_view import RunView

MOST = 60
"""Commands listed at most: nobody reads more, and each costs time to draw."""


class Finder(Provider):
    """Finds commands that hold every word that was typed; those whose name begins with it come first."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type] # whatever Textual gives its providers
        self._commands: list[Command] = []
        self._hay: list[str] = []

    async def startup(self) -> None:
        if isinstance(self.app, BaseApp) and isinstance(self.screen, RunView):
            self._commands = commands(self.app, self.screen)
            self._hay = [command.hay for command in self._commands]

    async def discover(self) -> Hits:
        steps = 0
        for command in self._commands:
            steps += command.group == GO_TO
            if command.group == GO_TO and steps > MOST:
                continue
            yield DiscoveryHit(command.line, self._doing(command), text=command.name)

    async def search(self, query: str) -> Hits:
        words = query.lower().split()
        for score, command in self._found(words):
            line = command.line
            spans = [(at, at + len(word)) for word in words if (at := line.plain.lower().find(word)) >= 0]
            yield Hit(score, spanned(line, spans), self._doing(command), text=command.name)

    def _found(self, words: list[str]) -> Iterator[tuple[float, Command]]:
        """The best ones; of equal ones, those that come first."""
        total = len(self._commands)
        scored = [
            (_score(words, command) - number / total / 100, command)
            for number, (command, hay) in enumerate(zip(self._commands, self._hay, strict=True))
            if all(word in hay for word in words)
        ]
        yield from sorted(scored, key=lambda one: one[0], reverse=True)[:MOST]

    def _doing(self, command: Command) -> Callable[[], Awaitable[None]]:
        async def do() -> None:
            # A prompt may have come up meanwhile: then what was chosen is not done behind it.
            if self.app.screen is self.screen:
                given = command.does()
                if given is not None:
                    await given

        return do


def _score(words: list[str], command: Command) -> float:
    """Between 0 and 1."""
    name, typed = command.name.lower(), " ".join(words)
    if name == typed:
        return 1.0
    action = 0.1 if not command.group else 0.0
    if name.startswith(typed):
        return 0.8 + action
    if all(word in name for word in words):
        return 0.6 + action
    if command.group and all(word in f"{command.group} {name}" for word in words):
        return 0.55
    return 0.3 + action


class Palette(CommandPalette):
    """Textual's, with our commands; it only ever takes itself away (see `Modal`)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "cursor_down", "Next", show=False, id="palette.down"),
        Binding("ctrl+p", "command_list('cursor_up')", "Before", show=False, id="palette.up"),
    ]

    def __init__(self) -> None:
        super().__init__([Finder], placeholder="What do you want to do, or where to go?")

    def dismiss(self, result: None = None) -> AwaitComplete:
        if self.app.screen is self:
            return super().dismiss(result)
        return AwaitComplete()
