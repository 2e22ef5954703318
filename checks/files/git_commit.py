"""A commit of named files with a message from the runbook, and its way to the upstream (playbook §B3)."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from checks.evidence.files import CommandOutput, GitTree
from checks.files.git import GitClean, State, evidence_of, read_state
from checks.files.git_reading import Git
from checks.files.process import Finished, run
from checks.files.reading import require_folder
from checks.time_left import time_left
from runbook.context import Context
from runbook.kind import Action, Check, Params
from runbook.model import Line
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

    folder: Line = Field(description="The working tree; relative to the runbook's folder.")
    branch: Line = Field("main", description="The branch that must be checked out.")
    paths: tuple[Line, ...] = Field(min_length=1, description="Files and folders of the commit, from the tree's root.")
    message: Annotated[str, Field(min_length=1, max_length=20_000)] = Field(description="The commit's message.")
    push: bool = Field(True, description="Push the branch to its upstream.")


class CommitActionParams(CommitParams):
    """Also how git may ask."""

    interactive: bool = Field(
        False, description="Give git the whole terminal: a signing key's passphrase, the remote's password."
    )


class Committed(Check[CommitParams]):
    """The last commit of the named files has exactly this message, nothing is uncommitted, and the upstream has it.

    The upstream is as it was fetched or pushed last; nothing is fetched.
    """

    name = "git.committed"
    Params = CommitParams
    evidence = (GitTree, CommandOutput)
    symptoms: ClassVar = SYMPTOMS

    async def run(self, ctx: Context) -> Outcome:
        tree = await _Tree.open(self.params, ctx)
        state = await tree.state()
        shown = evidence_of(state, self.params.branch)
        if await tree.last_message() != _normal(self.params.message):
            return Outcome.failed("there is no such commit", shown, symptom="nothing to commit")
        if state.changes:
            return Outcome.warned("committed, and changed again since", shown, symptom="other changes")
        if self.params.push and (not state.compared or state.ahead):
            return Outcome.warned("committed, and not pushed yet", shown, symptom="not pushed")
        where = f" and {state.upstream} has it" if self.params.push else ""
        return Outcome.passed(f"committed as {state.commit[:12]}{where}", shown)


class Commit(Action[CommitActionParams]):
    """Commit the named files and push, as the operator's own git is set up: name, signing, hooks, credentials.

    Only the named files go into the commit; if others are changed, nothing is done. A commit that was made before,
    and not pushed, is pushed.
    """

    name = "git.commit"
    Params = CommitActionParams
    evidence = (GitTree, CommandOutput)
    symptoms: ClassVar = SYMPTOMS

    def plan(self) -> tuple[str, ...]:
        params = self.params
        first, *more = params.message.splitlines()
        lines = [f"git -C {shlex.quote(params.folder)} add --all -- {shlex.join(params.paths)}"]
        lines += [f"git commit, with this message: {first}", *(f"    {line}" for line in more)]
        return (*lines, f"git push, the branch {params.branch} to its upstream") if params.push else tuple(lines)

    async def run(self, ctx: Context) -> Outcome:
        params = self.params
        tree = await _Tree.open(params, ctx)
        state = await tree.state()
        if refusal := _unfit(state, params):
            return refusal
        if not state.changes and await tree.last_message() != _normal(params.message):
            return Outcome.failed(
                "the named files are as they were committed last",
                evidence_of(state, params.branch),
                symptom="nothing to commit",
                remedy="Look whether the step before has written them, and into this tree.",
            )
        if state.changes:
            for change in state.changes:
                await ctx.touch("file", str(Path(state.top) / _path(change)), how="committed")
            await tree.git("add", "--all", "--", *params.paths)
            if failed := await tree.act("not committed", "commit", "--message", params.message, "--", *params.paths):
                return failed
        if params.push:
            remote, ref = await tree.upstream()
            if failed := await tree.act("not pushed", "push", remote, f"HEAD:{ref}"):
                return failed
        return await Committed(CommitParams.model_validate(params.model_dump(exclude={"interactive"}))).run(ctx)


class _Tree:
    """A working tree, read with everything switched off and written to as the operator's git is set up."""

    def __init__(self, reading: Git, kind_params: CommitParams, ctx: Context) -> None:
        self._reading = reading
        self._params = kind_params
        self._ctx = ctx

    @classmethod
    async def open(cls, params: CommitParams, ctx: Context) -> _Tree:
        folder = resolve(ctx.folder, params.folder)
        await require_folder(folder, "Correct the path, or clone the repository.")
        return cls(await Git.open(folder), params, ctx)

    async def state(self) -> State:
        return await read_state(self._reading)

    async def last_message(self) -> str:
        """Of the last commit that touched the named files."""
        done = await self.git("log", "-1", "--format=%B", "--", *self._params.paths)
        return _normal(done.stdout.plain)

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


def _unfit(state: State, params: CommitParams) -> Outcome | None:
    shown = evidence_of(state, params.branch)
    if state.in_progress:
        said = f"{' and '.join(state.in_progress)} is unfinished"
        return Outcome.failed(said, shown, symptom="in progress", remedy="Finish it, or abort it.")
    if state.branch != params.branch:
        symptom = "detached head" if state.branch == "(detached)" else "wrong branch"
        return Outcome.failed(f"on {state.branch}, not on {params.branch}", shown, symptom=symptom)
    others = [change for change in state.changes if not _within(change, params.paths)]
    if others:
        return Outcome.failed(
            f"other files are changed too: {others[0]}" + (f" and {len(others) - 1} more" if others[1:] else ""),
            shown,
            symptom="other changes",
            remedy="Commit or stash them; this commit is to hold the named files alone.",
        )
    if params.push and not state.upstream:
        return Outcome.failed("the branch has no upstream", shown, symptom="no upstream")
    return None


def _within(change: str, paths: Sequence[str]) -> bool:
    """Whether a changed file, as `evidence` lists it, is one of the named."""
    path = _path(change)
    wanted = [name.rstrip("/") for name in paths]
    return any(path == name or path.startswith(f"{name}/") for name in wanted)


def _path(change: str) -> str:
    """The path of a change as `evidence` lists it: two signs, a space, the path."""
    return change[3:].partition(" (was ")[0].removesuffix(" (conflict)")


def _normal(message: str) -> str:
    """As git keeps it: no space at the ends of lines, and no two empty lines in a row (git-commit(1), --cleanup)."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in message.strip().splitlines()))


def _last_line(done: Finished) -> str:
    lines = [line for line in (*done.stdout.plain.splitlines(), *done.stderr.plain.splitlines()) if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", " ! "))]
    return clean_line((telling or lines or [f"exit code {done.exit_code}"])[-1])
