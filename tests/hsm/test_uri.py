"""RFC 7512: what is written is read back, what is wrong is named, a PIN is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.hsm.uri import Pkcs11Uri, UriError

texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]))
vendor = st.dictionaries(
    st.from_regex(r"x-[a-z0-9_-]{1,12}", fullmatch=True),
    st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=3).map(tuple),
    max_size=3,
)
uris = st.builds(
    Pkcs11Uri,
    token=texts,
    manufacturer=texts,
    serial=texts,
    model=texts,
    library_manufacturer=texts,
    library_description=texts,
    library_version=st.none() | st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3})?", fullmatch=True),
    slot_manufacturer=texts,
    slot_description=texts,
    slot_id=st.none() | st.from_regex(r"[0-9]{1,6}", fullmatch=True),
    object=texts,
    type=st.sampled_from([None, "public", "private", "cert", "secret-key", "data"]),
    id=st.none() | st.binary(max_size=20),
    pin_source=texts,
    module_name=texts,
    module_path=texts,
    vendor_path=vendor,
    vendor_query=vendor,
)


@given(uris)
def test_what_is_written_is_read_back(uri: Pkcs11Uri) -> None:
    text = str(uri)
    assert text.isascii()
    assert Pkcs11Uri.parse(text) == uri


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        said = str(Pkcs11Uri.parse("pkcs11:" + text))
    except UriError as error:
        said = str(error)
    assert said
    assert "\x1b" not in said


def test_the_standards_own_example() -> None:
    uri = Pkcs11Uri.parse(
        "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;"
        "object=my-certificate;type=cert;id=%69%95%3E%5C%F4%BD%EC%91;serial="
        "?pin-source=file:/etc/token_pin&module-path=/usr/lib/libx.so"
    )
    assert uri.token == "The Software PKCS#11 Softtoken"
    assert uri.manufacturer == "Snake Oil, Inc."
    assert uri.id == bytes.fromhex("69953e5cf4bdec91")
    assert uri.serial == ""
    assert (uri.type, uri.model, uri.object) == ("cert", "1.0", "my-certificate")
    assert (uri.pin_source, uri.module_path) == ("file:/etc/token_pin", "/usr/lib/libx.so")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "begins with"),
        ("http://x", "begins with"),
        ("pkcs11:token=a;token=b", "twice"),
        ("pkcs11:?pin-source=a&pin-source=b", "twice"),
        ("pkcs11:token", "not an attribute"),
        ("pkcs11:=x", "not an attribute"),
        ("pkcs11:token=a b", "percent-encoded"),
        ("pkcs11:token=%4", "percent-encoded"),
        ("pkcs11:token=%FF", "UTF-8"),
        ("pkcs11:type=key", "secret-key"),
        ("pkcs11:library-version=one", "library-version"),
        ("pkcs11:token=a/b", "percent-encoded"),
        ("pkcs11:token=a;", "not an attribute"),
    ],
)
def test_what_is_wrong_is_named(text: str, why: str) -> None:
    with pytest.raises(UriError) as raised:
        Pkcs11Uri.parse(text)
    assert why in raised.value.what


@pytest.mark.parametrize("text", ["pkcs11:serial=1?pin-value=648219", "pkcs11:serial=1;pin-value=648219"])
def test_a_pin_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UriError, match="no place in a URI") as raised:
        Pkcs11Uri.parse(text)
    assert "648219" not in f"{raised.value!r} {raised.value}"
