"""Where a configuration looks for its keys, and what proc(5) says of a process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from checks.ca import mapped
from checks.ca.key_places import key_places
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
