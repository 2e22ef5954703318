"""The check `compose`: what Compose's own spellings mean."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from checks.documents import compose_values as values
from checks.documents.compose import Compose
from checks.documents.yaml_tree import parse_yaml
from checks.evidence.documents import Said
from runbook.files.document import Map
from runbook.outcome import Outcome, Verdict
from tests.documents.site_files import judged, wrong
from tests.stand_in import StandIn


def service(text: str) -> Map:
    root = parse_yaml(text)
    assert isinstance(root, Map)
    return root


async def run(folder: Path, text: str, **expect: Any) -> Outcome:
    (folder / "compose.yml").write_text(text)
    return await StandIn(folder).run(Compose, path="compose.yml", service="web", expect=expect)


def in_web(text: str) -> str:
    return "services:\n  web:\n" + "".join(f"    {line}\n" for line in text.splitlines())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("1m30s", 90),
        ("500ms", 0.5),
        ("1h", 3600),
        ("1.5s", 1.5),
        ("2d", 172_800),
        ("30", None),
        ("", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert values.seconds(text) == seconds


@given(st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_a_duration_is_the_sum_of_its_parts(minutes: int, seconds: int, millis: int) -> None:
    assert values.seconds(f"{minutes}m{seconds}s{millis}ms") == pytest.approx(minutes * 60 + seconds + millis / 1000)


@pytest.mark.parametrize(
    ("text", "size"),
    [("1M", 1 << 20), ("1m", 1 << 20), ("64k", 65_536), ("1048576", 1 << 20), ("2gb", 2 << 30), ("x", None)],
)
def test_sizes(text: str, size: int | None) -> None:
    assert values.size(text) == size


def test_a_colon_within_a_reference_does_not_split() -> None:
    assert values.split("${DATA:-/srv}:/data:ro") == ["${DATA:-/srv}", "/data", "ro"]


def test_mounts_in_every_spelling_are_alike() -> None:
    own = service(
        """
volumes:
  - data:/data
  - ./conf/:/conf:ro,z
  - {type: bind, source: ./conf, target: /other/, read_only: true}
  - /anonymous
  - {type: tmpfs, target: /t, tmpfs: {size: 1M, mode: 0700}}
tmpfs: /run
"""
    )
    assert [(one.source, one.target, one.read_only) for one in values.mounts(own)] == [
        ("data", "/data", False),
        ("./conf", "/conf", True),
        ("./conf", "/other", True),
        ("", "/anonymous", False),
    ]
    assert [(one.target, one.options) for one in values.tmpfs(own)] == [
        ("/run", {}),
        ("/t", {"size": "1M", "mode": "0700"}),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "environment: {A: x, B: '1', C: }",
        "environment:\n  - A=x\n  - B=1\n  - C\n",
        "environment: {A: x, B: 1, C: null}",
    ],
)
def test_variables_in_every_spelling_are_alike(text: str) -> None:
    found = [(name, value) for name, value, _ in values.environment(service(text))]
    assert found == [("A", "x"), ("B", "1"), ("C", None)]


def test_devices_in_every_spelling_are_alike() -> None:
    own = service("devices: [/dev/a, '/dev/a:/dev/b', '/dev/a:/dev/b:r', {source: /dev/c, target: /dev/d}]")
    assert [(one.source, one.target, one.options["permissions"]) for one in values.devices(own)] == [
        ("/dev/a", "/dev/a", "rwm"),
        ("/dev/a", "/dev/b", "rwm"),
        ("/dev/a", "/dev/b", "r"),
        ("/dev/c", "/dev/d", "rwm"),
    ]


async def test_what_anchors_and_merge_keys_bring_is_judged_where_it_stands(tmp_path: Path) -> None:
    text = "x-base: &base\n  user: '1:1'\n  environment:\n    A: b\nservices:\n  web:\n    <<: *base\n    build: .\n"
    good = await run(tmp_path, text, user="1:1", environment={"present": {"A": "b"}}, build={})
    assert good.verdict is Verdict.PASSED, good.summary
    bad = await run(tmp_path, text, user="0:0")
    (finding,) = wrong(bad)
    assert (finding.line, finding.excerpt) == (2, "  user: '1:1'")


@pytest.mark.parametrize(
    "text",
    [
        "build: ./x",
        "build: x",
        "build: {context: ./x/}",
        "build: {context: x, args: [V=1]}",
        "build: {context: x, args: {V: 1}}",
    ],
)
async def test_a_build_in_every_spelling(tmp_path: Path, text: str) -> None:
    outcome = await run(tmp_path, in_web(text), build={"context": "./x", "args": {"V": "1"}})
    assert outcome.verdict is Verdict.PASSED, outcome.summary


@pytest.mark.parametrize(
    ("text", "symptom"),
    [
        ("healthcheck: {disable: true}", "health check"),
        ("healthcheck: {test: [NONE]}", "health check"),
        ("user: x", "health check"),
        ("healthcheck: {test: ask me, timeout: 29.9s}", "time-out"),
        ("healthcheck: {test: ask me}", ""),
        ("healthcheck: {test: [CMD, ask, me], timeout: 1m}", ""),
    ],
)
async def test_health_checks(tmp_path: Path, text: str, symptom: str) -> None:
    outcome = await run(tmp_path, in_web(text), healthcheck={"timeout_at_least": "30s", "contains": ["ask me"]})
    assert outcome.symptom == symptom, outcome.summary


@pytest.mark.parametrize("text", ["entrypoint: /bin/x --y 'a b'", "entrypoint: [/bin/x, --y, a b]"])
async def test_an_entrypoint_in_every_spelling(tmp_path: Path, text: str) -> None:
    outcome = await run(tmp_path, in_web(text), entrypoint=["/bin/x", "--y", "a b"])
    assert outcome.verdict is Verdict.PASSED, outcome.summary


@pytest.mark.parametrize("text", ["services: {db: {}}", "services: [web]", "[]", "a: 1", "services:\n  web:\n"])
async def test_a_service_that_is_not_there(tmp_path: Path, text: str) -> None:
    outcome = await run(tmp_path, text, user="x")
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "service missing")


@pytest.mark.parametrize("text", ["user: x\nextends: {file: other.yml, service: y}", "user: x\nenv_file: .env"])
async def test_what_stands_in_other_files_is_a_warning(tmp_path: Path, text: str) -> None:
    outcome = await run(tmp_path, in_web(text), user="x")
    assert (outcome.verdict, outcome.symptom) == (Verdict.WARNED, "not followed")


def test_nothing_expected_is_refused() -> None:
    with pytest.raises(ValidationError, match="nothing is expected"):
        Compose.Params.model_validate({"path": "x", "service": "y", "expect": {}})


@pytest.mark.parametrize(("code", "verdict"), [(0, Verdict.PASSED), (15, Verdict.FAILED)])
async def test_compose_itself_is_asked_where_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, verdict: Verdict
) -> None:
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\n[ "$2" = version ] && exit 0\necho "$@" > {tmp_path}/asked\n'
        f"[ {code} = 0 ] || echo 'services.web: PIN=4711 is no value' >&2\nexit {code}\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")

    outcome = await run(tmp_path, in_web("user: x"), user="x")

    assert outcome.verdict is verdict
    assert (tmp_path / "asked").read_text() == (
        f"compose --file {tmp_path}/compose.yml config --quiet --no-interpolate\n"
    )
    if code:
        assert outcome.symptom == "refused by compose"
        assert "4711" not in outcome.summary


async def test_without_compose_the_rules_alone_judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "cat", "stat", "grep", "find", "tr", "readlink", "head"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    monkeypatch.setenv("PATH", str(tools))
    outcome = await run(tmp_path, in_web("user: x"), user="x")
    assert outcome.verdict is Verdict.PASSED, outcome.summary
    assert ["not there" in finding.text for finding in judged(outcome).those(Said.REMARK)] == [True]
