"""The curves' domain parameters (FIPS 186-4 appendix D.1.2), which CV certificates carry in full."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True)
class Domain:
    """A prime curve y² = x³ + ax + b with base point G of order n; all big endian, of the field's size."""

    curve: ec.EllipticCurve
    prime: bytes
    a: bytes
    b: bytes
    base: bytes
    order: bytes
    cofactor: bytes = b"\x01"

    @property
    def size(self) -> int:
        """Bytes of a coordinate, and of one half of a signature."""
        return len(self.prime)


def _domain(curve: ec.EllipticCurve, *, p: int, b: int, gx: int, gy: int, n: int) -> Domain:
    size = (curve.key_size + 7) // 8
    base = b"\x04" + gx.to_bytes(size) + gy.to_bytes(size)
    return Domain(curve, p.to_bytes(size), (p - 3).to_bytes(size), b.to_bytes(size), base, n.to_bytes(size))


P256 = _domain(
    ec.SECP256R1(),
    p=2**256 - 2**224 + 2**192 + 2**96 - 1,
    b=0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    gx=0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    gy=0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    n=0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
)
P384 = _domain(
    ec.SECP384R1(),
    p=2**384 - 2**128 - 2**96 + 2**32 - 1,
    b=0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
    gx=0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
    gy=0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
    n=0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
)
DOMAINS = (P256, P384)


def by_prime(prime: bytes) -> Domain | None:
    """The curve over this field, or None."""
    return next((domain for domain in DOMAINS if domain.prime == prime), None)


def of(curve: ec.EllipticCurve) -> Domain:
    """The parameters of a key's curve; raises ValueError for one the card does not have."""
    for domain in DOMAINS:
        if domain.curve.name == curve.name:
            return domain
    raise ValueError(f"the card has no curve {curve.name}")
