"""The card's files: identifiers, what may be read and written, and where a read or write begins.

SmartCard-HSM user manual, "File identifiers": the first byte of an identifier says what the file is, the second
which key or object it belongs to.
"""

from __future__ import annotations

from rehearsal.card import tlv
from rehearsal.card.apdu import SW, Refused
from rehearsal.card.state import CardState

DEVICE_CERTIFICATE = 0x2F02
TOKEN_INFO = 0x2F03

PRIVATE_KEY_DESCRIPTION = 0xC4
CERTIFICATE_DESCRIPTION = 0xC8
DATA_DESCRIPTION = 0xC9
CA_CERTIFICATE = 0xCA
KEY = 0xCC
PROTECTED_DATA = 0xCD
KEY_CERTIFICATE = 0xCE
DATA = 0xCF

_WRITABLE = {
    PRIVATE_KEY_DESCRIPTION,
    CERTIFICATE_DESCRIPTION,
    DATA_DESCRIPTION,
    CA_CERTIFICATE,
    PROTECTED_DATA,
    KEY_CERTIFICATE,
    DATA,
}
_OFFSET = 0x54
_CONTENT = 0x53
_LARGEST = 0xFFFF


def name(identifier: int) -> str:
    """How the state spells a file identifier."""
    return f"{identifier:04X}"


def identifiers(state: CardState) -> list[int]:
    """Keys and files in the order the card lists them.

    The newest comes first, so the order is not that of the ids: nothing may rely on it.
    """
    keys = [KEY << 8 | reference for reference in reversed(state.keys)]
    files = [int(spelled, 16) for spelled in reversed(state.files)]
    return [KEY << 8, *keys, *(identifier for identifier in files if identifier >> 8 != 0x2F)]


def exists(state: CardState, identifier: int) -> bool:
    """Whether it can be selected: a file, or a key."""
    if identifier >> 8 == KEY:
        return identifier & 0xFF in {0, *state.keys}
    return name(identifier) in state.files


def content(state: CardState, identifier: int, *, verified: bool) -> bytes:
    """The whole file; raises Refused for a key, a protected file without login, or no file."""
    if identifier >> 8 == KEY:
        raise Refused(SW.SECURITY_STATUS_NOT_SATISFIED)
    if name(identifier) not in state.files:
        raise Refused(SW.FILE_NOT_FOUND)
    if identifier >> 8 == PROTECTED_DATA and not verified:
        raise Refused(SW.SECURITY_STATUS_NOT_SATISFIED)
    return state.files[name(identifier)]


def store(state: CardState, identifier: int, offset: int, data: bytes) -> None:
    """Write `data` at `offset`, and make the file when there is none; writing at 0 begins it anew. Raises Refused."""
    if identifier != TOKEN_INFO and identifier >> 8 not in _WRITABLE:
        raise Refused(SW.SECURITY_STATUS_NOT_SATISFIED)
    before = state.files.get(name(identifier), b"")
    if offset > len(before):
        raise Refused(SW.WRONG_OFFSET)
    if offset + len(data) > _LARGEST:
        raise Refused(SW.WRONG_LENGTH)
    kept = before[offset + len(data) :] if offset else b""
    state.files[name(identifier)] = before[:offset] + data + kept


def delete(state: CardState, identifier: int) -> None:
    """Remove a file, or a key; the device's own key and certificate stay. Raises Refused."""
    if not exists(state, identifier):
        raise Refused(SW.FILE_NOT_FOUND)
    kind, reference = divmod(identifier, 256)
    if kind == KEY and reference:
        del state.keys[reference]
    elif kind in _WRITABLE:
        del state.files[name(identifier)]
    else:
        raise Refused(SW.SECURITY_STATUS_NOT_SATISFIED)


def offset_and_content(data: bytes) -> tuple[int, bytes]:
    """What READ and UPDATE BINARY with an odd INS carry (ISO 7816-4 §7.2.1): offset 54 and content 53."""
    try:
        offset = tlv.find(data, _OFFSET)
        value = tlv.find(data, _CONTENT)
    except tlv.MalformedTlv as error:
        raise Refused(SW.WRONG_DATA) from error
    if offset is None or len(offset) > 2:
        raise Refused(SW.WRONG_DATA)
    return int.from_bytes(offset), value or b""
