"""Each single way in which one of the CA's files can leave the playbook is found by its step, and by one message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from runbook.hints import matching
from runbook.outcome import Verdict
from tests.documents.site_files import SHIPPED, SiteFiles, wrong

COMPOSE = "docker-compose.ca.yml"
DOCKERFILE = "step-ca/Dockerfile.hsm"
ENTRYPOINT = "step-ca/step-ca-hsm-entrypoint.sh"
CONFIG = "step-ca/ca.json.hsm"

KINDS = ("dockerfile", "compose", "script", "ca_config")
STEPS = [step.id for _, step in SHIPPED.steps() if step.kind in KINDS]
"""Those that judge a file."""


@dataclass(frozen=True)
class Drill:
    """An entry of drills.yaml."""

    step: str
    before: str
    after: str
    symptom: str
    message: str
    line: str

    @property
    def file(self) -> str:
        return str(SHIPPED.step(self.step).params["path"]).partition("/")[2]

    def __str__(self) -> str:
        return f"{self.step}: {self.message}"


def _drills() -> Iterator[Drill]:
    for step, entries in yaml.safe_load(Path(__file__).with_name("drills.yaml").read_text()).items():
        for one in entries:
            yield Drill(step, one["from"], one["to"], one["symptom"], one["says"], one.get("line", ""))


DRILLS = list(_drills())


@pytest.mark.parametrize("step", STEPS)
async def test_the_labs_files_are_as_they_have_to_be(site: SiteFiles, step: str) -> None:
    outcome = await site.judge(step)
    assert outcome.verdict is Verdict.PASSED, outcome.summary


@pytest.mark.parametrize("drill", DRILLS, ids=str)
async def test_one_deviation_is_one_message(site: SiteFiles, drill: Drill) -> None:
    site.change(drill.file, (drill.before, drill.after))

    outcome = await site.judge(drill.step)

    assert outcome.verdict is Verdict.FAILED
    (finding,) = wrong(outcome)
    assert drill.message in finding.text
    assert drill.line in finding.excerpt
    assert outcome.symptom == drill.symptom
    assert drill.message in outcome.summary
    shown = "\n".join([*outcome.evidence[0].plain(), outcome.summary])
    assert "648219" not in shown
    assert "4711" not in shown


@pytest.mark.parametrize("drill", DRILLS, ids=str)
async def test_every_deviation_has_its_hint(site: SiteFiles, drill: Drill) -> None:
    step = SHIPPED.step(drill.step)
    assert any(drill.symptom in hint.when and hint.actions for hint in step.hints)


async def test_no_message_stands_for_two_deviations() -> None:
    """But for those whose text says what is missing from the script, which has one line for each thing it does."""
    told = [(drill.step, drill.symptom, drill.message) for drill in DRILLS if drill.step != "E5.entrypoint"]
    assert len(told) == len(set(told))


async def test_all_deviations_are_told_at_once(site: SiteFiles) -> None:
    site.change(COMPOSE, ('"0:0"', '"1:1"'), ("Dockerfile.hsm", "Dockerfile"), ("VERSION: 0.30.2", "VERSION: 0.1"))
    outcome = await site.judge("E1.build")
    assert len(wrong(outcome)) == 3
    assert "and 2 more" in outcome.summary


async def test_a_file_of_softhsm_in_the_tree_is_found(site: SiteFiles) -> None:
    (site.folder / "step-ca" / "softhsm2.conf").touch()
    outcome = await site.judge("E6.softhsm")
    assert outcome.symptom == "leftover file"
    assert [finding.text for finding in wrong(outcome)] == ["step-ca/softhsm2.conf is still in the tree"]


async def test_an_entrypoint_without_its_bit_is_found(site: SiteFiles) -> None:
    (site.folder / ENTRYPOINT).chmod(0o644)
    outcome = await site.judge("E5.entrypoint")
    assert (outcome.symptom, len(wrong(outcome))) == ("not executable", 1)


async def test_a_pin_in_the_compose_file_is_found_and_not_shown(site: SiteFiles) -> None:
    site.change(COMPOSE, ("${STEP_CA_HSM_PIN:?STEP_CA_HSM_PIN must be set in .env}", '"648219"'))
    outcome = await site.judge("E3.pin")
    assert outcome.symptom == "variable"
    assert "written into the file" in outcome.summary
    assert "648219" not in "\n".join([*outcome.evidence[0].plain(), outcome.summary])


async def test_what_the_proxys_companion_would_overwrite_is_a_warning(site: SiteFiles) -> None:
    site.change(COMPOSE, ("    environment:\n", "    environment:\n      LETSENCRYPT_HOST: ${CA_DOMAIN}\n"))
    outcome = await site.judge("E3.pin")
    assert (outcome.verdict, outcome.symptom) == (Verdict.WARNED, "discouraged variable")
    assert "LETSENCRYPT_HOST is set" in outcome.summary
    assert any("overwrite" in line for line in matching(SHIPPED.step("E3.pin"), outcome))


@pytest.mark.parametrize("file", [COMPOSE, DOCKERFILE, ENTRYPOINT, CONFIG])
async def test_a_file_that_is_not_there_is_said_to_be_missing(site: SiteFiles, file: str) -> None:
    (site.folder / file).unlink()
    step = next(step for step in STEPS if str(SHIPPED.step(step).params["path"]).endswith(file))
    outcome = await site.judge(step)
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "missing")


async def test_keys_that_nobody_expects_are_remarked(site: SiteFiles) -> None:
    site.change(
        CONFIG, ('"crt"', '"fooBar": 1, "crl": {"enabled": true}, "crt"'), ('"claims"', '"provisoners": [], "claims"')
    )
    outcome = await site.judge("F.config")
    assert outcome.verdict is Verdict.PASSED
    said = "\n".join(outcome.evidence[0].plain())
    assert "step-ca knows no key `fooBar`" in said
    assert "nothing is expected of `crl`" in said
    assert "step-ca knows no key `authority.provisoners`; did you mean `provisioners`?" in said
