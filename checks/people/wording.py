"""The text of an announcement: what is put into it, and what must be in it before it may be sent."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping

from checks.artefacts.spellings import NoFingerprint, SeveralFingerprints, find_sha256
from runbook.files import templates
from runbook.groups import grouped_lines

FINGERPRINT = "<fingerprint>"
GROUPS = "<fingerprint groups>"
COMMAND = "<bootstrap command>"
"""What an announcement may say for the kind to fill in; the runbook's own `{{ }}` inserts inputs."""

_HEAD = "   1    2    3    4"
_ALONE = re.compile(rf"^([ \t]*){re.escape(GROUPS)}[ \t]*$", re.MULTILINE)
# An address between angle brackets, of mail or of the web, is no gap.
_GAP = re.compile(r"<(?![^<>\n]*(?:@|://))[A-Za-z][^<>\n]{0,80}>|\{\{[^\n]{0,80}?\}\}|\{%|\b(?:TODO|FIXME|XXX|TBD)\b")


def command(url: str, fingerprint: str) -> str:
    """What each member runs (playbook §H1); `fingerprint`: 64 hex digits in lower case."""
    return shlex.join(("step", "ca", "bootstrap", "--force", "--ca-url", url, "--fingerprint", fingerprint))


def insert(text: str, values: Mapping[str, str]) -> str:
    """The template's text with the values put in for their `{{ name }}`; raises UsageError (BadTemplate)."""
    return templates.render(text, values)


def fill(text: str, *, fingerprint: str, url: str) -> str:
    """The text with the fingerprint, its groups and the command in their places, and one line end at its end."""
    block = [_HEAD, *grouped_lines(fingerprint)]
    text = _ALONE.sub(lambda found: "\n".join(f"{found[1]}{line}" for line in block), text)
    text = text.replace(COMMAND, command(url, fingerprint)).replace(FINGERPRINT, fingerprint)
    return "\n".join(line.rstrip() for line in text.strip("\n").split("\n")) + "\n"


def problems(text: str, *, fingerprint: str, url: str) -> Iterator[tuple[str, str]]:
    """Symptom and sentence for all that keeps the text from being sent; `fingerprint` is the one it has to give."""
    try:
        if find_sha256(text) != fingerprint:
            yield "another fingerprint", "it gives another fingerprint than the root's"
    except SeveralFingerprints:
        yield "another fingerprint", "it gives more than one SHA-256 value: the root's alone may stand in it"
    except NoFingerprint:
        pass
    lines = [" ".join(line.split()) for line in text.lower().splitlines()]
    words, told = " ".join(text.split()), command(url, fingerprint)
    if not re.search(rf"\b{fingerprint}\b", words.replace(told, "").lower()):
        yield "fingerprint missing", f"the fingerprint is not in it in one piece, beside the command ({FINGERPRINT})"
    if not all(" ".join(line.lower().split()) in lines for line in grouped_lines(fingerprint)):
        yield "fingerprint missing", f"the fingerprint is not in it in lettered groups, to be compared ({GROUPS})"
    if told not in words:
        yield "command missing", f"the command that each member runs is not in it ({COMMAND})"
    for gap in dict.fromkeys(found[0] for found in _GAP.finditer(text)):
        yield "placeholder left", f"`{gap}` still stands for something"
