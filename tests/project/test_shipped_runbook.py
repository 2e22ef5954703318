"""The cutover's runbook: valid, without a warning, and true to the playbook in what must not be lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from runbook.backout import WayBack
from runbook.files.loader import load_runbook
from runbook.kind import Registry
from runbook.model import Role, Runbook

CONTAINER = {"D1", "D2", "E1", "E2", "E3", "E4", "E5", "E5b", "E6", "F"}
"""What the files of the CA's container must be."""

CUTOVER = {"G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "H1", "H2", "H3"}

FILE = Path(__file__).parents[2] / "runbook.yaml"


PARAGRAPHS = FILE.parent / "docs" / "playbook.md"


@pytest.fixture(scope="module")
def shipped() -> Runbook:
    loaded = load_runbook(FILE, Registry())
    assert [problem.message for problem in loaded.warnings if "a shell reads this line" not in problem.message] == []
    return loaded.model


def test_the_stages_are_those_of_the_playbook_in_its_order(shipped: Runbook) -> None:
    assert [stage.id for stage in shipped.stages] == ["P", "A", "B", "C", "D", "E", "F", "G1", "G", "H"]
    sections = [step.id.partition(".")[0] for stage, step in shipped.steps() if stage.id != "P"]
    assert sections.pop() == "H", "the appendix's list closes it"
    assert sections == sorted(sections)
    before = {"A1", "A2", "A3", "A4", "A5", "B1", "B2", "B3", "B4", "B5", "C1", "C2", "C3"}
    assert set(sections) == {*before, *CONTAINER, *CUTOVER}


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
        ("G5.log", "module not found", "Confirm the image of stage D"),
        ("G5.log", "token not present", "Mask the host's pcscd"),
        ("G5.log", "token not present", "Compare the serial"),
        ("G5.log", "key not found", "Compare the serial"),
        ("G5.log", "polkit", "nothing has to be built"),
        ("G5.log", "PIN file", "C2.file"),
        ("G5.log", "wrong PIN", "spends the three attempts by itself"),
        ("G4.exact", "owner", "do not bring the CA up"),
        ("G3.wipe", "volume in use", "docker ps --all"),
        ("G6.provisioners", "exit code", "Use step-ca/provisioners-bootstrap.sh"),
        ("G6.six", "another root", "let nobody click on"),
        ("G6.six", "missing", "Run G6.provisioners again"),
        ("H1.bootstrap", "another root", "Contact operations"),
        ("H1.bootstrap", "public certificate", "Troubleshooting"),
        ("H1.members", "said no", "Nobody clicks on"),
        ("H2.members", "said no", "Troubleshooting"),
    ],
)
def test_the_what_if_table_is_there(shipped: Runbook, step_id: str, symptom: str, word: str) -> None:
    from runbook.hints import matching
    from runbook.outcome import Outcome

    said = "\n".join(matching(shipped.step(step_id), Outcome.failed("it failed", symptom=symptom)))
    assert word in said


def test_what_only_people_know_is_attested(shipped: Runbook) -> None:
    attested = [step.id for _, step in shipped.steps() if step.role is Role.ATTESTATION]

    assert attested == ["P.people", "P.hsm2", "A5.decision", "H3.lessons"]


def test_a_shell_reads_one_line_alone_and_no_value_is_part_of_it(shipped: Runbook) -> None:
    """A secret has to come from the vault into the script's environment: no argument list can do that."""
    read = [step for _, step in shipped.steps() if step.params.get("shell")]

    assert [step.id for step in read] == ["G6.provisioners"]
    assert "{{" not in read[0].params["run"][0]
    assert "--reveal" in read[0].params["run"][0]


def test_the_ca_is_asked_under_its_new_root_alone(shipped: Runbook) -> None:
    of_ca = [step for _, step in shipped.steps() if str(step.params.get("url", "")).startswith("{{ ca_url }}")]
    trusted = {step.id: str(step.params.get("trust")) for step in of_ca if step.kind != "ca.bootstrap"}

    assert len(trusted) >= 3
    assert {path.rpartition("/")[2] for path in trusted.values()} == {"root_ca.crt"}
    issuer = shipped.step("G7.issuer").params
    assert issuer["expect"][0]["equals"] == "{{ auth_url }}"


def test_what_cannot_be_undone_waits_for_all_that_can(shipped: Runbook) -> None:
    (wipe,) = [step for _, step in shipped.steps() if step.irreversible]

    assert wipe.id == "G3.wipe"
    assert wipe.gate.two_person
    assert wipe.gate.phrase == "WIPE {{ volume }}"
    assert {"A", "B", "C", "D", "E", "F"} <= set(wipe.gate.after)
    facts = {"files_ready", "token_bound", "root_is_on_paper", "root_distributed", "pin_in_place", "cohort_told"}
    assert set(wipe.requires) == facts
    down = shipped.step("G2.down")
    assert set(down.requires) == set(wipe.requires), "the CA is not taken down for a wipe that cannot follow"
    assert shipped.stage_of("G3.wipe").window is not None


def test_every_change_says_how_to_go_back_or_what_stays(shipped: Runbook) -> None:
    changing = [step for _, step in shipped.steps() if step.role is Role.ACTION]

    assert [step.id for step in changing if not step.backout] == []


def test_the_old_ca_comes_back_from_its_snapshot_by_itself(shipped: Runbook) -> None:
    """Newest first: the new CA down, the volume emptied and filled from the snapshot, the old CA up."""
    ways = [
        (step.id, way.action)
        for stage, step in reversed(list(shipped.steps()))
        if stage.id == "G"
        for way in step.backout
        if isinstance(way, WayBack)
    ]
    assert ways == [
        ("G5.up", "command"),
        ("G3.wipe", "docker.volume.recreate"),
        ("G3.wipe", "docker.volume.restore"),
        ("G3.pcscd_mask", "systemd.unmask"),
        ("G3.pcscd_stop", "systemd.start"),
        ("G2.down", "command"),
    ]
    kept = shipped.step("G3.snapshot").params["file"]
    restored = [way.params.get("file") for way in shipped.step("G3.wipe").backout if isinstance(way, WayBack)]
    assert restored == [None, kept]


def test_the_cohort_is_told_before_the_window(shipped: Runbook) -> None:
    assert shipped.stage_of("G1.announce").window is None
    assert "cohort_told" in shipped.step("G1.sent").establishes


def test_the_volume_is_read_back_as_it_was_filled(shipped: Runbook) -> None:
    fill, exact = shipped.step("G4.fill"), shipped.step("G4.exact")

    assert fill.params == exact.params
    assert fill.probe is not None
    assert fill.probe.params == exact.params
    assert {file["path"] for file in exact.params["files"]} == {
        *("certs/root_ca.crt", "certs/intermediate_ca.crt", "config/ca.json", "secrets/password")
    }
    assert (exact.params["owner"], exact.params["group"]) == (1000, 1000)


@pytest.mark.parametrize(
    ("line", "symptom"),
    [
        ("error initializing PKCS#11: could not open PKCS#11", "module not found"),
        ("error initializing PKCS#11: could not find PKCS#11 token", "token not present"),
        (
            "error initializing PKCS#11: failed to log into long term session: pkcs11: 0xA0: CKR_PIN_INCORRECT",
            "wrong PIN",
        ),
        ("error initializing PKCS#11: pkcs11: 0xA4: CKR_PIN_LOCKED", "wrong PIN"),
        ("kms 'pin' cannot be empty", "PIN file"),
        (
            "/usr/local/bin/step-ca-hsm-entrypoint.sh: 7: STEP_CA_HSM_PIN: STEP_CA_HSM_PIN must be set in .env",
            "PIN file",
        ),
        ("key with uri pkcs11:id=01 not found", "key not found"),
        ("00000126 auth.c:137:IsClientAuthorized() Process 12 (user: 1000) is NOT authorized for action: x", "polkit"),
        ("cat: /run/secrets/hsm-pin: Permission denied", "PIN file"),
        ("error opening database: mkdir /home/step/db: permission denied", "permission denied"),
        ("error reading /home/step/config/ca.json: unexpected EOF", "bad line"),
    ],
)
def test_what_step_ca_says_when_it_cannot_start_is_told_apart(shipped: Runbook, line: str, symptom: str) -> None:
    """As step-ca, its PKCS#11 library and pcscd word it."""
    bad = shipped.step("G5.log").params["bad"]
    found = [item.get("symptom", "bad line") for item in bad if any(re.search(p, line) for p in item["match"])]

    assert found[:1] == [symptom]


@pytest.mark.parametrize(
    "line",
    [
        "Serving HTTPS on :9000 ...",
        "2026/05/04 10:12:44 Server listening on :9000",
        "Loaded key from PKCS#11 URI pkcs11:serial=X?pin-source=/run/secrets/hsm-pin",
    ],
)
def test_what_step_ca_says_when_all_is_well_is_no_error(shipped: Runbook, line: str) -> None:
    bad = [pattern for item in shipped.step("G5.log").params["bad"] for pattern in item["match"]]

    assert [pattern for pattern in bad if re.search(pattern, line)] == []


def test_the_table_of_paragraphs_names_every_step_and_no_other(shipped: Runbook) -> None:
    text = PARAGRAPHS.read_text()
    known = {step.id for _, step in shipped.steps()}
    named = set(re.findall(r"\b(?:[A-H][0-9]b?|[A-HP])\.[a-z]\w*", text))

    assert known - named - {step for step in known if step.startswith("A4.") and "A4.*" in text} == set()
    assert named - known == set()


def test_every_row_of_the_what_if_table_leads_to_a_hint_that_is_there(shipped: Runbook) -> None:
    rows = PARAGRAPHS.read_text().partition("## What-if table")[2].partition("\n## ")[0]
    cited = [
        (step_id, symptom)
        for steps, symptoms in re.findall(r"((?:[A-H][0-9]?\.\w+(?:, )?)+) \(((?:`[^`]+`(?:, )?)+)\)", rows)
        for step_id in steps.split(", ")
        for symptom in re.findall(r"`([^`]+)`", symptoms)
    ]
    assert len(cited) >= 15
    for step_id, symptom in cited:
        assert any(symptom in hint.when for hint in shipped.step(step_id).hints), (step_id, symptom)
