"""The one SHA-256 value in a text, in every usual spelling."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.artefacts.spellings import NoFingerprint, SeveralFingerprints, find_sha256

VALUE = hashlib.sha256(b"a certificate").hexdigest()
OTHER = hashlib.sha256(b"another certificate").hexdigest()
BASE64 = base64.b64encode(bytes.fromhex(VALUE)).decode()

values = st.binary(min_size=32, max_size=32).map(bytes.hex)


def grouped(value: str, size: int, separator: str, per_line: int = 0, line_end: str = "\n") -> str:
    groups = [value[at : at + size] for at in range(0, len(value), size)]
    if not per_line:
        return separator.join(groups)
    rows = [separator.join(groups[at : at + per_line]) for at in range(0, len(groups), per_line)]
    return line_end.join(rows)


SPELLINGS = {
    "plain": VALUE,
    "upper case": VALUE.upper(),
    "openssl": f"sha256 Fingerprint={grouped(VALUE.upper(), 2, ':')}",
    "older openssl": f"SHA256 Fingerprint={grouped(VALUE.upper(), 2, ':')}",
    "ssh-keygen": f"384 SHA256:{BASE64.rstrip('=')} root CA (ECDSA)",
    "padded base64": f"SHA256:{BASE64}",
    "bare base64": BASE64,
    "hex behind a prefix": f"SHA256:{VALUE}",
    "prefix and a blank": f"SHA-256: {VALUE}",
    "sha256sum": f"{VALUE}  root_ca.crt",
    "sha256sum of openssl": f"SHA2-256(root_ca.crt)= {VALUE}",
    "0x": f"0x{VALUE}",
    "blanks in fours": grouped(VALUE, 4, " "),
    "blanks in eights": grouped(VALUE.upper(), 8, " "),
    "hyphens": grouped(VALUE, 4, "-"),
    "gpg-like": grouped(VALUE.upper(), 4, " ", 8, "  \n"),
    "certutil": f"Fingerprint (SHA-256):\n    {grouped(VALUE.upper(), 2, ':', 16, ':' + chr(10) + '    ')}",
    "broken anywhere": f"{VALUE[:40]}\n{VALUE[40:]}",
    "CRLF": f"{VALUE[:32]}\r\n{VALUE[32:]}\r\n",
    "tabs": grouped(VALUE, 16, "\t"),
    "no-break spaces": grouped(VALUE, 4, "\N{NO-BREAK SPACE}"),
    "lettered rows": "\n".join(
        f"{'ABCD'[row]}  {grouped(VALUE[row * 16 : row * 16 + 16], 4, ' ')}" for row in range(4)
    ),
    "words around": f"Made on 2026-04-29, be sure to add it:\n\n  {grouped(VALUE, 4, ' ', 8)}\n\nKeep it. Bad cafe.",
    "the value twice": f"{VALUE}\nSHA256:{BASE64.rstrip('=')}\n",
    "beside SHA-1 and MD5": f"MD5 {OTHER[:32]}\nSHA1 Fingerprint={grouped(OTHER[:40], 2, ':')}\n"
    f"SHA256 Fingerprint={grouped(VALUE, 2, ':')}\n",
    "below a SHA-1 without a label": f"{grouped(OTHER[:40], 2, ':')}\n{grouped(VALUE, 2, ':')}\n",
    "a label of hex letters": f"facade: {VALUE}",
    "the rehearsal's": f"root_ca.crt SHA-256\n{VALUE}\n",
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_spellings(name: str) -> None:
    assert find_sha256(SPELLINGS[name]) == VALUE


@pytest.mark.parametrize(
    "text",
    [
        f"{VALUE}\n{OTHER}\n",
        f"{VALUE} {OTHER}",
        f"{VALUE}\n{OTHER} {VALUE}",
        f"root: {grouped(VALUE, 2, ':')}\nintermediate: {grouped(OTHER, 2, ':')}",
        f"{grouped(VALUE, 4, ' ')}\n{grouped(OTHER, 4, ' ')}",
        f"{VALUE}\nSHA256:{base64.b64encode(bytes.fromhex(OTHER)).decode()}",
        f"{grouped(VALUE, 2, ':')}:ab",
    ],
)
def test_several_values_are_an_error_that_shows_none(text: str) -> None:
    with pytest.raises(SeveralFingerprints) as caught:
        find_sha256(text, where="FINGERPRINT.txt")
    assert VALUE[:8] not in str(caught.value).lower()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no text"),
        ("  \n", "no text"),
        ("The fingerprint is on paper.", "no SHA-256 value"),
        (f"SHA1 Fingerprint={grouped(VALUE[:40], 2, ':')}", "SHA-1 value"),
        (VALUE[:32], "MD5"),
        (VALUE[:63], "63 hex digits"),
        (VALUE + "a", "65 hex digits"),
        (VALUE[:62] + "g0", "no SHA-256 value"),
        (VALUE + OTHER, "SHA-512"),
        (grouped(VALUE[:62], 2, ":"), "62 hex digits"),
        (f"SHA256:{BASE64[:42]}", "no SHA-256 value"),
        (f"SHA256:{BASE64[:42]}/", "no SHA-256 value"),
        (f"{VALUE[:30]}\n\n{VALUE[30:]}", "no SHA-256 value"),
    ],
)
def test_no_value(text: str, words: str) -> None:
    with pytest.raises(NoFingerprint, match=words) as caught:
        find_sha256(text)
    assert VALUE[:8] not in str(caught.value).lower()


def test_what_the_tools_print(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_bytes(b"a certificate")
    for argv in (["sha256sum", data], ["openssl", "dgst", "-sha256", data], ["openssl", "dgst", "-sha256", "-c", data]):
        printed = subprocess.run(list(map(str, argv)), check=True, capture_output=True, text=True).stdout
        assert find_sha256(printed) == VALUE


spelled_values = st.builds(
    lambda value, upper, size, separator, per_line: (
        value,
        grouped(value.upper() if upper else value, size, separator, per_line),
    ),
    values,
    st.booleans(),
    st.sampled_from([1 << power for power in range(1, 7)]),
    st.sampled_from([":", " ", "-", "  ", " - "]),
    st.sampled_from([0, 2, 4, 8]),
)


@given(
    spelled_values,
    st.sampled_from(["", "root: ", "SHA256 Fingerprint=", "SHA-256\n", "(", "A new line of words.\n\n"]),
    st.sampled_from(["", "\n", "  root_ca.crt", ")", "\n\nEnd.\n"]),
)
def test_any_grouping(spelled: tuple[str, str], before: str, after: str) -> None:
    value, text = spelled
    assert find_sha256(before + text + after) == value


@given(values, st.booleans(), st.booleans())
def test_base64_of_any_value(value: str, padded: bool, url_safe: bool) -> None:
    raw = bytes.fromhex(value)
    spelled = (base64.urlsafe_b64encode if url_safe else base64.b64encode)(raw).decode()
    assert find_sha256("SHA256:" + (spelled if padded else spelled.rstrip("="))) == value


def found_in(text: str) -> str | None:
    try:
        return find_sha256(text)
    except (NoFingerprint, SeveralFingerprints):
        return None


@given(st.text(max_size=300))
def test_any_text_gives_a_value_or_says_why_not(text: str) -> None:
    found = found_in(text)
    assert found is None or len(bytes.fromhex(found)) == 32


@given(st.text("0123456789abcdef :-\n", max_size=300))
def test_whatever_is_found_stands_in_the_text(text: str) -> None:
    assert (found_in(text) or "") in "".join(char for char in text.lower() if char in "0123456789abcdef")


@given(values, values)
def test_two_different_values_never_give_one(one: str, other: str) -> None:
    if one != other:
        for text in (f"{one}\n{other}", f"{one} {other}", f"a {grouped(one, 2, ':')} b {grouped(other, 2, ':')}"):
            with pytest.raises(SeveralFingerprints):
                find_sha256(text)
