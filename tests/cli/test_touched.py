"""What a run has changed, as its journal knows it: real actions, and the closing step that holds it against a list."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runbook.record.events import StepFinished
from runbook.record.journal import read_events
from runbook.record.verify import verify
from runbook.touched import Touched
from tests.cli.bench import Bench

STEPS: list[dict[str, Any]] = [
    {"id": "A.copy", "action": "copy", "source": "here.txt", "on": "local", "target": "{{ tree }}/roles/there.txt"},
    {
        "id": "A.commit",
        "action": "git.commit",
        "folder": "{{ tree }}",
        "paths": ["roles"],
        "message": "There",
        "push": False,
    },
    {
        "id": "A.make",
        "action": "command",
        "run": ["touch", "made.yml"],
        "cwd": "{{ tree }}",
        "touches": ["{{ tree }}/made.yml"],
    },
    {"id": "A.look", "check": "command", "run": ["cat", "{{ tree }}/made.yml"]},
]
EXPECT = [
    {"file": "roles/*.txt"},
    {"file": "made.yml", "on": "local"},
    {"file": "step-ca/Dockerfile.hsm", "by": "committed in the pull request"},
]


class Walk:
    """A small run on a git tree of its own."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.tree = bench.folder / "tree"
        (self.tree / "roles").mkdir(parents=True)
        (bench.folder / "here.txt").write_text("new\n")
        for argv in (
            ["init", "-q", "-b", "main"],
            ["config", "user.name", "op"],
            ["config", "user.email", "op@example.org"],
        ):
            subprocess.run(["git", *argv], cwd=self.tree, check=True)

    def __call__(self, steps: list[dict[str, Any]], **closing: Any) -> subprocess.CompletedProcess[str]:
        last = {"id": "Z.touched", "check": "touched", "expect": EXPECT, **closing}
        runbook = {
            "runbook": 1,
            "id": "small",
            "title": "Small",
            "inputs": {"tree": {"type": "path", "ask": "Which tree?", "source": "site"}},
            "stages": [{"id": "A", "title": "A", "steps": [{"title": "x", **step} for step in (*steps, last)]}],
        }
        (self.bench.folder / "runbook.yaml").write_text(json.dumps(runbook))
        (self.bench.folder / "site.yaml").write_text(f"site: 1\nname: here\ninputs: {{tree: '{self.tree}'}}\n")
        (self.bench.folder / "answers.yaml").write_text("answers: 1\n")
        return self.bench("run", "--headless", "--answers", "answers.yaml")

    @property
    def touched(self) -> list[tuple[str, str, str, str]]:
        """Step, kind, name below the folder and how."""
        (journal,) = self.bench.journals
        assert verify(journal).intact
        events = [event for event in read_events(journal) if isinstance(event, Touched)]
        assert all(event.on == "local" for event in events)
        return [
            (event.step, event.what, str(Path(event.name).relative_to(self.bench.folder)), event.how)
            for event in events
        ]

    @property
    def last(self) -> StepFinished:
        (journal,) = self.bench.journals
        return [event for event in read_events(journal) if isinstance(event, StepFinished)][-1]


@pytest.fixture
def walk(bench: Bench) -> Walk:
    return Walk(bench)


def test_the_journal_knows_what_was_changed_and_the_list_agrees(walk: Walk) -> None:
    done = walk(STEPS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert walk.touched == [
        ("A.copy", "file", "tree/roles/there.txt", "written"),
        ("A.commit", "file", "tree/roles/there.txt", "committed"),
        ("A.make", "file", "tree/made.yml", "by its command"),
    ]
    lines = [line for evidence in walk.last.outcome.evidence for line in evidence.plain()]
    assert lines == [
        "not listed: none",
        "listed, not touched: 1",
        "  ok  file step-ca/Dockerfile.hsm",
        "        committed in the pull request",
        "as listed: 2",
        f"  ok  file local:{walk.tree}/roles/there.txt",
        "        A.copy written",
        "        A.commit committed",
        f"  ok  file local:{walk.tree}/made.yml",
        "        A.make by its command",
    ]


@pytest.mark.parametrize(("unlisted", "code", "verdict"), [("fail", 1, "failed"), ("warn", 0, "warned")])
def test_what_is_not_on_the_list_is_told(walk: Walk, unlisted: str, code: int, verdict: str) -> None:
    done = walk(STEPS, expect=EXPECT[1:], unlisted=unlisted)
    assert (done.returncode, walk.last.outcome.verdict.value, walk.last.outcome.symptom) == (
        code,
        verdict,
        "not listed",
    )
    assert walk.last.outcome.summary == f"not on the list: file local:{walk.tree}/roles/there.txt"


def test_the_same_name_elsewhere_is_something_else(walk: Walk) -> None:
    done = walk(STEPS[:1], expect=[{"file": "roles/there.txt", "on": "ca"}, {"volume": "**"}])
    assert (done.returncode, walk.last.outcome.symptom) == (1, "not listed")


def test_what_nobody_touched_is_told(walk: Walk) -> None:
    done = walk(STEPS[:2])
    assert (done.returncode, walk.last.outcome.symptom) == (0, "not touched")
    assert "made.yml" in walk.last.outcome.summary


def test_it_is_on_record_before_the_file_is_written(walk: Walk) -> None:
    """A copy that fails half way is known to have been begun."""
    (walk.tree / "roles").rmdir()
    done = walk(STEPS[:1])
    assert done.returncode == 1
    assert [event[0] for event in walk.touched] == ["A.copy"]


@pytest.mark.parametrize(
    ("file", "fits"),
    [
        ("there.txt", True),
        ("roles/there.txt", True),
        ("*.txt", True),
        ("tree/**", True),
        ("here.txt", False),
        ("tree/*", False),
        ("/there.txt", False),
    ],
)
def test_a_path_may_be_given_by_its_end(walk: Walk, file: str, fits: bool) -> None:
    done = walk(STEPS[:1], expect=[{"file": file}])
    assert (done.returncode == 0) is fits
