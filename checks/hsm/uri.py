"""PKCS#11 URIs (RFC 7512): parsed strictly, written canonically."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import quote, unquote_to_bytes

from runbook.errors import UsageError
from runbook.text import clean_line

_PATH_TEXT: Final = {
    "token": "token",
    "manufacturer": "manufacturer",
    "serial": "serial",
    "model": "model",
    "library-manufacturer": "library_manufacturer",
    "library-description": "library_description",
    "library-version": "library_version",
    "slot-manufacturer": "slot_manufacturer",
    "slot-description": "slot_description",
    "slot-id": "slot_id",
    "object": "object",
    "type": "type",
}
_QUERY_TEXT: Final = {"pin-source": "pin_source", "module-name": "module_name", "module-path": "module_path"}
_TYPES: Final = ("public", "private", "cert", "secret-key", "data")
_PATTERNS: Final = {"library-version": r"[0-9]+(\.[0-9]+)?", "slot-id": r"[0-9]+", "type": "|".join(_TYPES)}

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_PATH_CHARS = ":[]@!$'()*+,=&"
_QUERY_CHARS = ":[]@!$'()*+,=/?|"
_VALUE_PATH = re.compile(r"(?:[A-Za-z0-9._~:\[\]@!$'()*+,=&-]|%[0-9A-Fa-f]{2})*")
_VALUE_QUERY = re.compile(r"(?:[A-Za-z0-9._~:\[\]@!$'()*+,=/?|-]|%[0-9A-Fa-f]{2})*")


class UriError(UsageError):
    """The text is not a PKCS#11 URI that this program accepts."""


@dataclass(frozen=True, slots=True)
class Pkcs11Uri:
    """The attributes of a URI; None where one is absent (an empty value is something else)."""

    token: str | None = None
    manufacturer: str | None = None
    serial: str | None = None
    model: str | None = None
    library_manufacturer: str | None = None
    library_description: str | None = None
    library_version: str | None = None
    slot_manufacturer: str | None = None
    slot_description: str | None = None
    slot_id: str | None = None
    object: str | None = None
    type: str | None = None
    id: bytes | None = None
    """CKA_ID."""
    pin_source: str | None = None
    module_name: str | None = None
    module_path: str | None = None
    vendor_path: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Attributes this program does not know, which may be given more than once."""
    vendor_query: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises UriError; a PIN in the URI is refused and not repeated in the message."""
        scheme, colon, rest = text.partition(":")
        if not colon or scheme.lower() != "pkcs11":
            raise UriError("a PKCS#11 URI begins with `pkcs11:`", remedy="For example `pkcs11:serial=DENK0100001`.")
        path, _, query = rest.partition("?")
        values: dict[str, object] = {}
        vendor_path = _component(path, ";", _VALUE_PATH, _PATH_TEXT | {"id": "id"}, values)
        vendor_query = _component(query, "&", _VALUE_QUERY, _QUERY_TEXT, values)
        return cls(**values, vendor_path=vendor_path, vendor_query=vendor_query)  # type: ignore[arg-type]

    def __str__(self) -> str:
        path = list(self._parts(_PATH_TEXT, _PATH_CHARS))
        if self.id is not None:
            path.append("id=" + "".join(f"%{byte:02X}" for byte in self.id))
        path += _vendor_parts(self.vendor_path, _PATH_CHARS)
        query = [*self._parts(_QUERY_TEXT, _QUERY_CHARS), *_vendor_parts(self.vendor_query, _QUERY_CHARS)]
        return "pkcs11:" + ";".join(path) + ("?" + "&".join(query) if query else "")

    def _parts(self, names: Mapping[str, str], safe: str) -> Iterator[str]:
        for name, attribute in names.items():
            value = getattr(self, attribute)
            if value is not None:
                yield f"{name}={quote(value, safe=safe)}"


def _vendor_parts(vendor: Mapping[str, tuple[str, ...]], safe: str) -> list[str]:
    return [f"{name}={quote(value, safe=safe)}" for name, values in vendor.items() for value in values]


def _component(
    text: str, separator: str, allowed: re.Pattern[str], known: Mapping[str, str], values: dict[str, object]
) -> dict[str, tuple[str, ...]]:
    """Read one component's attributes into `values`; returns those that are not known."""
    vendor: dict[str, tuple[str, ...]] = {}
    for part in text.split(separator) if text else ():
        name, equals, raw = part.partition("=")
        if name == "pin-value":
            raise UriError(
                "a PIN has no place in a URI (`pin-value`)",
                remedy="Take it out, and change the PIN if the file was stored or sent anywhere. The program asks.",
            )
        if not equals or not _NAME.fullmatch(name):
            raise UriError(f"`{clean_line(name)}` is not an attribute with a value (`name=value`)")
        if not allowed.fullmatch(raw):
            raise UriError(f"the value of `{name}` holds a character that must be percent-encoded")
        value = unquote_to_bytes(raw)
        if name not in known:
            vendor[name] = (*vendor.get(name, ()), _utf8(name, value))
            continue
        if known[name] in values:
            raise UriError(f"`{name}` is given twice")
        values[known[name]] = value if name == "id" else _checked(name, _utf8(name, value))
    return vendor


def _checked(name: str, value: str) -> str:
    pattern = _PATTERNS.get(name)
    if pattern and not re.fullmatch(pattern, value):
        choices = f"; it is one of {', '.join(_TYPES)}" if name == "type" else ""
        raise UriError(f"`{clean_line(value)}` is no value for `{name}`{choices}")
    return value


def _utf8(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise UriError(f"the value of `{name}` is not UTF-8") from None
