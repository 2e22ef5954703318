"""GENERATE ASYMMETRIC KEY PAIR (ISO 7816-8 §5.1), SIGN, DECIPHER and GET CHALLENGE (7816-4 §7.5.3)."""

from __future__ import annotations

import os
from typing import Final

from asn1crypto.core import Integer
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from rehearsal.card import curves, cvc, files, keys, tlv
from rehearsal.card.apdu import SW, Command, Refused, Response
from rehearsal.card.session import Session

_PUBLIC_EXPONENT: Final = 65_537
_RSA_SIZES: Final = (1024, 1536, 2048, 3072, 4096)
_MOST_RANDOM: Final = 1024


def generate_key_pair(card: Session, command: Command) -> Response:
    """GENERATE: the request names holder, authority and kind of key; the answer is a countersigned CV request."""
    card.require_login()
    reference = command.p1
    if not reference or reference in card.state.keys:
        raise Refused(SW.FILE_EXISTS)
    try:
        items = {item.tag: item.value for item in tlv.parse(command.data)}
        template = {item.tag: item.value for item in tlv.parse(items.get(cvc.PUBLIC_KEY, b""))}
    except tlv.MalformedTlv as error:
        raise Refused(SW.WRONG_DATA) from error
    key = _make(template)
    request = cvc.request(
        key,
        items.get(cvc.HOLDER, b"").decode("ascii", "replace"),
        items.get(cvc.AUTHORITY, b"").decode("ascii", "replace"),
        keys.decode_ec(card.state.device_key),
        cvc.holder_of(card.state.files[files.name(files.DEVICE_CERTIFICATE)]),
    )
    card.state.keys[reference] = keys.encode(key)
    card.file.save()
    return Response(request)


def sign(card: Session, command: Command) -> Response:
    """SIGN (SmartCard-HSM user manual): P1 is the key, P2 the algorithm."""
    return Response(keys.sign(_key(card, command), command.p2, command.data))


def decipher(card: Session, command: Command) -> Response:
    """DECIPHER (SmartCard-HSM user manual): P1 is the key, P2 the algorithm."""
    return Response(keys.decipher(_key(card, command), command.p2, command.data))


def get_challenge(_card: Session, command: Command) -> Response:
    """GET CHALLENGE: as many random bytes as are asked for, 1024 at most."""
    if not 0 < command.expected <= _MOST_RANDOM:
        raise Refused(SW.WRONG_LENGTH)
    return Response(os.urandom(command.expected))


def _key(card: Session, command: Command) -> keys.PrivateKey:
    card.require_login()
    pkcs8 = card.state.keys.get(command.p1)
    if pkcs8 is None:
        raise Refused(SW.FILE_NOT_FOUND)
    return keys.decode(pkcs8)


def _make(template: dict[int, bytes]) -> keys.PrivateKey:
    algorithm = tlv.encode(0x06, template.get(0x06, b""))
    if algorithm == cvc.object_identifier(cvc.ECDSA_SHA256):
        domain = curves.by_prime(template.get(0x81, b""))
        if domain is None:
            raise Refused(SW.FUNCTION_NOT_SUPPORTED)
        return ec.generate_private_key(domain.curve)
    if algorithm == cvc.object_identifier(cvc.RSA_SHA256):
        size = Integer.load(tlv.encode(0x02, template.get(0x02, b"\x08\x00"))).native
        if size not in _RSA_SIZES:
            raise Refused(SW.FUNCTION_NOT_SUPPORTED)
        return rsa.generate_private_key(_PUBLIC_EXPONENT, size)
    raise Refused(SW.WRONG_DATA)
