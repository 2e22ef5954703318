"""The way back of a commit, in real trees with a real bare repository; git itself judges."""

from __future__ import annotations

from typing import Any

import pytest

from checks.files.git_commit import Commit
from checks.files.git_revert import Revert, Reverted
from runbook.outcome import Outcome, Verdict
from runbook.probing import Answer, answer_of
from tests.files.test_git import IDENTITY, Clone, clone
from tests.stand_in import StandIn

__all__ = ["clone"]

MESSAGE = "trust: rotate\n\nNew fingerprint: 5F:3A\n"
PATHS = ["trust/root.crt", "trust/user.pub"]


@pytest.fixture(autouse=True)
def operators_git(monkeypatch: pytest.MonkeyPatch, clone: Clone) -> None:
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
async def before(clone: Clone) -> str:
    """The tree before the commit that is to be taken back; the files had another content then."""
    clone.write(PATHS[0], "old root\n")
    clone.git("add", "--all")
    clone.git("commit", "--message", "The old root")
    clone.git("push")
    tree = clone.git("rev-parse", "HEAD^{tree}")
    clone.write(PATHS[0], "root\n")
    clone.write(PATHS[1], "user\n")
    assert (await of(Commit, clone)).verdict is Verdict.PASSED
    return tree


async def of(kind: Any, clone: Clone, **more: Any) -> Outcome:
    params = {"folder": str(clone.path), "paths": PATHS, "message": MESSAGE, **more}
    outcome = await StandIn(clone.path.parent).run(kind, **params)
    assert outcome.symptom in {"", *kind.symptoms}
    return outcome


async def probe(clone: Clone) -> Answer:
    return answer_of(await of(Reverted, clone))


async def test_it_is_taken_back_by_a_commit_of_its_own_and_pushed(clone: Clone, before: str) -> None:
    assert await probe(clone) is Answer.NOT_DONE
    outcome = await of(Revert, clone)
    assert outcome.verdict is Verdict.PASSED, outcome.summary
    assert clone.git("rev-parse", "main^{tree}", cwd=clone.upstream) == before
    subjects = clone.git("log", "-2", "--format=%s").splitlines()
    assert subjects == ['Revert "trust: rotate"', "trust: rotate"], "nothing is rewritten"
    assert await probe(clone) is Answer.DONE

    # Again: nothing more is committed.
    head = clone.git("rev-parse", "HEAD")
    assert (await of(Revert, clone)).verdict is Verdict.PASSED
    assert clone.git("rev-parse", "HEAD") == head


async def test_what_was_reverted_and_not_pushed_is_pushed(clone: Clone, before: str) -> None:
    clone.git("revert", "--no-edit", "HEAD")
    assert await probe(clone) is Answer.PARTLY
    assert (await of(Revert, clone)).verdict is Verdict.PASSED
    assert clone.git("rev-parse", "main^{tree}", cwd=clone.upstream) == before


async def test_other_changes_stay_and_those_of_the_named_files_refuse(clone: Clone, before: str) -> None:
    clone.write("notes", "mine\n")
    clone.write(PATHS[1], "changed\n")
    refused = await of(Revert, clone)
    assert (refused.verdict, refused.symptom) == (Verdict.FAILED, "other changes")
    assert PATHS[1] in refused.summary
    assert clone.git("log", "-1", "--format=%s") == "trust: rotate"

    clone.git("restore", PATHS[1])
    assert (await of(Revert, clone)).verdict is Verdict.PASSED
    assert (clone.path / "notes").read_text() == "mine\n"
    assert await probe(clone) is Answer.DONE


async def test_what_was_committed_to_these_files_since_is_not_lost(clone: Clone, before: str) -> None:
    clone.write(PATHS[0], "another root\n")
    clone.git("commit", "--all", "--message", "Another root")
    refused = await of(Revert, clone)
    assert (refused.verdict, refused.symptom) == (Verdict.FAILED, "no such commit")
    assert (clone.path / PATHS[0]).read_text() == "another root\n"


async def test_a_hook_that_refuses_leaves_the_tree_as_it_was(clone: Clone, before: str) -> None:
    hook = clone.path / ".git" / "hooks" / "prepare-commit-msg"
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    hook.chmod(0o755)
    refused = await of(Revert, clone)
    assert (refused.verdict, refused.symptom) == (Verdict.FAILED, "not reverted")
    assert clone.git("status", "--short") == ""
    assert not (clone.path / ".git" / "REVERT_HEAD").exists()
    assert await probe(clone) is Answer.NOT_DONE


async def test_an_upstream_that_refuses_is_told_and_the_next_attempt_pushes(clone: Clone, before: str) -> None:
    hook = clone.upstream / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    refused = await of(Revert, clone)
    assert (refused.verdict, refused.symptom) == (Verdict.FAILED, "not pushed")
    hook.unlink()
    assert (await of(Revert, clone)).verdict is Verdict.PASSED
    assert clone.git("rev-parse", "main^{tree}", cwd=clone.upstream) == before
