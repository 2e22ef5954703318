"""`sc-hsm-tool` is believed by its text alone; what it does not say is unknown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence.slots import SlotInfo, TokenInfo
from checks.hsm import sc_hsm
from checks.hsm.pin import state_of
from checks.hsm.place import Here

FRESH = """\
Version              : 6.6
Config options       :
  User PIN reset with SO-PIN enabled
SO-PIN tries left    : 15
User PIN tries left  : 3
DKEK shares          : 0
DKEK key check value : 0000000000000000
"""
READER = "Using reader with a card: Nitrokey Nitrokey HSM (DENK01000010000         ) 00 00\n"
NO_CARD = "Card not present.\nFailed to connect to card: Success\n"
NO_PCSCD = "No smart card readers found.\nFailed to connect to card: Success\n"
BLANK = "Version              : 6.6\nSmartCard-HSM has never been initialized. Please use --initialize to set SO-PIN.\n"
LOW, FINAL, LOCKED = "CKF_USER_PIN_COUNT_LOW", "CKF_USER_PIN_FINAL_TRY", "CKF_USER_PIN_LOCKED"


def test_a_fresh_card() -> None:
    assert sc_hsm.parse(FRESH, READER) == sc_hsm.Counters(3, 15, "6.6", so_reset_allowed=True, source="sc-hsm-tool")


@pytest.mark.parametrize(
    ("line", "tries"), [("User PIN tries left  : 2", 2), ("User PIN tries left  : 1", 1), ("User PIN locked", 0)]
)
def test_each_state_of_the_user_pin(line: str, tries: int) -> None:
    assert sc_hsm.parse(FRESH.replace("User PIN tries left  : 3", line)).user_tries == tries


def test_a_locked_so_pin() -> None:
    found = sc_hsm.parse(FRESH.replace("SO-PIN tries left    : 15", "SO-PIN locked"))
    assert (found.user_tries, found.so_tries) == (3, 0)


@pytest.mark.parametrize(
    ("stdout", "stderr", "why"),
    [
        ("", NO_CARD, "Card not present"),
        ("", NO_PCSCD, "No smart card readers found"),
        (BLANK, READER, "never been initialised"),
        ("", READER, "it said nothing"),
        ("", "", "it said nothing"),
        ("User PIN tries left  : many\n", "", "many"),
        ("User PIN reset with SO-PIN enabled\n", "", "no counter"),
    ],
)
def test_without_a_counter_there_is_no_number_and_a_reason(stdout: str, stderr: str, why: str) -> None:
    found = sc_hsm.parse(stdout, stderr)
    assert (found.user_tries, found.so_tries) == (None, None)
    assert why in found.source


@pytest.mark.parametrize("line", ["Public key authentication active.", "Transport-PIN active. Please change to"])
def test_a_card_whose_user_pin_has_no_counter_now(line: str) -> None:
    found = sc_hsm.parse(FRESH.replace("User PIN tries left  : 3", line))
    assert found.user_tries is None
    assert line.partition(".")[0] in found.source


@given(st.text(), st.text())
def test_no_text_makes_a_number_out_of_nothing(stdout: str, stderr: str) -> None:
    found = sc_hsm.parse(stdout, stderr)
    assert found.user_tries is None or "User PIN" in stdout
    assert "\x1b" not in found.source


def here(env: dict[str, str]) -> Here:
    return Here("/usr/lib/opensc-pkcs11.so", env)


def slot(manufacturer: str = "www.CardContact.de", model: str = "PKCS#15 emulated", reader: str = "R") -> SlotInfo:
    token = TokenInfo(
        label="x (UserPIN)",
        manufacturer=manufacturer,
        model=model,
        serial="DENK0100001",
        flags=("CKF_TOKEN_INITIALIZED",),
        min_pin=6,
        max_pin=15,
        hardware_version="24.13",
        firmware_version="6.6",
    )
    return SlotInfo(
        slot_id=0,
        description=reader,
        manufacturer="Nitrokey",
        flags=(),
        hardware_version="0.0",
        firmware_version="0.0",
        token=token,
    )


async def test_the_real_tool_without_pcscd_gives_no_number() -> None:
    env = {"PCSCLITE_CSOCK_NAME": "/nonexistent/pcscd.comm"}
    found = await sc_hsm.counters(slot(), here(env))
    assert found.user_tries is None
    assert "No smart card readers found" in found.source


async def test_the_tool_is_not_run_for_other_tokens(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    path = tool(tmp_path, f"touch {ran}")
    found = await sc_hsm.counters(slot("SoftHSM project", "SoftHSM v2"), here({"PATH": path}))
    assert found.user_tries is None
    assert "not a SmartCard-HSM" in found.source
    assert not ran.exists()


async def test_a_missing_tool_is_unknown(tmp_path: Path) -> None:
    found = await sc_hsm.counters(slot(), here({"PATH": str(tmp_path)}))
    assert found.user_tries is None
    assert "could not be run" in found.source


async def test_a_tool_that_hangs_is_ended(tmp_path: Path) -> None:
    found = await sc_hsm.counters(slot(), here({"PATH": tool(tmp_path, "exec sleep 60")}), deadline=0.5)
    assert found.user_tries is None
    assert "deadline" in found.source


async def test_the_tokens_own_reader_is_named(tmp_path: Path) -> None:
    path = tool(tmp_path, f'echo "$@" > {tmp_path}/arguments; printf "User PIN tries left  : 3\\n"')
    await sc_hsm.counters(slot(reader="Virtual PCD 00 01"), here({"PATH": path}))
    assert tmp_path.joinpath("arguments").read_text() == "--reader=Virtual PCD 00 01\n"


@pytest.mark.parametrize(("seen", "tries"), [("L" * 70, 3), ("another reader", None)])
async def test_a_name_that_was_cut_is_compared_with_what_the_tool_used(
    tmp_path: Path, seen: str, tries: int | None
) -> None:
    said = f'echo "Using reader with a card: {seen}" >&2; printf "User PIN tries left  : 3\\n"'
    found = await sc_hsm.counters(slot(reader="L" * 64), here({"PATH": tool(tmp_path, said)}))
    assert found.user_tries == tries


def tool(folder: Path, script: str) -> str:
    program = folder / "bin" / "sc-hsm-tool"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return f"{program.parent}:{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("flags", "tries", "state"),
    [
        ((), 3, "full"),
        ((), None, "unknown"),
        ((LOW,), 2, "low"),
        ((LOW,), None, "low"),
        ((), 2, "low"),
        ((FINAL,), 1, "final try"),
        ((FINAL,), None, "final try"),
        ((), 1, "final try"),
        ((FINAL, LOW), 3, "final try"),
        ((LOCKED,), 0, "locked"),
        ((LOCKED, FINAL), None, "locked"),
        ((), 0, "locked"),
        ((LOCKED,), 3, "locked"),
    ],
)
def test_the_worse_of_flags_and_number_counts(flags: tuple[str, ...], tries: int | None, state: str) -> None:
    assert state_of(flags, tries) == state
