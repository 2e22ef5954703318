"""Typed input values: what a person types becomes the one form that checks compare (design §6)."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from runbook.files.problems import did_you_mean
from runbook.input_types import (
    ChoiceInput,
    Input,
    IntegerInput,
    ListInput,
    PathInput,
    SecretInput,
    Sha256Input,
    StringInput,
)

MAX_LENGTH = 4096
"""Characters of one value."""

_SHA256_PREFIX = re.compile(r"\s*(?:[\w-]*\s*)?(?:SHA-?256)(?:\s+fingerprint)?\s*[:=(]?\s*", re.IGNORECASE)
_OPENSSH = re.compile(r"SHA256:([A-Za-z0-9+/]{43})=?")
_SEPARATORS = frozenset(" :-.\t\n\r\u00a0")


def parse(declared: Input, text: str, *, base: Path | None = None, exists: bool = True) -> str:
    """The value in its normal form.

    A SHA-256 becomes 64 lower-case hex digits, a path an absolute one (`~` and `base`, else the current folder, are
    put before it; `exists` asks the disk, so call it in a thread), an integer plain decimal. Raises ValueError with
    a sentence that says what is wrong and where; a secret value is never part of it.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"the value is longer than {MAX_LENGTH} characters")
    match declared:
        case StringInput():
            return _string(declared, text)
        case IntegerInput():
            return _integer(declared, text)
        case PathInput():
            return _path(declared, text, base, exists)
        case Sha256Input():
            return sha256(text)
        case ChoiceInput():
            return _choice(declared, text)
        case ListInput():
            return _list(declared, text)
        case SecretInput():
            return _line(text)


def sha256(text: str) -> str:
    """64 lower-case hex digits from any usual spelling; raises ValueError.

    Read are bare digits, groups with colons, spaces, dashes or dots, either case, a prefix such as `SHA256:` or
    `SHA256 Fingerprint=` (openssl), and OpenSSH's base64 form (`SHA256:` and 43 characters, RFC 4648 §4).
    """
    openssh = _OPENSSH.fullmatch(text.strip())
    if openssh:
        try:
            return base64.b64decode(openssh[1] + "=", validate=True).hex()
        except binascii.Error:
            pass
    prefix = _SHA256_PREFIX.match(text)
    start = prefix.end() if prefix else 0
    digits: list[str] = []
    for place, char in enumerate(text[start:].rstrip(), start=start + 1):
        if char in _SEPARATORS:
            continue
        if char not in "0123456789abcdefABCDEF":
            raise ValueError(f"character {place} ({_named(char)}) is not a hex digit (0–9, a–f)")
        digits.append(char.lower())
    if len(digits) != 64:
        what = "is empty" if not digits else f"has {len(digits)} hex digits"
        raise ValueError(f"a SHA-256 fingerprint has 64 hex digits; this {what}")
    return "".join(digits)


def _line(text: str) -> str:
    """The text as one line; raises ValueError that names the place of what does not belong, never the text."""
    if not text:
        raise ValueError("the value is empty")
    for place, char in enumerate(text, start=1):
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            raise ValueError(f"character {place} cannot be part of a value (U+{ord(char):04X})")
    return text


def _string(declared: StringInput, text: str) -> str:
    if declared.pattern and not text.strip() and re.fullmatch(declared.pattern, ""):
        return ""  # the pattern says that it may be empty
    value = _line(text.strip())
    if not declared.pattern or re.fullmatch(declared.pattern, value):
        return value
    raise ValueError(f"`{value}` does not have the expected form (`{declared.pattern}`){_near(declared, value)}")


def _near(declared: StringInput, value: str) -> str:
    """What small change would make the value fit, if one would."""
    if re.fullmatch(declared.pattern, re.sub(r"\s", "", value)):
        return ": it has spaces"
    if any(re.fullmatch(declared.pattern, other) for other in (value.upper(), value.lower())):
        return ": upper and lower case differ"
    surplus = [at for at in range(len(value)) if re.fullmatch(declared.pattern, value[:at] + value[at + 1 :])]
    if len(surplus) == 1:
        return f": character {surplus[0] + 1} ({_named(value[surplus[0]])}) is one too many"
    if surplus:
        return ": there is one character too many"
    return f"; {declared.help}" if declared.help else ""


def _integer(declared: IntegerInput, text: str) -> str:
    value = text.strip()
    for place, char in enumerate(value, start=1):
        if not (char in "0123456789" or (char in "+-" and place == 1)):
            raise ValueError(f"character {place} ({_named(char)}) is not a digit; expected a whole number")
    if not value.lstrip("+-"):
        raise ValueError("expected a whole number")
    if len(value) > 18:
        raise ValueError("the number has more than 17 digits")
    number = int(value)
    if declared.minimum is not None and number < declared.minimum:
        raise ValueError(f"{number} is too small; at least {declared.minimum} is expected")
    if declared.maximum is not None and number > declared.maximum:
        raise ValueError(f"{number} is too large; at most {declared.maximum} is expected")
    return str(number)


def _choice(declared: ChoiceInput, text: str) -> str:
    value = _line(text.strip())
    if value in declared.choices:
        return value
    alike = [choice for choice in declared.choices if choice.casefold() == value.casefold()]
    if len(alike) == 1:
        return alike[0]
    listed = ", ".join(f"`{choice}`" for choice in declared.choices)
    hint = did_you_mean(value, declared.choices)
    raise ValueError(f"`{value}` is not one of {listed}{f'; {hint}' if hint else ''}")


def list_items(value: str) -> tuple[str, ...]:
    """The items of a `list` input's value, in order and without the empty ones."""
    return tuple(item for part in re.split(r"[,\n]", value) if (item := part.strip()))


def list_text(items: Iterable[object]) -> str:
    """The items of a site profile's list as the one text that `parse` takes; raises ValueError."""
    texts = [str(item) for item in items]
    for text in texts:
        if "," in text or "\n" in text:
            raise ValueError(f"an item holds a comma or a line break: `{text}`")
    return ", ".join(texts)


def _list(declared: ListInput, text: str) -> str:
    """The items with `, ` between them: what `{{ }}` inserts, and what `list_items` takes apart."""
    items = list_items(text)
    if not items:
        raise ValueError("the list is empty")
    for number, item in enumerate(items):
        _line(item)
        if item in items[:number]:
            raise ValueError(f"`{item}` is listed twice")
        if declared.pattern and not re.fullmatch(declared.pattern, item):
            raise ValueError(f"the item `{item}` does not have the expected form (`{declared.pattern}`)")
    return ", ".join(items)


def _path(declared: PathInput, text: str, base: Path | None, exists: bool) -> str:
    value = _line(text.strip())
    try:
        path = (base or Path.cwd()) / Path(value).expanduser()
    except RuntimeError:
        raise ValueError(f"`{value}`: there is no such user on this machine") from None
    if not exists or declared.type == "path":
        return str(path)
    try:
        fits = path.is_dir() if declared.type == "directory" else path.is_file()
        found = path.exists()
    except OSError as error:
        raise ValueError(f"`{path}` cannot be looked at: {error.strerror}") from None
    if fits:
        return str(path)
    if found:
        raise ValueError(f"`{path}` is not a {declared.type}")
    nearest = next((parent for parent in path.parents if parent.is_dir()), None)
    raise ValueError(f"`{path}` does not exist" + (f"; `{nearest}` does" if nearest else ""))


def _named(char: str) -> str:
    """The character as it can be shown."""
    return f"`{char}`" if char.isprintable() and char != "`" else f"U+{ord(char):04X}"
