"""What a person types from paper, and the value that is meant by it."""

from __future__ import annotations

import re
import unicodedata

from runbook.operator import Alphabet, TranscribeRequest

_SEPARATORS = {Alphabet.HEX: " :-.", Alphabet.BASE64: " "}


def without_separators(alphabet: Alphabet, text: str) -> str:
    """The value without the separators people write: hex digits in lower case, other text without outer blanks."""
    value = "".join(char for char in text.strip() if char not in _SEPARATORS.get(alphabet, ""))
    return value.lower() if alphabet is Alphabet.HEX else value


def foreign_character(alphabet: Alphabet, value: str) -> str:
    """The first character that the alphabet does not have, or empty."""
    for char in value:
        match alphabet:
            case Alphabet.HEX:
                fits = char in "0123456789abcdef"
            case Alphabet.BASE64:
                fits = char.isascii() and (char.isalnum() or char in "+/=")
            case Alphabet.TEXT:
                fits = unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
        if not fits:
            return char
    return ""


def problem(request: TranscribeRequest, value: str) -> str:
    """Why a value cannot be what is asked for, or empty; says nothing about the value the computer holds."""
    if char := foreign_character(request.alphabet, value):
        return f"`{char}` is not a {request.alphabet.value} character"
    if request.length is not None and len(value) != request.length:
        return f"{len(value)} characters, and it should be {request.length}"
    if request.pattern and not re.fullmatch(request.pattern, value):
        return "it does not have the expected form"
    return ""
