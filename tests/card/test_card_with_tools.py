"""The card as the real tools see it."""

from __future__ import annotations

import asyncio
import re
import time

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from rehearsal.card import personalise
from tests.card.bench import MODULE, Bench, field

FIELDS = """\
Version              : 6.6
Config options       :
  User PIN reset with SO-PIN enabled
SO-PIN tries left    : 15
User PIN tries left  : 3
DKEK shares          : 0
DKEK key check value : 0000000000000000
"""


async def test_opensc_knows_it_by_name_and_atr(bench: Bench) -> None:
    done = await bench.run("opensc-tool", "-n", "-a")
    assert "3b:de:18:ff:81:91:fe:1f:c3:80:31:81:54:48:53:4d:31:73:80:21:40:81:07:1c" in done.out
    assert "SmartCard-HSM version 6.6" in done.out


async def test_sc_hsm_tool_shows_every_field_and_the_reader_on_stderr(bench: Bench) -> None:
    done = await bench.run("sc-hsm-tool")
    assert done.out == FIELDS
    assert done.err == "Using reader with a card: Rehearsal reader 1 00 00\n"


async def test_the_token_has_label_with_suffix_serial_and_a_second_empty_slot(bench: Bench) -> None:
    done = await bench.pkcs11("-L")
    assert field(done.out, "token label") == "ccat-intermediate (UserPIN)"
    assert field(done.out, "serial num") == "DENK0123456"
    assert field(done.out, "pin min/max") == "6/15"
    assert field(done.out, "token flags") == "login required, rng, token initialized, PIN initialized"
    assert re.search(r"Slot 1 \(0x4\): .*\n  \(empty\)", done.out)


async def test_public_keys_are_listed_without_login_newest_first_and_private_ones_not(bench: Bench) -> None:
    done = await bench.pkcs11("-O")
    assert re.findall(r"label: +(\S+)", done.out) == ["ssh-user", "ssh-host", "intermediate"]
    assert "Private Key" not in done.out


async def test_private_keys_are_local_and_never_extractable(bench: Bench) -> None:
    done = await bench.login("-O", "--type", "privkey")
    assert done.out.count("Private Key Object; EC") == 3
    assert done.out.count("Access:     sensitive, always sensitive, never extractable, local") == 3
    assert done.out.count("Usage:      sign, derive") == 3


async def test_ecdsa_with_sha384_is_offered_and_raw_ecdsa_is_in_hardware(bench: Bench) -> None:
    done = await bench.pkcs11("-M")
    assert re.search(r"^  ECDSA, keySize=.*hw, sign", done.out, re.MULTILINE)
    assert re.search(r"^  ECDSA-SHA384, keySize=.*sign", done.out, re.MULTILINE)


async def test_pkcs15_dump_shows_both_pins_and_all_keys(bench: Bench) -> None:
    done = await bench.run("pkcs15-tool", "--dump")
    assert re.findall(r"Tries left +: (\d+)", done.out) == ["3", "15"]
    assert re.findall(r"Private EC Key \[(.+)\]", done.out) == ["ssh-user", "ssh-host", "intermediate"]
    assert done.out.count("[0x1D], sensitive, alwaysSensitive, neverExtract, local") == 3
    assert "FieldLength    : 384" in done.out


async def test_public_keys_read_by_three_tools_are_one_key(bench: Bench) -> None:
    pem = load_pem_public_key((await bench.run("pkcs15-tool", "--read-public-key", "02")).out.encode())
    ssh = (await bench.run("ssh-keygen", "-D", MODULE)).out
    listed = (await bench.pkcs11("-O", "--type", "pubkey")).out
    await asyncio.to_thread((bench.folder / "ssh.pub").write_text, next(x for x in ssh.splitlines() if "ssh-host" in x))
    from_ssh = await bench.run("ssh-keygen", "-e", "-m", "PKCS8", "-f", "ssh.pub")
    assert load_pem_public_key(from_ssh.out.encode()) == pem
    assert f"{pem.public_numbers().x:064x}" in listed


async def test_a_certificate_is_written_read_without_login_and_deleted(bench: Bench) -> None:
    await bench.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -outform DER",
        "-out c.der -subj /CN=Rehearsal -days 2",
    )
    der = await asyncio.to_thread((bench.folder / "c.der").read_bytes)
    written = await bench.login("--write-object c.der --type cert --id 09 --label ca")
    assert "Created certificate" in written.out
    read = await bench.run("pkcs15-tool", "--read-certificate", "09")
    assert x509.load_pem_x509_certificate(read.out.encode()) == x509.load_der_x509_certificate(der)
    assert "CN=Rehearsal" in (await bench.pkcs11("-O", "--type", "cert")).out
    deleted = await bench.login("--delete-object", "--type", "cert", "--id", "09")
    assert deleted.code == 0
    assert "Certificate Object" not in (await bench.pkcs11("-O", "--type", "cert")).out


async def test_the_certificate_of_a_key_is_stored_with_it(bench: Bench) -> None:
    await bench.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout k -outform DER",
        "-out c.der -subj /CN=Intermediate -days 2",
    )
    await bench.login("--write-object c.der --type cert --id 01 --label intermediate")
    listed = await bench.pkcs11("-O", "--type", "cert")
    assert field(listed.out, "ID") == "01"
    assert "CN=Intermediate" in listed.out


async def test_what_a_tool_may_not_write_without_login_it_cannot(bench: Bench) -> None:
    await asyncio.to_thread((bench.folder / "d").write_bytes, b"data")
    done = await bench.pkcs11("--write-object d --type data --label note")
    assert done.code
    await bench.login("--write-object d --type data --label note")
    assert "label:          'note'" in (await bench.pkcs11("-O", "--type", "data")).out


async def test_random_bytes_come_from_the_card(bench: Bench) -> None:
    before = (await bench.reader.control.status()).apdus
    first = await bench.pkcs11("--generate-random", "64", "--output-file", "a")
    log = (await bench.reader.control.status()).log[before:]
    assert first.code == 0
    assert "GET CHALLENGE 00 00 -> 9000" in log
    assert len(await asyncio.to_thread((bench.folder / "a").read_bytes)) == 64


async def test_a_slow_card_costs_its_delay_for_each_apdu(bench: Bench) -> None:
    before = (await bench.reader.control.slow(20)).apdus
    start = time.monotonic()
    await bench.pkcs11("-L")
    took = time.monotonic() - start
    apdus = (await bench.reader.control.status()).apdus - before
    assert apdus > 30
    assert took > apdus * 0.020
    assert took < apdus * 0.040


async def test_a_card_of_another_maker_is_present_and_not_recognised(bench: Bench) -> None:
    personalise.foreign(bench.folder / "other.card")
    await bench.reader.control.insert(bench.folder / "other.card")
    await bench.reader.pcscd.wait_for_cards(0)
    await bench.reader.pcscd.wait_for_cards(1)
    assert "3b:84:80:01" in (await bench.run("opensc-tool -a")).out
    assert "(token not recognized)" in (await bench.pkcs11("-L")).out
    shown = await bench.run("sc-hsm-tool")
    assert "Version" not in shown.out
