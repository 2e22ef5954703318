"""What looks like a secret is not shown: the files that are judged may hold one by mistake."""

from __future__ import annotations

import re
from collections.abc import Sequence

HIDDEN = "•••"

_WORDS = r"pin|puk|passwd|password|passphrase|secret|token|credentials?|api[_-]?key|access[_-]?key|private[_-]?key"
_NAME = re.compile(rf"(?:^|[_.-]|(?<=[a-z])(?=[A-Z]))(?i:{_WORDS})[0-9]*(?:$|[_.-](?i:value|hash)$)")
_ELSEWHERE = re.compile(r"(?i:source|file|path|dir|policy|name|label|count|length|type|url)$")

_ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)(?P<between>[\"']?\s*[:=]\s*|\s+)")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"?|'(?:[^']|'')*'?")
_WORD = re.compile(r"[^\s\"']+")
_OF_URI = re.compile(r"[^;&\s\"']+")
_REFERENCE = re.compile(r"[\"']?\$(?:[A-Za-z_]\w*|\{\w+(?::?\?[^}]*|:?-)?\})(?=$|[\s\"',;&}\])])")
_REST = re.compile(r".+")


def is_secret_name(name: str) -> bool:
    """Whether a variable or key of that name holds a secret itself, rather than the place of one."""
    return _NAME.search(name) is not None and _ELSEWHERE.search(name) is None


def is_reference(value: str) -> bool:
    """Whether a value is taken from elsewhere (`$NAME`, `${NAME:?text}`) and is no secret itself."""
    match = _REFERENCE.match(value)
    return match is not None and not value[match.end() :].strip("\"'")


def veil(line: str) -> str:
    """A line of a file without the values of whatever is named like a secret; rather too much is hidden."""
    return _veiled(line, prose=False)


def veil_around(lines: Sequence[str], number: int, before: int = 2, after: int = 2) -> tuple[list[str], str, list[str]]:
    """A line (from 1) and those around it, without secrets; also such as stand under or after a secret's name."""

    def shown(place: int) -> str:
        line = lines[place]
        return veil(line) if not _continues_a_secret(lines, place) else f"{line[: _indent(line)]}{HIDDEN}"

    at = number - 1
    if not 0 <= at < len(lines):
        return [], "", []
    first, last = max(0, at - before), min(len(lines), at + after + 1)
    return [shown(place) for place in range(first, at)], shown(at), [shown(place) for place in range(at + 1, last)]


_FAR = 400
"""Lines looked back for the beginning of a value that goes over several."""

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_BLOCK = re.compile(r"-----(BEGIN|END) [A-Z ]*-----")


def _continues_a_secret(lines: Sequence[str], place: int) -> bool:
    """Whether the line belongs to a value whose name, or beginning, stands in a line before it."""
    indent, near, block, quotes = _indent(lines[place]), True, False, False
    for above in reversed(lines[max(0, place - _FAR) : place]):
        if not above.strip():
            continue
        if not block and (marker := _BLOCK.search(above)):
            if marker[1] == "BEGIN":  # of what is in PEM, nothing is told but that it is there
                return True
            block = True
        opens = not quotes and (above.count('"""') % 2 == 1 or above.count("'''") % 2 == 1)
        quotes = quotes or opens
        if (_indent(above) < indent or opens) and _names_a_secret(above):
            return True
        if near and not above.lstrip().startswith(("#", "//")) and _ends_with_a_secrets_name(above):
            return True
        indent = min(indent, _indent(above))
        near = near and above.rstrip().endswith("\\")
    return False


def _names_a_secret(line: str) -> bool:
    """Whether something that is named like a secret is given a value there, or begins to be."""
    names = (match for match in _KEY.finditer(line) if is_secret_name(match[0]))
    return any(line[match.end() :].lstrip(" \"'").startswith((":", "=")) for match in names)


_OPENS = re.compile(r"[ \t\"']*(?:[:=][ \t\"']*(?:[|>][+0-9-]*|[\[{(]*)[ \t\"']*\\?|\\)$")
"""What stands between a name and a value in the next line."""


def _ends_with_a_secrets_name(line: str) -> bool:
    """Whether a secret's name stands last, and its value is still to come."""
    names = (match for match in _KEY.finditer(line) if is_secret_name(match[0]))
    return any(_OPENS.match(line, match.end()) for match in names)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def veil_text(text: str) -> str:
    """The same for a sentence: a colon, or a space, after a word says nothing there."""
    return _veiled(text, prose=True)


def _veiled(line: str, *, prose: bool) -> str:
    shown, at = "", 0
    while match := _ASSIGNMENT.search(line, at):
        shown += line[at : match.end()]
        at = match.end()
        value = _value(line, match, prose=prose)
        if value is not None:
            shown += HIDDEN
            at = value.end()
    return shown + line[at:]


def _value(line: str, match: re.Match[str], *, prose: bool) -> re.Match[str] | None:
    """The secret that follows the name; None: there is none."""
    between, at = match["between"], match.end()
    if not is_secret_name(match["name"]) or line[: match.start()].endswith(("${", "$")) or _REFERENCE.match(line, at):
        return None
    if match["name"].endswith("pin-value"):
        return _OF_URI.match(line, at)
    if between.isspace():
        # `ENV NAME the whole rest`; anywhere else a space says nothing.
        return _REST.match(line, at) if re.match(r"\s*ENV\s+$", line[: match.start()], re.IGNORECASE) else None
    if prose and ":" in between and between[0] not in "\"'":
        return None
    return _QUOTED.match(line, at) or (_REST if ":" in between else _WORD).match(line, at)
