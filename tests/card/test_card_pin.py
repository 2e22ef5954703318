"""The counters, step by step, as the real card and the real OpenSC show them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rehearsal.card import state as states
from rehearsal.card.faults import PadEntry, PinCheckFault
from rehearsal.card.virtual_reader import VirtualReader
from tests.card.bench import PIN, Bench, Done, make_card

WRONG = "111111"
FULL = "User PIN tries left  : 3"


async def test_flags_and_counter_as_the_pin_goes_wrong(bench: Bench) -> None:
    fresh = {"login required", "rng", "token initialized", "PIN initialized"}
    table = [
        ("CKR_PIN_INCORRECT", "User PIN tries left  : 2", "user PIN count low"),
        ("CKR_PIN_INCORRECT", "User PIN tries left  : 1", "final user PIN try"),
        ("CKR_PIN_LOCKED", "User PIN locked", "user PIN locked"),
    ]
    assert await bench.flags() == fresh
    for error, counter, flag in table:
        done = await bench.login("-O", pin=WRONG)
        assert error in done.err
        assert (await bench.counters())[1] == counter
        assert await bench.flags() == fresh | {flag}
    right = await bench.login("-O")
    assert "CKR_PIN_LOCKED" in right.err
    assert (await bench.counters())[1] == "User PIN locked"
    status = await bench.reader.control.status()
    assert (status.user_tries, status.user_checks) == (0, 3)


async def test_the_right_pin_at_the_last_try_gives_all_tries_back(bench: Bench) -> None:
    for _ in range(2):
        await bench.login("-O", pin=WRONG)
    assert (await bench.login("-O")).code == 0
    assert (await bench.counters())[1] == FULL
    assert (await bench.reader.control.status()).user_checks == 3


async def test_a_pin_of_impossible_length_never_reaches_the_card(bench: Bench) -> None:
    for length in (5, 16):
        assert "CKR_PIN_LEN_RANGE" in (await bench.login("-O", pin="1" * length)).err
    assert (await bench.reader.control.status()).user_checks == 0


async def test_the_so_pin_unlocks_with_a_new_pin_and_its_counter_recovers(bench: Bench) -> None:
    for _ in range(3):
        await bench.login("-O", pin=WRONG)
    reset = ("--init-pin", "--login", "--login-type", "so", "--so-pin", "env:SO_PIN", "--new-pin", "env:NEW")
    wrong = await bench.pkcs11(*reset, SO_PIN="0" * 16, NEW="222222")
    assert wrong.code
    assert await bench.counters() == ("SO-PIN tries left    : 14", "User PIN locked")
    assert "successfully" in (await bench.pkcs11(*reset, NEW="222222")).out
    assert await bench.counters() == ("SO-PIN tries left    : 15", FULL)
    assert "CKR_PIN_INCORRECT" in (await bench.login("-O")).err
    assert (await bench.login("-O", pin="222222")).code == 0


async def test_pkcs15_tool_unblock_sends_the_so_pin_as_text_and_costs_a_try_of_it(bench: Bench) -> None:
    done = await bench.run("pkcs15-tool --unblock-pin --puk env:SO_PIN --new-pin env:NEW", NEW="222222")
    assert done.code
    assert (await bench.counters())[0] == "SO-PIN tries left    : 14"


async def test_the_so_pin_locks_after_fifteen_tries(bench: Bench) -> None:
    reset = ("--init-pin", "--login", "--login-type", "so", "--so-pin", "env:SO_PIN", "--new-pin", "env:NEW")
    for _ in range(15):
        await bench.pkcs11(*reset, SO_PIN="0" * 16, NEW="222222")
    assert (await bench.counters())[0] == "SO-PIN locked"
    assert "CKR_PIN_LOCKED" in (await bench.pkcs11(*reset, NEW="222222")).err


async def test_the_so_pin_cannot_log_in_to_sign(bench: Bench) -> None:
    done = await bench.pkcs11("--login --login-type so --so-pin env:SO_PIN --sign --id 01 -m ECDSA -i /etc/hostname")
    assert done.code
    assert (await bench.reader.control.status()).so_checks == 0


async def test_a_pin_is_changed_with_the_old_one_and_a_wrong_old_one_costs_one_try(bench: Bench) -> None:
    change = ("--change-pin", "--login", "--pin", "env:PIN", "--new-pin", "env:NEW")
    assert "successfully changed" in (await bench.pkcs11(*change, NEW="123456789012345")).out
    assert (await bench.login("-O")).code
    assert (await bench.counters())[1] == "User PIN tries left  : 2"
    assert (await bench.login("-O", pin="123456789012345")).code == 0
    before = (await bench.reader.control.status()).user_checks
    await bench.run("pkcs15-tool --change-pin --pin env:OLD --new-pin env:NEW", OLD="999999", NEW="222222")
    status = await bench.reader.control.status()
    assert (status.user_tries, status.user_checks) == (2, before + 1)


async def test_killed_in_the_middle_of_a_check_the_try_is_spent(bench: Bench) -> None:
    card = bench.reader.cards[0]
    await card.control.at_pin_check(PinCheckFault.SILENT)
    login = bench_login(bench)
    await card.control.wait_until(lambda status: status.user_checks == 1)
    await card.kill()
    assert (await login).code
    assert states.read(bench.folder / "one.card").user_pin.tries == 2
    await bench.reader.pcscd.wait_for_cards(0)
    await card.start()
    await bench.reader.pcscd.wait_for_cards(1)
    assert (await bench.counters())[1] == "User PIN tries left  : 2"
    assert "user PIN count low" in await bench.flags()


async def test_power_loss_in_the_middle_of_a_check_with_the_right_pin_costs_a_try(bench: Bench) -> None:
    control = bench.reader.control
    await control.at_pin_check()
    done = await bench.login("-O")
    assert done.code
    assert not (await control.status()).inserted
    await bench.reader.pcscd.wait_for_cards(0)
    await control.insert()
    await bench.reader.pcscd.wait_for_cards(1)
    assert (await bench.counters())[1] == "User PIN tries left  : 2"
    assert (await control.status()).user_checks == 1


async def test_the_log_names_pin_commands_and_never_shows_a_pin(bench: Bench) -> None:
    await bench.login("-O")
    log = (await bench.reader.control.status()).log
    assert "VERIFY 00 81 + -> 9000" in log
    assert not any(form in line for line in log for form in (PIN, PIN.encode().hex()))


def bench_login(bench: Bench) -> asyncio.Task[Done]:
    return asyncio.create_task(bench.login("-O"))


async def test_on_a_card_with_a_pad_the_pin_is_typed_there_and_counted(short: Path) -> None:
    state = make_card(short / "pad.card", pin_pad=True)
    (short / "r").mkdir()
    async with VirtualReader(short / "r", [state]) as reader:
        bench = Bench(reader, short)
        assert "PIN pad present" in await bench.flags()
        assert "Private Key Object" in (await bench.pkcs11("--login -O")).out
        await reader.control.at_pad(PadEntry.WRONG)
        assert "CKR_PIN_INCORRECT" in (await bench.pkcs11("--login -O")).err
        assert (await bench.counters())[1] == "User PIN tries left  : 2"
        assert (await reader.control.status()).user_checks == 2
