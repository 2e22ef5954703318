"""The cutover's runbook: valid, without a warning, and true to the playbook in what must not be lost."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from runbook.files.loader import load_runbook
from runbook.kind import Registry
from runbook.model import Role, Runbook

CONTAINER = {"D1", "E1", "E2", "E3", "E4", "E5", "E5b", "E6", "F"}
"""What the files of the CA's container must be."""

FILE = Path(__file__).parents[2] / "runbook.yaml"


@pytest.fixture(scope="module")
def shipped() -> Runbook:
    loaded = load_runbook(FILE, Registry())
    assert [str(problem) for problem in loaded.warnings] == []
    return loaded.model


def test_the_stages_are_those_of_the_playbook_in_its_order(shipped: Runbook) -> None:
    assert [stage.id for stage in shipped.stages] == ["P", "A", "B", "C", "D", "E", "F"]
    sections = [step.id.partition(".")[0] for stage, step in shipped.steps() if stage.id != "P"]
    assert sections == sorted(sections)
    assert set(sections) == {"A1", "A2", "A3", "A4", "A5", "B1", "B2", "B3", "B4", "B5", "C1", "C2", "C3", *CONTAINER}


def test_every_action_can_be_asked_whether_it_is_done(shipped: Runbook) -> None:
    """But for the PIN's reset, which reads the counter first and does nothing where there is no need."""
    actions = [step for _, step in shipped.steps() if step.role is Role.ACTION]
    assert {step.id for step in actions if step.probe is None} == {"A3.unlock"}


def test_every_step_has_hints_that_say_what_to_do(shipped: Runbook) -> None:
    without = [step.id for _, step in shipped.steps() if not any(hint.try_ for hint in step.hints)]
    assert without == []


def test_whatever_can_be_wrong_with_the_export_or_keeps_the_slots_from_being_read_has_a_hint(shipped: Runbook) -> None:
    """A warning alone needs none; what concerns keys and PINs has its hints where they are used."""
    registry = Registry()
    symptoms = {
        "P.export": {*registry.get(Role.CHECK, "files").symptoms} - {"weak"},
        "A1.slots": {
            *("module missing", "not a PKCS#11 module", "module crashed", "module failed", "module not responding"),
            *("worker crashed", "token not responding", "token busy", "token removed", "token swapped", "two tokens"),
            *("reader missing", "reader refused", "no token", "token not recognised", "token not initialised"),
            *("wrong serial", "wrong label", "other token"),
        },
    }
    assert symptoms["A1.slots"] <= {*registry.get(Role.CHECK, "slots").symptoms}
    for step_id, known in symptoms.items():
        hinted = {symptom for hint in shipped.step(step_id).hints for symptom in hint.when}
        assert known - hinted == set(), step_id


def test_no_text_is_cut_short_by_a_number_sign() -> None:
    """`HSM #2` without quotes ends at `HSM`: the rest would be a comment of YAML."""
    text = FILE.read_text()
    lines = text.splitlines()
    ends = [token.end_mark for token in yaml.scan(text) if isinstance(token, yaml.ScalarToken) and token.plain]
    cut = [lines[end.line] for end in ends if lines[end.line][end.column :].lstrip().startswith("#")]
    assert cut == []


def test_the_pin_is_asked_for_only_after_the_free_checks(shipped: Runbook) -> None:
    steps = [step for _, step in shipped.steps()]
    first = next(index for index, step in enumerate(steps) if step.kind == "sign_test" or step.params.get("login"))
    before = {step.kind for step in steps[:first]}

    assert {"slots", "objects", "pin_counter"} <= before
    assert steps[first].requires == ("counter_safe",)


def test_every_key_is_compared_with_its_own_artefact(shipped: Runbook) -> None:
    compared = {
        str(step.params["key"]): str(step.params["artefact"]).rpartition("/")[2]
        for _, step in shipped.steps()
        if step.kind == "key_match"
    }
    assert compared == {"01": "intermediate_ca.crt", "02": "ssh_user_ca.pub", "03": "ssh_host_ca.pub"}


def test_the_private_keys_are_judged_as_private_keys(shipped: Runbook) -> None:
    expected = shipped.step("A3.private").params["expect"]

    assert [(item["id"], item["class"]) for item in expected] == [(f"0{n}", "private key") for n in (1, 2, 3)]
    for item in expected:
        assert item["attributes"]["extractable"] is False
        assert item["attributes"]["sensitive"] is True


def test_serial_and_fingerprint_come_from_paper(shipped: Runbook) -> None:
    assert {name for name, declared in shipped.inputs.items() if declared.source == "paper"} == {
        "hsm_serial",
        "root_fingerprint",
    }
    assert shipped.step("B1.paper").params.get("method", "blind") == "blind"


@pytest.mark.parametrize("serial", ["DENK0100001", "0717537a04d334eb"])
def test_serials_of_the_card_and_of_the_rehearsal_fit(shipped: Runbook, serial: str) -> None:
    from runbook.files.inputs import parse

    assert parse(shipped.inputs["hsm_serial"], serial) == serial
    with pytest.raises(ValueError, match="expected form"):
        parse(shipped.inputs["hsm_serial"], serial[:-1])


@pytest.mark.parametrize(
    ("step_id", "symptom", "word"),
    [
        ("A1.slots", "no token", "udevadm"),
        ("A1.slots", "wrong serial", "integrity failure"),
        ("A3.sign", "pin incorrect", "Never retry a PIN on a guess"),
        ("A3.sign", "pin locked", "--init-pin"),
        ("A3.counter", "pin final try", "--init-pin"),
        ("A4.intermediate", "keys differ", "integrity failure"),
        ("A4.proof", "other key", "integrity failure"),
        ("B1.paper", "paper differs", "Do not commit"),
    ],
)
def test_the_what_if_table_is_there(shipped: Runbook, step_id: str, symptom: str, word: str) -> None:
    from runbook.hints import matching
    from runbook.outcome import Outcome

    said = "\n".join(matching(shipped.step(step_id), Outcome.failed("it failed", symptom=symptom)))
    assert word in said


def test_what_only_people_know_is_attested(shipped: Runbook) -> None:
    attested = [step.id for _, step in shipped.steps() if step.role is Role.ATTESTATION]

    assert attested == ["P.people", "P.hsm2", "A5.decision"]
