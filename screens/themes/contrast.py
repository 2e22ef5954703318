"""Bright on black, with at least 7 to 1 for every text (WCAG 2.2, 1.4.6), and rules that are seen."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

CONTRAST: Final = Theme(
    name="contrast",
    primary="#7cd0ff",
    secondary="#6dff86",
    accent="#e2c6ff",
    success="#6dff86",
    warning="#ffd94a",
    error="#ffa39c",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#10161c",
    dark=True,
    variables={
        "text-primary": "#8fd6ff",
        "text-success": "#6dff86",
        "text-warning": "#ffd94a",
        "text-error": "#ffaaa3",
        "text-accent": "#e2c6ff",
        "quiet": "#d4dae0",
        "rule": "#a3adb7",
        "rehearsal": "#ffd94a",
        "rehearsal-mark": "bold #000000 on #ffd94a",
        "block-cursor-background": "#0a2f52",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "bold",
        "marked": "on #0a2f52",
        "footer-background": "#10161c",
        "input-cursor-background": "#ffffff",
        "input-cursor-foreground": "#000000",
        "border": "#ffffff",
        "scrollbar": "#a3adb7",
        "scrollbar-hover": "#ffffff",
        "scrollbar-active": "#ffffff",
        "scrollbar-background": "#000000",
        "scrollbar-background-hover": "#000000",
        "scrollbar-background-active": "#000000",
    },
)
