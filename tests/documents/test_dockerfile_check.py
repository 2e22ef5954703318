"""The check `dockerfile`: bases, users, secrets, and the spellings of a Dockerfile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks.documents.dockerfile import DockerfileCheck, split_image
from checks.documents.dockerfile_text import assigned, read_dockerfile
from runbook.outcome import Outcome, Verdict
from tests.documents.site_files import wrong
from tests.stand_in import StandIn

DIGEST = "sha256:" + "0f" * 32


async def run(folder: Path, text: str, **expect: Any) -> Outcome:
    (folder / "Dockerfile").write_text(text)
    return await StandIn(folder).run(DockerfileCheck, path="Dockerfile", expect=expect)


@pytest.mark.parametrize(
    "text",
    [
        "FROM a:1.2\n",
        "from a:1.2.3-slim as x\n",
        f"FROM a@{DIGEST}\n",
        f"FROM a:latest@{DIGEST}\n",
        "FROM --platform=linux/amd64 registry:5000/a/b:v1.2\n",
        "ARG V=1.2\nFROM a:$V\n",
        "ARG V\nFROM a:${V:-1.2}-hsm\n",
        "FROM debian:bookworm-20240701\n",
        "FROM scratch\n",
        "FROM a:1.2 AS one\nFROM one\n",
        "# syntax=docker/dockerfile:1\nFROM a:1.2\nRUN <<EOF\nFROM nowhere\nnonsense here\nEOF\nUSER x\n",
        "# escape=`\nFROM a:1.2\nRUN a `\n  b\n",
        "FROM a:1.2\nRUN a \\\n# in between\n  && b\n",
    ],
)
async def test_what_is_pinned(tmp_path: Path, text: str) -> None:
    outcome = await run(tmp_path, text)
    assert outcome.verdict is Verdict.PASSED, outcome.summary


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FROM a\n", "a has no tag, which means `latest`"),
        ("FROM a:latest\n", "the tag `latest` of a:latest names no version"),
        ("FROM a:stable-hsm\n", "names no version"),
        ("FROM a:1\n", "names no version"),
        ("FROM registry:5000/a\n", "has no tag"),
        ("FROM a@sha256:12\n", "is no complete digest"),
        ("ARG V\nFROM a:$V\n", "depends on an ARG without a default"),
        ("FROM a:${V}\n", "depends on an ARG without a default"),
        ("ARG V=latest\nFROM a:$V\n", "the tag `latest`"),
        ("ARG I=a:1.2\nFROM $I\n", "cannot be told from the file"),
        ("FROM b:2.0 AS one\nFROM a\n", "a has no tag"),
        ("FROM b AS one\nFROM a:1.2\n", "b has no tag"),
    ],
)
async def test_what_floats(tmp_path: Path, text: str, said: str) -> None:
    outcome = await run(tmp_path, text)
    assert outcome.symptom == "floating tag"
    (finding,) = wrong(outcome)
    assert said in finding.text
    assert finding.excerpt.upper().startswith("FROM")


@pytest.mark.parametrize(
    ("text", "symptom"),
    [
        ("ARG V=1.2-hsm\nFROM a:$V\n", "suffix"),
        ("ARG S=-hsm\nFROM a:1.2$S\n", "suffix"),
        ("FROM a:1.2-hsm\n", ""),
        ("ARG V=1.2\nFROM a:${V}-hsm\n", ""),
        ("FROM a:1.2 AS b\nFROM a:1.2-hsm\n", ""),
    ],
)
async def test_the_suffix_stands_literally(tmp_path: Path, text: str, symptom: str) -> None:
    assert (await run(tmp_path, text, suffix="-hsm")).symptom == symptom


@pytest.mark.parametrize(
    ("text", "symptom"),
    [
        ("FROM a:1.2\nUSER root\nRUN x\nUSER step\n", ""),
        ("FROM a:1.2\nUSER step\nUSER root\n", "user"),
        ("FROM a:1.2 AS b\nUSER step\nFROM a:1.2\n", "user"),
        ("FROM a:1.2\n", "user"),
        ("FROM a:1.2\nRUN <<X\nUSER step\nX\nUSER root\n", "user"),
    ],
)
async def test_the_user_at_the_end(tmp_path: Path, text: str, symptom: str) -> None:
    assert (await run(tmp_path, text, user="step")).symptom == symptom


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("ENV PIN=1", "PIN"),
        ("ENV A=1 DB_PASSWORD='x y'", "DB_PASSWORD"),
        ("ENV API_KEY the rest", "API_KEY"),
        ("ARG GITHUB_TOKEN", "GITHUB_TOKEN"),
        ("ENV A=1 \\\n    MY_SECRET=2", "MY_SECRET"),
        ("ENV PIN_FILE=/run/pin", ""),
        ("ENV PASSWORD_MIN_LENGTH=3", ""),
        ("ENV SHIPPING=1 SPINNER=2 KEYBOARD=us", ""),
    ],
)
async def test_secrets(tmp_path: Path, line: str, name: str) -> None:
    outcome = await run(tmp_path, f"FROM a:1.2\n{line}\n")
    assert [finding.text.split()[1] for finding in wrong(outcome)] == ([name] if name else [])


@pytest.mark.parametrize("text", ["", "# nothing\n", "FROM\n", "ARG A=1\n", "FROM a:1.2\napt-get install x\n"])
async def test_what_is_no_dockerfile(tmp_path: Path, text: str) -> None:
    outcome = await run(tmp_path, text)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "malformed")


def test_images_are_split_at_the_right_colon() -> None:
    assert split_image("a:1") == ("a", "1", "")
    assert split_image("h:5000/a/b") == ("h:5000/a/b", "", "")
    assert split_image("h:5000/a:${V:-1}-x@d") == ("h:5000/a", "${V:-1}-x", "d")


def test_assignments_in_every_spelling() -> None:
    assert list(assigned("A=1 B=\"x y\" C='z' D=a\\ b")) == [("A", "1"), ("B", "x y"), ("C", "z"), ("D", "a\\ b")]
    assert list(assigned("NAME the whole rest")) == [("NAME", "the whole rest")]
    assert list(assigned("NAME")) == [("NAME", None)]


def test_lines_are_those_of_the_file() -> None:
    found = read_dockerfile("ARG V=1\n\nFROM a:$V\nRUN x \\\n  y\nRUN <<A cat\nUSER no\nA\n  USER z\n")
    assert [(item.name, item.mark.line) for item in found.stages[0].instructions] == [
        ("RUN", 4),
        ("RUN", 6),
        ("USER", 9),
    ]
