"""What a root and an intermediate must be; certificates made by openssl, its verdict beside ours."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from checks.artefacts.certificates import Judgement, judge_intermediate, judge_root
from tests.artefacts.conftest import INTERMEDIATE, ROOT, Authority


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def root_of(authority: Authority, **how: object) -> Judgement:
    return judge_root(load(authority.certificate("root", **{"extensions": ROOT, **how})), now())


def intermediate_of(authority: Authority, **how: object) -> Judgement:
    root = authority.certificate("root", extensions=ROOT)
    path = authority.certificate("intermediate", **{"extensions": INTERMEDIATE, "issuer": "root", **how})
    return judge_intermediate(load(path), load(root), now())


def openssl_accepts(authority: Authority) -> bool:
    done = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-CAfile", "root.crt", "intermediate.crt"],
        cwd=authority.folder,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def test_a_good_pair(authority: Authority) -> None:
    root, intermediate = root_of(authority), intermediate_of(authority)
    assert (root.problems, root.warnings) == ([], [])
    assert (intermediate.problems, intermediate.warnings) == ([], [])
    assert "subject CN=root,O=Test" in root.details
    assert "key EC P-384, signed with ecdsa-with-SHA384" in root.details
    assert "path length 1" in root.details
    assert "signed by the root" in intermediate.details
    assert openssl_accepts(authority)


@pytest.mark.parametrize(
    ("extensions", "problem"),
    [
        ("keyUsage=critical,keyCertSign\n", "no CA certificate: it has no basicConstraints"),
        ("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,keyCertSign\n", "basicConstraints says CA:FALSE"),
        ("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature,cRLSign\n", "lacks keyCertSign"),
    ],
)
def test_certificates_that_may_not_sign(authority: Authority, extensions: str, problem: str) -> None:
    assert [said for said in root_of(authority, extensions=extensions).problems if problem in said]
    assert [said for said in intermediate_of(authority, extensions=extensions).problems if problem in said]


def test_a_root_that_forbids_intermediates(authority: Authority) -> None:
    assert root_of(authority, extensions=ROOT.replace("pathlen:1", "pathlen:0")).problems == [
        "its path length of 0 forbids any intermediate"
    ]


def test_an_intermediate_is_no_root(authority: Authority) -> None:
    authority.certificate("root", extensions=ROOT)
    found = judge_root(load(authority.certificate("intermediate", issuer="root", extensions=ROOT)), now())
    assert found.problems == ["not self-signed: issued by CN=root,O=Test"]


def test_a_root_is_no_intermediate(authority: Authority) -> None:
    root = load(authority.certificate("root", extensions=ROOT))
    assert judge_intermediate(root, root, now()).problems == [
        "self-signed: this is a root certificate, not an intermediate"
    ]


def test_a_root_whose_signature_was_changed(authority: Authority) -> None:
    path = authority.certificate("root", extensions=ROOT)
    der = bytearray(x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER))
    at = der.index(b"Test")
    der[at : at + 4] = b"Fest"
    at = der.index(b"Test")
    der[at : at + 4] = b"Fest"
    found = judge_root(x509.load_der_x509_certificate(bytes(der)), now())
    assert found.problems == ["its own signature does not verify: the file was changed"]


def test_an_intermediate_of_another_root(authority: Authority) -> None:
    authority.certificate("other", extensions=ROOT)
    assert intermediate_of(authority, issuer="other").problems == ["not issued by this root but by CN=other,O=Test"]
    assert not openssl_accepts(authority)


def test_an_intermediate_of_a_root_of_the_same_name(authority: Authority) -> None:
    authority.certificate("other", extensions=ROOT, subject="/O=Test/CN=root")
    found = intermediate_of(authority, issuer="other", extensions=INTERMEDIATE.replace("keyid", "none"))
    assert found.problems == ["names this root as its issuer, but the root's key did not sign it"]
    assert not openssl_accepts(authority)


@pytest.mark.parametrize(
    ("begin", "end", "problem"),
    [
        ("20200101000000Z", "20210101000000Z", "expired on 2021-01-01 00:00 UTC"),
        ("20990101000000Z", "21000101000000Z", "not valid before 2099-01-01 00:00 UTC"),
    ],
)
def test_validity(authority: Authority, begin: str, end: str, problem: str) -> None:
    assert intermediate_of(authority, begin=begin, end=end).problems[0].startswith(problem)
    assert not openssl_accepts(authority)
    assert root_of(authority, begin=begin, end=end).problems[0].startswith(problem)


def test_validity_at_its_edges(authority: Authority) -> None:
    root = load(authority.certificate("root", extensions=ROOT))
    begin, end, second = root.not_valid_before_utc, root.not_valid_after_utc, dt.timedelta(seconds=1)
    assert judge_root(root, begin).problems == []
    assert judge_root(root, begin - second).problems
    assert judge_root(root, end).problems == []
    assert judge_root(root, end + second).problems
    assert judge_root(root, end - dt.timedelta(days=29)).warnings
    assert not judge_root(root, end - dt.timedelta(days=31)).warnings


def test_weak_and_unusual_ones_are_warned_about(authority: Authority) -> None:
    weak = root_of(authority, digest="sha1", key=("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"))
    assert weak.problems == []
    assert weak.warnings == [
        "an RSA key of 1024 bits is too short",
        "signed with sha1WithRSAEncryption, which is too weak",
    ]
    assert root_of(authority, extensions="basicConstraints=CA:TRUE\n").warnings[:2] == [
        "basicConstraints is not marked critical",
        "has no keyUsage, which a CA certificate must have",
    ]


def test_an_intermediate_that_outlives_its_root(authority: Authority) -> None:
    assert intermediate_of(authority, end="20980101000000Z").warnings == ["ends later than the root"]


def test_an_intermediate_without_a_usable_root(authority: Authority) -> None:
    authority.certificate("root", extensions=ROOT)
    certificate = load(authority.certificate("intermediate", issuer="root", extensions=INTERMEDIATE))
    found = judge_intermediate(certificate, None, now())
    assert found.problems == []
    assert "not known" in found.warnings[0]
