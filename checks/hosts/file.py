"""One file of a machine: whether it is there, what it is, whose it is, and what is in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from checks.evidence.hosts_table import HostsTable
from checks.evidence.machines import FileState
from checks.files.reading import read_file
from checks.hosts.command import Patterns
from checks.hosts.errors import HostError
from checks.hosts.fleet import HostCheck, OnHosts
from checks.hosts.looking import LOOK_SYMPTOMS, as_whom, ask, last_words
from checks.hosts.machine import Machine
from checks.hosts.stat import Stat, stat
from runbook.context import Context
from runbook.errors import StepError
from runbook.fields import Line, Model
from runbook.kind import Params
from runbook.outcome import Outcome
from runbook.paths import resolve
from runbook.threads import in_thread

READ = 4 * 1024 * 1024
"""Bytes of a file in which patterns are looked for; a longer one cannot be judged."""

SYMPTOMS: Mapping[str, str] = {
    **LOOK_SYMPTOMS,
    "missing": "There is no file of that name.",
    "there": "The file is there, and should not be.",
    "type": "It is something else than expected, such as a directory.",
    "mode": "Its permissions are others than expected.",
    "owner": "It belongs to another account or group.",
    "content": "Its content is not the one expected.",
    "older": "It is not newer than the file it is compared with.",
    "unreadable": "It cannot be looked at or read, for example for lack of permission.",
    "output too long": "It is too long to be looked through.",
    "no model": "The file on this machine that it is compared with cannot be read.",
}

Path = Annotated[str, Field(min_length=1, max_length=4096)]
Mode = Annotated[str, Field(pattern=r"^0?[0-7]{3,4}$")]
"""Octal, in quotes: `"0640"`."""

Digest = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")]


class Expect(Model):
    """What the file must be; what is not said is not judged."""

    present: bool = Field(True, description="Whether it must be there.")
    type: Literal["file", "directory", "symlink"] | None = Field(
        None, description="What it must be; links count as what they lead to, unless `follow` is false."
    )
    mode: Mode | None = Field(None, description="Its permissions, octal and in quotes.", examples=["0644"])
    owner: Line | None = Field(None, description="The account's name.", examples=["root"])
    group: Line | None = Field(None, description="The group's name.", examples=["root"])
    sha256: Digest | None = Field(
        None,
        description="Of its content, in hex.",
        examples=["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    )
    contains: Patterns = Field((), description="Patterns that must be found in it.", examples=[["^TrustedUserCAKeys "]])
    forbidden: Patterns = Field((), description="Patterns that must not.", examples=[["PermitRootLogin yes"]])
    newer_than: str = Field(
        "", max_length=4096, description="A file on the same machine that must be older.", examples=["/etc/os-release"]
    )
    same_as: str = Field(
        "",
        max_length=4096,
        description="A file on this machine, by the runbook's folder, whose bytes it must have.",
        examples=["{{ export_usb }}/root_ca.crt"],
    )
    lines_of: str = Field(
        "",
        max_length=4096,
        description="A file on this machine whose every line that is not empty it must have.",
        examples=["{{ export_usb }}/ssh_user_ca.pub"],
    )

    @model_validator(mode="after")
    def _fits(self) -> Expect:
        if not self.present and self.model_dump(exclude_defaults=True) != {"present": False}:
            raise ValueError("a file that is not to be there can have no other property")
        if self.same_as and self.sha256:
            raise ValueError("`same_as` and `sha256` say the same; give one")
        return self

    async def compared(self, ctx: Context) -> Expect:
        """With the hash and the lines of the files on this machine in place of their names."""
        changed: dict[str, object] = {}
        if self.same_as:
            changed["sha256"] = hashlib.sha256(await _model(ctx, self.same_as)).hexdigest()
        if self.lines_of:
            text = (await _model(ctx, self.lines_of)).decode("utf-8", errors="replace")
            lines = [rf"^{re.escape(line)}\s*$" for line in text.splitlines() if line.strip()]
            changed["contains"] = (*self.contains, *lines)
        return self.model_copy(update=changed)


class FileParams(Params):
    """A file, and what it must be."""

    path: Path = Field(
        description="Relative to the account's folder; on this machine to the runbook's.",
        examples=["/etc/ssh/trusted_user_ca_keys"],
    )
    follow: bool = Field(False, description="Judge what a symbolic link leads to, not the link.")
    sudo: bool = Field(False, description="Look as root.")
    expect: Expect = Field(Expect(), description="How it must be.", examples=[{"mode": "0644", "owner": "root"}])


class CheckParams(FileParams, OnHosts):
    """The same, and where."""


class FileCheck(HostCheck[CheckParams]):
    """A file is there or not; its type, mode, owner, hash and content are as expected."""

    name = "file"
    Params = CheckParams
    evidence = (FileState, HostsTable)
    symptoms: ClassVar = SYMPTOMS

    def plan(self) -> tuple[str, ...]:
        said = self.params.expect.model_dump(exclude_none=True, exclude_defaults=True)
        wanted = [f"  {name}: {value}" for name, value in said.items()] or ["  present: True"]
        follow = ", symbolic links followed" if self.params.follow else ""
        return (f"look at {self.params.path}{follow}", *wanted, as_whom(self.params.on, self.params.sudo))

    async def asked(self, ctx: Context) -> str:
        """With what the files of this machine hold now."""
        return await super().asked(ctx) + (await self.params.expect.compared(ctx)).model_dump_json()

    async def on_machine(self, machine: Machine, ctx: Context) -> Outcome:
        params, expect = self.params, await self.params.expect.compared(ctx)
        path = machine.path(params.path, ctx)
        found = await stat(
            machine,
            ctx,
            path,
            follow=params.follow,
            sha256=expect.sha256 is not None,
            newer_than=machine.path(expect.newer_than, ctx) if expect.newer_than else "",
            sudo=params.sudo,
        )
        judged = list(_judged(found, expect))
        if found.there and (expect.contains or expect.forbidden):
            text = await _content(machine, ctx, path, sudo=params.sudo)
            judged += await in_thread(lambda: list(_patterns(text, expect)))
        bad = [(said, symptom) for said, symptom in judged if symptom]
        state = FileState(
            path=path,
            on=machine.name,
            as_root=params.sudo,
            found=found.found,
            mode=found.mode,
            owner=found.owner,
            group=found.group,
            size=found.size,
            changed=found.changed,
            sha256=found.sha256,
            target=found.link,
            matched=tuple(said for said, symptom in judged if not symptom),
            problems=tuple(said for said, _ in bad),
        )
        if bad:
            return Outcome.failed(
                f"{path} on {machine.name}: {'; '.join(said for said, _ in bad)}", state, symptom=bad[0][1]
            )
        return Outcome.passed(f"{path} on {machine.name} is as expected ({found.found})", state)


async def _model(ctx: Context, name: str) -> bytes:
    path = resolve(ctx.folder, name)
    try:
        content = await read_file(path, limit=READ)
    except StepError as error:
        what = f"the file to compare with: {error.what}"
        raise StepError(what, where=error.where, remedy=error.remedy, symptom="no model") from None
    if not content.strip():
        raise StepError("the file to compare with is empty", where=str(path), symptom="no model")
    return content


def _judged(found: Stat, expect: Expect) -> Iterator[tuple[str, str]]:
    """Each thing that is expected, in words, and its symptom where it does not hold."""
    if not found.there or not expect.present:
        right = found.there == expect.present
        yield "there" if found.there else "not there", "" if right else ("missing" if expect.present else "there")
        return
    yield "there", ""
    for name, have, want, symptom in (
        ("type", found.type, expect.type, "type"),
        ("mode", found.mode, expect.mode and expect.mode.zfill(4), "mode"),
        ("owner", found.owner, expect.owner, "owner"),
        ("group", found.group, expect.group, "owner"),
        ("SHA-256", found.sha256, expect.sha256 and expect.sha256.lower(), "content"),
    ):
        if want is not None:
            yield (
                (f"{name} {have}", "")
                if have == want
                else (f"{name} is {have or 'not known'}, expected {want}", symptom)
            )
    if expect.newer_than:
        yield (
            (f"newer than {expect.newer_than}", "") if found.newer else (f"not newer than {expect.newer_than}", "older")
        )


def _patterns(text: str, expect: Expect) -> Iterator[tuple[str, str]]:
    for pattern in expect.contains:
        hit = re.search(pattern, text, re.MULTILINE) is not None
        yield (f"contains {pattern}", "") if hit else (f"does not contain {pattern}", "content")
    for pattern in expect.forbidden:
        hit = re.search(pattern, text, re.MULTILINE) is not None
        yield (f"contains {pattern}, which must not be there", "content") if hit else (f"without {pattern}", "")


async def _content(machine: Machine, ctx: Context, path: str, *, sudo: bool) -> str:
    """The whole file as text; it is looked through here and shown nowhere."""
    finished = await ask(machine, ctx, ("cat", "--", path), sudo=sudo, keep=READ)
    if finished.exit_code != 0:
        raise HostError(f"{path} cannot be read: {last_words(finished)}", where=machine.name, symptom="unreadable")
    if finished.stdout.left_out:
        raise HostError(f"{path} is too long to be looked through", where=machine.name, symptom="output too long")
    return finished.stdout.raw.decode("utf-8", errors="replace")
