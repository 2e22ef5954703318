"""The state file: what is on disk, and which files are refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehearsal.card import __main__ as program
from rehearsal.card import state as states
from rehearsal.card.errors import CardStateUnusable
from rehearsal.card.personalise import personalise
from runbook.errors import ExitCode
from runbook.secrets import Secret
from tests.card.bench import KEYS, PIN, SO_PIN, make_card


@pytest.fixture
def card(tmp_path: Path) -> Path:
    return make_card(tmp_path / "one.card")


def test_it_is_for_its_owner_only_and_leaves_no_other_file(card: Path) -> None:
    assert card.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in card.parent.iterdir()] == ["one.card"]


def test_no_pin_is_in_it_in_any_form(card: Path) -> None:
    raw = card.read_bytes()
    state = states.read(card)
    everything = raw + b"".join(state.files.values()) + state.user_pin.digest + state.so_pin.digest
    for secret in (PIN.encode(), PIN.encode().hex().encode(), SO_PIN.encode(), bytes.fromhex(SO_PIN)):
        assert secret not in everything


def test_a_newer_version_is_refused_by_name(card: Path) -> None:
    header, _newline, body = card.read_bytes().partition(b"\n")
    card.write_bytes(json.dumps({**json.loads(header), "version": 2}).encode() + b"\n" + body)
    with pytest.raises(CardStateUnusable, match="of version 2, this program knows version 1") as caught:
        states.read(card)
    assert caught.value.remedy


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=200)
@given(st.data())
def test_any_damage_is_noticed(card: Path, data: st.DataObject) -> None:
    whole = card.read_bytes()
    damaged = bytearray(whole)
    kind = data.draw(st.sampled_from(["flip", "cut", "add"]))
    if kind == "flip":
        position = data.draw(st.integers(0, len(whole) - 1))
        damaged[position] ^= data.draw(st.integers(1, 255))
    elif kind == "cut":
        del damaged[data.draw(st.integers(0, len(whole) - 1)) :]
    else:
        damaged += data.draw(st.binary(min_size=1))
    other = card.with_name("damaged")
    other.write_bytes(damaged)
    try:
        state = states.read(other)
    except CardStateUnusable:
        return
    # Only a change that leaves the meaning of the header alone may pass: white space, or a lower version.
    assert msgspec.to_builtins(state) == msgspec.to_builtins(states.read(card))


def test_a_state_that_is_well_formed_and_means_nothing_is_refused(card: Path) -> None:
    state = states.read(card)
    state.serial = "DENK12"
    states.write(card, state)
    with pytest.raises(CardStateUnusable, match="corrupt"):
        states.read(card)


def test_one_process_at_a_time(card: Path) -> None:
    with states.StateFile(card), pytest.raises(CardStateUnusable, match="already in use"):
        states.StateFile(card)
    states.StateFile(card).close()


def test_the_new_file_is_synced_before_it_takes_the_name_and_the_folder_after(
    card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(fd: int) -> None:
        events.append(f"sync {Path(f'/proc/self/fd/{fd}').readlink().name}")
        real_fsync(fd)

    def replace(self: Path, target: Path) -> Path:
        events.append("replace")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    states.write(card, states.read(card))
    assert events == ["sync one.card.new", "replace", f"sync {card.parent.name}"]


def test_the_program_ends_with_one_sentence_and_no_traceback(card: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card.write_text("{}")
    assert program.main(["--state", str(card)]) == ExitCode.FAILED
    assert capsys.readouterr().err.startswith(f"{card}: the card's state is corrupt")


@pytest.mark.parametrize(("user", "so"), [("12345", SO_PIN), ("1" * 16, SO_PIN), (PIN, "12"), (PIN, "x" * 16)])
def test_pins_the_card_cannot_have_are_refused(tmp_path: Path, user: str, so: str) -> None:
    with pytest.raises(ValueError, match=r"PIN|hex"):
        personalise(
            tmp_path / "card",
            serial="DENK0000001",
            label="x",
            user_pin=Secret.from_text(user),
            so_pin=Secret.from_text(so),
            keys_to_make=KEYS,
        )
