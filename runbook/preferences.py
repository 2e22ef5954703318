"""How a person wants the program to look and to be operated.

Asked on the command line, else in the environment, else in their configuration, else as the program does it.

Where there is no configuration file, nothing heavy is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

from runbook import paths
from runbook.errors import UsageError

FILE_NAME: Final = "config.yaml"
THEME_VARIABLE: Final = "HSM_RUNBOOK_THEME"
NO_COLOR: Final = "NO_COLOR"
NOBODY: Final = "default"
"""The source of what nobody chose."""

T = TypeVar("T")


class ThemeName(StrEnum):
    """The looks of the screens."""

    AUTO = "auto"
    """Chosen by what the terminal says of itself."""
    DARK = "dark"
    LIGHT = "light"
    CONTRAST = "contrast"
    TERMINAL = "terminal"
    """The sixteen colours that the terminal itself is set to."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """What is in force."""

    theme: ThemeName = ThemeName.AUTO
    mouse: bool = True
    plain: bool = False
    """Numbered lines and questions instead of screens."""
    keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Keys (names with commas between, as Textual spells them) by the id of what they do, where they are not ours."""
    colour: bool = True
    """False: nothing is told by colour, and none is written (no-color.org)."""


DEFAULTS: Final = Preferences()


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says; None: nothing."""

    theme: ThemeName | None = None
    mouse: bool | None = None
    plain: bool | None = None


@dataclass(frozen=True, slots=True)
class InForce:
    """The preferences, and where each comes from."""

    preferences: Preferences
    sources: Mapping[str, str] = field(default_factory=dict)
    """By the name of the field: `--flag`, an environment variable, a file's path, or `default`."""


def config_path() -> Path:
    """Where the user's configuration lies, if there is one."""
    return paths.config_folder() / FILE_NAME


def in_force(asked: Asked, environ: Mapping[str, str], path: Path | None = None) -> InForce:
    """The preferences that hold now; `path`: another configuration file than the user's own.

    Raises UsageError with every problem of the file, and for a theme of the environment that there is none of.
    """
    path = path or config_path()
    written, source = DEFAULTS, str(path)
    given: frozenset[str] = frozenset()
    if path.is_file():
        from runbook.files.preferences_file import load_preferences

        written, given = load_preferences(path)
    sources: dict[str, str] = {}

    def first(name: str, flag: T | None, variable: tuple[str, T | None], configured: T) -> T:
        if flag is not None:
            sources[name] = f"--{name}" if flag is not False else f"--{_AGAINST[name]}"
            return flag
        if variable[1] is not None:
            sources[name] = variable[0]
            return variable[1]
        sources[name] = source if name in given else NOBODY
        return configured

    preferences = Preferences(
        theme=first("theme", asked.theme, (THEME_VARIABLE, _theme_of(environ)), written.theme),
        mouse=first("mouse", asked.mouse, ("", None), written.mouse),
        plain=first("plain", asked.plain, ("", None), written.plain),
        keys=first("keys", None, ("", None), written.keys),
        colour=first("colour", None, (NO_COLOR, False if environ.get(NO_COLOR) else None), configured=True),
    )
    return InForce(preferences, sources)


_AGAINST: Final = {"mouse": "no-mouse", "plain": "screens"}
"""The flags that say no."""


def _theme_of(environ: Mapping[str, str]) -> ThemeName | None:
    named = environ.get(THEME_VARIABLE, "")
    if not named:
        return None
    try:
        return ThemeName(named)
    except ValueError:
        from runbook.files.problems import did_you_mean

        hint = did_you_mean(named, list(ThemeName), "The themes are")
        raise UsageError(f"there is no theme `{named}`", where=THEME_VARIABLE, remedy=hint) from None
