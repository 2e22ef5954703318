"""One file of a machine, read once and judged by statements; every one that does not hold is told, with its place."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from pydantic import Field

from checks.documents.malformed import Malformed
from checks.documents.veil import veil_around, veil_text
from checks.evidence.documents import DocumentFinding, DocumentJudged, Said
from checks.evidence.hosts_table import HostsTable
from checks.hosts.errors import HostError
from checks.hosts.fleet import HostCheck, OnHosts
from checks.hosts.looking import LOOK_SYMPTOMS, as_whom, ask, last_words
from checks.hosts.machine import Machine
from checks.hosts.stat import Stat, stat
from runbook.context import Context
from runbook.files.document import split_lines
from runbook.files.problems import Mark
from runbook.kind import Params
from runbook.outcome import Outcome
from runbook.text import clean_line

LIMIT = 1024 * 1024
"""Bytes of a file that is judged."""

SYMPTOMS: Mapping[str, str] = {
    **LOOK_SYMPTOMS,
    "missing": "There is no file of that name.",
    "type": "It is something else than a file, such as a directory.",
    "unreadable": "It cannot be looked at or read, for example for lack of permission.",
    "too large": "It is far larger than a file of its kind.",
    "not text": "It is not text in UTF-8.",
    "malformed": "It cannot be read as its format.",
}
"""What every kind that judges a file can report."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one statement."""

    state: Said
    text: str
    mark: Mark | None = None
    """None: the file as a whole."""
    symptom: str = ""
    because: str = ""


def right(text: str) -> Finding:
    """A statement that holds."""
    return Finding(Said.RIGHT, text)


def wrong(symptom: str, text: str, mark: Mark | None = None, because: str = "") -> Finding:
    """One that does not."""
    return Finding(Said.WRONG, text, mark, symptom, because)


def remark(text: str, mark: Mark | None = None, symptom: str = "") -> Finding:
    """Something that is worth a look."""
    return Finding(Said.REMARK, text, mark, symptom)


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was read."""

    path: str
    """As it is called on its machine."""
    text: str = field(repr=False)
    stat: Stat
    sha256: str = ""
    lines: Sequence[str] = field(default=(), repr=False)
    """As YAML counts them."""

    def line(self, number: int) -> str:
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


class DocumentParams(Params):
    """Which file."""

    path: str = Field(
        min_length=1,
        max_length=4096,
        description="Relative to the account's folder; on this machine to the runbook's.",
        examples=["{{ repository }}/docker-compose.ca.yml"],
    )
    sudo: bool = Field(False, description="Read it as root.")


class DocumentsParams(DocumentParams, OnHosts):
    """The same, and where."""


DocumentP = TypeVar("DocumentP", bound=DocumentsParams)


class DocumentCheck(HostCheck[DocumentP]):
    """A file judged by statements."""

    format: ClassVar[str] = ""
    evidence: ClassVar = (DocumentJudged, HostsTable)
    symptoms: ClassVar[Mapping[str, str]] = SYMPTOMS

    @abstractmethod
    async def judge(self, source: Source, machine: Machine, ctx: Context) -> Iterable[Finding]:
        """Every statement about the file, the weightiest first. Raises Malformed, and StepError."""

    def format_of(self, _path: str) -> str:
        """How people call the file's format."""
        return self.format

    def is_private(self) -> bool:
        """Whether no line of the file may be shown."""
        return False

    def wanted(self) -> Mapping[str, Any]:
        """What the file must say, for `plan`."""
        expect = getattr(self.params, "expect", None)
        return {} if expect is None else expect.model_dump(mode="json", exclude_defaults=True, by_alias=True)

    def plan(self) -> tuple[str, ...]:
        lines = [f"  {name}: {value}" for name, value in self.wanted().items()]
        return (f"read {self.params.path}", *lines, as_whom(self.params.on, self.params.sudo))

    async def on_machine(self, machine: Machine, ctx: Context) -> Outcome:
        path = machine.path(self.params.path, ctx)
        source = await read_source(machine, ctx, path, sudo=self.params.sudo)
        if isinstance(source, Finding):
            return self._outcome(Source(path, "", Stat("nothing")), machine, [source])
        try:
            findings = list(await self.judge(source, machine, ctx))
        except Malformed as error:
            text = f"{error.message}. {error.suggestion}" if error.suggestion else error.message
            findings = [wrong("malformed", text, error.mark)]
        return self._outcome(source, machine, findings)

    def _outcome(self, source: Source, machine: Machine, findings: Sequence[Finding]) -> Outcome:
        private = self.is_private()
        judged = DocumentJudged(
            path=source.path,
            on=machine.name,
            format=self.format_of(source.path),
            sha256="" if private else source.sha256,
            findings=tuple(shown(finding, source, private) for finding in findings),
        )
        name = source.path.rpartition("/")[2]
        bad = [finding for finding in findings if finding.state is Said.WRONG]
        if bad:
            first = next(item for item in judged.findings if item.state is Said.WRONG)
            more = f"; and {len(bad) - 1} more" if len(bad) > 1 else ""
            return Outcome.failed(
                f"{first.place(clean_line(name))}: {first.text}{more}", judged, symptom=bad[0].symptom
            )
        if not judged.those(Said.RIGHT):
            return Outcome.errored(f"nothing was judged in {name}", judged, symptom="malformed")
        remarks = [finding for finding in findings if finding.state is Said.REMARK and finding.symptom]
        if remarks:
            said = f"{judged.verdict}; {clean_line(remarks[0].text)}"
            return Outcome.warned(f"{clean_line(name)}: {said}", judged, symptom=remarks[0].symptom)
        return Outcome.passed(f"{clean_line(name)}: {judged.verdict}", judged)


def shown(finding: Finding, source: Source, private: bool = False) -> DocumentFinding:
    """A finding with its line of the file and those around it, without what looks like a secret."""
    mark = finding.mark
    hidden = private or mark is None
    before, line, after = ([], "", []) if hidden else veil_around(source.lines, mark.line if mark else 0)
    return DocumentFinding(
        state=finding.state,
        text=veil_text(finding.text),
        line=mark.line if mark else 0,
        column=mark.column if mark else 0,
        excerpt=line,
        before=tuple(before),
        after=tuple(after),
        because=finding.because,
    )


async def read_source(machine: Machine, ctx: Context, path: str, *, sudo: bool) -> Source | Finding:
    """The file, or why there is none to judge. Raises HostError where it cannot be looked at."""
    found = await stat(machine, ctx, path, follow=True, sudo=sudo)
    if not found.there:
        return wrong("missing", "there is no such file")
    if found.type != "file":
        return wrong("type", f"it is a {found.found}, not a file")
    if found.size > LIMIT:
        return wrong("too large", f"it has {found.size} bytes; at most {LIMIT} are looked through")
    finished = await ask(machine, ctx, ("cat", "--", path), sudo=sudo, keep=LIMIT)
    if finished.exit_code != 0:
        raise HostError(f"{path} cannot be read: {last_words(finished)}", where=machine.name, symptom="unreadable")
    if finished.stdout.left_out:  # it has grown, or its size is not told
        return wrong("too large", f"at most {LIMIT} bytes are looked through")
    raw = finished.stdout.raw
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return wrong("not text", f"byte {error.start} (0x{raw[error.start]:02x}) is not UTF-8")
    return Source(path, text, found, hashlib.sha256(raw).hexdigest(), tuple(split_lines(text)))
