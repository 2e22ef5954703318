"""The way back of `git.commit`: a commit that takes back what that one changed, and its way to the upstream."""

from __future__ import annotations

import shlex
from typing import ClassVar

from checks.evidence.files import CommandOutput, GitTree
from checks.files.git import evidence_of
from checks.files.git_acting import SYMPTOMS, CommitActionParams, CommitParams, Tree, normal, unfit, within
from runbook.context import Context
from runbook.kind import Action, Check
from runbook.outcome import Outcome

_SYMPTOMS = {
    **{name: SYMPTOMS[name] for name in SYMPTOMS if name not in ("nothing to commit", "not committed")},
    "no such commit": "The last commit of the named files is another one, or it was taken back before.",
    "not reverted": "Git did not take the commit back: what came after it changed the same lines, or a hook refused.",
}


class Reverted(Check[CommitParams]):
    """The commit with this message was taken back, the files are as they were before it, and the upstream has it.

    The last commit of the named files is the one that reverts it. The upstream is as it was fetched or pushed last;
    nothing is fetched. Other files may be changed.
    """

    name = "git.reverted"
    Params = CommitParams
    evidence = (GitTree, CommandOutput)
    symptoms: ClassVar = _SYMPTOMS

    async def run(self, ctx: Context) -> Outcome:
        tree = await Tree.open(self.params, ctx)
        state = await tree.state()
        shown = evidence_of(state, self.params.branch)
        if not await _is_reverted(tree, self.params.message):
            return Outcome.failed("it is not taken back", shown, symptom="not reverted")
        if any(within(change, self.params.paths) for change in state.changes):
            return Outcome.warned("taken back, and changed again since", shown, symptom="other changes")
        if self.params.push and (not state.compared or state.ahead):
            return Outcome.warned("taken back, and not pushed yet", shown, symptom="not pushed")
        where = f" and {state.upstream} has it" if self.params.push else ""
        return Outcome.passed(f"taken back by {state.commit[:12]}{where}", shown)


class Revert(Action[CommitActionParams]):
    """Take back the last commit of the named files, which has this message, by a commit of its own, and push.

    Nothing is rewritten: both commits stay in the history. Where something else was committed to these files since,
    nothing is done; other files may be changed. A revert that was made before, and not pushed, is pushed.
    """

    name = "git.revert"
    Params = CommitActionParams
    evidence = (GitTree, CommandOutput)
    symptoms: ClassVar = _SYMPTOMS

    def plan(self) -> tuple[str, ...]:
        params = self.params
        first = params.message.strip().splitlines()[0]
        lines = (
            f"git -C {shlex.quote(params.folder)} log -1 -- {shlex.join(params.paths)}  (must be: {first})",
            "git revert --no-edit THAT-COMMIT",
        )
        return (*lines, f"git push, the branch {params.branch} to its upstream") if params.push else lines

    async def run(self, ctx: Context) -> Outcome:
        params = self.params
        tree = await Tree.open(params, ctx)
        state = await tree.state()
        if refusal := unfit(state, params, others_may=True):
            return refusal
        shown = evidence_of(state, params.branch)
        if changed := [change for change in state.changes if within(change, params.paths)]:
            return Outcome.failed(
                f"the named files are changed and not committed: {changed[0]}",
                shown,
                symptom="other changes",
                remedy="Commit them, or put them back (git restore); nothing was done.",
            )
        if not await _is_reverted(tree, params.message):
            if await tree.last_message() != normal(params.message):
                return Outcome.failed("the last commit of these files is another one", shown, symptom="no such commit")
            for path in params.paths:
                await ctx.touch("file", str(tree.top / path), how="reverted")
            if failed := await tree.act("not reverted", "revert", "--no-edit", await tree.last_commit()):
                await _as_it_was(tree)
                return failed
        if params.push:
            remote, ref = await tree.upstream()
            if failed := await tree.act("not pushed", "push", remote, f"HEAD:{ref}"):
                return failed
        return await Reverted(CommitParams.model_validate(params.model_dump(exclude={"interactive"}))).run(ctx)


async def _as_it_was(tree: Tree) -> None:
    """Take back what a revert that failed has left in the named files; they were clean before."""
    await tree.git("revert", "--abort")  # does nothing where a hook refused, and the changes are staged
    await tree.git("restore", "--source=HEAD", "--staged", "--worktree", "--", *tree.paths)


async def _is_reverted(tree: Tree, message: str) -> bool:
    """Whether the last commit of the named files takes back the one before it, which has this message."""
    done = await tree.git("log", "-2", "--format=%H", "--", *tree.paths)
    commits = done.stdout.plain.split()
    if len(commits) < 2:
        return False
    before = await tree.git("log", "-1", "--format=%B", commits[1])
    if normal(before.stdout.plain) != normal(message):
        return False
    same = await tree.git("diff", "--quiet", f"{commits[1]}^", commits[0], "--", *tree.paths)
    return same.exit_code == 0
