"""What the program and a worker say to each other: length-prefixed MessagePack (design §5).

A frame is four bytes of length, big-endian, and one encoded `Call` or `Answer`. The PIN travels here and
nowhere else.
"""

from __future__ import annotations

import struct
from enum import StrEnum
from typing import Final, TypeVar

import msgspec

from checks.hsm.records import ObjectRecord, SlotRecord, TokenRecord
from runbook.wiping import wipe

MAX_FRAME: Final = 4 * 1024 * 1024
"""Bytes of one message; a token with more to say is cut off as faulty."""

_LENGTH = struct.Struct(">I")

_ROOM: Final = 4_096
"""Bytes that a frame's buffer begins with, more than any call with a PIN needs: one that grows is moved, and leaves
what it held where it was.
"""


class WireError(Exception):
    """The other side broke the protocol."""


class Fault(StrEnum):
    """What a worker itself finds wrong, beside the module's CKR_ codes."""

    MODULE_MISSING = "module missing"
    NOT_PKCS11 = "not pkcs11"
    SWAPPED = "swapped"
    KEY_MISSING = "key missing"
    KEY_DOUBLED = "key doubled"
    MECHANISM_UNKNOWN = "mechanism unknown"
    PIN_FLAGS_CHANGED = "pin flags changed"
    INTERNAL = "internal"


class Target(msgspec.Struct, frozen=True):
    """The token that is meant: the worker refuses any other in that slot."""

    slot_id: int
    serial: str
    label: str


class ListSlots(msgspec.Struct, frozen=True, tag=True):
    """All slots and their tokens, read afresh."""


class ReadToken(msgspec.Struct, frozen=True, tag=True):
    """The token's CK_TOKEN_INFO, read afresh."""

    target: Target


class ListMechanisms(msgspec.Struct, frozen=True, tag=True):
    """The mechanisms the token offers."""

    target: Target


class FindObjects(msgspec.Struct, frozen=True, tag=True):
    """Objects with that id and class; None: any."""

    target: Target
    id: bytes | None = None
    object_class: str | None = None


class Login(msgspec.Struct, frozen=True, tag=True):
    """One attempt with the user PIN; an empty one is typed on the reader's own pad."""

    target: Target
    pin: bytearray
    pin_flags: tuple[str, ...] | None = None
    """The token's flags about PINs as the person saw them: where they are others now, nothing is sent."""

    def __repr__(self) -> str:
        return "Login(…)"


class ResetPin(msgspec.Struct, frozen=True, tag=True):
    """Set a new user PIN as the security officer: one attempt with the SO-PIN. Ends the login."""

    target: Target
    so_pin: bytearray
    new_pin: bytearray

    def __repr__(self) -> str:
        return "ResetPin(…)"


class Look(msgspec.Struct, frozen=True, tag=True):
    """Whether a token came or went since the last look; touches no token."""


class Sign(msgspec.Struct, frozen=True, tag=True):
    """Sign `data` with the private key of that id."""

    target: Target
    key_id: bytes
    mechanism: str
    """`CKM_ECDSA` and so on."""
    data: bytes


class Logout(msgspec.Struct, frozen=True, tag=True):
    """End the login, if there is one."""


Request = ListSlots | ReadToken | ListMechanisms | FindObjects | Login | ResetPin | Sign | Logout | Look


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The module is loaded (CK_INFO); the first message of every worker."""

    manufacturer: str
    description: str
    version: str
    pcsc: bool = False
    """Whether the module reaches its tokens through PC/SC on this machine."""


class Slots(msgspec.Struct, frozen=True, tag=True):
    """Answer to ListSlots."""

    slots: tuple[SlotRecord, ...]


class TokenRead(msgspec.Struct, frozen=True, tag=True):
    """Answer to ReadToken."""

    token: TokenRecord


class Mechanisms(msgspec.Struct, frozen=True, tag=True):
    """Answer to ListMechanisms."""

    names: tuple[str, ...]
    """`CKM_ECDSA` and so on; `0x…` for those without a name."""


class Objects(msgspec.Struct, frozen=True, tag=True):
    """Answer to FindObjects."""

    objects: tuple[ObjectRecord, ...]


class Signature(msgspec.Struct, frozen=True, tag=True):
    """Answer to Sign."""

    value: bytes


class Done(msgspec.Struct, frozen=True, tag=True):
    """Answer to Login, ResetPin and Logout."""


class Looked(msgspec.Struct, frozen=True, tag=True):
    """Answer to Look."""

    changed: bool


class Failure(msgspec.Struct, frozen=True, tag=True):
    """It could not be done."""

    code: str
    """A CKR_ name or a Fault."""
    detail: str = ""
    sent: bool = False
    """Whether a PIN had gone to the token before this came back."""


Response = Ready | Slots | TokenRead | Mechanisms | Objects | Signature | Done | Looked | Failure


class Call(msgspec.Struct, frozen=True, array_like=True):
    """A request with its number."""

    number: int
    request: Request


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """A response to the call of that number; number 0 is the worker's greeting."""

    number: int
    response: Response


_ENCODER = msgspec.msgpack.Encoder()
_CALL = msgspec.msgpack.Decoder(Call)
_ANSWER = msgspec.msgpack.Decoder(Answer)


def frame(message: Call | Answer) -> bytearray:
    """The message as one frame, in a buffer that can be wiped. Raises WireError where it is too long."""
    buffer = bytearray(_ROOM)
    _ENCODER.encode_into(message, buffer, _LENGTH.size)
    length = len(buffer) - _LENGTH.size
    if length > MAX_FRAME:
        wipe(buffer)
        raise WireError(f"a message of {length} bytes is longer than {MAX_FRAME}")
    _LENGTH.pack_into(buffer, 0, length)
    return buffer


def take(buffer: bytearray) -> bytearray | None:
    """Cut one whole message body off the front of `buffer`; None until it is whole. Raises WireError."""
    if len(buffer) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack_from(buffer)
    if length > MAX_FRAME:
        raise WireError(f"a message of {length} bytes is longer than {MAX_FRAME}")
    end = _LENGTH.size + length
    if len(buffer) < end:
        return None
    body = buffer[_LENGTH.size : end]
    rest = buffer[end:]
    wipe(buffer)
    buffer[:] = rest
    return body


def read_call(body: bytearray) -> Call:
    """Raises WireError."""
    return _decode(_CALL, body)


def read_answer(body: bytearray) -> Answer:
    """Raises WireError."""
    return _decode(_ANSWER, body)


_T = TypeVar("_T")


def _decode(decoder: msgspec.msgpack.Decoder[_T], body: bytearray) -> _T:
    try:
        return decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise WireError(f"a message that is not understood: {error}") from None
