"""Faults on request, as the real tools suffer them."""

from __future__ import annotations

import asyncio
import os
import sys
import time

import pytest

from rehearsal.card.apdu import SW
from rehearsal.card.errors import CardControlFailed
from rehearsal.card.faults import FaultKind
from tests.card.bench import MODULE, PIN, Bench, field, make_card


async def test_a_pulled_card_is_gone_for_the_tools_which_say_so_with_exit_0(bench: Bench) -> None:
    status = await bench.reader.control.pull()
    assert not status.inserted
    await bench.reader.pcscd.wait_for_cards(0)
    shown = await bench.run("sc-hsm-tool")
    assert (shown.code, "Card not present" in shown.err) == (0, True)
    listed = await bench.pkcs11("-L")
    assert (listed.code, listed.out.count("(empty)")) == (0, 2)


async def test_pulled_in_a_command_and_put_back_at_once_it_is_noticed_and_powered_anew(bench: Bench) -> None:
    control = bench.reader.control
    before = await control.fault(FaultKind.PULL, after=3)
    await bench.run("sc-hsm-tool")
    await control.insert()
    await control.wait_until(lambda status: status.power_ups > before.power_ups)
    await bench.reader.pcscd.wait_for_cards(1)


async def test_another_card_comes_with_its_own_serial_label_and_counter(bench: Bench) -> None:
    await bench.login("-O", pin="111111")
    other = make_card(bench.folder / "two.card", serial="DENK0654321", label="another")
    await bench.reader.control.insert(other)
    await bench.reader.pcscd.wait_for_cards(0)
    await bench.reader.pcscd.wait_for_cards(1)
    listed = await bench.pkcs11("-L")
    assert field(listed.out, "serial num") == "DENK0654321"
    assert field(listed.out, "token label") == "another (UserPIN)"
    assert (await bench.counters())[1] == "User PIN tries left  : 3"
    await bench.reader.control.insert(bench.folder / "one.card")
    await bench.reader.pcscd.wait_for_cards(0)
    await bench.reader.pcscd.wait_for_cards(1)
    assert (await bench.counters())[1] == "User PIN tries left  : 2"


async def test_a_card_that_cannot_be_read_is_refused_and_the_old_one_stays_out(bench: Bench) -> None:
    with pytest.raises(CardControlFailed, match="cannot be read"):
        await bench.reader.control.insert(bench.folder / "none.card")
    assert (await bench.reader.control.status()).serial == "DENK0123456"


async def test_a_silent_card_keeps_its_reader_waiting_until_it_is_pulled(bench: Bench) -> None:
    control = bench.reader.control
    await control.fault(FaultKind.SILENT, after=5)
    asked = time.monotonic()
    waiting = asyncio.create_task(bench.run("sc-hsm-tool"))
    await control.wait_until(lambda status: any("silent" in line for line in status.log))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.5)
    await control.pull()
    await waiting
    assert time.monotonic() - asked < 10
    await control.insert()
    await bench.reader.pcscd.wait_for_cards(1)
    assert (await bench.counters())[1] == "User PIN tries left  : 3"


@pytest.mark.parametrize("kind", [FaultKind.GARBAGE, FaultKind.SHORT])
async def test_a_spoilt_answer_does_not_stay(bench: Bench, kind: FaultKind) -> None:
    right = (await bench.pkcs11("-O")).out
    before = len((await bench.reader.control.status()).log)
    await bench.reader.control.fault(kind, after=12)
    await bench.pkcs11("-O")
    assert len((await bench.reader.control.status()).log) > before
    await bench.reader.pcscd.wait_for_cards(1)
    again = (await bench.pkcs11("-O")).out
    assert [x for x in again.splitlines() if "EC_POINT" in x] == [x for x in right.splitlines() if "EC_POINT" in x]


async def test_an_error_status_comes_instead_of_the_nth_answer(bench: Bench) -> None:
    await bench.reader.control.fault(FaultKind.STATUS, after=4, status=SW.MEMORY_FAILURE, carried_out=False)
    await bench.run("sc-hsm-tool")
    log = (await bench.reader.control.status()).log
    assert [line for line in log if line.endswith("6581")] == [log[3]]


async def test_a_command_whose_answer_is_lost_was_carried_out(bench: Bench) -> None:
    await bench.pkcs11("-O")
    control = bench.reader.control
    count = (await control.status()).apdus
    await bench.login("-O")
    log = (await control.status()).log[count:]
    position = next(index for index, line in enumerate(log, start=1) if line.startswith("VERIFY 00 81 +"))
    for carried_out, checks in ((True, 2), (False, 2)):
        await control.fault(FaultKind.PULL, after=position, carried_out=carried_out)
        assert (await bench.login("-O")).code
        assert (await control.status()).user_checks == checks
        await bench.reader.pcscd.wait_for_cards(0)
        await control.insert()
        await bench.reader.pcscd.wait_for_cards(1)
    await control.fault(FaultKind.PULL, after=1)
    await control.clear()
    assert (await bench.run("sc-hsm-tool")).out.startswith("Version")


async def test_a_reset_ends_the_login(bench: Bench) -> None:
    control = bench.reader.control
    script = (
        "import sys, pkcs11\n"
        "token = next(pkcs11.lib(sys.argv[1]).get_tokens())\n"
        "session = token.open(user_pin=sys.stdin.readline().strip())\n"
        "print('in', flush=True)\n"
        "sys.stdin.readline()\n"
    )
    client = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, MODULE),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **bench.reader.environment},
    )
    assert client.stdin
    assert client.stdout
    client.stdin.write(f"{PIN}\n".encode())
    await client.stdout.readline()
    assert (await control.status()).verified
    await bench.run("opensc-tool", "--reset")
    assert not (await control.status()).verified
    await client.communicate(b"\n")
