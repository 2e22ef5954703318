"""Public keys from a token's attributes, in every encoding tokens use."""

from __future__ import annotations

from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from checks.hsm import errors
from checks.hsm.keys import key_type_of, public_key_from_object
from checks.hsm.records import ObjectRecord
from checks.hsm.token import Token
from runbook.secrets import Redactor
from tests.softhsm import LABEL, SoftHsm

CURVES = {
    "P-256": (ec.SECP256R1(), "06082a8648ce3d030107"),
    "P-384": (ec.SECP384R1(), "06052b81040022"),
    "P-521": (ec.SECP521R1(), "06052b81040023"),
    "secp256k1": (ec.SECP256K1(), "06052b8104000a"),
    "brainpoolp256r1": (ec.BrainpoolP256R1(), "06092b2403030208010107"),
}


def octet_string(content: bytes) -> bytes:
    length = bytes([len(content)]) if len(content) < 128 else bytes([0x81, len(content)])
    return b"\x04" + length + content


def record(params: bytes | None, point: bytes | None, key_type: str = "CKK_EC") -> ObjectRecord:
    return ObjectRecord("CKO_PUBLIC_KEY", b"\x01", "k", key_type, ec_params=params, ec_point=point)


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("wrapped", [True, False], ids=["octet string", "bare point"])
def test_ec_points(name: str, wrapped: bool) -> None:
    curve, params = CURVES[name]
    key = ec.generate_private_key(curve).public_key()
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    found = record(bytes.fromhex(params), octet_string(point) if wrapped else point)
    assert public_key_from_object(found) == key
    assert key_type_of(found).casefold() == f"ec {name}".casefold()


@given(st.integers(2, 2**255))
def test_a_bare_point_is_never_mistaken_for_a_wrapped_one(secret: int) -> None:
    key = ec.derive_private_key(secret, ec.SECP256R1()).public_key()
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert public_key_from_object(record(bytes.fromhex(CURVES["P-256"][1]), point)) == key


@pytest.mark.parametrize("bits", [2048, 3072])
def test_rsa(bits: int) -> None:
    key = rsa.generate_private_key(65537, bits).public_key()
    numbers = key.public_numbers()
    for pad in (b"", b"\0"):
        found = ObjectRecord(
            *("CKO_PUBLIC_KEY", b"\x01", "k", "CKK_RSA"),
            modulus=pad + numbers.n.to_bytes(bits // 8),
            public_exponent=b"\x01\x00\x01",
        )
        assert public_key_from_object(found) == key
        assert key_type_of(found) == f"RSA {bits}"


P384 = bytes.fromhex(CURVES["P-384"][1])


@pytest.mark.parametrize(
    "broken",
    [
        record(P384, None),
        record(None, b"\x04\x01\x04"),
        record(P384, b""),
        record(P384, octet_string(b"\x04" + bytes(96))),
        record(P384, octet_string(b"\x04" + bytes(64))),
        record(bytes.fromhex("0603020304"), octet_string(b"\x04" + bytes(96))),
        record(b"\x30\x03", b"\x04"),
        record(P384, octet_string(b"\x04" + bytes(96)), key_type="CKK_AES"),
        ObjectRecord("CKO_PUBLIC_KEY", b"\x01", "k", "CKK_RSA", modulus=b"\x02", public_exponent=b"\x00"),
        ObjectRecord("CKO_CERTIFICATE", b"\x01", "k"),
    ],
)
def test_what_is_no_key_is_named(broken: ObjectRecord) -> None:
    with pytest.raises(errors.WrongKeyType, match="key 01"):
        public_key_from_object(broken)


@given(st.binary(max_size=120), st.binary(max_size=120))
def test_any_bytes_are_a_key_or_a_typed_error(params: bytes, point: bytes) -> None:
    found = record(params, point)
    assert isinstance(key_type_of(found), str)
    with suppress(errors.WrongKeyType):
        public_key_from_object(found)


# -- on SoftHSM2 --------------------------------------------------------------------------------------------------


async def test_keys_missing_doubled_and_of_another_type(softhsm: SoftHsm) -> None:
    softhsm.keypair("04")
    softhsm.keypair("04")
    softhsm.keypair("05", "EC:edwards25519")
    token = Token("t", softhsm.profile(), Redactor())
    try:
        with pytest.raises(errors.KeyMissing, match="the ids there are 01, 02, 03, 04, 05"):
            await token.public_key(b"\x09")
        with pytest.raises(errors.KeyDoubled, match="2 public keys"):
            await token.public_key(b"\x04")
        with pytest.raises(errors.WrongKeyType):
            await token.public_key(b"\x05")
    finally:
        await token.close()


async def test_pkcs11_tool_shows_the_same_token_and_keys(softhsm: SoftHsm) -> None:
    softhsm.keypair("0a0b", "rsa:2048")
    token = Token("t", softhsm.profile(), Redactor())
    try:
        info = await token.info()
        objects = await token.objects(None, "CKO_PUBLIC_KEY")
        key = await token.public_key(b"\x0a\x0b")
    finally:
        await token.close()
    listed = softhsm.pkcs11_tool("--list-token-slots")
    assert f"serial num         : {info.serial}" in listed
    assert f"token label        : {info.label}" in listed
    assert f"token model        : {info.model}" in listed
    assert f"pin min/max        : {info.min_pin}/{info.max_pin}" in listed
    assert f"hardware version   : {info.hardware_version}" in listed
    assert "login required" in listed
    assert "CKF_LOGIN_REQUIRED" in info.flags
    shown = softhsm.pkcs11_tool("--token-label", LABEL, "--list-objects", "--type", "pubkey")
    points = {item.id: item.ec_point.hex() for item in objects if item.ec_point}
    assert len(points) == 3
    assert all(point in shown for point in points.values())
    assert "RSA 2048 bits" in shown
    assert key.key_type == "RSA 2048"
