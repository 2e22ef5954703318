"""Initialises a SoftHSM2 token and generates its keys; run as a process of its own with SOFTHSM2_CONF set.

Standard input: a line of JSON (`module`, `label`, `keys`: id → label), the SO-PIN, the user PIN, a line each.
Standard output: JSON with the token's `serial` and `points` (id → public point in hex).
"""

from __future__ import annotations

import ctypes
import json
import resource
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pkcs11

CKR_OK = 0
LABEL_LENGTH = 32
"""CK_TOKEN_INFO.label is padded with spaces to this length (PKCS#11 v2.40 §5.5, C_InitToken)."""

SECP384R1 = "1.3.132.0.34"


class CallFailed(Exception):
    """A PKCS#11 function did not return CKR_OK."""


def main() -> None:
    """Read the request, make the token, write what was made."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    request = json.loads(sys.stdin.buffer.readline())
    so_pin = sys.stdin.buffer.readline().rstrip(b"\n").decode()
    pin = sys.stdin.buffer.readline().rstrip(b"\n").decode()
    initialise(request["module"], request["label"], so_pin)
    json.dump(fill(request["module"], request["label"], request["keys"], so_pin, pin), sys.stdout)


def initialise(module: str, label: str, so_pin: str) -> None:
    """C_InitToken on the free slot; python-pkcs11 does not offer the call."""
    library = ctypes.CDLL(module)
    count = ctypes.c_ulong(0)
    _ok("C_Initialize", library.C_Initialize(None))
    _ok("C_GetSlotList", library.C_GetSlotList(0, None, ctypes.byref(count)))
    slots = (ctypes.c_ulong * count.value)()
    _ok("C_GetSlotList", library.C_GetSlotList(0, slots, ctypes.byref(count)))
    padded, secret = label.encode().ljust(LABEL_LENGTH), so_pin.encode()
    # SoftHSM2 lists the slot with the uninitialised token last.
    _ok("C_InitToken", library.C_InitToken(ctypes.c_ulong(slots[-1]), secret, ctypes.c_ulong(len(secret)), padded))
    _ok("C_Finalize", library.C_Finalize(None))


def fill(module: str, label: str, keys: dict[str, str], so_pin: str, pin: str) -> dict[str, object]:
    """Set the user PIN, then generate the keys on the token: sensitive, not extractable."""
    import pkcs11

    token = pkcs11.lib(module).get_token(token_label=label)
    with token.open(rw=True, so_pin=so_pin) as session:
        session.init_pin(pin)
    with token.open(rw=True, user_pin=pin) as session:
        points = {key_id: _generate(session, key_id, name).hex() for key_id, name in keys.items()}
    return {"serial": token.serial.decode().strip("\0 "), "points": points}


def _generate(session: pkcs11.Session, key_id: str, label: str) -> bytes:
    from pkcs11 import Attribute, KeyType, Mechanism
    from pkcs11.util.ec import encode_named_curve_parameters

    curve = session.create_domain_parameters(
        KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters(SECP384R1)}, local=True
    )
    public, _ = curve.generate_keypair(
        mechanism=Mechanism.EC_KEY_PAIR_GEN,
        store=True,
        id=bytes.fromhex(key_id),
        label=label,
        private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
    )
    point: bytes = public[Attribute.EC_POINT]
    return unwrap_point(point)


def unwrap_point(der: bytes) -> bytes:
    """The point inside the DER OCTET STRING of CKA_EC_POINT (PKCS#11 v2.40 §2.3.3); P-384 needs 97 bytes."""
    if len(der) < 2 or der[0] != 0x04 or der[1] != len(der) - 2:
        raise CallFailed("CKA_EC_POINT is not a short DER OCTET STRING")
    return der[2:]


def _ok(function: str, result: int) -> None:
    if result != CKR_OK:
        raise CallFailed(f"{function} returned 0x{result:x}")


if __name__ == "__main__":
    main()
