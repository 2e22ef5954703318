"""The lab's parts, judged by the tools that people use for the real ones."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from rehearsal.artefacts import KEY_LABELS
from rehearsal.faults import Fault, change_one_character
from rehearsal.lab import Lab, make_lab
from rehearsal.softhsm import find_module
from runbook.errors import EnvironmentLacks, UsageError
from runbook.files.loader import load_runbook, load_site
from runbook.gates.window import parse
from runbook.kind import Registry
from runbook.people.approval import NAMESPACE
from runbook.people.people import driver_by_account
from runbook.plain.answers import load_answers, require_steps


def tool(*argv: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in argv],
        env={**os.environ, **(env or {})},
        cwd=cwd,
        capture_output=True,
        check=True,
        text=True,
        timeout=30,
    )
    return done.stdout


def sheet_of(lab: Lab) -> dict[str, dict[str, str]]:
    sheet: dict[str, dict[str, str]] = yaml.safe_load(lab.sheet.read_text())
    return sheet


def export_of(lab: Lab) -> Path:
    return Path(yaml.safe_load(lab.site.read_text())["inputs"]["export_usb"])


def root_fingerprint(lab: Lab) -> str:
    printed = tool("openssl", "x509", "-in", export_of(lab) / "root_ca.crt", "-noout", "-fingerprint", "-sha256")
    return printed.strip().partition("=")[2].replace(":", "").lower()


def certified_point(lab: Lab) -> bytes:
    """The public point in the intermediate certificate: the end of its SubjectPublicKeyInfo."""
    pem = tool("openssl", "x509", "-in", export_of(lab) / "intermediate_ca.crt", "-noout", "-pubkey")
    return base64.b64decode("".join(pem.splitlines()[1:-1]))[-97:]


def ssh_point(path: Path) -> bytes:
    return base64.b64decode(path.read_text().split()[1])[-97:]


def test_the_certificates_are_a_chain_that_openssl_accepts(lab: Lab) -> None:
    export = export_of(lab)
    root, intermediate = export / "root_ca.crt", export / "intermediate_ca.crt"

    assert tool("openssl", "verify", "-x509_strict", "-CAfile", root, intermediate).strip().endswith("OK")
    assert "CA:TRUE, pathlen:0" in tool("openssl", "x509", "-in", intermediate, "-noout", "-ext", "basicConstraints")
    assert "Certificate Sign" in tool("openssl", "x509", "-in", intermediate, "-noout", "-ext", "keyUsage")


def test_the_export_holds_the_public_keys_of_the_token(lab: Lab) -> None:
    export = export_of(lab)

    assert certified_point(lab) == lab.token.points["01"]
    assert ssh_point(export / "ssh_user_ca.pub") == lab.token.points["02"]
    assert ssh_point(export / "ssh_host_ca.pub") == lab.token.points["03"]
    for name in ("ssh_user_ca.pub", "ssh_host_ca.pub"):
        assert "(ECDSA)" in tool("ssh-keygen", "-lf", export / name)


def test_fingerprint_file_and_sheet_agree_with_openssl(lab: Lab) -> None:
    fingerprint = root_fingerprint(lab)

    assert fingerprint in (export_of(lab) / "FINGERPRINT.txt").read_text()
    assert sheet_of(lab)["inputs"]["root_fingerprint"] == fingerprint


def test_the_sheet_shows_people_the_same_values_as_it_gives_the_program(lab: Lab) -> None:
    shown = "".join(line[1:] for line in lab.sheet.read_text().splitlines() if line.startswith("#"))
    rows = re.findall(r"^# +[A-D]  ((?:[0-9a-f]{4} ?){4})$", lab.sheet.read_text(), re.MULTILINE)
    sheet = sheet_of(lab)

    assert "".join(rows).replace(" ", "") == sheet["inputs"]["root_fingerprint"]
    assert sheet["inputs"]["hsm_serial"] in shown
    assert sheet["pins"]["intermediate"] in shown
    assert sheet["inputs"]["hsm_serial"] == lab.token.serial


def test_the_keys_were_generated_on_the_token_and_cannot_leave_it(lab: Lab) -> None:
    pin = sheet_of(lab)["pins"]["intermediate"]
    listed = tool(
        *("pkcs11-tool", "--module", lab.token.module, "--login", "--pin", "env:LAB_PIN", "--list-objects"),
        *("--type", "privkey"),
        env={**lab.token.environment, "LAB_PIN": pin},
    )

    access = re.findall(r"Access: +(.*)", listed)
    assert access == ["sensitive, always sensitive, never extractable, local"] * 3
    assert set(re.findall(r"ID: +(\w+)", listed)) == set(KEY_LABELS)
    assert set(re.findall(r"label: +(.*)", listed)) == set(KEY_LABELS.values())


def test_only_its_owner_can_enter_the_lab_and_read_the_sheet(lab: Lab) -> None:
    assert stat.S_IMODE(lab.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(lab.sheet.stat().st_mode) == 0o600


def test_the_repository_is_clean_and_level_with_its_upstream(lab: Lab) -> None:
    repository = Path(yaml.safe_load(lab.site.read_text())["inputs"]["repository"])
    status = tool("git", "status", "--porcelain=v2", "--branch", cwd=repository)

    assert "# branch.head main" in status
    assert "# branch.upstream origin/main" in status
    assert "# branch.ab +0 -0" in status
    assert not [line for line in status.splitlines() if not line.startswith("#")]


def test_the_host_role_fails_where_the_token_is_not_there(tmp_path: Path) -> None:
    made = make_lab(tmp_path / "lab")
    ansible = Path(yaml.safe_load(made.site.read_text())["inputs"]["repository"]) / "ansible"
    assert "ccat-intermediate" in tool("make", "--no-print-directory", "play-hsm-host", cwd=ansible)

    (made.folder / "hsm" / "tokens").rename(made.folder / "away")
    (made.folder / "hsm" / "tokens").mkdir()
    with pytest.raises(subprocess.CalledProcessError):
        tool("make", "play-hsm-host", cwd=ansible)


def test_two_labs_share_nothing(lab: Lab) -> None:
    other = make_lab(None, token=lab.choice.kind)
    try:
        assert other.token.serial != lab.token.serial
        assert not set(other.token.points.values()) & set(lab.token.points.values())
        assert sheet_of(other)["pins"] != sheet_of(lab)["pins"]
        assert root_fingerprint(other) != root_fingerprint(lab)
    finally:
        other.remove()
    assert not other.folder.exists()


def test_wrong_dongle_has_another_serial_and_other_keys(tmp_path: Path) -> None:
    drill = make_lab(tmp_path / "lab", Fault.WRONG_DONGLE)

    assert sheet_of(drill)["inputs"]["hsm_serial"] != drill.token.serial
    assert certified_point(drill) not in drill.token.points.values()
    assert root_fingerprint(drill) == sheet_of(drill)["inputs"]["root_fingerprint"]


def test_tampered_export_is_consistent_and_a_strangers(tmp_path: Path) -> None:
    drill = make_lab(tmp_path / "lab", Fault.TAMPERED_EXPORT)
    export = export_of(drill)

    tool("openssl", "verify", "-CAfile", export / "root_ca.crt", export / "intermediate_ca.crt")
    assert root_fingerprint(drill) in (export / "FINGERPRINT.txt").read_text()
    assert certified_point(drill) not in drill.token.points.values()
    assert root_fingerprint(drill) != sheet_of(drill)["inputs"]["root_fingerprint"]


def test_wrong_paper_differs_in_one_character(tmp_path: Path) -> None:
    drill = make_lab(tmp_path / "lab", Fault.WRONG_PAPER)
    paper, real = sheet_of(drill)["inputs"]["root_fingerprint"], root_fingerprint(drill)

    assert sum(mine != theirs for mine, theirs in zip(paper, real, strict=True)) == 1


@pytest.mark.parametrize("position", [0, 31, 63])
def test_one_character_is_changed_where_asked(position: int) -> None:
    digest = hashlib.sha256(b"").hexdigest()
    changed = change_one_character(digest, position)

    assert [index for index in range(64) if changed[index] != digest[index]] == [position]


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep me")

    with pytest.raises(UsageError, match="not empty"):
        make_lab(tmp_path)
    assert (tmp_path / "mine").read_text() == "keep me"


def test_a_folder_with_awkward_characters_works(tmp_path: Path) -> None:
    drill = make_lab(tmp_path / "it's a lab at 100%h")
    ansible = Path(yaml.safe_load(drill.site.read_text())["inputs"]["repository"]) / "ansible"

    assert "ccat-intermediate" in tool("make", "play-hsm-host", cwd=ansible)


def test_a_folder_that_softhsm_cannot_take_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="take no `#`"):
        make_lab(tmp_path / "lab #1")


def test_missing_programs_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(EnvironmentLacks, match="pkcs11-tool") as caught:
        make_lab(tmp_path / "lab")
    assert "apt-get install softhsm2 opensc" in caught.value.remedy


def test_a_missing_module_is_an_error_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rehearsal.softhsm._PLACES", ())
    monkeypatch.setattr("rehearsal.softhsm._MULTIARCH", "*/nowhere/libsofthsm2.so")

    with pytest.raises(EnvironmentLacks, match="not found"):
        find_module()


def test_a_failed_lab_leaves_no_temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("rehearsal.softhsm.find_module", lambda: tmp_path / "not-a-module.so")

    with pytest.raises(EnvironmentLacks, match="SoftHSM2 did not make a token"):
        make_lab()
    assert list(tmp_path.iterdir()) == []


def test_the_witness_on_the_sheet_has_a_key_that_the_site_profile_trusts_and_the_driver_another(lab: Lab) -> None:
    profile = load_site(lab.site).model
    assert profile.two_people is not None
    assert driver_by_account(profile.two_people) == "driver"
    ((witness, key),) = sheet_of(lab)["witness"].items()
    person = profile.two_people.people[witness]
    assert person.may == ("witness",)
    assert str(key) in "".join(line for line in lab.sheet.read_text().splitlines() if line.startswith("#"))

    statement = lab.folder / "statement"
    statement.write_text("so be it")
    tool("ssh-keygen", "-Y", "sign", "-f", key, "-n", NAMESPACE, statement)
    checked = subprocess.run(
        [
            *("ssh-keygen", "-Y", "verify", "-f", profile.two_people.allowed_signers),
            *("-I", person.principal, "-n", NAMESPACE, "-s", f"{statement}.sig"),
        ],
        input=b"so be it",
        capture_output=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    mine = Path(key).with_name("driver")
    assert tool("ssh-keygen", "-y", "-f", mine).split()[1] != tool("ssh-keygen", "-y", "-f", key).split()[1]
    assert [stat.S_IMODE(path.stat().st_mode) for path in (mine, Path(key))] == [0o600, 0o600]


def test_the_sheet_answers_the_gates_of_the_runbook_that_is_walked(tmp_path: Path) -> None:
    runbook = load_runbook(Path(__file__).parents[1] / "killing" / "ledger.yaml", Registry()).model
    made = make_lab(tmp_path / "lab", runbook=runbook)
    answers = load_answers(made.sheet)

    require_steps(answers, runbook, made.sheet)
    assert answers.confirm == {"C.seal": True}
    assert answers.phrases == "all"
    window = parse(answers.windows["C"], datetime.now(UTC))
    assert window.is_open(datetime.now(UTC))
