"""A local command, judged by its exit code and by what it says."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from checks.evidence.files import CommandOutput
from checks.files.process import Finished, run
from checks.files.reading import in_thread
from runbook.context import Context
from runbook.kind import Action, Check, Kind, Params
from runbook.model import Line, Model, Role
from runbook.outcome import Outcome
from runbook.paths import resolve

KEEP = 4 * 1024 * 1024
"""Bytes of each stream in which the patterns are looked for."""

_MARGIN = 3.0
"""Seconds before the step's deadline at which the command is ended, so that what it said until then is kept."""

_WIDTH = 96
"""Characters after which a command that is shown goes on in the next line."""

SYMPTOMS: Mapping[str, str] = {
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


def _regular_expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        at = f" at character {error.pos + 1}" if error.pos is not None else ""
        raise ValueError(f"`{text}` is no regular expression: {error.msg}{at}") from None
    return text


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Patterns = Annotated[
    tuple[Annotated[Line, AfterValidator(_regular_expression)], ...],
    BeforeValidator(_several, json_schema_input_type=str | list[str]),
]
"""A regular expression (Python's `re`, `^` and `$` at each line), or a list of them."""


class Expect(Model):
    """What the command must end with and say."""

    exit_code: int = Field(0, ge=0, le=255)
    stdout: Patterns = Field((), description="Patterns that must be found in the standard output.")
    stderr: Patterns = Field((), description="Patterns that must be found in the standard error.")
    forbidden: Patterns = Field((), description="Patterns that must be found in neither.")


class CommandParams(Params):
    """The command and what is expected of it."""

    run: tuple[Annotated[str, Field(max_length=32_000)], ...] = Field(
        min_length=1, description="The argument list; no shell reads it."
    )
    cwd: str = Field("", description="The folder to run in; relative to, and if empty, the runbook's folder.")
    env: Mapping[str, str] = Field(default_factory=dict, description="Environment variables set beside ours.")
    expect: Expect = Expect()


class CommandCheck(Check[CommandParams]):
    """A command that only reads: its exit code and its output are as expected. It runs on this machine."""

    name = "command"
    Params = CommandParams
    evidence = (CommandOutput,)
    symptoms: ClassVar = SYMPTOMS

    def plan(self) -> tuple[str, ...]:
        return _typed(self.params)

    async def run(self, ctx: Context) -> Outcome:
        return await _run(self, ctx)


class CommandAction(Action[CommandParams]):
    """A command that changes something: its exit code and its output are as expected. It runs on this machine."""

    name = "command"
    Params = CommandParams
    evidence = (CommandOutput,)
    symptoms: ClassVar = SYMPTOMS

    def plan(self) -> tuple[str, ...]:
        return _typed(self.params)

    async def run(self, ctx: Context) -> Outcome:
        return await _run(self, ctx)


def _typed(params: CommandParams) -> tuple[str, ...]:
    """The command as it would be typed into a shell, long ones in several lines, and where it runs."""
    settings = [f"{name}={shlex.quote(value)}" for name, value in params.env.items()]
    lines = [""]
    for word in (*settings, *(shlex.quote(argument) for argument in params.run)):
        if lines[-1] and len(lines[-1]) + len(word) > _WIDTH:
            lines.append("   ")
        lines[-1] += f" {word}" if lines[-1] else word
    where = f"in the folder {params.cwd}" if params.cwd else "in the runbook's folder"
    *first, last = lines
    return (*(f"{line} \\" for line in first), last, f"{where}, on this machine")


@dataclass(frozen=True, slots=True)
class _Match:
    """The patterns, sorted by whether things are as they should be."""

    matched: tuple[str, ...]
    missing: tuple[str, ...]
    forbidden: tuple[str, ...]


async def _run(kind: Kind[CommandParams], ctx: Context) -> Outcome:
    params = kind.params
    cwd = resolve(ctx.folder, params.cwd)
    finished = await run(
        params.run,
        cwd=cwd,
        env={**os.environ, **params.env},
        deadline=max(ctx.seconds_left - _MARGIN, ctx.seconds_left / 2),
        on_line=ctx.progress,
        redactor=ctx.redactor,
        keep=KEEP,
    )
    match = await in_thread(lambda: _match(params.expect, finished))
    said = CommandOutput(
        argv=tuple(ctx.redactor(argument) for argument in finished.argv),
        cwd=str(cwd),
        exit_code=finished.exit_code,
        ended_by=finished.ended_by,
        stdout=finished.stdout.text,
        stderr=finished.stderr.text,
        matched=match.matched,
        missed=(*(f"missing: {p}" for p in match.missing), *(f"forbidden: {p}" for p in match.forbidden)),
        attached=await _attached(ctx, finished),
    )
    if finished.ended_by == "deadline":
        return _late(kind, finished, said)
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


def _late(kind: Kind[CommandParams], finished: Finished, said: CommandOutput) -> Outcome:
    what = f"{finished.argv[0]} did not end in time and was ended after {finished.seconds:.0f} seconds"
    if kind.role is Role.ACTION:
        return Outcome.in_doubt(f"{what}; what it has done is not known", said, symptom="deadline")
    return Outcome.errored(what, said, symptom="deadline", remedy="Look at what it said last, and why it hangs.")


def _match(expect: Expect, finished: Finished) -> _Match:
    out, err = finished.stdout.plain, finished.stderr.plain
    wanted = [("stdout", pattern, out) for pattern in expect.stdout]
    wanted += [("stderr", pattern, err) for pattern in expect.stderr]
    matched = [f"{name}: {pattern}" for name, pattern, text in wanted if _found(pattern, text)]
    missing = [f"{name}: {pattern}" for name, pattern, text in wanted if not _found(pattern, text)]
    forbidden = [pattern for pattern in expect.forbidden if _found(pattern, out) or _found(pattern, err)]
    absent = [f"not there: {pattern}" for pattern in expect.forbidden if pattern not in forbidden]
    return _Match((*matched, *absent), tuple(missing), tuple(forbidden))


def _found(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.MULTILINE) is not None


def _judge(params: CommandParams, finished: Finished, match: _Match, said: CommandOutput) -> Outcome:
    name = params.run[0]
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
