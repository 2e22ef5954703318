"""Finding one SHA-256 value in a text, however a tool or a person has spelled it.

Known: 64 hex digits in either case, whole or in groups, parted by colons, blanks, hyphens or line breaks, with rows
lettered or not; `sha256 Fingerprint=…` (openssl), `SHA256:…` with hex or with base64 (ssh-keygen), padded or not.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from runbook.errors import StepError

HEX_DIGITS = 64

_LABEL = re.compile(r"sha[-_ ]?(?:1|224|256|384|512)(?![0-9A-Za-z])|0x(?=[0-9a-f])", re.IGNORECASE)
"""What stands before a value and would be taken for a part of it."""
_ROW_LETTER = re.compile(r"^[ \t]*[A-Za-z][.):]?[ \t]+(?=[0-9A-Fa-f])", re.MULTILINE)
_HEX = re.compile(r"(?<![0-9A-Za-z_])[0-9A-Fa-f]+(?![0-9A-Za-z_])")
_GAP = re.compile(r":|:?[^\S\n]*\n[^\S\n]*|[^\S\n]+|[^\S\n]*-[^\S\n]*")
"""Between two groups of one value. A colon and a blank end a label, a colon and a line break do not."""
_BASE64 = re.compile(
    r"(?:sha256[:/= ]{1,3}([A-Z0-9+/_-]{43})|(?<![A-Z0-9+/_=-])([A-Z0-9+/_-]{43})=)(?![A-Z0-9+/_-])", re.IGNORECASE
)


class NoFingerprint(StepError):
    """There is no SHA-256 value in the text."""

    symptom = "no fingerprint"


class SeveralFingerprints(StepError):
    """There are different values, and nothing says which is meant."""

    symptom = "several fingerprints"


@dataclass(frozen=True, slots=True)
class _Group:
    """Hex digits with nothing between them."""

    text: str
    opens: bool
    """It opens its line, or what stands before it is no group."""
    closes: bool
    """It closes its line, or what stands behind it is no group."""


@dataclass(frozen=True, slots=True)
class _Window:
    """Neighbouring groups that make a value."""

    start: int
    end: int
    value: str
    fills_lines: bool

    def overlaps(self, other: _Window) -> bool:
        return self.start < other.end and other.start < self.end


def find_sha256(text: str, *, where: str = "") -> str:
    """The one SHA-256 value in `text`, 64 hex digits in lower case. Raises NoFingerprint and SeveralFingerprints.

    The messages never hold a value.
    """
    found = {value for run in _runs(text) for value in _values(run)} | set(_base64_values(text))
    if len(found) == 1:
        return found.pop()
    if found:
        raise SeveralFingerprints(
            f"{len(found)} different SHA-256 values stand here", where=where, remedy="Keep the one that is meant."
        )
    raise NoFingerprint(_nearest(text), where=where, remedy="64 hex digits are expected, in any usual spelling.")


def _base64_values(text: str) -> Iterator[str]:
    for match in _BASE64.finditer(text):
        spelled = (match[1] or match[2]).replace("-", "+").replace("_", "/") + "="
        raw = base64.b64decode(spelled)
        # 43 characters carry two bits too many; where they are set, this is some other text.
        if base64.b64encode(raw).decode() == spelled:
            yield raw.hex()


def _runs(text: str) -> Iterator[list[_Group]]:
    """Groups that may belong together: nothing but separators between them."""
    text = _ROW_LETTER.sub("", _LABEL.sub(" | ", text.replace("\r\n", "\n")))
    matches = list(_HEX.finditer(text))
    gaps = [text[left.end() : right.start()] for left, right in pairwise(matches)]
    joined = [False, *(bool(_GAP.fullmatch(gap)) for gap in gaps), False]
    broken = [True, *("\n" in gap for gap in gaps), True]
    run: list[_Group] = []
    for index, match in enumerate(matches):
        opens = not joined[index] or broken[index]
        closes = not joined[index + 1] or broken[index + 1]
        run.append(_Group(match[0].lower(), opens, closes))
        if not joined[index + 1]:
            yield run
            run = []


def _values(run: list[_Group]) -> Iterator[str]:
    """The values in a run: those that fill their lines, and others that do not share a group with one of them."""
    windows = [window for start in range(len(run)) if (window := _window(run, start)) is not None]
    filling = [window for window in windows if window.fills_lines]
    for window in windows:
        if window.fills_lines or not any(window.overlaps(other) for other in filling):
            yield window.value


def _window(run: list[_Group], start: int) -> _Window | None:
    """64 digits from `start` on, in groups of one size of which the last may be shorter."""
    size = len(run[start].text)
    value = ""
    for end in range(start, len(run)):
        group = run[end]
        if len(group.text) > size:
            return None
        value += group.text
        if len(value) == HEX_DIGITS:
            return _Window(start, end + 1, value, run[start].opens and group.closes)
        if len(group.text) < size or len(value) > HEX_DIGITS:
            return None
    return None


def _nearest(text: str) -> str:
    """What is there instead."""
    if not text.strip():
        return "there is no text"
    digits = max((sum(len(group.text) for group in run) for run in _runs(text)), default=0)
    known = {32: "an MD5 value", 40: "a SHA-1 value", 96: "a SHA-384 value", 128: "a SHA-512 value"}
    if digits in known:
        return f"{known[digits]} ({digits} hex digits) stands where a SHA-256 value is expected"
    if digits >= 48:
        return f"{digits} hex digits stand where the 64 of a SHA-256 value are expected"
    return "there is no SHA-256 value in this text"
