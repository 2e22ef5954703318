"""Keys that the configuration gives instead of ours."""

from __future__ import annotations

from collections.abc import Mapping

from textual.app import App
from textual.binding import Binding, BindingsMap

from runbook.preferences import DEFAULTS, Preferences
from screens.key_names import key_name


def rebound(bindings: BindingsMap, keys: Mapping[str, str]) -> BindingsMap:
    """The bindings with these keys, by id.

    Textual's own way (`App.set_keymap`) also takes a key from what shares it, and gives it to a screen when a line that
    is typed in has it.
    """
    changed: dict[str, list[Binding]] = {}
    done: set[str] = set()
    for key, binding in bindings:
        name = binding.id or ""
        if name not in keys:
            changed.setdefault(key, []).append(binding)
        elif name not in done:
            done.add(name)
            for other in keys[name].split(","):
                changed.setdefault(other, []).append(binding.with_key(other))
    return BindingsMap.from_keys(changed)


def own_keys(app: App[object]) -> Mapping[str, str]:
    """Those that the person at this application prefers."""
    preferences: Preferences = getattr(app, "preferences", DEFAULTS)
    return preferences.keys


def key_for(app: App[object], name: str) -> str:
    """What to press for it, as keys are called on the screens; `name` is one of `runbook.keys.DOINGS`."""
    from runbook.keys import DOINGS

    return key_name(own_keys(app).get(name, DOINGS[name].keys).split(",")[0])
