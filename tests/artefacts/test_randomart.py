"""The drunken bishop, against OpenSSH's own: `ssh-keygen -lv`."""

from __future__ import annotations

import subprocess
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.artefacts.fingerprints import openssh_name, openssh_sha256
from runbook.randomart import HEIGHT, WIDTH, beside, of_sha256, randomart


def _ed25519(seed: bytes) -> PublicKeyTypes:
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key()


def _ec(curve: ec.EllipticCurve) -> st.SearchStrategy[PublicKeyTypes]:
    return st.integers(1, 2**200).map(lambda secret: ec.derive_private_key(secret, curve).public_key())


def _rsa(bits: int, rest: int) -> PublicKeyTypes:
    """A modulus of that many bits; nobody looks whether it is the product of two primes."""
    return rsa.RSAPublicNumbers(65537, 1 << bits - 1 | rest << 1 | 1).public_key()


keys = st.one_of(
    st.binary(min_size=32, max_size=32).map(_ed25519),
    _ec(ec.SECP256R1()),
    _ec(ec.SECP384R1()),
    _ec(ec.SECP521R1()),
    st.builds(_rsa, st.integers(1024, 8192), st.integers(0, 2**900)),
    st.builds(_rsa, st.sampled_from([2048, 3072, 4096]), st.integers(0, 2**900)),
)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(keys, min_size=1, max_size=30))
def test_every_picture_is_the_one_that_ssh_keygen_draws(tmp_path: Path, some: list[PublicKeyTypes]) -> None:
    file = tmp_path / "keys.pub"
    file.write_bytes(b"\n".join(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH) for key in some) + b"\n")
    said = subprocess.run(["ssh-keygen", "-lv", "-f", file], capture_output=True, text=True, check=True).stdout
    ours = [of_sha256(openssh_sha256(key) or "", openssh_name(key)) for key in some]
    theirs = [line for line in said.splitlines() if line[0] in "+|"]
    assert theirs == [line for picture in ours for line in picture]


def test_a_place_that_is_visited_all_the_time_has_the_last_sign() -> None:
    corner = randomart(bytes(200))
    assert corner[1][1] == "E"
    assert set(corner[0]) == {"+", "-"}, "no title"
    forth_and_back = randomart(bytes([0b1100_1100] * 200))
    assert any("^" in line for line in forth_and_back)
    assert {len(line) for line in forth_and_back} == {WIDTH + 2}
    assert len(forth_and_back) == HEIGHT + 2


def test_what_is_no_fingerprint_has_no_picture() -> None:
    assert of_sha256("") == of_sha256("abc") == of_sha256("·" * 43) == of_sha256("A" * 44) == ()


def test_two_stand_beside_each_other() -> None:
    left, right = of_sha256("A" * 43, "ED25519 256"), of_sha256("B" * 42 + "A", "RSA 3072")
    lines = list(beside(left, right))
    assert lines[0] == "+--[ED25519 256]--+   +---[RSA 3072]----+"
    assert len(lines) == HEIGHT + 2
