"""Light text on a dark ground."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

DARK: Final = Theme(
    name="dark",
    primary="#6cb6ff",
    secondary="#8ddb8c",
    accent="#c9a4ff",
    success="#57ab5a",
    warning="#d9a13a",
    error="#f2716b",
    foreground="#d6dde6",
    background="#0e1319",
    surface="#141b23",
    panel="#1d2732",
    dark=True,
    variables={
        "text-primary": "#7fc1ff",
        "text-success": "#74d180",
        "text-warning": "#eeb956",
        "text-error": "#ff8f87",
        "text-accent": "#d3b6ff",
        "quiet": "#98a5b3",
        "rule": "#33414f",
        "rehearsal": "#eeb956",
        "rehearsal-mark": "bold #1a1203 on #eeb956",
        "block-cursor-background": "#2a3a4c",
        "block-cursor-foreground": "#f0f5fa",
        "block-cursor-text-style": "bold",
        "marked": "on #2a3a4c",
        "footer-background": "#1d2732",
        "input-cursor-background": "#7fc1ff",
        "input-cursor-foreground": "#0e1319",
        "border": "#6cb6ff",
        "scrollbar": "#33414f",
        "scrollbar-hover": "#4a5c6e",
        "scrollbar-active": "#6cb6ff",
        "scrollbar-background": "#0e1319",
        "scrollbar-background-hover": "#0e1319",
        "scrollbar-background-active": "#0e1319",
    },
)
