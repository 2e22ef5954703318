"""What looks like a secret is not shown: the files that are judged may hold one by mistake."""

from __future__ import annotations

import re

HIDDEN = "•••"

_WORDS = r"pin|puk|passwd|password|passphrase|secret|token|credentials?|api[_-]?key|access[_-]?key|private[_-]?key"
_NAME = re.compile(rf"(?:^|[_.-]|(?<=[a-z])(?=[A-Z]))(?:{_WORDS})[0-9]*(?:$|[_.-](?:value|hash)$)", re.IGNORECASE)
_ELSEWHERE = re.compile(r"(source|file|path|dir|policy|name|label|count|length|type|url)$", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"(?<![A-Za-z0-9_.-])(?<!\$\{)(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)(?P<between>[\"']?\s*[:=]\s*)(?P<value>\"[^\"]*\"?|'[^']*'?|[^\s,;&}\]]+)"
)


def is_secret_name(name: str) -> bool:
    """Whether a variable or key of that name holds a secret itself, rather than the place of one."""
    return _NAME.search(name) is not None and _ELSEWHERE.search(name) is None


def is_reference(value: str) -> bool:
    """Whether a value is taken from elsewhere (`$NAME`, `${NAME:?text}`) and is no secret itself."""
    return re.fullmatch(r"\$(\w+|\{\w+(:?\?[^}]*|:?-)?\})", value.strip("\"'")) is not None


def veil(line: str) -> str:
    """The line without the values of whatever is named like a secret."""
    return _ASSIGNED.sub(_veiled, line)


def _veiled(match: re.Match[str]) -> str:
    rest = match.string[match.start("value") :]
    if not is_secret_name(match["name"]) or is_reference(match["value"]) or rest.startswith("${"):
        # The value itself may hold another assignment, as a URI does.
        return f"{match['name']}{match['between']}{veil(match['value']) if '=' in match['value'] else match['value']}"
    return f"{match['name']}{match['between']}{HIDDEN}"
