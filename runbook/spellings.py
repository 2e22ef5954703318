"""How a secret may be spelled in text: regular expressions for it in every encoding that programs print.

A secret is looked for as text (with the escapes of URLs, JSON, shells and HTML, also between the NULs of UTF-16), as
bytes in hexadecimal, octal and decimal (in one run, separated, in words as od(1) and hexdump(1) print them, over
several rows of a dump), and within base64 (RFC 4648, both alphabets, wrapped or not) at each of its three alignments.

The expressions are large and slow. So each spelling also tells its heads, the few characters that it can begin with:
they are looked for first (`runbook.sieve`), and the expression is tried only there.

No expression holds the secret: they match what `runbook.hiding.hide` makes of a text. Nor is a text or a row of bytes
made of it on the way to them; it is taken apart into characters and numbers where it lies.
"""

from __future__ import annotations

import codecs
import html
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from runbook.hiding import hidden, hidden_literal
from runbook.text import clean_line

_NESTED = 12
"""Parts of a spelling whose beginnings are told apart exactly; what fits so far is taken for a beginning."""

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

ROW = 80
"""Characters of a dump's row that are looked at."""

HEAD = 3
"""Characters of a head; with two, ordinary words would often begin like a secret."""

_ANYTHING = "\U0010ffff"
"""Within a head: from here on there may be anything. Unicode's last code point, which is no character."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """A regular expression of bounded length, and one for its beginnings, both for a text that is hidden."""

    whole: str
    begun: str
    """Matches where the text ends although the whole could still go on."""
    longest: int
    """Characters that the whole can have."""
    heads: frozenset[str]
    """The first `HEAD` characters that the whole can have, not hidden; fewer where it ends or anything can follow."""


def spellings(secret: Iterable[int]) -> tuple[Spelling, ...]:
    """Every way to spell the secret, in three families: as text, as numbers, as base64."""
    data = list(secret)
    families = _text(data), _any_of(_numbers(data)), _any_of(_all_base64(data))
    return tuple(
        replace(family, heads=frozenset(head.partition(_ANYTHING)[0] for head in family.heads)) for family in families
    )


def _characters(secret: Sequence[int], errors: str) -> list[str]:
    """What its UTF-8 means, one character at a time."""
    decode = codecs.getincrementaldecoder("utf-8")(errors).decode
    characters = [char for byte in secret for char in decode(bytes([byte]))]
    return characters + list(decode(b"", final=True))


def _wide(secret: Sequence[int], encoding: str) -> list[int]:
    return [byte for char in _characters(secret, "replace") for byte in char.encode(encoding)]


def _text(secret: Sequence[int]) -> Spelling:
    """As text, each character as it is or escaped, and after it what makes it wide."""
    return _joined([_char(char) for char in _characters(secret, "surrogateescape")], _WIDE)


def _numbers(secret: Sequence[int]) -> Iterator[Spelling]:
    """As bytes or 16-bit words, the words little-endian as every common machine dumps them.

    Where one reaches into a next row of a dump, a group takes part in the match: the rest of that row shows it too.
    """
    hexadecimal = [secret]
    if max(secret, default=0) >= 0x80:
        hexadecimal += [_wide(secret, encoding) for encoding in ("utf-16-le", "utf-16-be")]
    for form in hexadecimal:
        yield _joined([_folded(f"{byte:02x}") for byte in form], _any_of([_NEXT_ROW, _BETWEEN_HEX]), _REST)
    for base, gap in (("03o", _BETWEEN_OCTAL), ("d", _BETWEEN_DECIMAL), ("08b", _SPACE)):
        yield _joined([_literal(format(byte, base)) for byte in secret], _any_of([_NEXT_ROW, gap]), _REST)
    yield _od_chars(secret)
    between = _any_of([_NEXT_ROW, _SPACE])
    for size in (2, 4):
        for unknown in range(size):
            yield _joined([_hex_word(word) for word in _words(secret, unknown, size)], between, _REST)
    for unknown in range(2):
        yield _joined([_octal_word(low, high) for low, high in _words(secret, unknown, 2)], between, _REST)


def _all_base64(secret: Sequence[int]) -> Iterator[Spelling]:
    yield from (spelling for alignment in range(3) for spelling in _base64(secret, alignment))
    wide = _wide(secret, "utf-16-le")
    yield from (spelling for alignment in range(3) for spelling in _base64(wide, alignment))


# Characters.


def _char(char: str) -> Spelling:
    """One character: itself, or an escape of JSON, Python, a shell, URLs, quoted-printable or HTML."""
    raw = char.encode(errors="surrogateescape")
    units = char.encode("utf-16-be", errors="surrogatepass").hex()
    known = [_literal(char)]
    known.append(_bytewise([_folded(f"x{byte:02x}") for byte in raw], _ESCAPING))
    if 0x80 <= ord(char) < 0x100:
        known.append(_sequence([_ESCAPING, _folded(f"x{ord(char):02x}")]))
    known.append(_bytewise([_sequence([_maybe(_literal("0")), _literal(f"{byte:03o}")]) for byte in raw], _ESCAPING))
    known.append(_bytewise([_folded("u" + units[at : at + 4]) for at in range(0, len(units), 4)], _ESCAPING))
    known.append(_bytewise([_folded(f"{byte:02x}") for byte in raw], _PERCENT))
    known.append(_bytewise([_folded(f"{byte:02x}") for byte in raw], _literal("=")))
    return _any_of([*known, *_special(char, raw)])


def _special(char: str, raw: bytes) -> Iterator[Spelling]:
    code = ord(char)
    yield _sequence([_literal("&#"), _up_to(5, _literal("0")), _literal(f"{code};")])
    yield _sequence([_literal("&#"), _one_of("xX"), _up_to(5, _literal("0")), _folded(f"{code:x};")])
    yield _sequence([_ESCAPING, _folded(f"U{code:08x}")])
    yield _sequence([_ESCAPING, _literal("u{"), _up_to(5, _literal("0")), _folded(f"{code:x}}}")])
    named = html.escape(char)
    others = {named, clean_line(char), raw.decode(errors="replace"), repr(char)[1:-1]}
    for wide in ("utf-16-le", "utf-16-be"):  # read as UTF-8
        others.add(char.encode(wide, errors="surrogatepass").decode(errors="replace").strip("\0"))
    if char == " ":
        others.add("+")
    if char == "'":
        others |= {"'\\''", "'\"'\"'", "''"}
    if not (char.isascii() and char.isprintable()):
        others.add("." * len(raw))  # the text beside a dump
        short = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f", "\v": "v", "\a": "a", "\x1b": "e"}.get(char)
        if short:
            yield _sequence([_ESCAPING, _literal(short)])
    yield from (_literal(other) for other in sorted(others - {char, ""}, key=len, reverse=True))
    if not char.isalnum():
        yield _sequence([_ESCAPING, _literal(char)])


def _bytewise(units: Sequence[Spelling], before: Spelling) -> Spelling:
    return _sequence([part for unit in units for part in (before, unit)])


# Numbers.


def _od_chars(secret: Sequence[int]) -> Spelling:
    """As `od -c` shows it: each byte in four columns."""
    named = {0: "\\0", 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}
    shown = [named.get(byte) or (chr(byte) if 32 <= byte < 127 else f"{byte:03o}") for byte in secret]
    parts = [_literal(shown[0])]
    for text in shown[1:]:
        parts += [_any_of([_NEXT_ROW_OF_CHARS, _literal(" " * (4 - len(text)))]), _literal(text)]
    return _sequence(parts)


def _words(secret: Sequence[int], unknown: int, size: int) -> Iterator[tuple[int | None, ...]]:
    """`size` bytes each, the first of them the low one; `unknown` bytes stand before the secret."""
    padded: list[int | None] = [*([None] * unknown), *secret]
    padded += [None] * (-len(padded) % size)
    yield from zip(*(padded[at::size] for at in range(size)), strict=True)


def _hex_word(word: tuple[int | None, ...]) -> Spelling:
    return _sequence([_HEX_BYTE if byte is None else _folded(f"{byte:02x}") for byte in reversed(word)])


def _octal_word(low: int | None, high: int | None) -> Spelling:
    """Six digits; those that also hold bits of an unknown byte are any of what they can be."""
    could = [
        f"{(b << 8) | a:06o}"
        for a in (range(256) if low is None else [low])
        for b in (range(256) if high is None else [high])
    ]
    return _sequence([_one_of(digits) for digits in zip(*could, strict=True)])


# Base64.


def _base64(secret: Sequence[int], alignment: int) -> Iterator[Spelling]:
    """The digits behind `alignment` unknown bytes, also those that hold other bits beside some of the secret's.

    At an alignment of two bytes the first digit is left out: it holds but two bits, the same for all letters.
    """
    first, end = 8 * alignment, 8 * (alignment + len(secret))
    value = 0
    for byte in secret:
        value = value << 8 | byte
    value <<= 6
    digits: list[list[int]] = []
    for at in range(18 if alignment == 2 else first // 6 * 6, end, 6):
        digit = (value >> (end - at)) & 63
        known = sum(1 << (5 - bit) for bit in range(6) if first <= at + bit < end)
        digits.append([other for other in range(64) if not (other ^ digit) & known])
    rest = [part for could in digits[1:] for part in (_WRAPPED, _digit(could))]
    padding = _up_to(2, _any_of([_literal("="), _folded("%3d")]))
    yield from (_sequence([_digit([one]), *rest, padding]) for one in digits[0])


def _digit(could: Sequence[int]) -> Spelling:
    known = _one_of("".join(_BASE64[digit] + {62: "-", 63: "_"}.get(digit, "") for digit in could))
    escaped = [_folded({62: "%2b", 63: "%2f"}[digit]) for digit in could if digit >= 62]
    return _any_of([known, *escaped, *([_literal("\\/")] if 63 in could else [])])


# Expressions.


def _is(whole: str, begun: str, longest: int, heads: Iterable[str]) -> Spelling:
    return Spelling(f"(?:{hidden(whole)})", f"(?:{hidden(begun)})", longest, frozenset(heads))


def _literal(text: str) -> Spelling:
    begun = r"\Z"
    for char in reversed(text[:-1]):
        begun = rf"(?:\Z|{hidden_literal(char)}{begun})"
    return Spelling(hidden_literal(text), begun, len(text), frozenset([text[:HEAD]]))


def _one_of(chars: Iterable[str]) -> Spelling:
    known = sorted(set(chars))
    one = hidden_literal(known[0]) if len(known) == 1 else f"[{''.join(map(hidden_literal, known))}]"
    return Spelling(one, r"\Z", 1, frozenset(known))


def _folded(text: str) -> Spelling:
    """`text` in any case."""
    return _sequence([_one_of({char.lower(), char.upper()}) for char in text])


def _any_of(parts: Iterable[Spelling]) -> Spelling:
    """The first that fits."""
    known = list(dict.fromkeys(parts))
    if len(known) == 1:
        return known[0]
    whole = "|".join(part.whole for part in known)
    begun = "|".join(dict.fromkeys(part.begun for part in known))
    heads = frozenset[str]().union(*(part.heads for part in known))
    return Spelling(f"(?:{whole})", f"(?:{begun})", max(part.longest for part in known), heads)


def _up_to(times: int, part: Spelling) -> Spelling:
    begun = f"(?:{part.whole}){{0,{times - 1}}}{part.begun}" if times > 1 else part.begun
    heads = _followed([part.heads | {""}] * min(times, HEAD))
    return Spelling(f"(?:{part.whole}){{0,{times}}}", begun, times * part.longest, heads)


def _maybe(part: Spelling) -> Spelling:
    return _up_to(1, part)


def _sequence(parts: Sequence[Spelling]) -> Spelling:
    longest = sum(part.longest for part in parts)
    begun = rf"[\s\S]{{0,{longest}}}\Z" if len(parts) > _NESTED else r"\Z"
    for part in reversed(parts[:_NESTED]):
        begun = f"(?:{part.begun}|{part.whole}{begun})"
    return Spelling("".join(part.whole for part in parts), begun, longest, _followed(part.heads for part in parts))


def _followed(parts: Iterable[frozenset[str]]) -> frozenset[str]:
    """The heads of what has these, one after the other."""
    heads = {""}
    for part in parts:
        short = {head for head in heads if len(head) < HEAD and _ANYTHING not in head}
        if not short:
            break
        heads = (heads - short) | {(head + more)[:HEAD] for head in short for more in part}
    return frozenset(heads)


def _joined(units: Sequence[Spelling], gap: Spelling, *after: Spelling) -> Spelling:
    parts = [part for unit in units for part in (gap, unit)]
    return _sequence([*parts[1:], *after])


# What stands between the characters, bytes and digits of a secret. Ends of lines may be escaped, as in JSON, or shown
# as `runbook.text` shows them.

_BACKSLASHES = frozenset("\\" * count for count in range(1, HEAD + 1))


def _gap(*others: str, begins: str = "", escaped: Iterable[str] = ()) -> frozenset[str]:
    """The heads of what is any number of some characters, of some after backslashes, and of what begins like others."""
    one = {*begins, *(other + _ANYTHING for other in others)}
    after_backslashes = _followed([_BACKSLASHES, frozenset(escaped)]) if escaped else frozenset[str]()
    return _followed([after_backslashes | one | {""}] * HEAD)


_ESCAPING = _is(r"\\\\{0,3}", r"\\{0,3}\Z", 4, _BACKSLASHES)
"""The backslash; more of them where what is escaped was escaped again."""

_PERCENT = _is(r"%(?:25){0,2}", r"\Z|%(?:25)?2?\Z", 5, {"%", "%25"})
"""Also of what was escaped again."""

_WIDE = _is(
    r"(?:[\0␀]|\\{1,4}(?:[ux]?0{1,4})|%00){0,3}?",
    r"(?:[\0␀]|\\{1,4}(?:[ux]?0{1,4})|%00){0,2}(?:\\{1,4}[ux]?0{0,3}|%0?)?\Z",
    27,
    _gap("%00", begins="\0␀", escaped=("0", "u0", "x0")),
)
"""The other bytes of a character in UTF-16 or UTF-32."""

_WRAPPED = _is(
    r"(?:[\r\n␍␊ \t]|\\{1,4}[rn]){0,12}",
    r"(?:[\r\n␍␊ \t]|\\{1,4}[rn]){0,11}\\{0,4}\Z",
    60,
    _gap(begins="\r\n␍␊ \t", escaped="rn"),
)
"""Nothing, or the end of a line and the next one's indentation."""

_HEX_BYTE = _is("[0-9a-fA-F]{2}|  ", r"[0-9a-fA-F ]?\Z", 2, {_ANYTHING})

_SPACE = _is(r"[ \t]{1,4}", r"[ \t]{0,3}\Z", 4, _gap(begins=" \t") - {""})

_BETWEEN_HEX = _is(
    r"(?:[\r\n␍␊ \t:,;._-]|\\{1,4}[rnx]|0x|00){0,12}",
    r"(?:[\r\n␍␊ \t:,;._-]|\\{1,4}[rnx]|0x|00){0,11}(?:\\{1,4}|0)?\Z",
    60,
    _gap("00", "0x", begins="\r\n␍␊ \t:,;._-", escaped="rnx"),
)
_BETWEEN_OCTAL = _is(
    r"(?:[\r\n␍␊ \t,]|\\{1,4}[rn]?|0){0,8}",
    r"(?:[\r\n␍␊ \t,]|\\{1,4}[rn]?|0){0,8}\Z",
    40,
    _gap("\\", begins="\r\n␍␊ \t,0"),
)
_BETWEEN_DECIMAL = _is(
    r"(?:[\r\n␍␊ \t,]|\\{1,4}[rn]){1,12}",
    r"(?:[\r\n␍␊ \t,]|\\{1,4}[rn]){0,11}\\{0,4}\Z",
    60,
    _gap(begins="\r\n␍␊ \t,", escaped="rn") - {""},
)

_TEXT_BESIDE = _is(rf"[^\r\n␍␊]{{0,{ROW}}}", rf"[^\r\n␍␊]{{0,{ROW - 1}}}\Z", ROW, {"", _ANYTHING})

_ROW_END = _is(
    r"()(?:[\r\n␍␊]|\\{1,4}[rn]){1,2}(?:(?:0x)?[0-9a-fA-F]{4,16}:?)?[ \t]{1,5}",
    r"(?:\\{0,4}|(?:[\r\n␍␊]|\\{1,4}[rn]){1,2}(?:\\{0,4}|0?x?[0-9a-fA-F]{0,16}:?[ \t]{0,5}))\Z",
    10 + 2 + 17 + 5,
    {newline + _ANYTHING for newline in ("\r", "\n", "␍", "␊", "\\r", "\\n", "\\\\")},
)


def _next_row(beside: Spelling) -> Spelling:
    """The end of a dump's row with the text beside it, which begins like that, and the next row's address."""
    return _sequence([_maybe(_sequence([beside, _TEXT_BESIDE])), _ROW_END])


_NEXT_ROW = _next_row(_one_of(" \t"))

_NEXT_ROW_OF_CHARS = _next_row(_sequence([_literal("  "), _one_of(">|")]))

_REST = Spelling("", hidden(rf"[^\r\n␍␊]{{0,{ROW - 1}}}\Z"), ROW, frozenset([""]))
"""Of the last row, which is removed by who finds the spelling."""
