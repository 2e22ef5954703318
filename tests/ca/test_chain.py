"""What is wrong about a certificate is said in its place on the way to the root."""

from __future__ import annotations

import datetime as dt

from cryptography.hazmat.primitives.serialization import Encoding

from checks.ca.chain import chain_links, served
from tests.ca.pki import YEAR, Pair, make, make_intermediate, make_root

ROOT = make_root()
MIDDLE = make_intermediate(ROOT)


def way(*pairs: Pair) -> list[tuple[str, str]]:
    return [(link.role, link.problem) for link in chain_links([pair.certificate for pair in pairs])]


def test_a_whole_way() -> None:
    leaf = make("server.test", MIDDLE)
    links = chain_links([leaf.certificate, MIDDLE.certificate], ROOT.certificate)
    assert [(link.role, link.problem) for link in links] == [("issued", ""), ("intermediate", ""), ("root", "")]
    assert [link.sha256 for link in links] == [leaf.fingerprint, MIDDLE.fingerprint, ROOT.fingerprint]
    assert [link.key for link in links] == ["EC P-256", "EC P-384", "EC P-384"]


def test_the_root_is_there_once() -> None:
    links = chain_links([MIDDLE.certificate, ROOT.certificate], ROOT.certificate)
    assert [link.role for link in links] == ["issued", "root"]


def test_another_root_than_the_one_that_signed() -> None:
    links = chain_links([MIDDLE.certificate], make_root().certificate)
    assert links[0].problem.startswith("not signed by CN=")
    assert links[1].problem == ""


def test_a_way_that_ends_too_soon() -> None:
    assert way(make("server.test", MIDDLE), MIDDLE) == [
        ("issued", ""),
        ("intermediate", f"{ROOT.certificate.subject.rfc4514_string()} is not here"),
    ]


def test_the_time() -> None:
    now = dt.datetime.now(dt.UTC)
    late = make("late.test", ROOT, start=now - 2 * YEAR, end=now - YEAR)
    early = make("early.test", ROOT, start=now + YEAR, end=now + 2 * YEAR)
    assert way(late, ROOT)[0] == ("issued", "no longer valid")
    assert way(early, ROOT)[0] == ("issued", "not valid yet")


def test_what_a_server_shows_may_be_anything() -> None:
    der = MIDDLE.certificate.public_bytes(Encoding.DER)
    assert [link.role for link in served([der, b"\x30\x03abc"])] == ["server"]
    assert served([b""]) == ()
    assert served([]) == ()
