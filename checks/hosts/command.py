"""A command on this machine or another, judged by its exit code and by what it says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from checks.evidence.files import CommandOutput, OutputMark
from checks.evidence.hosts_table import HostsTable
from checks.files.process import Finished
from checks.files.touches import Touches
from checks.hosts.fleet import FLEET_SYMPTOMS, HostAction, HostCheck, OnHost, OnHosts
from checks.hosts.looking import as_whom
from checks.hosts.machine import Machine
from checks.hosts.supervision import refuse_impossible
from checks.time_left import time_left
from runbook.context import Context
from runbook.fields import Model, OneOrMore, RegularExpression
from runbook.kind import Params
from runbook.model import Role
from runbook.outcome import Outcome
from runbook.paths import resolve
from runbook.site import LOCAL
from runbook.threads import in_thread

KEEP = 4 * 1024 * 1024
"""Bytes of each stream in which the patterns are looked for."""

MARKS = 20
"""Places shown for each pattern."""

_WIDTH = 96
"""Characters after which a command that is shown goes on in the next line."""

SYMPTOMS: Mapping[str, str] = {
    **FLEET_SYMPTOMS,
    "program not found": "There is no program of that name, or its interpreter is missing.",
    "not executable": "The file is there, but the system does not run it.",
    "wrong folder": "The folder to run in does not exist.",
    "exit code": "The command ended with another exit code than expected.",
    "output missing": "Something expected was not in the command's output.",
    "output forbidden": "Something was in the command's output that must not be.",
    "output too long": "There was more output than can be judged.",
    "killed": "The command was ended by a signal.",
    "deadline": "The command did not end in time; it was ended.",
}


Patterns = Annotated[tuple[RegularExpression, ...], OneOrMore]
"""A regular expression (Python's `re`, `^` and `$` at each line), or a list of them."""


class Expect(Model):
    """What the command must end with and say."""

    exit_code: int = Field(0, ge=0, le=255, description="How it must end.", examples=[0])
    stdout: Patterns = Field(
        (), description="Patterns that must be found in the standard output.", examples=[["failed=0"]]
    )
    stderr: Patterns = Field(
        (), description="Patterns that must be found in the standard error.", examples=[["^done$"]]
    )
    forbidden: Patterns = Field((), description="Patterns that must be found in neither.", examples=[["(?i)error"]])


class CommandParams(Params):
    """The command and what is expected of it."""

    run: tuple[Annotated[str, Field(max_length=2_000_000)], ...] = Field(
        min_length=1,
        description="The argument list; no shell reads it, unless `shell` says so.",
        examples=[["systemctl", "is-active", "pcscd.socket"]],
    )
    shell: bool = Field(
        False,
        description="The first item of `run` is a line for /bin/sh; the others are its `$1`, `$2`, …, which is how "
        "values come into it.",
    )
    sudo: bool = Field(False, description="Run it as root.")
    cwd: str = Field(
        "",
        description="The folder to run in. On this machine relative to, and if empty, the runbook's folder; on others "
        "the account's (with `sudo`: wherever sudo begins).",
        examples=["{{ repository }}"],
    )
    env: Mapping[str, str] = Field(
        default_factory=dict, description="Environment variables set beside the account's.", examples=[{"LC_ALL": "C"}]
    )
    expect: Expect = Field(Expect(), description="What is expected of it.", examples=[{"stdout": ["active"]}])

    @model_validator(mode="after")
    def _program(self) -> CommandParams:
        if not self.run[0].strip():
            raise ValueError("the first item of `run` is empty")
        return self

    @property
    def argv(self) -> tuple[str, ...]:
        """What is executed."""
        return ("/bin/sh", "-c", self.run[0], "sh", *self.run[1:]) if self.shell else self.run

    @property
    def called(self) -> str:
        """The command's name, for a sentence."""
        return "the shell line" if self.shell else self.run[0]


class CheckParams(CommandParams, OnHosts):
    """A command that reads, and where."""

    engine: Literal["ssh", "ansible"] = Field(
        "ssh", description="`ansible`: by one run of Ansible on the whole group, the way past a few hundred hosts."
    )


class ActionParams(CommandParams, OnHost, Touches):
    """A command that changes something, and where."""


class CommandCheck(HostCheck[CheckParams]):
    """A command that only reads: its exit code and its output are as expected, on this machine or others."""

    name = "command"
    Params = CheckParams
    evidence = (CommandOutput, HostsTable)
    symptoms: ClassVar = SYMPTOMS

    def plan(self) -> tuple[str, ...]:
        by = ("by Ansible",) if self.params.engine == "ansible" else ()
        return (*_typed(self.params, self.params.on), *by)

    async def run(self, ctx: Context) -> Outcome:
        if self.params.engine == "ssh":
            return await super().run(ctx)
        from checks.hosts.ansible_sweep import ansible_sweep

        refuse_impossible(self.params.argv, self.params.cwd, self.params.env)
        task = {
            "argv": self.params.argv,
            "expand_argument_vars": False,
            "strip_empty_ends": False,
            **({"chdir": self.params.cwd} if self.params.cwd else {}),
            "environment": self.params.env,
        }
        checks = {self.name: self.on_machine}
        asked = await self.asked(ctx)
        return await ansible_sweep(self.params, checks, ctx, asked=asked, task=task, sudo=self.params.sudo)

    async def on_machine(self, machine: Machine, ctx: Context) -> Outcome:
        return await _run(self.role, self.params, machine, ctx)


class CommandAction(HostAction[ActionParams]):
    """A command that changes something: its exit code and its output are as expected, on this machine or another."""

    name = "command"
    Params = ActionParams
    evidence = (CommandOutput,)
    symptoms: ClassVar = SYMPTOMS

    def plan(self) -> tuple[str, ...]:
        return _typed(self.params, (self.params.on,))

    async def on_machine(self, machine: Machine, ctx: Context) -> Outcome:
        await self.params.tell(ctx, folder=ctx.folder, on=machine.name)
        return await _run(self.role, self.params, machine, ctx)


def _typed(params: CommandParams, on: tuple[str, ...]) -> tuple[str, ...]:
    """The command as it would be typed into a shell, long ones in several lines, and where it runs."""
    settings = [f"{name}={shlex.quote(value)}" for name, value in params.env.items()]
    lines = [""]
    for word in (*settings, *(shlex.quote(argument) for argument in params.argv)):
        if lines[-1] and len(lines[-1]) + len(word) > _WIDTH:
            lines.append("   ")
        lines[-1] += f" {word}" if lines[-1] else word
    folder = "the runbook's folder" if on == (LOCAL,) else "the account's folder"
    where = f"in the folder {params.cwd}" if params.cwd else f"in {folder}"
    *first, last = lines
    return (*(f"{line} \\" for line in first), last, f"{where}, {as_whom(on, params.sudo)}")


@dataclass(frozen=True, slots=True)
class _Match:
    """The patterns, sorted by whether things are as they should be."""

    matched: tuple[str, ...]
    missing: tuple[str, ...]
    forbidden: tuple[str, ...]


async def _run(role: Role, params: CommandParams, machine: Machine, ctx: Context) -> Outcome:
    cwd = str(resolve(ctx.folder, params.cwd)) if machine.name == LOCAL else params.cwd
    finished = await machine.run(
        params.argv,
        sudo=params.sudo,
        cwd=cwd,
        env=params.env,
        deadline=time_left(ctx),
        keep=KEEP,
    )
    match = await in_thread(lambda: _match(params.expect, finished))
    # Redacting and cleaning much output takes some hundredths of a second.
    stdout, stderr = await in_thread(lambda: (finished.stdout.text, finished.stderr.text))
    said = CommandOutput(
        argv=tuple(ctx.redactor(argument) for argument in finished.argv),
        cwd=cwd,
        on="" if machine.name == LOCAL else machine.name,
        as_root=params.sudo,
        exit_code=finished.exit_code,
        ended_by=finished.ended_by,
        stdout=stdout,
        stderr=stderr,
        matched=match.matched,
        missed=(*(f"missing: {p}" for p in match.missing), *(f"forbidden: {p}" for p in match.forbidden)),
        marks=await in_thread(lambda: tuple(_marks(params.expect, stdout, stderr))),
        attached=await _attached(ctx, finished),
    )
    if finished.ended_by.startswith("deadline"):
        return _late(role, params, finished, said)
    return _judge(params, finished, match, said)


async def _attached(ctx: Context, finished: Finished) -> tuple[str, ...]:
    """Store what is too long to be shown."""
    streams = (("stdout", finished.stdout), ("stderr", finished.stderr))
    return tuple(
        [
            f"{name}: more of it is in the attachment {await ctx.attach(name, stream.pieces())}"
            for name, stream in streams
            if stream.shortened
        ]
    )


def _late(role: Role, params: CommandParams, finished: Finished, said: CommandOutput) -> Outcome:
    what = f"{params.called} did not end in time and was ended after {finished.seconds:.0f} seconds"
    _, _, still = finished.ended_by.partition("; ")
    if still:
        what += f"; {still}"
    if role is Role.ACTION:
        return Outcome.in_doubt(f"{what}; what it has done is not known", said, symptom="deadline")
    return Outcome.errored(what, said, symptom="deadline", remedy="Look at what it said last, and why it hangs.")


def _match(expect: Expect, finished: Finished) -> _Match:
    out = finished.stdout.plain if expect.stdout or expect.forbidden else ""
    err = finished.stderr.plain if expect.stderr or expect.forbidden else ""
    wanted = [("stdout", pattern, out) for pattern in expect.stdout]
    wanted += [("stderr", pattern, err) for pattern in expect.stderr]
    matched = [f"{name}: {pattern}" for name, pattern, text in wanted if _found(pattern, text)]
    missing = [f"{name}: {pattern}" for name, pattern, text in wanted if not _found(pattern, text)]
    forbidden = [pattern for pattern in expect.forbidden if _found(pattern, out) or _found(pattern, err)]
    absent = [f"not there: {pattern}" for pattern in expect.forbidden if pattern not in forbidden]
    return _Match((*matched, *absent), tuple(missing), tuple(forbidden))


def _marks(expect: Expect, stdout: str, stderr: str) -> Iterator[OutputMark]:
    """Where the patterns stand in what is shown, each a bounded number of times."""
    wanted: list[tuple[Literal["stdout", "stderr"], str, str, bool]] = []
    wanted += [("stdout", stdout, pattern, True) for pattern in expect.stdout]
    wanted += [("stderr", stderr, pattern, True) for pattern in expect.stderr]
    wanted += [("stdout", stdout, pattern, False) for pattern in expect.forbidden]
    wanted += [("stderr", stderr, pattern, False) for pattern in expect.forbidden]
    for stream, text, pattern, good in wanted:
        found = (match for match in re.finditer(pattern, text, re.MULTILINE) if match.start() < len(text))
        for match in islice(found, MARKS):
            begin = text.rfind("\n", 0, match.start()) + 1
            end = text.find("\n", match.start())
            last = min(match.end(), end if end >= 0 else len(text))
            yield OutputMark(
                stream=stream,
                line=text.count("\n", 0, begin),
                start=match.start() - begin,
                end=max(last, match.start()) - begin,
                good=good,
                pattern=pattern,
            )


def _found(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.MULTILINE) is not None


def _judge(params: CommandParams, finished: Finished, match: _Match, said: CommandOutput) -> Outcome:
    name = params.called
    if finished.exit_code is None:
        return Outcome.failed(f"{name} was ended by {finished.ended_by}", said, symptom="killed")
    if finished.exit_code != params.expect.exit_code:
        return Outcome.failed(
            f"{name} ended with exit code {finished.exit_code}, expected {params.expect.exit_code}",
            said,
            symptom="exit code",
        )
    if match.forbidden:
        return Outcome.failed(f"{name} said what it must not: {match.forbidden[0]}", said, symptom="output forbidden")
    left_out = finished.stdout.left_out or finished.stderr.left_out
    if left_out and (match.missing or params.expect.forbidden):
        # What was left out could hold what is looked for: no verdict is better than a green one.
        return Outcome.errored(f"{name} said too much to be judged", said, symptom="output too long")
    if match.missing:
        return Outcome.failed(f"{name} did not say: {match.missing[0]}", said, symptom="output missing")
    return Outcome.passed(f"{name} ended with exit code {finished.exit_code}" + _patterns(params.expect), said)


def _patterns(expect: Expect) -> str:
    count = len(expect.stdout) + len(expect.stderr) + len(expect.forbidden)
    return f" and said what was expected ({count} {'pattern' if count == 1 else 'patterns'})" if count else ""
