"""Environment files, and `${…}` in a Compose file (Compose Specification, 12-interpolation)."""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(
    r"\$(?:(?P<dollar>\$)|(?P<plain>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?:(?P<how>:?[-?+])(?P<word>[^}]*))?\})"
)
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)")


class VariableMissing(Exception):
    """A variable that the file insists on has no value; the text is what Compose would say."""


def read_environment(text: str) -> dict[str, str]:
    """The variables of an environment file: `NAME=value`, quotes around the value taken off, `#` begins a comment."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if match := _LINE.fullmatch(line.strip()):
            found[match[1]] = _value(match[2])
    return found


def interpolate(text: str, known: Mapping[str, str]) -> str:
    """`text` with every reference filled in; a variable that is not known is empty. Raises VariableMissing."""

    def fill(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        name, how, word = match["plain"] or match["name"], match["how"] or "", match["word"] or ""
        value = known.get(name)
        # With a colon an empty value counts as none.
        missing = value is None or (how.startswith(":") and not value)
        match how[-1:]:
            case "?" if missing:
                raise VariableMissing(f"required variable {name} is missing a value: {word}")
            case "-" if missing:
                return interpolate(word, known)
            case "+":
                return "" if missing else interpolate(word, known)
        return value or ""

    return _REFERENCE.sub(fill, text)


def _value(text: str) -> str:
    if text[:1] in {"'", '"'} and text[0] in text[1:]:
        return text[1 : text.index(text[0], 1)]
    return re.sub(r"(^|\s)#.*", "", text).rstrip()
