"""A card from the factory, initialised by the real tools; DKEK shares and quorum as they show them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rehearsal.card.personalise import manufacture
from rehearsal.card.virtual_reader import VirtualReader
from tests.card.bench import Bench, field

INITIALIZE = ("sc-hsm-tool", "--initialize", "--so-pin", "3537363231383830", "--pin", "648219")


@pytest.fixture
async def fresh(short: Path) -> AsyncIterator[Bench]:
    manufacture(short / "fresh.card", serial="DENK0700001")
    (short / "r").mkdir()
    async with VirtualReader(short / "r", [short / "fresh.card"]) as reader:
        yield Bench(reader, short)


async def test_a_card_from_the_factory_says_that_it_was_never_initialised(fresh: Bench) -> None:
    assert "SmartCard-HSM has never been initialized. Please use --initialize" in (await fresh.run("sc-hsm-tool")).out


async def test_initialised_it_has_label_and_pins_and_keeps_its_serial(fresh: Bench) -> None:
    assert (await fresh.run(*INITIALIZE, "--label", "made-here")).code == 0
    assert await fresh.counters() == ("SO-PIN tries left    : 15", "User PIN tries left  : 3")
    listed = await fresh.pkcs11("-L")
    assert field(listed.out, "token label") == "made-here (UserPIN)"
    assert field(listed.out, "serial num") == "DENK0700001"
    made = await fresh.login("--keypairgen --key-type EC:secp384r1 --id 01 --label intermediate")
    assert made.code == 0


async def test_initialising_again_wipes_the_keys_and_needs_the_so_pin(bench: Bench) -> None:
    wrong = await bench.run("sc-hsm-tool", "--initialize", "--so-pin", "0" * 16, "--pin", "111111", "--label", "x")
    assert wrong.code or "fail" in wrong.err.lower()
    assert (await bench.counters())[0] == "SO-PIN tries left    : 14"
    assert (await bench.pkcs11("-O")).out.count("Public Key Object") == 3
    assert (await bench.run(*INITIALIZE, "--label", "anew")).code == 0
    assert (await bench.pkcs11("-O")).out.count("Public Key Object") == 0
    assert field((await bench.pkcs11("-L")).out, "token label") == "anew (UserPIN)"


async def test_pkcs11_init_token_initialises_too(bench: Bench) -> None:
    done = await bench.pkcs11("--init-token --label reborn --so-pin env:SO_PIN")
    assert "successfully initialized" in done.out
    assert field((await bench.pkcs11("-L")).out, "token label") == "reborn (UserPIN)"


async def test_the_number_of_tries_is_set_at_initialisation(bench: Bench) -> None:
    await bench.run("sc-hsm-tool --initialize --so-pin 3537363231383830 --pin 12345678 --pin-retry 5")
    assert (await bench.counters())[1] == "User PIN tries left  : 5"


async def test_dkek_shares_are_counted_until_the_key_is_complete(bench: Bench) -> None:
    await bench.run(*INITIALIZE, "--dkek-shares", "2")
    shown = await bench.run("sc-hsm-tool")
    assert "DKEK shares          : 2\nDKEK import pending, 2 share(s) still missing" in shown.out
    for share in ("11" * 32, "22" * 32):  # sc-hsm-tool would take 20 s to open a file with one
        await bench.run("opensc-tool", "--send-apdu", f"8052000020{share}00")
    value = field((await bench.run("sc-hsm-tool")).out, "DKEK key check value")
    assert value == hashlib.sha256(b"\x33" * 32).hexdigest()[:16].upper()


async def test_the_quorum_is_shown_as_it_was_set(bench: Bench) -> None:
    none = await bench.run("sc-hsm-tool", "--public-key-auth-status")
    assert "Card not initialized for public key registration" in none.err
    done = await bench.run(*INITIALIZE, "--public-key-auth", "3", "--required-pub-keys", "2")
    assert done.code == 0, done
    shown = await bench.run("sc-hsm-tool", "--public-key-auth-status")
    assert re.findall(r": +(\d)", shown.out) == ["3", "3", "2", "0"]
    assert "Public key authentication active." in (await bench.run("sc-hsm-tool")).out
