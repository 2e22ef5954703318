"""The state of real git trees, and that reading them runs nothing of theirs."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from checks.evidence.files import GitTree
from checks.files.git import GitClean
from runbook.errors import StepError
from runbook.outcome import Outcome, Verdict
from tests.stand_in import StandIn

IDENTITY = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


@dataclass
class Clone:
    """A clone of a bare repository with one commit on main."""

    path: Path
    upstream: Path

    def git(self, *arguments: str, cwd: Path | None = None, check: bool = True) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.path,
            env={**os.environ, **IDENTITY},
            check=check,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def write(self, name: str, text: str = "x\n") -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def commit(self, name: str, text: str = "x\n") -> None:
        self.write(name, text)
        self.git("add", name)
        self.git("commit", "-m", name)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    monkeypatch.setenv("HOME", str(tmp_path))
    made = Clone(tmp_path / "clone", tmp_path / "upstream.git")
    made.git("init", "--bare", "-b", "main", str(made.upstream), cwd=tmp_path)
    made.git("clone", str(made.upstream), str(made.path), cwd=tmp_path)
    made.git("checkout", "-b", "main", check=False)
    made.commit("README")
    made.git("push", "-u", "origin", "main")
    return made


async def judge(folder: Path, branch: str = "main") -> tuple[Outcome, GitTree]:
    outcome = await StandIn(folder.parent).run(GitClean, folder=str(folder), branch=branch)
    assert outcome.symptom in {"", *GitClean.symptoms}
    tree = outcome.evidence[0]
    assert isinstance(tree, GitTree)
    return outcome, tree


async def refused(folder: Path) -> StepError:
    with pytest.raises(StepError) as caught:
        await judge(folder)
    assert caught.value.symptom in GitClean.symptoms
    return caught.value


async def test_clean_and_level_with_upstream(clone: Clone) -> None:
    outcome, tree = await judge(clone.path)
    assert outcome.verdict is Verdict.PASSED
    assert tree.commit == clone.git("rev-parse", "HEAD")
    assert (tree.branch, tree.upstream, tree.ahead, tree.behind, tree.changes) == ("main", "origin/main", 0, 0, ())


async def test_a_folder_inside_the_tree_stands_for_the_whole(clone: Clone) -> None:
    clone.commit("ansible/site.yml")
    clone.write("elsewhere")
    outcome, tree = await judge(clone.path / "ansible")
    assert outcome.symptom == "uncommitted"
    assert tree.folder == str(clone.path)
    assert tree.changes == ("?? elsewhere",)


async def test_every_kind_of_change_is_listed(clone: Clone) -> None:
    clone.commit("old name", "a long text that makes a rename certain\n" * 5)
    clone.commit("gone")
    clone.commit("staged")
    clone.git("mv", "old name", "new näme")
    clone.git("rm", "gone")
    clone.write("staged", "y\n")
    clone.git("add", "staged")
    clone.write("README", "changed\n")
    clone.write("deep/er/untracked \x1b[31m", "new")
    outcome, tree = await judge(clone.path)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "uncommitted")
    assert set(tree.changes) == {
        " M README",
        "D  gone",
        "M  staged",
        "R  new näme (was old name)",
        "?? deep/er/untracked ␛[31m",
    }
    assert outcome.summary == "5 changes are not committed"


async def test_ignored_files_do_not_count(clone: Clone) -> None:
    clone.commit(".gitignore", "*.log\n")
    clone.git("push")
    clone.write("run.log")
    assert (await judge(clone.path))[0].verdict is Verdict.PASSED


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
async def test_changes_that_git_was_told_not_to_see(clone: Clone, flag: str) -> None:
    clone.git("update-index", flag, "README")
    clone.write("README", "tampered\n")
    assert clone.git("status", "--porcelain") == ""
    outcome, _ = await judge(clone.path)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "changes hidden")


async def test_another_branch(clone: Clone) -> None:
    clone.git("checkout", "-b", "feature")
    outcome, tree = await judge(clone.path)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "wrong branch")
    assert (tree.branch, tree.expected_branch) == ("feature", "main")
    assert "git switch main" in outcome.remedy
    assert (await judge(clone.path, "feature"))[0].symptom == "no upstream"


async def test_detached_head(clone: Clone) -> None:
    clone.git("checkout", "--detach")
    assert (await judge(clone.path))[0].symptom == "detached head"


async def test_a_branch_that_is_named_like_a_detached_head(clone: Clone) -> None:
    clone.git("branch", "-m", "main", "(detached)")
    assert (await judge(clone.path))[0].verdict is Verdict.FAILED


async def test_behind_and_ahead_of_the_upstream_as_last_fetched(clone: Clone, tmp_path: Path) -> None:
    other = Clone(tmp_path / "other", clone.upstream)
    clone.git("clone", str(clone.upstream), str(other.path), cwd=tmp_path)
    other.commit("one")
    other.commit("two")
    other.git("push")
    assert (await judge(clone.path))[0].verdict is Verdict.PASSED
    clone.git("fetch")
    outcome, tree = await judge(clone.path)
    assert (outcome.verdict, outcome.symptom, tree.behind) == (Verdict.FAILED, "behind", 2)
    clone.git("merge", "--ff-only")
    clone.commit("three")
    outcome, tree = await judge(clone.path)
    assert (outcome.verdict, tree.ahead, tree.behind) == (Verdict.PASSED, 1, 0)
    assert "1 ahead" in outcome.summary


async def test_no_upstream_is_a_warning(clone: Clone) -> None:
    clone.git("branch", "--unset-upstream")
    outcome, _ = await judge(clone.path)
    assert (outcome.verdict, outcome.symptom) == (Verdict.WARNED, "no upstream")


async def test_an_upstream_that_is_gone(clone: Clone) -> None:
    clone.git("update-ref", "-d", "refs/remotes/origin/main")
    outcome, _ = await judge(clone.path)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "upstream gone")


async def test_no_commit_yet(tmp_path: Path, clone: Clone) -> None:
    clone.git("init", "-b", "main", str(tmp_path / "new"), cwd=tmp_path)
    outcome, _ = await judge(tmp_path / "new")
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "no commit")


@pytest.mark.parametrize("command", ["merge", "rebase", "cherry-pick"])
async def test_something_unfinished(clone: Clone, command: str) -> None:
    clone.git("checkout", "-b", "side")
    clone.commit("README", "side\n")
    clone.git("checkout", "main")
    clone.commit("README", "main\n")
    clone.git(command, "side", check=False)
    outcome, tree = await judge(clone.path)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "in progress")
    assert command in outcome.summary
    assert tree.changes[0][2:] == " README (conflict)"


async def test_a_linked_worktree_has_its_own_state(clone: Clone, tmp_path: Path) -> None:
    clone.git("worktree", "add", "-b", "side", str(tmp_path / "linked"))
    clone.write("README", "changed\n")
    outcome, tree = await judge(tmp_path / "linked", "side")
    assert (outcome.verdict, tree.folder) == (Verdict.WARNED, str(tmp_path / "linked"))


async def test_folders_that_are_no_working_tree(tmp_path: Path, clone: Clone) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    assert (await refused(plain)).symptom == "not a repository"
    assert (await refused(tmp_path / "absent")).symptom == "folder missing"
    assert (await refused(clone.upstream)).symptom == "not a repository"
    assert (await refused(clone.path / ".git")).symptom == "not a repository"


async def test_a_damaged_repository(clone: Clone) -> None:
    (clone.path / ".git" / "index").write_bytes(b"not an index")
    assert (await refused(clone.path)).symptom == "git failed"


async def test_a_tree_of_another_user(clone: Clone) -> None:
    if os.getuid() != 0:
        pytest.fail("this test has to give a folder to another user, which only root can")
    for path in (clone.path, clone.path / ".git"):
        os.chown(path, 65534, 65534)
    assert (await refused(clone.path)).symptom == "dubious ownership"


async def test_git_is_missing(clone: Clone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert (await refused(clone.path)).symptom == "git missing"


async def test_the_environment_cannot_redirect_git(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clone.write("untracked")
    other = Clone(tmp_path / "other", clone.upstream)
    clone.git("clone", str(clone.upstream), str(other.path), cwd=tmp_path)
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "status.showUntrackedFiles")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "no")
    outcome, tree = await judge(clone.path)
    assert (outcome.symptom, tree.folder) == ("uncommitted", str(clone.path))


async def test_settings_of_the_repository_hide_nothing(clone: Clone) -> None:
    clone.git("config", "status.showUntrackedFiles", "no")
    clone.git("config", "status.branch", "false")
    clone.git("config", "status.aheadBehind", "false")
    clone.write("untracked")
    assert (await judge(clone.path))[0].symptom == "uncommitted"


@pytest.mark.parametrize(
    ("key", "value", "attributes"),
    [
        ("core.fsmonitor", "touch {canary}; false", ""),
        ("filter.evil.clean", "touch {canary}; cat", "* filter=evil\n"),
        ("filter.evil.process", "touch {canary}", "* filter=evil\n"),
        ("filter.e=v=il.clean", "touch {canary}; cat", "* filter=e=v=il\n"),
    ],
)
async def test_a_foreign_repository_runs_nothing(
    clone: Clone, tmp_path: Path, key: str, value: str, attributes: str
) -> None:
    canary = tmp_path / "canary"
    clone.git("config", key, value.format(canary=canary))
    (clone.path / ".git" / "info" / "attributes").write_text(attributes)
    # Same length and a new time: git has to read the file to know whether it changed.
    clone.write("README", "y\n")
    outcome, _ = await judge(clone.path)
    assert outcome.symptom == "uncommitted"
    assert not canary.exists()
    clone.git("status", check=False)
    assert canary.exists(), "the attack has to work on git itself, or this test shows nothing"


async def test_reading_writes_nothing(clone: Clone) -> None:
    index = clone.path / ".git" / "index"
    # The file is as it was and looks younger: git would like to note that in its index.
    os.utime(clone.path / "README", (1, 1))
    before = index.read_bytes(), set(index.parent.rglob("*"))
    assert (await judge(clone.path))[0].verdict is Verdict.PASSED
    assert (index.read_bytes(), set(index.parent.rglob("*"))) == before
    clone.git("status")
    assert index.read_bytes() != before[0], "git itself has to write here, or this test shows nothing"


async def test_very_many_changes(clone: Clone) -> None:
    for number in range(1000):
        (clone.path / f"file{number}").touch()
    outcome, tree = await judge(clone.path)
    assert outcome.summary == "1000 changes are not committed"
    assert len(tree.changes) == 201
    assert tree.changes[-1] == "… and 800 more"
