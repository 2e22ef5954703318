"""Nothing of a secret leaves, however it is spelled, whatever stands around it, and in whatever pieces it comes."""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import urllib.parse
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from checks.files.capture import SHOWN, Capture, LineFeed
from runbook.secrets import MASK, Redactor, Secret
from runbook.text import MAX_LINE, clean

SECRETS = st.one_of(
    st.from_regex(r"[0-9]{4,16}", fullmatch=True),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=4, max_size=40),
    st.text(min_size=4, max_size=12),
).filter(lambda secret: len(secret.encode(errors="replace")) >= Redactor.SHORTEST and secret.isprintable())


def knowing(*secrets: str) -> Redactor:
    redactor = Redactor()
    for secret in secrets:
        redactor.learn(Secret.from_text(secret))
    return redactor


def rows(data: bytes, row: Callable[[bytes], str]) -> str:
    """As `xxd` and `hexdump -C` show it, in rows of 16 bytes."""
    return "".join(f"{at:08x}{row(data[at : at + 16])}\n" for at in range(0, len(data), 16))


def beside(data: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data)


def little_endian_words(data: bytes) -> str:
    data += bytes(len(data) % 2)
    return " ".join(data[at : at + 2][::-1].hex() for at in range(0, len(data), 2))


def wrapped(text: str, width: int, end: str = "\n") -> str:
    return end.join(text[at : at + width] for at in range(0, len(text), width))


def url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def utf16(text: str, order: str = "le") -> str:
    return text.encode(f"utf-16-{order}").decode(errors="replace")


def shell(text: str, form: str) -> str:
    return subprocess.run(
        ["bash", "-c", f'printf {form} "$(cat)"'], input=text, capture_output=True, text=True, check=True
    ).stdout


TEXTS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "quote": lambda s: urllib.parse.quote(s, safe=""),
    "quote_plus": urllib.parse.quote_plus,
    "lower quote": lambda s: "".join(f"%{byte:02x}" for byte in s.encode()),
    "mixed quote": lambda s: "".join(f"%{byte:02{'xX'[at % 2]}}" for at, byte in enumerate(s.encode())),
    "twice quote": lambda s: urllib.parse.quote(urllib.parse.quote(s, safe=""), safe=""),
    "json": lambda s: json.dumps(s)[1:-1],
    "json, no ascii": lambda s: json.dumps(s, ensure_ascii=False)[1:-1],
    "json in json": lambda s: json.dumps(json.dumps(s)[1:-1])[1:-1],
    "json, all escaped": lambda s: "".join(f"\\u{unit:04X}" for unit in utf16_units(s)),
    "python": lambda s: ascii(s)[1:-1],
    "python bytes": lambda s: repr(s.encode())[2:-1],
    "hex escapes": lambda s: "".join(f"\\x{byte:02x}" for byte in s.encode()),
    "octal escapes": lambda s: "".join(f"\\{byte:03o}" for byte in s.encode()),
    "html": html.escape,
    "html numbers": lambda s: "".join(f"&#{ord(char)};" for char in s),
    "quoted-printable": lambda s: "".join(f"={byte:02X}" for byte in s.encode()),
    "utf-16": lambda s: s.encode("ascii", "replace").decode().encode("utf-16-be").decode()[1:] if s.isascii() else s,
    "cleaned": clean,
}


def utf16_units(text: str) -> Sequence[int]:
    data = text.encode("utf-16-be")
    return [int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2)]


BYTES: dict[str, Callable[[bytes], str]] = {
    "hex": bytes.hex,
    "HEX": lambda b: b.hex().upper(),
    "hex, colons": lambda b: b.hex(":"),
    "hex, spaces": lambda b: b.hex(" "),
    "hex, dashes": lambda b: b.hex("-").upper(),
    "0x": lambda b: ", ".join(f"0x{byte:02x}" for byte in b),
    "xxd -p": lambda b: wrapped(b.hex(), 60),
    "hexdump -C": lambda b: rows(b, lambda r: f"  {r[:8].hex(' ')}  {r[8:].hex(' '):24}  |{beside(r)}|"),
    "xxd": lambda b: rows(b, lambda r: f": {r.hex(' ', -2):40} {beside(r)}"),
    "hexdump": lambda b: rows(b, lambda r: f" {little_endian_words(r)}"),
    "numbers": lambda b: str(list(b)),
    "base64": lambda b: base64.b64encode(b).decode(),
    "base64, url-safe": url_safe,
    "base64, 76 columns": lambda b: base64.encodebytes(b).decode(),
    "base64, 5 columns": lambda b: wrapped(base64.b64encode(b).decode(), 5, "\r\n  "),
    "base64 in json": lambda b: json.dumps(base64.encodebytes(b).decode()),
    "base64 in a url": lambda b: urllib.parse.quote(base64.b64encode(b).decode(), safe=""),
}

OD = {"od": [], "od -x": ["-x"], "od -c": ["-c"], "od -b": ["-b"], "od -tx1z": ["-An", "-tx1z"], "od -u": ["-tu1"]}


def test_it_is_recognised_in_every_spelling_of_text() -> None:
    for secret in ("648219", "pa ss'w\"o/r\\d&<", "Größe→9", "0000", "a+b=c%d"):
        redact = knowing(secret)
        for name, spell in TEXTS.items():
            assert redact(f"[{spell(secret)}]") == f"[{MASK}]", (secret, name)


@pytest.mark.parametrize("name", BYTES)
@pytest.mark.parametrize("secret", [b"648219", "pä ss→w\\".encode(), b"correct horse battery staple, and more"])
@pytest.mark.parametrize("before", range(18))
def test_nothing_of_it_stays_in_a_longer_value(name: str, secret: bytes, before: int) -> None:
    redact = knowing(secret.decode())
    for after in range(4):
        out = redact(BYTES[name](b"\xa5" * before + secret + b"\x5a" * after))
        assert MASK in out
        assert_nothing(out, secret)


@pytest.mark.parametrize("name", OD)
@pytest.mark.parametrize("before", [0, 1, 2, 3, 11, 13, 15, 16])
def test_nothing_of_it_stays_in_what_od_prints(name: str, before: int) -> None:
    for secret in (b"648219", b"correct horse battery staple"):
        data = b"?" * before + secret + b"\n"
        shown = subprocess.run(["od", *OD[name]], input=data, capture_output=True, check=True).stdout.decode()
        out = knowing(secret.decode())(shown)
        assert MASK in out
        assert_nothing(out, secret)


def assert_nothing(out: str, secret: bytes) -> None:
    """No two bytes of it in a row, in any spelling that is tried here."""
    flat = "".join(out.split())
    for at in range(len(secret) - 2):
        part = secret[at : at + 3]
        words = f"{part[1]:02x}{part[0]:02x}"
        for form in (
            part.decode(errors="replace"),
            part.hex(),
            words,
            f"{part[0]:03o}{part[1]:03o}",
            f"{part[0]},{part[1]}",
        ):
            assert form not in flat, (form, out)
    for fragment in flat.replace("-", "+").replace("_", "/").split(MASK):
        for skip in range(4):
            digits = fragment[skip:].rstrip("=")
            try:
                decoded = base64.b64decode(digits[: len(digits) // 4 * 4], validate=True)
            except ValueError:
                continue
            assert secret[:3] not in decoded
            assert secret[-3:] not in decoded


@given(secret=SECRETS, before=st.text(), after=st.text(), name=st.sampled_from([*TEXTS, *BYTES]))
def test_any_secret_in_any_text_in_any_spelling(secret: str, before: str, after: str, name: str) -> None:
    spelled = TEXTS[name](secret) if name in TEXTS else BYTES[name](secret.encode())
    out = knowing(secret)(f"{before}{spelled}{after}")
    assert MASK in out
    assert spelled.strip() not in out.replace(MASK, "")


PIECES = [
    "648219",
    "6",
    "64",
    "4821",
    "NjQ4MjE5",
    "Y0ODIx",
    "363438323139",
    "36 34",
    "36\n",
    "%36",
    "\\u0036",
    "\\",
    "%",
    " ",
    "\n",
]
PIECES += [
    "00000010  ",
    "  |6482|\n",
    "0",
    "=",
    "==",
    "\0",
    "9",
    "19\n",
    "0000020   ",
    "3436 3238 3931",
    "x",
    "MTI",
    "  ",
]


@given(st.lists(st.sampled_from(PIECES), max_size=14), st.lists(st.integers(0, 40), max_size=10))
@example(["648219"], [1, 2, 3, 4, 5])
@example(["648219", "6", "648219"], [7])
def test_a_stream_says_what_the_whole_says(pieces: list[str], cuts: list[int]) -> None:
    redact = knowing("648219", "4821964821")
    text = "".join(pieces)
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    stream = redact.stream()
    out = "".join(stream.feed(text[a:b]) for a, b in pairwise(places)) + stream.finish()
    assert out.replace(MASK * 2, MASK) == redact(text).replace(MASK * 2, MASK)


# What is looked for is compiled anew for each.
@settings(max_examples=settings().max_examples // 5)
@given(st.text(), st.from_regex(r"[a-z0-9]{12,20}", fullmatch=True))
def test_text_without_it_is_unchanged(text: str, secret: str) -> None:
    assert knowing(secret)(text) == text
    stream = knowing(secret).stream()
    assert stream.feed(text) + stream.finish() == text


def test_what_is_no_beginning_of_it_goes_out_at_once() -> None:
    stream = knowing("648219").stream()
    assert stream.feed("Connecting to db\n") == "Connecting to db\n"
    assert stream.feed("the PIN is 648") == "the PIN is "
    assert stream.feed("x") == "648x"
    assert stream.feed("2026-11-21 done\nNjQ4M") == "2026-11-21 done\n"
    assert stream.feed("jE5") == ""
    assert stream.feed(" ok") + stream.finish() == MASK + " ok"


def test_two_secrets_that_overlap_are_both_removed() -> None:
    redact = knowing("12345678", "5678abcd", "1234")
    assert redact("<12345678abcd>") == f"<{MASK}>"
    assert redact("<1234>") == f"<{MASK}>"
    assert redact("<12341234567812345678>") == f"<{MASK}>"


def test_short_secrets_are_left_and_do_no_harm() -> None:
    assert knowing("123", "")("line 123 of 0x313233") == "line 123 of 0x313233"


def test_a_secret_learned_in_the_middle_of_a_stream_is_removed_from_there_on() -> None:
    redactor = Redactor()
    stream = redactor.stream()
    assert stream.feed("648219 ") == "648219 "
    redactor.learn(Secret.from_text("648219"))
    assert stream.feed("648219 ") + stream.finish() == f"{MASK} "


# What a command says.


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_secret_split_between_two_reads_is_not_passed_on(cut: int) -> None:
    said = "the PIN is 648219\nand encoded NjQ4\nMjE5\nöd 482 36:34:38:32:31:39\n".encode()
    lines: list[str] = []
    feed = LineFeed(lines.append, knowing("648219"))
    feed.add(1, said[:cut])
    feed.add(2, b"another stream\n")
    feed.add(1, said[cut:])
    feed.close()
    lines.remove("another stream")
    assert lines == [f"the PIN is {MASK}", f"and encoded {MASK}", f"öd 482 {MASK}"]


@pytest.mark.parametrize("at", range(MAX_LINE - 7, MAX_LINE + 2))
def test_a_secret_where_a_long_line_is_cut_is_not_passed_on(at: int) -> None:
    lines: list[str] = []
    feed = LineFeed(lines.append, knowing("648219"))
    for byte in b"x" * at + b"648219" + b"y" * MAX_LINE:
        feed.add(1, bytes([byte]))
    feed.close()
    said = re.sub(r"… \[\d+ more characters\]", "", "".join(lines))
    assert set(said) <= {"x", "y", *MASK}


@pytest.mark.parametrize("keep", [1000, 4 * SHOWN])
@pytest.mark.parametrize("shift", range(0, 16, 3))
def test_a_secret_where_output_is_cut_is_not_shown(keep: int, shift: int) -> None:
    """The parts that are kept begin and end anywhere, also within a secret."""
    capture = Capture(keep)
    for piece in (b"." * shift, b"=648219=NjQ4MjE5" * 50_000):
        capture.add(piece)
    text = capture.kept(knowing("648219")).text
    assert re.search(r"\n… \[\d+ bytes left out\] …\n", text)
    said = re.sub(r"… \[\d+ (bytes left out|more characters)\]( …)?", "", text)
    assert set(said) <= set(f".=\n{MASK}")
