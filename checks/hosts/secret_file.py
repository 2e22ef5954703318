"""A secret value in a file compared with what a person types: in memory, and neither is ever shown."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from checks.evidence.machines import SecretCompared
from checks.hosts.errors import HostError
from checks.hosts.file import Path
from checks.hosts.fleet import OnHost
from checks.hosts.hosts import Hosts
from checks.hosts.looking import LOOK_SYMPTOMS, as_whom
from checks.hosts.machine import Machine
from checks.time_left import time_left
from runbook.context import Context
from runbook.fields import Line
from runbook.kind import Check
from runbook.operator import SecretRequest
from runbook.outcome import Outcome
from runbook.secrets import Secret
from runbook.text import clean_line
from runbook.wiping import wipe

MOST = 1024 * 1024
"""Bytes that the file may have."""

SYMPTOMS: Mapping[str, str] = {
    **LOOK_SYMPTOMS,
    "another value": "The value in the file is not the one that was typed.",
    "no value": "The file has no such variable, or it is empty.",
    "several values": "The file sets the variable more than once.",
    "unreadable": "The file is not there or cannot be read.",
    "too large": "The file is larger than what this step reads.",
}


class SecretFileParams(OnHost):
    """Where the value is, and what to ask for."""

    path: Path = Field(
        description="Relative to the account's folder; on this machine to the runbook's.",
        examples=["/opt/application/.env"],
    )
    variable: str = Field(
        "",
        pattern=r"^$|^[A-Za-z_][A-Za-z0-9_.]*$",
        description="The value is that of the line `NAME=…` (quotes around it and `export` are no part of it); "
        "empty: the whole file, without a line break at its end.",
        examples=["HSM_PIN"],
    )
    ask: Line = Field(
        description="The question put to the operator, who types the value unseen.",
        examples=["User PIN of the intermediate"],
    )
    sudo: bool = Field(False, description="Read the file as root.")


class SecretFile(Check[SecretFileParams]):
    """A secret value in a file is the one the operator types; it is compared in memory and never shown."""

    name = "secret_file"
    Params = SecretFileParams
    evidence = (SecretCompared,)
    symptoms: ClassVar = SYMPTOMS

    def plan(self) -> tuple[str, ...]:
        what = f"`{self.params.variable}` in {self.params.path}" if self.params.variable else self.params.path
        return (f"compare {what} with what is typed, in memory", as_whom((self.params.on,), self.params.sudo))

    async def run(self, ctx: Context) -> Outcome:
        machine = await (await ctx.use(Hosts)).machine(self.params.on, ctx)
        content = await _read(machine, ctx, machine.path(self.params.path, ctx), sudo=self.params.sudo)
        value: bytearray | None = None
        typed: Secret | None = None
        try:
            value = self._value(content, machine)
            typed = await ctx.operator.secret(
                SecretRequest(self.params.ask, f"It is compared with {self.params.path} on {machine.name}.")
            )
            ctx.redactor.learn(typed)
            held = Secret(value)
            same = held.equals(typed)
            held.wipe()
        finally:
            wipe(content)
            if value is not None:
                wipe(value)
            if typed is not None:
                typed.wipe()
        said = SecretCompared(path=self.params.path, on=machine.name, variable=self.params.variable, same=same)
        what = f"{self.params.variable or 'the value'} in {self.params.path} on {machine.name}"
        if same:
            return Outcome.passed(f"{what} is what was typed", said)
        return Outcome.failed(f"{what} is not what was typed", said, symptom="another value")

    def _value(self, content: bytearray, machine: Machine) -> bytearray:
        """The value itself, in a buffer of its own. Raises HostError."""
        name, where = self.params.variable, f"{machine.name}:{self.params.path}"
        found = _assigned(content, name.encode()) if name else [_stripped(content)]
        if len(found) > 1:
            for value in found:
                wipe(value)
            raise HostError(f"{name} is set {len(found)} times", where=where, symptom="several values")
        if not found or not found[0]:
            raise HostError(f"there is no value {'of ' + name if name else 'in it'}", where=where, symptom="no value")
        return found[0]


def _assigned(content: bytearray, name: bytes) -> list[bytearray]:
    """The values of the lines `[export] NAME=VALUE`, without spaces and one pair of quotes around them."""
    found = []
    start = 0
    while start < len(content):
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        line = content[start:end]
        text = line.strip()
        for prefix in (b"export ", b""):
            if prefix and text.startswith(prefix):
                text = text[len(prefix) :].lstrip()
        if text.startswith(name) and text[len(name) :].lstrip().startswith(b"="):
            value = text[len(name) :].lstrip()[1:].strip()
            if len(value) > 1 and value[:1] == value[-1:] and bytes(value[:1]) in (b'"', b"'"):
                value = value[1:-1]
            found.append(value)
        start = end + 1
    return found


def _stripped(content: bytearray) -> bytearray:
    return bytearray(content.removesuffix(b"\n").removesuffix(b"\r"))


def _refuse_large(content: bytearray, where: str) -> None:
    if len(content) > MOST:
        raise HostError(f"it has more than {MOST} bytes", where=where, symptom="too large")


async def _read(machine: Machine, ctx: Context, path: str, *, sudo: bool) -> bytearray:
    """The file's content, through the channel alone: no capture, no live output, no attachment. Raises HostError."""
    where = f"{machine.name}:{path}"
    channel = await machine.duplex(("env", "LC_ALL=C", "cat", "--", path), sudo=sudo)
    content = bytearray()
    said = asyncio.create_task(channel.stderr.read(4096))
    try:
        async with asyncio.timeout(time_left(ctx)):
            await channel.write_eof()
            while len(content) <= MOST and (chunk := await channel.stdout.read(65536)):
                content += chunk
            _refuse_large(content, where)
            ended = await channel.wait()
            words = clean_line((await said).decode("utf-8", errors="replace").strip(), 300)
    except BaseException as error:
        wipe(content)
        if isinstance(error, TimeoutError):
            raise HostError("it could not be read in time", where=where, symptom="deadline") from None
        raise
    finally:
        said.cancel()
        await asyncio.gather(said, return_exceptions=True)
        await channel.close()
    if ended.exit_code != 0:
        wipe(content)
        raise HostError(f"it cannot be read: {words}", where=where, symptom="unreadable")
    return content
