"""A file copied between machines by its content: into place in one step, verified by hash, mode and owner set."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from checks.evidence.machines import Copied
from checks.hosts.errors import HostError
from checks.hosts.file import Mode, Path
from checks.hosts.fleet import HostAction, HostOrGroup, OnHost, where
from checks.hosts.hosts import Hosts
from checks.hosts.looking import LOOK_SYMPTOMS, as_whom, ask, last_words
from checks.hosts.machine import Machine
from checks.hosts.stat import Stat, stat
from runbook.context import Context
from runbook.kind import Check
from runbook.outcome import Outcome
from runbook.site import LOCAL
from runbook.threads import in_thread

MOST = 64 * 1024 * 1024
"""Bytes of a file that is copied: it goes through memory here."""

SYMPTOMS: Mapping[str, str] = {
    **LOOK_SYMPTOMS,
    "missing": "The file to be copied, or its copy, is not there.",
    "type": "One of the two is something else than a file.",
    "unreadable": "The file to be copied cannot be read.",
    "too large": "The file is larger than what this step copies.",
    "not written": "The copy could not be written; what stood in its place before still does.",
    "content": "The copy is not the same as the file.",
    "mode": "The copy has other permissions than it should.",
    "owner": "The copy belongs to another account or group.",
}

# $1: the target; $2: SHA-256; $3: mode; $4: owner and group as chown(1) has them. A copy that is cut short is removed:
# the shell that supervises us ends this one with SIGTERM.
_SCRIPT = r"""
p=$1; case $p in -*) p=./$p ;; esac
[ -d "$p" ] && { echo "$1 is a directory" >&2; exit 2; }
t=$p.runbook-$$
trap 'rm -f "$t"' EXIT
trap 'exit 1' HUP INT PIPE TERM
set -C; umask 077
: >"$t" || exit
set +C
cat >"$t" || exit
h=$(sha256sum <"$t") || exit
[ "${h%% *}" = "$2" ] || { echo "what has come is not what was sent" >&2; exit 3; }
[ -z "$4" ] || chown "$4" "$t" || exit
chmod "$3" "$t" || exit
sync "$t" 2>/dev/null || sync
mv -f "$t" "$p"
"""


class CopyParams(OnHost):
    """The file, where it goes, and whose it is there."""

    source: Path = Field(
        description="The file; on this machine relative to the runbook's folder.",
        examples=["{{ export_usb }}/root_ca.crt"],
    )
    source_on: HostOrGroup = Field(LOCAL, alias="from", description="The host it is on.", examples=["local"])
    source_sudo: bool = Field(False, description="Read it as root.")
    target: Path = Field(
        description="The copy's whole path on the host of `on`.",
        examples=["/etc/pki/ca-trust/source/anchors/root_ca.crt"],
    )
    mode: Mode = Field("0600", description="The copy's permissions, octal and in quotes.", examples=["0644"])
    owner: str = Field(
        "", pattern=r"^$|^[A-Za-z0-9_][A-Za-z0-9_.-]*\$?$", description="Empty: the account's.", examples=["root"]
    )
    group: str = Field(
        "", pattern=r"^$|^[A-Za-z0-9_][A-Za-z0-9_.-]*\$?$", description="Empty: the account's.", examples=["root"]
    )
    sudo: bool = Field(False, description="Write the copy as root.")


class Copy(HostAction[CopyParams]):
    """Copy a file between machines, into place in one step, and compare the hashes; its probe is `copied`."""

    name = "copy"
    Params = CopyParams
    evidence = (Copied,)
    symptoms: ClassVar = SYMPTOMS

    def plan(self) -> tuple[str, ...]:
        params = self.params
        owned = f", owner {params.owner or 'the account'}, group {params.group or 'the account’s'}"
        return (
            f"copy {where((params.source_on,))}:{params.source}",
            f"  to {where((params.on,))}:{params.target}, mode {params.mode}{owned}",
            f"read {as_whom((params.source_on,), params.source_sudo)}; written {as_whom((params.on,), params.sudo)}",
        )

    async def on_machine(self, machine: Machine, ctx: Context) -> Outcome:
        params = self.params
        source = await _source(params, ctx)
        content = await _read(source, ctx, params)
        digest = await in_thread(lambda: hashlib.sha256(content).hexdigest())
        target = machine.path(params.target, ctx)
        owned = f"{params.owner}{':' if params.group else ''}{params.group}"
        argv = ("/bin/sh", "-c", _SCRIPT, "sh", target, digest, params.mode, owned)
        await ctx.touch("file", target, on=machine.name, how="written")
        done = await ask(machine, ctx, argv, sudo=params.sudo, stdin=content)
        if done.exit_code != 0:
            raise HostError(
                f"the copy could not be written: {last_words(done) or f'exit code {done.exit_code}'}",
                where=machine.name,
                remedy="What stood there before still does; look at the folder's permissions and at its space.",
                symptom="not written",
            )
        return await _compared(machine, ctx, params, size=len(content), digest=digest)


class CopiedCheck(Check[CopyParams]):
    """A copy is there: the same content as the file, and the mode and owner it should have."""

    name = "copied"
    Params = CopyParams
    evidence = (Copied,)
    symptoms: ClassVar = SYMPTOMS

    def plan(self) -> tuple[str, ...]:
        params = self.params
        return (
            f"compare {where((params.source_on,))}:{params.source}",
            f"  with {where((params.on,))}:{params.target}",
            f"read {as_whom((params.source_on,), params.source_sudo)} and {as_whom((params.on,), params.sudo)}",
        )

    async def run(self, ctx: Context) -> Outcome:
        params = self.params
        source = await _source(params, ctx)
        path = source.path(params.source, ctx)
        found = await stat(source, ctx, path, follow=True, sha256=True, sudo=params.source_sudo)
        _refuse(found, f"{source.name}:{path}")
        machine = await (await ctx.use(Hosts)).machine(params.on, ctx)
        return await _compared(machine, ctx, params, size=found.size, digest=found.sha256)


async def _source(params: CopyParams, ctx: Context) -> Machine:
    return await (await ctx.use(Hosts)).machine(params.source_on, ctx)


def _refuse(found: Stat, shown: str) -> None:
    if not found.there:
        raise HostError("there is no such file", where=shown, remedy="Correct `source`.", symptom="missing")
    if found.type != "file":
        raise HostError(f"it is no file, but a {found.found}", where=shown, symptom="type")


async def _read(machine: Machine, ctx: Context, params: CopyParams) -> bytes:
    """The whole content. Raises HostError."""
    path = machine.path(params.source, ctx)
    found = await stat(machine, ctx, path, follow=True, sudo=params.source_sudo)
    shown = f"{machine.name}:{path}"
    _refuse(found, shown)
    if found.size > MOST:
        said = f"it has {found.size} bytes, and this step copies at most {MOST}"
        raise HostError(said, where=shown, remedy="Use the `ansible` step, or scp.", symptom="too large")
    read = await ask(machine, ctx, ("cat", "--", path), sudo=params.source_sudo, keep=MOST)
    content = read.stdout.raw
    if read.exit_code != 0 or read.stdout.left_out or len(content) != found.size:
        raise HostError(
            f"it could not be read whole: {last_words(read) or 'it changes while it is read'}",
            where=shown,
            symptom="unreadable",
        )
    return content


async def _compared(machine: Machine, ctx: Context, params: CopyParams, *, size: int, digest: str) -> Outcome:
    target = machine.path(params.target, ctx)
    found = await stat(machine, ctx, target, sha256=True, sudo=params.sudo)
    source = f"{params.source_on}:{params.source}"
    said = Copied(
        source=source,
        target=f"{machine.name}:{target}",
        size=size,
        source_sha256=digest,
        target_sha256=found.sha256,
        mode=found.mode,
        owner=found.owner,
        group=found.group,
    )
    shown = f"{machine.name}:{target}"
    if not found.there:
        return Outcome.failed(f"there is no {shown}", said, symptom="missing")
    if found.type != "file":
        return Outcome.failed(f"{shown} is no file, but a {found.found}", said, symptom="type")
    if not said.same:
        return Outcome.failed(f"{shown} is not the same as {source}", said, symptom="content")
    if found.mode != params.mode.zfill(4):
        return Outcome.failed(f"{shown} has mode {found.mode}, expected {params.mode}", said, symptom="mode")
    if params.owner not in ("", found.owner) or params.group not in ("", found.group):
        wanted = f"{params.owner or found.owner}:{params.group or found.group}"
        return Outcome.failed(f"{shown} is {found.owner}:{found.group}, expected {wanted}", said, symptom="owner")
    return Outcome.passed(f"{shown} is the same as {source} ({size} bytes)", said)
