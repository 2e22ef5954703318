"""What the palette offers: actions that work now, steps, looks, and help on words and kinds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial

from textual.binding import ActiveBinding
from textual.content import Content

from runbook import help_texts
from runbook.preferences import ThemeName
from runbook.record.state import Status
from screens.base_app import BaseApp
from screens.help.keys import NOTHING, told_by
from screens.key_names import key_names
from screens.run_view import RunView
from screens.words import CALM, QUIET, sign

GO_TO = "go to"
"""What the commands for the steps are called."""

LEFT = 12
"""Cells of the column of keys."""

Does = Callable[[], Awaitable[object] | None]


@dataclass(frozen=True, slots=True)
class Command:
    """Something that can be done."""

    group: str
    """What it is, in a word: `go to`, `theme`, `help on`; empty for an action."""
    name: str
    told: str
    does: Does
    key: str = ""
    status: Status | None = None
    """Of the step that it goes to."""

    @property
    def hay(self) -> str:
        """What is searched."""
        return f"{self.group} {self.name} {self.told} {self.key}".lower()

    @property
    def line(self) -> Content:
        """As it is shown: the key or the group in a column, then the name."""
        left = Content.styled(self.key, f"bold {CALM}") if self.key else Content.styled(self.group, QUIET)
        told = Content.styled(f"  {self.told}", QUIET) if self.told else ""
        pad = " " * max(2, LEFT - left.cell_length)
        mark = sign(self.status) + " " if self.status else ""
        return Content.assemble(left, pad, mark, Content.styled(self.name, "bold"), told)


def commands(app: BaseApp, view: RunView) -> list[Command]:
    """All of them: the actions that the bar of keys shows, the steps from the one that is shown on, and the rest."""
    actions = list(_actions(app, view))
    shown = [command for command, in_bar in actions if in_bar]
    others = [command for command, in_bar in actions if not in_bar]
    return [*shown, *_steps(view), *_looks(app), *others, *_help(app, view)]


def _actions(app: BaseApp, view: RunView) -> Iterator[tuple[Command, bool]]:
    """Those that can be done now, and whether the bar of keys shows them."""
    found: dict[str, tuple[ActiveBinding, list[str]]] = {}
    for key, active in view.active_bindings.items():
        binding = active.binding
        if active.enabled and binding.id and binding.action not in _NOT_OFFERED:
            found.setdefault(binding.id, (active, []))[1].append(key)
    for active, keys in found.values():
        binding, told = active.binding, told_by(active.binding)
        name = binding.description[:1].lower() + binding.description[1:]
        does = partial(app.run_action, binding.action, active.node)
        yield Command("", name or told, "" if told == name else told, does, " ".join(key_names(keys))), binding.show


_NOT_OFFERED = frozenset({NOTHING, "palette"})
"""Actions that make no sense in the palette."""


def _steps(view: RunView) -> Iterator[Command]:
    for step in view.steps_from_here():
        yield Command(GO_TO, step.id, step.title, partial(view.go, step.id), status=view.state.step(step.id).status)


def _looks(app: BaseApp) -> Iterator[Command]:
    for name in ThemeName:
        told = "the one in force" if name is app.theme_name else ""
        yield Command("theme", name.value, told, partial(app.set_theme, name))


def _help(app: BaseApp, view: RunView) -> Iterator[Command]:
    kinds = set()
    for (role, name), steps in sorted(help_texts.kinds_used(view.runbook).items(), key=lambda kind: kind[0][1]):
        called = help_texts.kind_name(role, name)
        kinds.add(called)
        yield Command("help on", called, help_texts.used_by(steps), partial(app.show_help, called))
    for word in help_texts.WORDS:
        if word not in kinds:
            yield Command("help on", word, "", partial(app.show_help, word))
