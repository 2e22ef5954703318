"""A command line of systemctl(1), understood as far as a full lab's hosts do."""

from __future__ import annotations

from dataclasses import dataclass

LOOKING = ("show", "status", "is-active", "is-enabled", "is-failed")
CHANGING = ("start", "stop", "restart", "mask", "unmask", "enable", "disable")
WITHOUT_UNITS = ("daemon-reload",)

_WITHOUT_EFFECT = {
    *("--no-ask-password", "--no-pager", "--full", "-l", "--system", "--force", "-f", "--plain", "--no-legend"),
    *("--no-block", "--quiet", "-q", "--no-reload"),
}
_PROPERTY = ("-p", "--property")
_SUFFIXES = (
    *(".service", ".socket", ".target", ".timer", ".mount", ".path"),
    *(".device", ".swap", ".slice", ".scope", ".automount"),
)


class NotUnderstood(Exception):
    """What systemctl says of a command line that it does not take."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call."""

    verb: str
    units: tuple[str, ...] = ()
    """With their suffixes."""
    properties: tuple[str, ...] = ()
    """Of `show`; empty: all."""
    now: bool = False
    value: bool = False
    """Without the names of the properties."""


def parse(arguments: list[str]) -> Call:
    """Raises NotUnderstood."""
    words: list[str] = []
    properties: list[str] = []
    flags: set[str] = set()
    left = iter(arguments)
    for word in left:
        name, _, value = word.partition("=")
        if word == "--":
            words += left
        elif name in _PROPERTY:
            properties += (value or next(left, "")).split(",")
        elif word in ("--now", "--value"):
            flags.add(word)
        elif word.startswith("-") and word not in _WITHOUT_EFFECT:
            raise NotUnderstood(f"systemctl: unrecognized option '{word}'")
        elif not word.startswith("-"):
            words.append(word)
    verb, *units = words or [""]
    if verb not in (*LOOKING, *CHANGING, *WITHOUT_UNITS):
        raise NotUnderstood(f"Unknown command verb {verb}." if verb else "This lab's systemctl lists no units.")
    if verb not in WITHOUT_UNITS and not units:
        raise NotUnderstood("Too few arguments.")
    return Call(verb, tuple(_full(unit) for unit in units), tuple(properties), "--now" in flags, "--value" in flags)


def _full(unit: str) -> str:
    """Without a suffix it is a service (systemd.unit(5))."""
    return unit if unit.endswith(_SUFFIXES) else f"{unit}.service"
