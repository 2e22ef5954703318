"""How keys are called on the screens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from textual.keys import format_key

_NAMES: Final = {
    "enter": "Enter",
    "escape": "Esc",
    "tab": "Tab",
    "space": "Space",
    "backspace": "Backspace",
    "delete": "Del",
    "home": "Home",
    "end": "End",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}
_MODIFIERS: Final = {"ctrl": "Ctrl", "shift": "Shift", "alt": "Alt", "super": "Super"}


def key_name(key: str) -> str:
    """`ctrl+p` as `Ctrl+P`, `question_mark` as `?`, `pagedown` as `PgDn`."""
    *modifiers, last = key.split("+")
    name = _NAMES.get(last)
    if name is None and len(last) == 1:
        name = last.upper() if modifiers else last
    if name is None:
        name = format_key(last)
        name = name if len(name) == 1 else name.capitalize()
    return "+".join([*(_MODIFIERS.get(modifier, modifier) for modifier in modifiers), name])


def key_names(keys: Iterable[str]) -> tuple[str, ...]:
    """Each name once; a letter that works in both cases is named by the small one."""
    listed = list(dict.fromkeys(keys))
    both = {key for key in listed if len(key) == 1 and key.isupper() and key.lower() in listed}
    return tuple(key_name(key) for key in listed if key not in both)
