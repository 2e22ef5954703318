"""The sixteen colours that the terminal itself is set to.

Text and ground are both named, neither is left to the terminal's default: so what is written can be read whatever that
is. Chosen are those that have 4.5 to 1 in the palettes of xterm, the Linux console, PuTTY, GNOME Terminal, Windows
Terminal and Visual Studio Code. Palettes that are fainter by design (Solarized, the older Tango) stay so here.

On white only red, magenta, blue and black can be read in all of them: there what is good is blue, and its sign and word
say what it is.
"""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

_ON_GROUND: Final = (
    "surface",
    "panel",
    "boost",
    "block-cursor-background",
    "footer-background",
    "input-cursor-foreground",
    "scrollbar-background",
    "scrollbar-background-hover",
    "scrollbar-background-active",
    "scrollbar-corner-color",
    "ansi-background",
)
_IN_TEXT: Final = (
    "text",
    "text-muted",
    "text-disabled",
    "foreground-muted",
    "quiet",
    "rule",
    "block-cursor-foreground",
    "input-cursor-background",
    "scrollbar",
    "scrollbar-hover",
    "scrollbar-active",
    "ansi-foreground",
)


def _sixteen(name: str, *, ground: str, text: str, calm: str, good: str, doubt: str, bad: str, dark: bool) -> Theme:
    """A look of these colours; what is not named has the colour of the text."""
    variables = {
        **dict.fromkeys(_ON_GROUND, ground),
        **dict.fromkeys(_IN_TEXT, text),
        "text-primary": calm,
        "text-accent": calm,
        "text-success": good,
        "text-warning": doubt,
        "text-error": bad,
        "rehearsal": doubt,
        "rehearsal-mark": f"bold reverse {doubt}",
        "border": calm,
        "marked": "reverse",
        "block-cursor-text-style": "bold reverse",
    }
    return Theme(
        name=name,
        primary=calm,
        secondary=good,
        accent=calm,
        success=good,
        warning=doubt,
        error=bad,
        foreground=text,
        background=ground,
        surface=ground,
        panel=ground,
        boost=ground,
        dark=dark,
        ansi=True,
        variables=variables,
    )


TERMINAL_DARK: Final = _sixteen(
    "terminal-dark",
    ground="ansi_black",
    text="ansi_white",
    calm="ansi_bright_cyan",
    good="ansi_bright_green",
    doubt="ansi_bright_yellow",
    bad="ansi_bright_red",
    dark=True,
)

TERMINAL_LIGHT: Final = _sixteen(
    "terminal-light",
    ground="ansi_bright_white",
    text="ansi_black",
    calm="ansi_blue",
    good="ansi_blue",
    doubt="ansi_magenta",
    bad="ansi_red",
    dark=False,
)
