"""A working tree that is written to as the operator's own git is set up: what commits and their way back share."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from checks.evidence.files import CommandOutput
from checks.files.git import GitClean, State, evidence_of, read_state
from checks.files.git_reading import Git
from checks.files.process import Finished, run
from checks.files.reading import require_folder
from checks.time_left import time_left
from runbook.context import Context
from runbook.fields import Line
from runbook.kind import Params
from runbook.operator import TerminalRequest
from runbook.outcome import Outcome
from runbook.paths import resolve
from runbook.text import clean_line

SYMPTOMS = {
    **{name: GitClean.symptoms[name] for name in ("folder missing", "not a repository", "dubious ownership")},
    **{name: GitClean.symptoms[name] for name in ("git failed", "wrong branch", "detached head", "in progress")},
    "other changes": "Files beside the named ones are changed, and would not be part of the commit.",
    "nothing to commit": "The named files are as they were committed last, with another message.",
    "not committed": "Git did not make the commit: a hook, the signing, or a missing name refused it.",
    "not pushed": "The commit is there, and the upstream does not have it.",
    "no upstream": "The branch has no upstream to be pushed to.",
}


class CommitParams(Params):
    """Which files, and what the commit says."""

    folder: Line = Field(
        description="The working tree; relative to the runbook's folder.", examples=["{{ repository }}"]
    )
    branch: Line = Field("main", description="The branch that must be checked out.", examples=["main"])
    paths: tuple[Line, ...] = Field(
        min_length=1,
        description="Files and folders of the commit, from the tree's root.",
        examples=[["ansible/roles/ca_trust/files/root_ca.crt"]],
    )
    message: Annotated[str, Field(min_length=1, max_length=20_000)] = Field(
        description="The commit's message.", examples=["Trust the new root"]
    )
    push: bool = Field(True, description="Push the branch to its upstream.")


class CommitActionParams(CommitParams):
    """Also how git may ask."""

    interactive: bool = Field(
        False, description="Give git the whole terminal: a signing key's passphrase, the remote's password."
    )


class Tree:
    """A working tree, read with everything switched off and written to as the operator's git is set up."""

    def __init__(self, reading: Git, kind_params: CommitParams, ctx: Context) -> None:
        self._reading = reading
        self._params = kind_params
        self._ctx = ctx

    @classmethod
    async def open(cls, params: CommitParams, ctx: Context) -> Tree:
        folder = resolve(ctx.folder, params.folder)
        await require_folder(folder, "Correct the path, or clone the repository.")
        return cls(await Git.open(folder), params, ctx)

    async def state(self) -> State:
        return await read_state(self._reading)

    @property
    def paths(self) -> tuple[str, ...]:
        """The named files."""
        return self._params.paths

    @property
    def top(self) -> Path:
        """The working tree's root."""
        return Path(self._reading.top)

    async def last_commit(self) -> str:
        """The hash of the last commit that touched the named files; empty: there is none."""
        done = await self.git("log", "-1", "--format=%H", "--", *self._params.paths)
        return done.stdout.plain.strip()

    async def last_message(self) -> str:
        """Of the last commit that touched the named files."""
        done = await self.git("log", "-1", "--format=%B", "--", *self._params.paths)
        return normal(done.stdout.plain)

    async def upstream(self) -> tuple[str, str]:
        """The remote and the full name of the branch there."""
        done = await self.git("config", "--get", f"branch.{self._params.branch}.remote")
        ref = await self.git("config", "--get", f"branch.{self._params.branch}.merge")
        return done.stdout.plain.strip(), ref.stdout.plain.strip()

    async def git(self, *arguments: str) -> Finished:
        argv = ("git", "--no-pager", *arguments)
        # Git writes progress where it writes errors; a question nobody could answer would only hang.
        env = {**os.environ, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "false"}
        return await run(
            argv,
            cwd=Path(self._reading.top),
            env=env,
            deadline=time_left(self._ctx),
            on_line=self._ctx.progress,
            redactor=self._ctx.redactor,
        )

    async def act(self, symptom: str, *arguments: str) -> Outcome | None:
        """The outcome where git did not do it."""
        params = self._params
        if isinstance(params, CommitActionParams) and params.interactive:
            argv = ("git", "--no-pager", *arguments)
            status: int | None = await self._ctx.operator.terminal(TerminalRequest(argv, self._reading.top))
            said = CommandOutput(argv=argv, cwd=self._reading.top, exit_code=status, stdout="", stderr="")
            words = "it said so at the terminal"
        else:
            done = await self.git(*arguments)
            status, words = done.exit_code, _last_line(done)
            said = CommandOutput(
                argv=done.argv,
                cwd=self._reading.top,
                exit_code=status,
                ended_by=done.ended_by,
                stdout=done.stdout.text,
                stderr=done.stderr.text,
            )
            if done.ended_by:
                what = f"git {arguments[0]} was ended by {done.ended_by}; whether it is done is not known"
                return Outcome.in_doubt(what, said, symptom=symptom)
        if status == 0:
            return None
        return Outcome.failed(f"git {arguments[0]} did not work: {words}", said, symptom=symptom)


def unfit(state: State, params: CommitParams, *, others_may: bool = False) -> Outcome | None:
    """The outcome where nothing may be written to the tree as it is; `others_may`: other files may be changed."""
    shown = evidence_of(state, params.branch)
    if state.in_progress:
        said = f"{' and '.join(state.in_progress)} is unfinished"
        return Outcome.failed(said, shown, symptom="in progress", remedy="Finish it, or abort it.")
    if state.branch != params.branch:
        symptom = "detached head" if state.branch == "(detached)" else "wrong branch"
        return Outcome.failed(f"on {state.branch}, not on {params.branch}", shown, symptom=symptom)
    others = [change for change in state.changes if not within(change, params.paths)]
    if others and not others_may:
        return Outcome.failed(
            f"other files are changed too: {others[0]}" + (f" and {len(others) - 1} more" if others[1:] else ""),
            shown,
            symptom="other changes",
            remedy="Commit or stash them; this commit is to hold the named files alone.",
        )
    if params.push and not state.upstream:
        return Outcome.failed("the branch has no upstream", shown, symptom="no upstream")
    return None


def within(change: str, paths: Sequence[str]) -> bool:
    """Whether a changed file, as `evidence` lists it, is one of the named."""
    path = changed_path(change)
    wanted = [name.rstrip("/") for name in paths]
    return any(path == name or path.startswith(f"{name}/") for name in wanted)


def changed_path(change: str) -> str:
    """The path of a change as `evidence` lists it: two signs, a space, the path."""
    return change[3:].partition(" (was ")[0].removesuffix(" (conflict)")


def normal(message: str) -> str:
    """As git keeps it: no space at the ends of lines, and no two empty lines in a row (git-commit(1), --cleanup)."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in message.strip().splitlines()))


def _last_line(done: Finished) -> str:
    lines = [line for line in (*done.stdout.plain.splitlines(), *done.stderr.plain.splitlines()) if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", " ! "))]
    return clean_line((telling or lines or [f"exit code {done.exit_code}"])[-1])
