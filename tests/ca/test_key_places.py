"""Where a configuration looks for its keys, and what proc(5) says of a process."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.ca import mapped
from checks.ca.key_places import key_places
from checks.ca.ssh_judging import read_printed
from checks.containers import inside, processes
from tests.ca.ca_box import CERTIFICATE, GOOD, LIBRARIES, MODULE, SOFTHSM

SPOILED: list[tuple[dict[str, Any], str]] = [
    ({"key": "/home/step/secrets/intermediate_ca_key"}, "not pkcs11"),
    ({"key": "softkms:path=/home/step/secrets/intermediate_ca_key"}, "not pkcs11"),
    ({"ssh": {"userKey": "/home/step/secrets/ssh_user_ca_key", "hostKey": "pkcs11:id=03"}}, "not pkcs11"),
    ({"ssh": {"userKey": "pkcs11:id=02"}}, "not pkcs11"),
    ({"kms": None}, "not pkcs11"),
    ({"kms": {"type": "softkms"}}, "not pkcs11"),
    ({"kms": {"type": "pkcs11", "uri": f"pkcs11:module-path={SOFTHSM};token=ca"}}, "module"),
    ({"key": f"pkcs11:id=%01?module-path={SOFTHSM}"}, "module"),
    ({"kms": {"type": "pkcs11", "uri": f"pkcs11:id=01?module-path={MODULE}&pin-value=648219"}}, "secret in file"),
    ({"password": "648219"}, "secret in file"),
    ({"authority": {"type": "vaultcas"}}, "not pkcs11"),
    ({"key": "pkcs11:id=0 1"}, "bad uri"),
    ({"crt": ""}, "other intermediate"),
]


@pytest.mark.parametrize(("spoiled", "symptom"), SPOILED)
def test_keys_that_are_somewhere_else(spoiled: dict[str, Any], symptom: str) -> None:
    text = json.dumps({**GOOD, **spoiled})
    found = key_places(text, MODULE)
    if symptom == "other intermediate":
        assert (found.problems, found.certificate) == ([], "")
    else:
        assert [said for said, _ in found.problems] == [symptom]
    assert "648219" not in repr(found)


def test_a_right_configuration_leads_to_the_token() -> None:
    found = key_places(json.dumps(GOOD), MODULE)
    assert found.problems == []
    assert found.certificate == CERTIFICATE
    assert found.keys == ["key: pkcs11:id=01", "ssh.userKey: pkcs11:id=02", "ssh.hostKey: pkcs11:id=03"]


# -- proc(5) --------------------------------------------------------------------------------------------------------


def test_code_in_memory() -> None:
    maps = (
        "00400000-00410000 r-xp 00000000 00:1f 77   /usr/local/bin/step-ca\n"
        "7f00-7f01 r--p 00000000 00:1f 78           /usr/lib/only data.so\n"
        "7f02-7f03 r-xp 00000000 00:1f 79           /usr/lib/a b.so (deleted)\n"
        "7f04-7f05 r-xp 00001000 00:1f 79           /usr/lib/a b.so (deleted)\n"
        "7ffe-7fff r-xp 00000000 00:00 0            [vdso]\n"
        "7f06-7f07 rwxp 00000000 00:00 0 \n"
    )
    assert mapped.code(maps) == (
        mapped.Mapped("/usr/local/bin/step-ca", gone=False),
        mapped.Mapped("/usr/lib/a b.so", gone=True),
    )


def test_open_files_and_connections() -> None:
    table = mapped.tcp(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 00000000:8C7B 00000000:0000 0A 00000000:00000000 00:00 00     0        0 41 1 0 100 0 0 10 0\n"
        "   1: 0100007F:8C7B 0100007F:9C40 01 00000000:00000000 00:00 00     0        0 42 1 0 100 0 0 10 0\n"
        "   2: 0000000000000000FFFF00000100007F:8C7B 00000000000000000000000001000000:0016 06 0:0 0:0 0 0 0 43 1\n"
        "   3: nonsense\n"
    )
    listing = (
        "total 0\n"
        "lrwx------ 1 0 0 64 Nov 21 18:12 5 -> socket:[42]\n"
        "lrwx------    1 0        0               64 Nov 21 18:12 6 -> socket:[41]\n"
        "lrwx------ 1 0 0 64 Nov 21 18:12 7 -> socket:[43]\n"
        "lr-x------ 1 0 0 64 Nov 21 18:12 8 -> /dev/bus/usb/001/004\n"
        "lr-x------ 1 0 0 64 Nov 21 18:12 9 -> /dev/bus/usb/001/004\n"
    )
    assert mapped.held(listing, table) == (
        "socket:[42] tcp 127.0.0.1:35963 - 127.0.0.1:40000 established",
        "socket:[41] tcp 0.0.0.0:35963 listens",
        "socket:[43] tcp 127.0.0.1:35963 - [::1]:22 state 06",
        "/dev/bus/usb/001/004",
    )


def test_a_module_is_known_by_what_it_exports() -> None:
    assert mapped.is_module(Path(MODULE).read_bytes())
    assert mapped.is_module(Path(SOFTHSM).read_bytes())
    assert mapped.is_module(Path(f"{LIBRARIES}/p11-kit-proxy.so").read_bytes())
    assert not mapped.is_module(Path(f"{LIBRARIES}/libopensc.so.8").read_bytes())
    assert not mapped.is_module(Path(f"{LIBRARIES}/libcrypto.so.3").read_bytes())


MAPS_LIKE = st.text("0123456789abcdef-rwxps/ :.()deleted\n\t[]->SHA256", max_size=300) | st.text(max_size=100)


@given(MAPS_LIKE)
def test_whatever_a_kernel_says_is_read(text: str) -> None:
    for item in mapped.code(text):
        assert item.path.startswith("/")
    assert all(isinstance(said, str) for said in mapped.held(text, mapped.tcp(text)))
    for process in processes._statuses(text):
        assert process.pid >= 0
    assert isinstance(read_printed(text, "x").lines, tuple)


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40)), max_size=8), st.integers(0, 200))
def test_the_pieces_of_a_stream(pieces: list[tuple[int, bytes]], limit: int) -> None:
    raw = b"".join(bytes([stream, 0, 0, 0]) + len(piece).to_bytes(4, "big") + piece for stream, piece in pieces)
    out, err, cut = inside._frames(io.BytesIO(raw), limit)
    whole = {number: b"".join(piece for stream, piece in pieces if stream == number) for number in (1, 2)}
    assert whole[1].startswith(out)
    assert whole[2].startswith(err)
    assert cut == (max(map(len, whole.values())) > limit)
    if not cut:
        assert (out, err) == (whole[1], whole[2])


@given(st.binary(max_size=60))
def test_a_stream_that_is_none(raw: bytes) -> None:
    try:
        inside._frames(io.BytesIO(raw), 100)
    except ValueError as error:
        assert "what the program said" in str(error)  # noqa: PT017 - either way is right


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["key", "kms", "ssh", "type", "uri", "userKey", "hostKey", "crt", "authority", "keys"]),
                inner,
            )
        ),
        max_leaves=12,
    )
)
def test_no_other_configuration_passes(document: Any) -> None:
    assert key_places(json.dumps(document), MODULE).problems
