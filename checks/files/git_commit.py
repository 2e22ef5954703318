"""A commit of named files with a message from the runbook, and its way to the upstream (playbook §B3)."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import ClassVar

from checks.evidence.files import CommandOutput, GitTree
from checks.files.git import evidence_of
from checks.files.git_acting import SYMPTOMS, CommitActionParams, CommitParams, Tree, changed_path, normal, unfit
from runbook.context import Context
from runbook.kind import Action, Check
from runbook.outcome import Outcome


class Committed(Check[CommitParams]):
    """The last commit of the named files has exactly this message, nothing is uncommitted, and the upstream has it.

    The upstream is as it was fetched or pushed last; nothing is fetched.
    """

    name = "git.committed"
    Params = CommitParams
    evidence = (GitTree, CommandOutput)
    symptoms: ClassVar = SYMPTOMS

    async def run(self, ctx: Context) -> Outcome:
        tree = await Tree.open(self.params, ctx)
        state = await tree.state()
        shown = evidence_of(state, self.params.branch)
        if await tree.last_message() != normal(self.params.message):
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
        tree = await Tree.open(params, ctx)
        state = await tree.state()
        if refusal := unfit(state, params):
            return refusal
        if not state.changes and await tree.last_message() != normal(params.message):
            return Outcome.failed(
                "the named files are as they were committed last",
                evidence_of(state, params.branch),
                symptom="nothing to commit",
                remedy="Look whether the step before has written them, and into this tree.",
            )
        if state.changes:
            for change in state.changes:
                await ctx.touch("file", str(Path(state.top) / changed_path(change)), how="committed")
            await tree.git("add", "--all", "--", *params.paths)
            if failed := await tree.act("not committed", "commit", "--message", params.message, "--", *params.paths):
                return failed
        if params.push:
            remote, ref = await tree.upstream()
            if failed := await tree.act("not pushed", "push", remote, f"HEAD:{ref}"):
                return failed
        return await Committed(CommitParams.model_validate(params.model_dump(exclude={"interactive"}))).run(ctx)
