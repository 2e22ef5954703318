"""Commits in real trees, pushed to a real bare repository; git itself judges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.files.git_commit import Commit, Committed
from runbook.operator import TerminalRequest
from runbook.outcome import Outcome, Verdict
from runbook.probing import Answer, answer_of
from tests.files.test_git import IDENTITY, Clone, clone
from tests.stand_in import Person, StandIn

__all__ = ["clone"]

MESSAGE = "ca_trust: rotate\n\n\nNew fingerprint: 5F:3A  \n# not a comment\n"
PATHS = ["trust/root.crt", "trust/user.pub"]


@pytest.fixture(autouse=True)
def operators_git(monkeypatch: pytest.MonkeyPatch, clone: Clone) -> None:
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)


async def commit(clone: Clone, person: Person | None = None, **more: Any) -> Outcome:
    params = {"folder": str(clone.path), "paths": PATHS, "message": MESSAGE, **more}
    outcome = await StandIn(clone.path.parent, person or Person()).run(Commit, **params)
    assert outcome.symptom in {"", *Commit.symptoms}
    return outcome


async def probe(clone: Clone) -> Answer:
    params = {"folder": str(clone.path), "paths": PATHS, "message": MESSAGE}
    return answer_of(await StandIn(clone.path.parent).run(Committed, **params))


def write(clone: Clone) -> None:
    clone.write(PATHS[0], "root\n")
    clone.write(PATHS[1], "user\n")


async def test_the_named_files_are_committed_and_pushed(clone: Clone) -> None:
    write(clone)
    assert await probe(clone) is Answer.NOT_DONE
    outcome = await commit(clone)
    assert outcome.verdict is Verdict.PASSED, outcome.summary
    assert clone.git("log", "-1", "--format=%B", "main", cwd=clone.upstream).splitlines() == [
        "ca_trust: rotate",
        "",
        "New fingerprint: 5F:3A",
        "# not a comment",
    ]
    assert clone.git("show", "--name-only", "--format=", "HEAD").split() == PATHS
    assert await probe(clone) is Answer.DONE
    again = await commit(clone)
    assert (again.verdict, clone.git("rev-list", "--count", "HEAD")) == (Verdict.PASSED, "2")


async def test_a_commit_that_was_not_pushed_is_pushed_and_not_made_again(clone: Clone) -> None:
    write(clone)
    clone.upstream.rename(clone.upstream.with_suffix(".away"))
    first = await commit(clone)
    assert (first.verdict, first.symptom) == (Verdict.FAILED, "not pushed")
    assert await probe(clone) is Answer.PARTLY
    clone.upstream.with_suffix(".away").rename(clone.upstream)
    assert (await commit(clone)).verdict is Verdict.PASSED
    assert clone.git("rev-list", "--count", "main", cwd=clone.upstream) == "2"


async def test_other_changes_are_never_swept_in(clone: Clone) -> None:
    write(clone)
    clone.write("README", "changed\n")
    outcome = await commit(clone)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "other changes")
    clone.git("checkout", "README")
    clone.write("trust/root.crt.bak")
    assert (await commit(clone)).symptom == "other changes"
    assert clone.git("rev-list", "--count", "HEAD") == "1"


@pytest.mark.parametrize(
    ("prepare", "symptom"),
    [
        (["switch", "-c", "other"], "wrong branch"),
        (["checkout", "--detach"], "detached head"),
        (["branch", "--unset-upstream"], "no upstream"),
    ],
)
async def test_what_does_not_fit_is_told_before_anything_is_done(
    clone: Clone, prepare: list[str], symptom: str
) -> None:
    clone.git(*prepare)
    write(clone)
    outcome = await commit(clone)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, symptom)
    assert clone.git("rev-list", "--count", "HEAD") == "1"
    assert clone.git("diff", "--cached", "--name-only") == ""


async def test_nothing_to_commit_and_a_hook_that_refuses(clone: Clone) -> None:
    assert (await commit(clone)).symptom == "nothing to commit"
    hook = clone.write(".git/hooks/pre-commit", "#!/bin/sh\necho 'error: the linter says no' >&2\nexit 1\n")
    hook.chmod(0o755)
    write(clone)
    outcome = await commit(clone)
    assert outcome.symptom == "not committed"
    assert "the linter says no" in outcome.summary


async def test_git_is_given_the_terminal_where_the_step_says_so(clone: Clone) -> None:
    class Typing(Person):
        async def terminal(self, request: TerminalRequest) -> int:
            self.asked.append(request.argv[2])
            clone.git(*request.argv[1:])
            return 0

    person = Typing()
    write(clone)
    assert (await commit(clone, person, interactive=True)).verdict is Verdict.PASSED
    assert person.asked == ["commit", "push"]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1).filter(str.strip))
async def test_any_message_is_found_again(clone: Clone, message: str) -> None:
    clone.write("trust/root.crt", message)
    context = StandIn(clone.path.parent)
    params = {"folder": str(clone.path), "paths": ["trust"], "message": message}
    assert (await context.run(Commit, **params)).verdict is Verdict.PASSED


async def test_the_plan_shows_the_commands_and_the_whole_message(tmp_path: Path) -> None:
    kind = Commit(Commit.Params.model_validate({"folder": str(tmp_path), "paths": ["a b"], "message": MESSAGE}))
    text = "\n".join(kind.plan())
    assert "add --all -- 'a b'" in text
    assert "New fingerprint: 5F:3A" in text
    assert "git push" in text
