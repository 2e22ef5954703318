"""APDUs and data objects: what is written is read, and nothing read makes the card fall over."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.card import applet, cvc, files, keys, tlv
from rehearsal.card.apdu import SW, Command, Refused, parse_command
from rehearsal.card.commands_files import APPLET
from rehearsal.card.session import Session
from rehearsal.card.state import StateFile
from tests.card.bench import PIN, make_card

HEADER = bytes.fromhex("00B10000")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with StateFile(make_card(tmp_path_factory.mktemp("card") / "one.card")) as file:
        yield Session(file)


def run(session: Session, raw: str) -> tuple[bytes, int]:
    response = applet.answer(session, parse_command(bytes.fromhex(raw)))
    return response.data, response.status


@pytest.mark.parametrize(
    ("body", "data", "expected"),
    [
        (b"", b"", 0),
        (b"\x10", b"", 16),
        (b"\x00", b"", 256),
        (b"\x02\xaa\xbb", b"\xaa\xbb", 0),
        (b"\x02\xaa\xbb\x00", b"\xaa\xbb", 256),
        (b"\x00\x02\x00", b"", 512),
        (b"\x00\x00\x00", b"", 65_536),
        (b"\x00\x01\x2c" + bytes(300), bytes(300), 0),
        (b"\x00\x01\x2c" + bytes(300) + b"\x00\x00", bytes(300), 65_536),
    ],
)
def test_all_cases_short_and_extended(body: bytes, data: bytes, expected: int) -> None:
    assert parse_command(HEADER + body) == Command(0, 0xB1, 0, 0, data, expected)


@given(st.binary(max_size=400))
def test_anything_is_a_command_or_of_wrong_length(raw: bytes) -> None:
    try:
        command = parse_command(raw)
    except Refused as refused:
        status = refused.status
    else:
        assert command.data in raw[4:]
        status = SW.WRONG_LENGTH
    assert status == SW.WRONG_LENGTH


@given(st.sampled_from([0x04, 0x30, 0x42, 0x53, 0x67, 0x7F21, 0x5F37, 0xC1]), st.binary(max_size=70_000))
def test_data_objects_survive_writing_and_reading(tag: int, value: bytes) -> None:
    encoded = tlv.encode(tag, value)
    assert [(item.tag, item.value, item.encoded) for item in tlv.parse(encoded)] == [(tag, value, encoded)]


@given(st.binary(max_size=300))
def test_anything_is_data_objects_or_malformed(raw: bytes) -> None:
    with contextlib.suppress(tlv.MalformedTlv):
        assert b"".join(item.encoded for item in tlv.parse(raw)) == raw


@given(st.sampled_from(sorted(applet.INSTRUCTIONS)), st.binary(min_size=2, max_size=2), st.binary(max_size=80))
def test_no_command_without_login_changes_a_file_or_key_or_falls_over(
    session: Session, instruction: tuple[int, int], p1_p2: bytes, data: bytes
) -> None:
    before = dict(session.state.files), dict(session.state.keys)
    run(session, f"00A404000B{APPLET.hex()}00")
    raw = bytes((*instruction, *p1_p2)) + (bytes([len(data)]) + data if data else b"") + b"\x00"
    response = applet.answer(session, parse_command(raw))
    assert response.status
    assert (session.state.files, session.state.keys) == before


def test_without_the_applet_selected_there_is_only_select(session: Session) -> None:
    session.reset()
    assert run(session, "00200081") == (b"", SW.INSTRUCTION_NOT_SUPPORTED)
    assert run(session, "00A4040003AABBCC00") == (b"", SW.FILE_NOT_FOUND)
    assert run(session, f"00A404000B{APPLET.hex()}00")[1] == SW.OK
    assert run(session, "00200081")[1] in {0x63C1, 0x63C2, 0x63C3, SW.AUTHENTICATION_METHOD_BLOCKED}
    assert run(session, "0C200081") == (b"", SW.CLASS_NOT_SUPPORTED)
    assert run(session, "00990000") == (b"", SW.INSTRUCTION_NOT_SUPPORTED)


@pytest.mark.parametrize("end", ["reset", "select"])
def test_a_login_ends_at_reset_and_when_the_applet_is_selected_again(tmp_path: Path, end: str) -> None:
    with StateFile(make_card(tmp_path / "one.card")) as file:
        session = Session(file)
        run(session, f"00A404000B{APPLET.hex()}00")
        assert run(session, f"0020008106{PIN.encode().hex()}")[1] == SW.OK
        assert run(session, "00200081")[1] == SW.OK
        session.reset() if end == "reset" else None
        run(session, f"00A404000B{APPLET.hex()}00")
        assert run(session, "00200081")[1] == 0x63C3


def test_a_wrong_pin_ends_a_login(tmp_path: Path) -> None:
    with StateFile(make_card(tmp_path / "one.card")) as file:
        session = Session(file)
        run(session, f"00A404000B{APPLET.hex()}00")
        run(session, f"0020008106{PIN.encode().hex()}")
        assert run(session, "0020008106" + "31" * 6)[1] == 0x63C2
        assert run(session, "8068027020" + "00" * 32 + "00")[1] == SW.SECURITY_STATUS_NOT_SATISFIED


@pytest.mark.parametrize(("algorithm", "digest"), [(0x73, hashes.SHA256()), (0x74, hashes.SHA384())])
def test_a_newer_opensc_lets_the_card_hash(tmp_path: Path, algorithm: int, digest: hashes.HashAlgorithm) -> None:
    with StateFile(make_card(tmp_path / "one.card")) as file:
        session = Session(file, selected=True, verified=True)
        signature, status = run(session, f"806801{algorithm:02X}036162630000"[:-2])
        assert status == SW.OK
        public = keys.decode_ec(file.state.keys[1]).public_key()
        public.verify(signature, b"abc", ec.ECDSA(digest))


def test_of_a_hash_of_odd_length_the_leftmost_bits_are_signed(tmp_path: Path) -> None:
    with StateFile(make_card(tmp_path / "one.card")) as file:
        session = Session(file, selected=True, verified=True)
        digest = bytes(range(40))
        signature, status = run(session, f"8068027028{digest.hex()}00")
        assert status == SW.OK
        public = keys.decode_ec(file.state.keys[2]).public_key()
        public.verify(signature, digest[:32], ec.ECDSA(Prehashed(hashes.SHA256())))


def test_a_newer_opensc_lets_the_card_pad_rsa(tmp_path: Path) -> None:
    with StateFile(make_card(tmp_path / "one.card")) as file:
        key = rsa.generate_private_key(65_537, 2048)
        file.state.keys[9] = keys.encode(key)
        session = Session(file, selected=True, verified=True)
        signature, status = run(session, "80680933000003616263" + "0000")
        assert status == SW.OK
        key.public_key().verify(signature, b"abc", padding.PKCS1v15(), hashes.SHA256())


def test_keys_and_the_device_certificate_cannot_be_read_or_replaced(tmp_path: Path) -> None:
    with StateFile(make_card(tmp_path / "one.card")) as file:
        session = Session(file)
        run(session, f"00A404000B{APPLET.hex()}00")
        run(session, f"0020008106{PIN.encode().hex()}")
        assert run(session, "00B1CC0104540200000000"[:-2])[1] == SW.SECURITY_STATUS_NOT_SATISFIED
        assert run(session, "00D72F0207540200005301AA")[1] == SW.SECURITY_STATUS_NOT_SATISFIED
        assert run(session, "00E40200022F02")[1] == SW.SECURITY_STATUS_NOT_SATISFIED
        assert run(session, "00E4020002CC00")[1] == SW.SECURITY_STATUS_NOT_SATISFIED


def test_the_device_certificate_names_the_card_and_is_a_chain_of_two(session: Session) -> None:
    chain = session.state.files[files.name(files.DEVICE_CERTIFICATE)]
    assert cvc.holder_of(chain) == "DENK012345600000"
    assert [item.tag for item in tlv.parse(chain)] == [cvc.CERTIFICATE, cvc.CERTIFICATE]
    assert len(chain) <= 1024  # what OpenSC reads of it
