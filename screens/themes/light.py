"""Dark text on a light ground, for rooms with much light."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

LIGHT: Final = Theme(
    name="light",
    primary="#0b5cad",
    secondary="#1a6b2a",
    accent="#6b3fa0",
    success="#1a6b2a",
    warning="#7a4a00",
    error="#a8201a",
    foreground="#1c2530",
    background="#fbfcfd",
    surface="#f1f4f7",
    panel="#e3e9ef",
    dark=False,
    variables={
        "text-primary": "#0a549e",
        "text-success": "#14602a",
        "text-warning": "#734600",
        "text-error": "#a01c17",
        "text-accent": "#633a96",
        "quiet": "#4d5966",
        "rule": "#b3bfcb",
        "rehearsal": "#734600",
        "rehearsal-mark": "bold #fffaf0 on #734600",
        "block-cursor-background": "#cbdcee",
        "block-cursor-foreground": "#0d1620",
        "block-cursor-text-style": "bold",
        "marked": "on #cbdcee",
        "footer-background": "#e3e9ef",
        "input-cursor-background": "#0a549e",
        "input-cursor-foreground": "#fbfcfd",
        "border": "#0b5cad",
        "scrollbar": "#b3bfcb",
        "scrollbar-hover": "#8796a5",
        "scrollbar-active": "#0b5cad",
        "scrollbar-background": "#fbfcfd",
        "scrollbar-background-hover": "#fbfcfd",
        "scrollbar-background-active": "#fbfcfd",
    },
)
