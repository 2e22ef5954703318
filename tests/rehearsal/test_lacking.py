"""What a lab cannot serve is listed with its reason, and nothing else is left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rehearsal import lacking as lacks
from rehearsal.sheet import Gates
from runbook.files.loader import check_site, load_runbook, load_site
from runbook.kind import Registry
from runbook.model import Runbook
from runbook.site import Site

RUNBOOK = Path(__file__).parents[2] / "runbook.yaml"

SITE = """\
site: 1
name: A lab without an engine
hosts: {ca: {}, input_a: {}}
groups: {staging: [input_a], production: [ca]}
tokens: {intermediate: {module: /usr/lib/opensc-pkcs11.so, label: ccat-intermediate}}
two_people:
  allowed_signers: allowed_signers
  people: {driver: {principal: d}, witness: {principal: w}}
inputs:
"""


@pytest.fixture(scope="module")
def shipped() -> Runbook:
    return load_runbook(RUNBOOK, Registry()).model


def test_what_needs_an_engine_a_ca_or_a_machine_of_its_own_is_not_rehearsed(shipped: Runbook) -> None:
    found = lacks.lacking(shipped)
    by_reason = {reason: [step for step, said in found.items() if said == reason] for reason in set(found.values())}

    assert set(by_reason) == {lacks.NO_USB, lacks.NO_SYSTEMD, lacks.NO_ENGINE, lacks.NO_CA}
    assert by_reason[lacks.NO_USB] == ["A1.usb"]
    assert by_reason[lacks.NO_SYSTEMD] == ["A1.pcscd", "G3.pcscd_stop", "G3.pcscd_mask"]
    assert {"D2.build", "D2.paths", "G3.wipe", "G4.exact", "G5.log"} <= set(by_reason[lacks.NO_ENGINE])
    assert {"G2.down", "G5.up", "G6.six", "G7.issuer", "G8.certificate", "H1.members"} <= set(by_reason[lacks.NO_CA])


def test_what_needs_none_of_them_is_rehearsed(shipped: Runbook) -> None:
    walked = {step.id for _, step in shipped.steps()} - set(lacks.lacking(shipped))

    assert {stage.id for stage in shipped.stages if walked & {step.id for step in stage.steps}} >= set("PABCDEFH")
    assert {"B3.commit", "C3.pin", "F.config", "G1.announce", "H3.lessons", "H.files"} <= walked


def test_a_full_lab_lacks_nothing(shipped: Runbook) -> None:
    assert lacks.lacking(shipped, full=True) == {}


def test_every_gate_is_answered_by_the_sheet(shipped: Runbook) -> None:
    gates = Gates.of(shipped)

    assert set(gates.confirm) >= {"B3.commit", "G2.down", "G3.wipe", "G5.up"}
    assert gates.windows == ("G",)
    assert dict(gates.provisioners) == {"G8.certificate": "prod-services", "H2.login": "service-accounts"}
    typed = gates.typing("pin", "sudo", {"prod-services": "one", "service-accounts": "two"})
    assert "G8.certificate: one" in typed
    assert "H2.login: two" in typed


def test_a_step_that_is_not_walked_needs_nothing_of_the_site_profile(tmp_path: Path) -> None:
    """The engine is missing there; only where its steps are walked is that a problem."""
    registry = Registry()
    runbook = load_runbook(RUNBOOK, registry)
    (tmp_path / "site.yaml").write_text(SITE + "  export_usb: /x\n")
    site = load_site(tmp_path / "site.yaml")

    def engines(model: Site) -> set[str]:
        told = check_site(runbook, replace(site, model=model), registry)
        return {problem.message for problem in told if "engine" in problem.message}

    assert engines(site.model) != set()
    mark = {"token": "none", "sheet": "none", "lacks": lacks.lacking(runbook.model)}
    assert engines(Site.model_validate({**site.model.model_dump(), "rehearsal": mark})) == set()
