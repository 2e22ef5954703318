"""The faults of a full lab: each shows at its step, with its symptom and the playbook's own cause."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from docker import DockerClient

from rehearsal.faults import Fault
from rehearsal.full.front import ANOTHER_ROOT
from rehearsal.full.front_door import FOLDER as FRONT
from rehearsal.full.house import socket_of
from rehearsal.lab import make_lab
from rehearsal.mending import put_right
from rehearsal.reader import CardReader
from tests.rehearsal.program import events, journals, runbook
from tests.rehearsal.shortened import TO_THE_START, shorten

# The first full lab on a machine takes minutes, in which step-ca and the base image are made.
pytestmark = pytest.mark.timeout(900)

SECONDS = 800.0
_FILES = ("B2.root", "B2.ssh_user", "B2.ssh_host")


@dataclass(frozen=True)
class Expected:
    """What a drill must come to."""

    steps: tuple[str, ...]
    """The steps that are walked, the one where it has to show the last."""
    symptom: str
    hint: str


EXPECTED = {
    Fault.WRONG_SERIAL: Expected(("F.config",), "serial", "the serial is the one of another HSM"),
    Fault.VOLUME_IN_USE: Expected(("G2.down", "G3.wipe"), "volume in use", "A container still has the volume"),
    Fault.ROOT_OWNED_VOLUME: Expected(
        (*_FILES, "G2.down", "G3.wipe", "G4.fill", "G4.exact"), "owner", "folders that root made belong to root"
    ),
    Fault.PIN_FILE_EMPTY: Expected(TO_THE_START, "PIN file", "The file with the PIN is empty"),
    Fault.MODULE_PATH: Expected(TO_THE_START, "module not found", "The path of the module is the host's"),
    Fault.PROVISIONERS_FIVE: Expected(
        (*TO_THE_START, "G6.provisioners", "G6.restart", "G6.six"), "missing", "The script left one out"
    ),
    Fault.MITM_CA: Expected(("B2.root", "G6.six"), "another root", "somebody answers in the CA's place"),
}


@pytest.mark.parametrize("fault", EXPECTED)
def test_a_drill_is_found_where_it_should_be(home: Path, full_lab: Path, fault: Fault) -> None:
    expected = EXPECTED[fault]
    short = shorten(home / "short.yaml", expected.steps)
    done = runbook(
        *("rehearse", short, "--full", "--headless", "--fault", fault, "--folder", full_lab), seconds=SECONDS
    )

    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert expected.hint.casefold() in done.stdout.partition("not green  ")[2].casefold()
    (journal,) = journals(home)
    last = events(journal, "step.finished")[-1]
    where, _, what = fault.drill.shows.partition(": ")
    assert last["step"] in where.split(" or ")
    assert last["outcome.symptom"] == what == expected.symptom


def test_every_fault_has_its_test() -> None:
    # Who is killed at G3 goes on in test_full_rehearsal.
    assert set(EXPECTED) | {Fault.KILLED_AT_G3} == {fault for fault in Fault if fault.drill.needs_full}


def test_a_drill_that_needs_an_engine_is_refused_without_one(home: Path) -> None:
    done = runbook("rehearse", "--headless", "--fault", "mitm-ca")

    assert done.returncode == 2
    assert "the drill mitm-ca needs an engine and a CA" in done.stderr
    assert "Add --full" in done.stderr
    assert journals(home) == list((home / "tmp").iterdir()) == []


def test_a_backup_container_is_taken_away_by_who_mends_the_lab(full_lab: Path) -> None:
    make_lab(full_lab, Fault.VOLUME_IN_USE, full=True)
    with CardReader(full_lab, Fault.VOLUME_IN_USE, full=True), closing(client(full_lab)) as engine:
        before = {container.name for container in engine.containers.list(all=True)}
        put_right(full_lab)
        after = {container.name for container in engine.containers.list(all=True)}
    assert before - after == {"backup-of-step-ca"}


def test_the_ca_itself_answers_once_the_lab_is_mended(full_lab: Path) -> None:
    make_lab(full_lab, Fault.MITM_CA, full=True)
    stranger = full_lab / FRONT / ANOTHER_ROOT
    with CardReader(full_lab, Fault.MITM_CA, full=True):
        assert stranger.exists()
        put_right(full_lab)
        assert not stranger.exists()


def client(lab: Path) -> DockerClient:
    return DockerClient(base_url=f"unix://{socket_of(lab)}", version="auto")
