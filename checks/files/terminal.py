"""An interactive command that is given the whole terminal: a vault tool that prompts, a role that asks for sudo."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from checks.evidence.files import CommandOutput
from checks.files.programs import find_program
from checks.files.touches import Touches
from runbook.context import Context
from runbook.kind import Action
from runbook.operator import TerminalRequest
from runbook.outcome import Outcome
from runbook.paths import resolve
from runbook.ran import Ran, tell
from runbook.threads import in_thread


class TerminalParams(Touches):
    """The command, and the exit code that means it went well."""

    run: tuple[Annotated[str, Field(max_length=32_000)], ...] = Field(
        min_length=1, description="The argument list; no shell reads it.", examples=[["ccat", "secrets", "edit"]]
    )
    cwd: str = Field(
        "",
        description="The folder to run in; relative to, and if empty, the runbook's folder.",
        examples=["{{ repository }}"],
    )
    env: Mapping[str, str] = Field(
        default_factory=dict, description="Environment variables set beside ours.", examples=[{"EDITOR": "nano"}]
    )
    exit_code: int = Field(0, ge=0, le=255, description="The exit code that means it went well.", examples=[0])


class Terminal(Action[TerminalParams]):
    """A command that asks questions by itself: it gets the whole terminal, and gives it back.

    What is typed and shown meanwhile is the command's own and is not recorded, so a password that it asks for stays
    between it and the operator. Let a check after it look at what it did.
    """

    name = "terminal"
    Params = TerminalParams
    evidence = (CommandOutput,)
    symptoms: ClassVar = {
        "program not found": "There is no program of that name, or its interpreter is missing.",
        "not executable": "The file is there, but the system does not run it.",
        "wrong folder": "The folder to run in does not exist.",
        "exit code": "The command ended with another exit code than expected.",
        "killed": "The command was ended by a signal, for example with ctrl-c.",
    }

    def plan(self) -> tuple[str, ...]:
        settings = [f"{name}={shlex.quote(value)}" for name, value in self.params.env.items()]
        where = f"in the folder {self.params.cwd}" if self.params.cwd else "in the runbook's folder"
        return (" ".join([*settings, shlex.join(self.params.run)]), f"{where}, at this terminal")

    async def run(self, ctx: Context) -> Outcome:
        params = self.params
        cwd = resolve(ctx.folder, params.cwd)
        await in_thread(lambda: find_program(params.run[0], cwd, None))
        await params.tell(ctx, folder=ctx.folder)
        started = time.monotonic()
        status = await ctx.operator.terminal(TerminalRequest(params.run, str(cwd), dict(params.env)))
        # As shells tell it: 128 and the signal's number.
        ended_by = f"signal {status - 128}" if status > 128 else ""
        code = None if ended_by else status
        tell(
            Ran(
                params.run,
                cwd=str(cwd),
                env=params.env,
                exit_code=code,
                ended_by=ended_by,
                seconds=time.monotonic() - started,
            )
        )
        said = CommandOutput(
            argv=tuple(ctx.redactor(argument) for argument in params.run),
            cwd=str(cwd),
            exit_code=code,
            ended_by=ended_by,
            stdout="(shown at the terminal, not recorded)",
            stderr="",
        )
        name = params.run[0]
        if ended_by and status != params.exit_code:
            return Outcome.failed(f"{name} was ended by {ended_by}", said, symptom="killed")
        if status != params.exit_code:
            return Outcome.failed(
                f"{name} ended with exit code {status}, expected {params.exit_code}", said, symptom="exit code"
            )
        return Outcome.passed(f"{name} ended with exit code {status}", said)
