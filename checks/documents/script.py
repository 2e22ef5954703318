"""The check `script`: a shell script is well formed and does what it must, in this order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from checks.documents.judging import SYMPTOMS, DocumentCheck, DocumentsParams, Finding, Source, remark, right, wrong
from checks.documents.malformed import mark_at
from checks.files.programs import ProgramNotFound
from checks.hosts.errors import HostError
from checks.hosts.looking import ask, last_words
from checks.hosts.machine import Machine
from runbook.context import Context
from runbook.fields import Line, Model, RegularExpression
from runbook.files.problems import Mark

SCRIPT_SYMPTOMS: Mapping[str, str] = {
    "interpreter": "Its first line names another interpreter, or none.",
    "not executable": "It cannot be executed.",
    "syntax": "The shell finds a mistake in it.",
    "step missing": "Something that it must do is not in it.",
    "order": "It does something too early or too late.",
    "forbidden": "Something is in it that must not be.",
}

_SHELLS = frozenset({"sh", "dash", "bash"})
"""What `-n` is asked of (sh(1p), bash(1)): they read the script and run nothing."""

_SHEBANG = re.compile(r"#![ \t]*(?P<path>\S+)(?:[ \t]+(?P<argument>\S+))?")
_COMMENT = re.compile(r"^[ \t]*#(?!!).*$", re.MULTILINE)
_SAID_LINE = re.compile(r"(?:line )?(\d+): (?P<what>.*)")


class Doing(Model):
    """Something that the script does."""

    what: Line = Field(description="In words, for people.", examples=["starts pcscd"])
    pattern: RegularExpression = Field(description="`^` and `$` stand for the ends of a line.", examples=["^pcscd\\b"])
    because: Line | None = Field(
        None, description="Why it has to be done, and here.", examples=["The module needs it before the CA starts."]
    )


def _described(value: Any) -> Any:
    return {"what": value, "pattern": value} if isinstance(value, str) else value


Step = Annotated[Doing, BeforeValidator(_described, json_schema_input_type=str | Doing)]
"""A pattern alone, or one with words."""


class Expect(Model):
    """What the script must be; lines that are comments alone are not looked at."""

    interpreter: Line | None = Field(
        None, description="As its first line has it, for example `/bin/sh`.", examples=["/bin/sh"]
    )
    executable: bool = Field(True, description="Its owner may execute it, which is what git keeps of it.")
    in_order: tuple[Step, ...] = Field(
        (),
        description="What it does, each after the one before.",
        examples=[
            [{"what": "starts pcscd", "pattern": "^pcscd"}, {"what": "starts the CA", "pattern": "^exec step-ca"}]
        ],
    )
    forbidden: tuple[Step, ...] = Field(
        (), description="What must not be in it.", examples=[[{"what": "tells its commands", "pattern": "set -x"}]]
    )


class Params(DocumentsParams):
    """A script, and what it must do."""

    expect: Expect = Field(
        Expect(), description="What it must do.", examples=[{"interpreter": "/bin/sh", "executable": True}]
    )


class Script(DocumentCheck[Params]):
    """A shell script is executable and well formed, and does what it must in the right order.

    The shell of its first line reads it without running it (`sh -n`), on the machine where the file is.
    """

    name = "script"
    format = "shell script"
    Params = Params
    symptoms: ClassVar = {**SYMPTOMS, **SCRIPT_SYMPTOMS}

    async def judge(self, source: Source, machine: Machine, ctx: Context) -> Iterable[Finding]:
        expect = self.params.expect
        return [
            *_interpreter(source, expect),
            *_executable(source, expect),
            await _syntax(source, machine, ctx),
            *_in_order(_without_comments(source.text), expect.in_order),
            *_forbidden(_without_comments(source.text), expect.forbidden),
        ]


def _without_comments(text: str) -> str:
    """With each line that is a comment alone made of spaces, so that places stay."""
    return _COMMENT.sub(lambda match: " " * len(match.group()), text)


def _interpreter(source: Source, expect: Expect) -> Iterator[Finding]:
    first = _SHEBANG.match(source.text)
    found = " ".join(filter(None, (first["path"], first["argument"]))) if first else ""
    if expect.interpreter is not None and found != expect.interpreter:
        said = f"the interpreter is {found}" if found else "the first line names no interpreter"
        yield wrong("interpreter", f"{said}, expected {expect.interpreter}", Mark(1, 1))
    elif expect.interpreter is not None:
        yield right(f"the interpreter is {found}")
    if "\r\n" in source.text:
        because = "The system looks for an interpreter whose name ends with a carriage return."
        yield wrong("syntax", "its lines end with CR LF", Mark(1, 1), because)


def _executable(source: Source, expect: Expect) -> Iterator[Finding]:
    if expect.executable:
        mode = source.stat.mode
        may = int(mode or "0", 8) & 0o100 != 0
        said = f"its mode is {mode}"
        yield right(f"it is executable, {said}") if may else wrong("not executable", f"it is not executable, {said}")


async def _syntax(source: Source, machine: Machine, ctx: Context) -> Finding:
    first = _SHEBANG.match(source.text)
    words = [first["path"], first["argument"] or ""] if first else ["sh", ""]
    shell = (words[1] if words[0].endswith("/env") else words[0]).rpartition("/")[2]
    if shell not in _SHELLS:
        return remark(f"`{shell}` was not asked whether it is well formed", Mark(1, 1))
    try:
        finished = await ask(machine, ctx, (shell, "-n"), stdin=source.text.encode())
    except (ProgramNotFound, HostError) as error:
        return remark(f"{shell} was not asked whether it is well formed: {error.what}")
    if finished.exit_code == 0:
        return right(f"{shell} reads it without an error")
    said = _SAID_LINE.search(finished.stderr.text)
    line = min(int(said[1]), len(source.lines)) if said else 0
    text = said["what"] if said else last_words(finished)
    return wrong("syntax", f"{shell} finds a mistake: {text}", Mark(line, 1) if line else None)


def _in_order(text: str, steps: Iterable[Doing]) -> Iterator[Finding]:
    """Each is looked for after the one before; what stands elsewhere is told as out of order."""
    at, before = 0, ""
    for step in steps:
        pattern, because = re.compile(step.pattern, re.MULTILINE), step.because or ""
        if match := pattern.search(text, at):
            at, before = match.end(), step.what
            yield right(f"line {mark_at(text, match.start()).line}: {step.what}")
        elif match := pattern.search(text):
            yield wrong("order", f"{step.what}: too early, it must come after {before}", _mark(text, match), because)
        else:
            where = mark_at(text, at - 1 if at else 0)
            after = f" after {before}" if before else ""
            yield wrong("step missing", f"{step.what}: not found{after}", where, because)


def _forbidden(text: str, patterns: Iterable[Doing]) -> Iterator[Finding]:
    for item in patterns:
        hits = list(re.compile(item.pattern, re.MULTILINE).finditer(text))
        for match in hits:
            yield wrong("forbidden", f"{item.what}: must not be there", _mark(text, match), item.because or "")
        if not hits:
            yield right(f"without {item.what}")


def _mark(text: str, match: re.Match[str]) -> Mark:
    """Where the match begins, its leading space left out."""
    found = match.group()
    return mark_at(text, match.start() + len(found) - len(found.lstrip()))
