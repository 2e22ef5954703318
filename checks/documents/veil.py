"""What looks like a secret is not shown: the files that are judged may hold one by mistake."""

from __future__ import annotations

import re

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
