"""Every fault on the card, headless, behind the real pcscd and OpenSC: the step, its symptom and its hint."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from rehearsal.card import state
from rehearsal.faults import Fault
from rehearsal.smartcard import CardPlaces
from tests.rehearsal.program import events, journals, pin_of, runbook, so_pin_of


@dataclass(frozen=True)
class Expected:
    """What a drill must come to."""

    step: str
    symptom: str
    hint: str
    attempts: int = 0
    """User PINs that went to the card."""
    tries: int = 3
    """What the card's counter shows at the end."""


EXPECTED = {
    Fault.WRONG_DONGLE: Expected("A1.slots", "wrong serial", "The wrong dongle is in the server"),
    Fault.TAMPERED_EXPORT: Expected("A4.intermediate", "keys differ", "the export was tampered with", 1),
    Fault.WRONG_PAPER: Expected("B1.paper", "paper differs", "The export stick or its root_ca.crt is wrong", 1),
    Fault.PIN_LOW: Expected("A3.sign", "pin low", "Somebody has typed the PIN wrongly before", 0, 2),
    Fault.PIN_FINAL: Expected("A3.unlock", "pin final try", "The PIN has been typed wrongly too often", 0, 1),
    Fault.PIN_LOCKED: Expected("A3.unlock", "pin locked", "The PIN has been typed wrongly too often", 0, 0),
    Fault.CARD_PULLED: Expected("A3.sign", "token removed", "The dongle was pulled out", 1),
    Fault.CARD_SWAPPED: Expected("A3.objects", "token swapped", "Somebody put another dongle in"),
    Fault.CARD_SILENT: Expected("A3.sign", "token not responding", "The dongle or pcscd hangs", 1),
    Fault.READER_MISSING: Expected("A1.slots", "reader missing", "pcscd does not run here"),
    Fault.TOKEN_BUSY: Expected("A1.slots", "token busy", "Another program holds the dongle"),
}


@pytest.mark.parametrize("fault", EXPECTED)
def test_a_drill_is_found_where_it_should_be(home: Path, fault: Fault) -> None:
    lab, expected = home / "lab", EXPECTED[fault]
    done = runbook("rehearse", "--headless", "--fault", fault, "--folder", lab)

    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert re.findall(r"^not green +(\S+):", done.stdout, re.MULTILINE) in ([expected.step], ["A3.counter", "A3.sign"])
    assert re.search(rf"^not green +{re.escape(expected.step)}: (failed|errored)", done.stdout, re.MULTILINE), said
    assert expected.hint in done.stdout.partition(f"not green  {expected.step}")[2]
    (journal,) = journals(home)
    last = events(journal, "step.finished")[-1]
    assert (last["step"], last["outcome.symptom"]) == (expected.step, expected.symptom)
    _pins_are_where_they_belong(lab, home, said, expected, journal)
    assert fault.drill.shows.startswith(f"{expected.step}: {expected.symptom}")


def _pins_are_where_they_belong(lab: Path, home: Path, said: str, expected: Expected, journal: Path) -> None:
    sheet, places = lab / "paper-sheet.yaml", CardPlaces(lab)
    card = state.read(places.state)
    assert card.user_pin is not None
    assert card.so_pin is not None
    assert card.user_pin.checks == len(events(journal, "pin.attempt")) == expected.attempts
    assert card.user_pin.tries == expected.tries
    assert (card.so_pin.checks, card.so_pin.tries) == (0, 15)
    if places.other.exists():
        other = state.read(places.other).user_pin
        assert other is not None
        assert other.checks == 0, "a stranger's card never gets the PIN"
    for secret in (pin_of(sheet), so_pin_of(sheet)):
        assert secret not in said
        assert [path for path in home.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()] == [sheet]


def test_a_slow_card_is_green(home: Path) -> None:
    done = runbook("rehearse", "--headless", "--fault", "card-slow")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "state    green" in done.stdout


def test_every_fault_is_listed_with_its_story_and_place() -> None:
    listed = runbook("rehearse", "--list-faults").stdout

    for fault in Fault:
        assert f"    {fault.drill.story}\n    shows at {fault.drill.shows}\n" in listed


def test_every_fault_has_its_test() -> None:
    # Those that need an engine have theirs in test_full_drills.
    assert set(EXPECTED) | {Fault.CARD_SLOW} == {fault for fault in Fault if not fault.drill.needs_full}


def test_the_kind_of_token_is_in_the_header_of_the_run(home: Path) -> None:
    card = runbook("rehearse", "--headless", "--stage", "P")
    soft = runbook("rehearse", "--headless", "--stage", "P", "--token", "softhsm")

    said = "a SmartCard-HSM in software behind pcscd and OpenSC (a virtual card reader can run here)"
    assert f"rehearsal: making token: {said}" in card.stderr
    sites = [events(journal, "run.started")[0]["site"] for journal in journals(home)]
    assert set(sites) == {
        f"Rehearsal on {said}",
        "Rehearsal on SoftHSM2, which has no PIN counter (--token softhsm)",
    }
    assert "SoftHSM2, which has no PIN counter (--token softhsm)" in soft.stderr


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault.drill.needs_card and not fault.drill.needs_full])
def test_a_drill_that_needs_a_card_is_refused_on_softhsm(home: Path, fault: Fault) -> None:
    done = runbook("rehearse", "--headless", "--token", "softhsm", "--fault", fault)

    assert done.returncode == 2
    assert f"the drill {fault} needs a card" in done.stderr
    assert journals(home) == list((home / "tmp").iterdir()) == []


@pytest.fixture
def no_reader(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which no virtual reader can run: mount and unshare are not on the PATH."""
    (home / "bin").mkdir()
    needed = "git make pkcs11-tool sc-hsm-tool opensc-tool sh grep"
    coreutils = "cat chmod chown cp dd head id mkdir mktemp mv readlink rm sha256sum sleep stat tr wc"
    for program in f"{needed} {coreutils}".split():
        (home / "bin" / program).symlink_to(str(shutil.which(program)))
    monkeypatch.setenv("PATH", str(home / "bin"))


@pytest.mark.usefixtures("no_reader")
def test_without_a_reader_it_uses_softhsm_and_says_why(home: Path) -> None:
    done = runbook("rehearse", "--headless")

    assert done.returncode == 0, done.stdout + done.stderr
    why = "a virtual card reader cannot run here: packages are missing: mount, util-linux"
    assert f"rehearsal: making token: SoftHSM2, which has no PIN counter ({why})" in done.stderr
    (journal,) = journals(home)
    assert events(journal, "run.started")[0]["site"].endswith(f"({why})")


@pytest.mark.usefixtures("no_reader")
@pytest.mark.parametrize("arguments", [("--fault", "pin-final"), ("--token", "card")])
def test_without_a_reader_a_card_cannot_be_had(home: Path, arguments: tuple[str, str]) -> None:
    done = runbook("rehearse", "--headless", *arguments)

    assert done.returncode == 4
    assert "a virtual card reader cannot run here: packages are missing: mount, util-linux" in done.stderr
    assert "apt-get install" in done.stderr
    assert journals(home) == list((home / "tmp").iterdir()) == []


def test_a_path_too_long_for_a_socket_is_a_reason_too(home: Path) -> None:
    lab = home / ("long" * 25)
    done = runbook("rehearse", "--headless", "--stage", "P", "--folder", lab)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "SoftHSM2, which has no PIN counter (a virtual card reader cannot run here: the lab's path is" in done.stderr
