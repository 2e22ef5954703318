"""Private keys of the card: made, kept as PKCS#8, and used as the SmartCard-HSM does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from rehearsal.card import curves
from rehearsal.card.apdu import SW, Refused

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

RSA_RAW: Final = 0x20
RSA_DECRYPT: Final = 0x21
ECDSA: Final = 0x70
ECDH: Final = 0x80

_Hashes: TypeAlias = dict[int, Callable[[], hashes.HashAlgorithm]]
_RSA_PKCS1_HASHES: Final[_Hashes] = {0x33: hashes.SHA256, 0x34: hashes.SHA384, 0x35: hashes.SHA512}
_ECDSA_HASHES: Final[_Hashes] = {0x71: hashes.SHA1, 0x72: hashes.SHA224, 0x73: hashes.SHA256, 0x74: hashes.SHA384}
_BY_LENGTH: Final[_Hashes] = {32: hashes.SHA256, 48: hashes.SHA384}


def encode(key: PrivateKey) -> bytes:
    """PKCS#8, DER, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def decode(pkcs8: bytes) -> PrivateKey:
    """The key of `encode`; raises ValueError for anything else."""
    try:
        # Proving that an RSA key's numbers fit takes longer than using it, and this key is the card's own.
        key = serialization.load_der_private_key(pkcs8, None, unsafe_skip_rsa_key_validation=True)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(str(error)) from error
    match key:
        case ec.EllipticCurvePrivateKey() | rsa.RSAPrivateKey():
            return key
        case _:
            raise ValueError("the key is neither RSA nor on an elliptic curve")


def decode_ec(pkcs8: bytes) -> ec.EllipticCurvePrivateKey:
    """As `decode`, for a key that must be on an elliptic curve."""
    match decode(pkcs8):
        case ec.EllipticCurvePrivateKey() as key:
            return key
        case _:
            raise ValueError("the key is not on an elliptic curve")


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public point, uncompressed: 04 ‖ x ‖ y."""
    return key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def sign(key: PrivateKey, algorithm: int, data: bytes) -> bytes:
    """A signature as the SIGN command gives it: DER for ECDSA, the number itself for RSA.

    `algorithm` is the command's P2; for ECDSA without a hash, `data` is the hash (FIPS 186-4 §6.4: only its
    leftmost bits, as many as the order has, are used). Raises Refused.
    """
    if isinstance(key, ec.EllipticCurvePrivateKey):
        if algorithm == ECDSA:
            digest = _fitted(data, curves.of(key.curve).size)
            return key.sign(digest, ec.ECDSA(Prehashed(_BY_LENGTH[len(digest)]())))
        if algorithm in _ECDSA_HASHES:
            return key.sign(data, ec.ECDSA(_ECDSA_HASHES[algorithm]()))
        raise Refused(SW.WRONG_P1_P2)
    if algorithm == RSA_RAW:
        return _exponentiate(key, data)
    if algorithm in _RSA_PKCS1_HASHES:
        return key.sign(data, padding.PKCS1v15(), _RSA_PKCS1_HASHES[algorithm]())
    raise Refused(SW.WRONG_P1_P2)


def decipher(key: PrivateKey, algorithm: int, data: bytes) -> bytes:
    """RSA decryption with the padding left on, or an ECDH agreement: 04 ‖ x. Raises Refused.

    The real card gives the whole point; middleware takes the x coordinate of it and drops the rest.
    """
    if isinstance(key, rsa.RSAPrivateKey) and algorithm in {RSA_RAW, RSA_DECRYPT}:
        return _exponentiate(key, data)
    if isinstance(key, ec.EllipticCurvePrivateKey) and algorithm == ECDH:
        try:
            peer = ec.EllipticCurvePublicKey.from_encoded_point(key.curve, data)
        except ValueError as error:
            raise Refused(SW.WRONG_DATA) from error
        return b"\x04" + key.exchange(ec.ECDH(), peer)
    raise Refused(SW.WRONG_P1_P2)


def _fitted(digest: bytes, size: int) -> bytes:
    # A shorter hash is the same number with zeros before it; a longer one loses its last bytes.
    return digest[:size].rjust(size, b"\x00")


def _exponentiate(key: rsa.RSAPrivateKey, data: bytes) -> bytes:
    numbers = key.private_numbers()
    modulus = numbers.public_numbers.n
    value = int.from_bytes(data)
    if len(data) != key.key_size // 8 or value >= modulus:
        raise Refused(SW.WRONG_DATA)
    return pow(value, numbers.d, modulus).to_bytes(len(data))
