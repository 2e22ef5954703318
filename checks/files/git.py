"""A git working tree, read without letting the repository run anything (playbook §0)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from checks.evidence.files import GitTree
from checks.files.git_reading import Git
from checks.files.programs import ProgramNotFound
from checks.files.reading import require_folder
from runbook.context import Context
from runbook.errors import StepError
from runbook.fields import Line
from runbook.kind import Check, Params
from runbook.outcome import Outcome
from runbook.paths import resolve
from runbook.threads import in_thread

SHOWN_CHANGES = 200
"""Changes listed in the evidence; the rest is counted."""

_IN_PROGRESS: Mapping[str, str] = {
    "MERGE_HEAD": "a merge",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase or the applying of patches",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "BISECT_LOG": "a bisection",
}
"""Files and folders in the git directory that git keeps while something is unfinished."""


class GitCleanParams(Params):
    """Which tree, and where it must stand."""

    folder: Line = Field(
        description="The working tree; relative to the runbook's folder.", examples=["{{ repository }}"]
    )
    branch: Line = Field("main", description="The branch that must be checked out.", examples=["main"])


@dataclass(slots=True)
class State:
    """What `git status --porcelain=v2 --branch` says, and what it does not."""

    top: str = ""
    commit: str = ""
    branch: str = ""
    upstream: str = ""
    ahead: int = 0
    behind: int = 0
    compared: bool = False
    """Whether the upstream's commit is known here."""
    changes: list[str] = field(default_factory=list)
    hidden: int = 0
    """Files whose changes git was told not to see."""
    in_progress: list[str] = field(default_factory=list)


class GitClean(Check[GitCleanParams]):
    """A git tree is on the right branch, with nothing uncommitted, and not behind its upstream as last fetched.

    Nothing is fetched. Untracked files count as uncommitted; ignored ones do not. Work inside submodules is not
    looked at, only which commit they are at.
    """

    name = "git.clean"
    Params = GitCleanParams
    evidence = (GitTree,)
    symptoms: ClassVar = {
        "git missing": "The program git is not installed.",
        "folder missing": "The folder is not there.",
        "not a repository": "The folder is in no git working tree.",
        "dubious ownership": "The tree belongs to another user, and git refuses to read it.",
        "git failed": "Git could not read the repository.",
        "wrong branch": "Another branch is checked out.",
        "detached head": "No branch is checked out.",
        "no commit": "The branch has no commit yet.",
        "in progress": "A merge, rebase or the like is unfinished.",
        "uncommitted": "There are changes or new files that are not committed.",
        "changes hidden": "Git was told to look away from changes in some files.",
        "behind": "The upstream, as last fetched, has commits that are not here.",
        "upstream gone": "The upstream branch is not known here.",
        "no upstream": "The branch has no upstream to be compared with.",
    }

    async def run(self, ctx: Context) -> Outcome:
        folder = resolve(ctx.folder, self.params.folder)
        await require_folder(folder, "Correct the path, or clone the repository.")
        try:
            state = await read_state(await Git.open(folder))
        except ProgramNotFound:
            raise StepError(
                "git is not installed", remedy="Install it: apt install git", symptom="git missing"
            ) from None
        return _judge(state, self.params.branch)


async def read_state(git: Git) -> State:
    """Raises GitRefused."""
    state = State(top=git.top)
    for entry in await git.status():
        _read_entry(state, entry)
    state.hidden = await git.hidden()
    git_dir = Path(git.git_dir)
    state.in_progress = await in_thread(
        lambda: [said for name, said in _IN_PROGRESS.items() if os.path.lexists(git_dir / name)]
    )
    return state


def _read_entry(state: State, entry: str) -> None:
    """One entry of the porcelain format, version 2 (git-status(1))."""
    kind, _, rest = entry.partition(" ")
    match kind:
        case "#":
            _read_header(state, rest)
        case "1":
            xy, path = rest[:2], rest.split(" ", 7)[-1]
            state.changes.append(f"{xy.replace('.', ' ')} {path}")
        case "2":
            xy, path = rest[:2], rest.split(" ", 8)[-1]
            state.changes.append(f"{xy.replace('.', ' ')} {path}")
        case "u":
            state.changes.append(f"{rest[:2]} {rest.split(' ', 9)[-1]} (conflict)")
        case "?":
            state.changes.append(f"?? {rest}")


def _read_header(state: State, header: str) -> None:
    name, _, value = header.partition(" ")
    match name:
        case "branch.oid":
            state.commit = value
        case "branch.head":
            state.branch = value
        case "branch.upstream":
            state.upstream = value
        case "branch.ab":
            ahead, behind = value.split()
            state.ahead, state.behind, state.compared = int(ahead), -int(behind), True


def evidence_of(state: State, branch: str) -> GitTree:
    """What was read, as evidence; `branch` is the one expected."""
    changes = state.changes[:SHOWN_CHANGES]
    if len(state.changes) > SHOWN_CHANGES:
        changes.append(f"… and {len(state.changes) - SHOWN_CHANGES} more")
    return GitTree(
        folder=state.top,
        branch=state.branch,
        expected_branch=branch,
        commit=state.commit,
        upstream=state.upstream,
        ahead=state.ahead,
        behind=state.behind,
        changes=tuple(changes),
    )


def _judge(state: State, branch: str) -> Outcome:
    tree = evidence_of(state, branch)
    problems = list(_problems(state, branch))
    if problems:
        symptom, _, remedy = problems[0]
        return Outcome.failed("; ".join(said for _, said, _ in problems), tree, symptom=symptom, remedy=remedy)
    if not state.upstream:
        return Outcome.warned(
            f"clean, on {branch}, but without an upstream to compare with",
            tree,
            symptom="no upstream",
            remedy=f"Set one: git branch --set-upstream-to=origin/{branch}",
        )
    ahead = f", {state.ahead} ahead of {state.upstream}" if state.ahead else ""
    return Outcome.passed(f"clean, on {branch}, not behind {state.upstream} as last fetched{ahead}", tree)


def _problems(state: State, branch: str) -> list[tuple[str, str, str]]:
    """Symptom, sentence and remedy of all that is wrong, the gravest first."""
    found: list[tuple[str, str, str]] = []
    if state.in_progress:
        said = " and ".join(state.in_progress)
        found.append(("in progress", f"{said} is unfinished", "Finish it, or abort it."))
    if state.branch == "(detached)":
        found.append(("detached head", "no branch is checked out", f"Check it out: git switch {branch}"))
    elif state.branch != branch:
        found.append(("wrong branch", f"on {state.branch}, not on {branch}", f"Check it out: git switch {branch}"))
    if state.commit == "(initial)":
        found.append(("no commit", "there is no commit yet", "Look whether this is the right clone."))
    if state.changes:
        count = len(state.changes)
        said = "1 change is" if count == 1 else f"{count} changes are"
        found.append(("uncommitted", f"{said} not committed", "Commit, stash or remove what is listed."))
    if state.hidden:
        remedy = "List them with `git ls-files -v`; undo it with git update-index --no-assume-unchanged."
        found.append(("changes hidden", f"git looks away from changes in {state.hidden} files", remedy))
    if state.behind:
        said = f"{state.behind} behind {state.upstream}"
        found.append(("behind", said, "Bring it up to date: git pull --ff-only"))
    if state.upstream and not state.compared and state.commit != "(initial)":
        said = f"the upstream {state.upstream} is not known here"
        found.append(("upstream gone", said, "Fetch, or set another upstream."))
    return found
