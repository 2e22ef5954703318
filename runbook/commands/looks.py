"""The options of every command that shows a run: screens or lines, the theme, the mouse."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from runbook.preferences import THEME_VARIABLE, Asked, ThemeName

_OPTIONS = (
    click.option(
        "--plain/--screens",
        "plain",
        default=None,
        help="Numbered lines and questions instead of screens; also for screen readers.",
    ),
    click.option(
        "--theme",
        type=click.Choice([name.value for name in ThemeName]),
        help=f"The look of the screens; also by {THEME_VARIABLE} or the configuration.",
    ),
    click.option("--mouse/--no-mouse", "mouse", default=None, help="Whether the screens listen to the mouse."),
)


def look_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options; it is called with `look`, what they say."""

    @functools.wraps(command)
    def wrapped(*arguments: Any, plain: bool | None, theme: str | None, mouse: bool | None, **options: Any) -> Any:
        look = Asked(ThemeName(theme) if theme else None, mouse, plain)
        return command(*arguments, look=look, **options)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped
