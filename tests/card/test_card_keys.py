"""Keys made on the card, and what they sign, judged by openssl."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from tests.card.bench import Bench, field

MESSAGE = b"NOT A CERTIFICATE | A1.sign | 7f3c"


async def write(path: Path, data: bytes) -> None:
    await asyncio.to_thread(path.write_bytes, data)


async def public_key(bench: Bench, identifier: str) -> None:
    done = await bench.run("pkcs15-tool", "--read-public-key", identifier, "--output", "pub.pem")
    assert done.code == 0


@pytest.mark.parametrize("identifier", ["01", "02"])
async def test_a_hash_signed_with_plain_ecdsa_verifies(bench: Bench, identifier: str) -> None:
    await public_key(bench, identifier)
    await write(bench.folder / "hash", hashlib.sha256(MESSAGE).digest())
    signed = await bench.login(f"--sign --id {identifier} -m ECDSA -i hash -o sig --signature-format openssl")
    assert signed.code == 0
    verified = await bench.run("openssl pkeyutl -verify -pubin -inkey pub.pem -in hash -sigfile sig")
    assert "Signature Verified Successfully" in verified.out
    await write(bench.folder / "hash", hashlib.sha256(MESSAGE + b".").digest())
    assert (await bench.run("openssl pkeyutl -verify -pubin -inkey pub.pem -in hash -sigfile sig")).code


async def test_a_longer_hash_loses_its_last_bits_and_a_shorter_one_gains_zeros(bench: Bench) -> None:
    await public_key(bench, "02")
    for digest in (hashlib.sha384(MESSAGE).digest(), hashlib.sha1(MESSAGE).digest()):  # noqa: S324 - its length matters
        await write(bench.folder / "hash", digest)
        await bench.login("--sign --id 02 -m ECDSA -i hash -o sig --signature-format openssl")
        verify = "openssl pkeyutl -verify -pubin -inkey pub.pem -in hash -sigfile sig"
        assert "Successfully" in (await bench.run(verify)).out


async def test_ecdsa_sha384_is_hashed_on_the_host_and_gives_96_bytes(bench: Bench) -> None:
    await public_key(bench, "01")
    await write(bench.folder / "message", MESSAGE)
    await bench.login("--sign --id 01 -m ECDSA-SHA384 -i message -o raw")
    assert len(await asyncio.to_thread((bench.folder / "raw").read_bytes)) == 96
    assert "SIGN 01 70 + -> 9000" in (await bench.reader.control.status()).log
    await bench.login("--sign --id 01 -m ECDSA-SHA384 -i message -o sig --signature-format openssl")
    verified = await bench.run("openssl dgst -sha384 -verify pub.pem -signature sig message")
    assert verified.out == "Verified OK\n"


async def test_nothing_is_signed_without_login(bench: Bench) -> None:
    await write(bench.folder / "hash", bytes(32))
    done = await bench.pkcs11("--sign --id 02 -m ECDSA -i hash -o sig")
    assert done.code
    assert not any(line.startswith("SIGN") for line in (await bench.reader.control.status()).log)


@pytest.mark.parametrize(("kind", "bits"), [("EC:secp256r1", "256"), ("EC:secp384r1", "384"), ("RSA:2048", "2048")])
async def test_a_key_made_on_the_card_signs_and_survives_the_card_being_pulled(
    bench: Bench, kind: str, bits: str
) -> None:
    made = await bench.login(f"--keypairgen --key-type {kind} --id 0a --label made")
    assert "Key pair generated" in made.out
    await bench.reader.control.pull()
    await bench.reader.pcscd.wait_for_cards(0)
    await bench.reader.control.insert()
    await bench.reader.pcscd.wait_for_cards(1)
    await public_key(bench, "0a")
    await write(bench.folder / "message", MESSAGE)
    mechanism = "SHA256-RSA-PKCS" if kind.startswith("RSA") else "ECDSA-SHA256 --signature-format openssl"
    assert (await bench.login(f"--sign --id 0a -m {mechanism} -i message -o sig")).code == 0
    verified = await bench.run("openssl dgst -sha256 -verify pub.pem -signature sig message")
    assert verified.out == "Verified OK\n"
    listed = await bench.login("-O", "--type", "privkey")
    assert "always sensitive, never extractable, local" in field(listed.out, "Access")
    assert bits in (await bench.pkcs11("-O", "--type", "pubkey")).out.splitlines()[0]


async def test_a_curve_the_card_has_not_is_refused(bench: Bench) -> None:
    done = await bench.login("--keypairgen --key-type EC:brainpoolP256r1 --id 0a --label made")
    assert done.code
    assert "GENERATE ASYMMETRIC KEY PAIR 04 00 + -> 6A81" in (await bench.reader.control.status()).log


async def test_a_deleted_key_is_gone(bench: Bench) -> None:
    assert (await bench.login("--delete-object --type privkey --id 03")).code == 0
    assert "ssh-user" not in (await bench.login("-O", "--type", "privkey")).out


async def test_key_agreement_gives_what_openssl_computes(bench: Bench) -> None:
    await public_key(bench, "02")
    await bench.run("openssl ecparam -name prime256v1 -genkey -noout -out peer.pem")
    await bench.run("openssl pkey -in peer.pem -pubout -outform DER -out peer.der")
    derived = await bench.login("--derive -m ECDH1-DERIVE --id 02 -i peer.der -o secret")
    assert derived.code == 0, derived.err
    await bench.run("openssl pkeyutl -derive -inkey peer.pem -peerkey pub.pem -out expected")
    ours = await asyncio.to_thread((bench.folder / "secret").read_bytes)
    assert ours == await asyncio.to_thread((bench.folder / "expected").read_bytes)


async def test_rsa_decrypts(bench: Bench) -> None:
    await bench.login("--keypairgen --key-type RSA:2048 --id 0a --label rsa")
    await public_key(bench, "0a")
    await write(bench.folder / "message", MESSAGE)
    await bench.run("openssl pkeyutl -encrypt -pubin -inkey pub.pem -in message -out secret")
    await bench.login("--decrypt --id 0a -m RSA-PKCS -i secret -o plain")
    assert await asyncio.to_thread((bench.folder / "plain").read_bytes) == MESSAGE
