"""Which look the screens have. In each, every text on every ground it stands on has a contrast of at least 4.5 to 1."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from textual.theme import Theme

from runbook.preferences import ThemeName
from screens.themes.dark import DARK

STYLE: Final = Path(__file__).parent / "style"
"""Where the style sheets are."""

THEME: Final = DARK
"""The one that is shown where nothing speaks for another."""

OWN: Final = ("quiet", "rule", "rehearsal", "rehearsal-mark", "marked")
"""Variables of ours that every theme sets. `marked`: the style of the line that the cursor is on; both are styles."""

FALLBACKS: Final = {name: THEME.variables[name] for name in OWN}
"""For themes that do not set them."""

_LIGHT_GROUNDS: Final = frozenset({"7", *(str(number) for number in range(9, 16))})
"""The last field of COLORFGBG on a light ground, as rxvt counts its colours."""


def theme_for(name: ThemeName, environ: Mapping[str, str], *, few_colours: bool, colour: bool = True) -> Theme:
    """The look of that name at this terminal; `few_colours`: it can show sixteen.

    Without colour it is that of the sixteen colours: it tells nothing by grounds that are not written then.
    """
    if not colour or name is ThemeName.TERMINAL or (name is ThemeName.AUTO and few_colours):
        from screens.themes.terminal import TERMINAL_DARK, TERMINAL_LIGHT

        return TERMINAL_LIGHT if _is_light(environ) else TERMINAL_DARK
    if name is ThemeName.LIGHT or (name is ThemeName.AUTO and _is_light(environ)):
        from screens.themes.light import LIGHT

        return LIGHT
    if name is ThemeName.CONTRAST:
        from screens.themes.contrast import CONTRAST

        return CONTRAST
    return DARK


def _is_light(environ: Mapping[str, str]) -> bool:
    """Whether the terminal says that its ground is light; where it says nothing, it is taken for dark."""
    return environ.get("COLORFGBG", "").rpartition(";")[2] in _LIGHT_GROUNDS
