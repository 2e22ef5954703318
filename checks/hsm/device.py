"""The worker's side of a token: one module, one session, one operation at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any, Final

from checks.hsm import wire
from checks.hsm.cryptoki import Cryptoki, CryptokiError, NotAModule
from checks.hsm.cryptoki_names import KEY_TYPES, MECHANISMS, OBJECT_CLASSES, mechanism
from checks.hsm.wire import Fault

_CKA_CLASS: Final = 0x0
_CKA_LABEL: Final = 0x3
_CKA_KEY_TYPE: Final = 0x100
_CKA_ID: Final = 0x102

_BYTES: Final = {0x180: "ec_params", 0x181: "ec_point", 0x120: "modulus", 0x122: "public_exponent"}
_BOOLEANS: Final = {
    0x103: "sensitive",
    0x162: "extractable",
    0x165: "always_sensitive",
    0x164: "never_extractable",
    0x163: "local",
}
_WANTED: Final = {
    "CKO_PUBLIC_KEY": (0x180, 0x181, 0x120, 0x122, 0x163),
    "CKO_PRIVATE_KEY": (0x180, 0x120, 0x122, *_BOOLEANS),
    "CKO_SECRET_KEY": tuple(_BOOLEANS),
}
"""The attributes read from each class of key, beside class, id, label and key type."""

_CLASS_NUMBERS: Final = {name: number for number, name in OBJECT_CLASSES.items()}
_MECHANISM_NUMBERS: Final = {name: number for number, name in MECHANISMS.items()}
_ULONG: Final = 8
"""Bytes of CK_ULONG, in the machine's order."""


class Refused(Exception):
    """The operation cannot be done, and the answer that says so."""

    def __init__(self, code: str, detail: str = "", *, sent: bool = False) -> None:
        super().__init__(code)
        self.failure = wire.Failure(code, detail, sent)


class Device:
    """A loaded module and the session with the token that is meant."""

    def __init__(self, module: str) -> None:
        if "/" in module and not os.path.exists(module):  # noqa: PTH110 - pathlib alone would cost a fifth of start-up
            raise Refused(Fault.MODULE_MISSING, module)
        try:
            self._cryptoki = Cryptoki(module)
            self.greeting = self._cryptoki.info()
        except NotAModule as error:
            raise Refused(Fault.NOT_PKCS11, str(error)) from None
        except CryptokiError as error:
            raise Refused(error.code) from None
        self._target: wire.Target | None = None
        self._session = 0
        self._logged_in = False
        self._signing_keys: dict[bytes, int] = {}

    def answer(self, request: wire.Request) -> wire.Response:
        """Do it. Raises Refused."""
        try:
            return self._answer(request)
        except CryptokiError as error:
            raise Refused(error.code) from None

    def _answer(self, request: wire.Request) -> wire.Response:
        match request:
            case wire.ListSlots():
                return wire.Slots(tuple(map(self._cryptoki.slot_info, self._cryptoki.slot_ids())))
            case wire.ReadToken(target=target):
                return wire.TokenRead(self._verified(target))
            case wire.ListMechanisms(target=target):
                self._verified(target)
                return wire.Mechanisms(tuple(map(mechanism, self._cryptoki.mechanisms(target.slot_id))))
            case wire.FindObjects():
                return wire.Objects(tuple(self._find(request)))
            case wire.Login(target=target, pin=pin):
                return self._login(target, pin)
            case wire.Sign():
                return self._sign(request)
            case wire.Logout():
                self.logout()
                return wire.Done()

    def logout(self) -> None:
        """End the login, if there is one."""
        if self._logged_in:
            self._signing_keys.clear()
            self._logged_in = False
            self._cryptoki.logout(self._session)

    def _verified(self, target: wire.Target) -> wire.TokenRecord:
        """The token in the slot, read afresh, if it still is the one meant."""
        token = self._cryptoki.token_info(target.slot_id)
        if (token.serial, token.label) != (target.serial, target.label):
            raise Refused(Fault.SWAPPED, f"{token.label} [{token.serial}]")
        return token

    def _open(self, target: wire.Target) -> int:
        """The session with that token; opened once."""
        self._verified(target)
        if self._target != target:
            self._signing_keys.clear()
            self._logged_in = False
            self._session = self._cryptoki.open_session(target.slot_id)
            self._target = target
        return self._session

    # -- objects ------------------------------------------------------------------------------------------------

    def _find(self, request: wire.FindObjects) -> Iterator[wire.ObjectRecord]:
        session = self._open(request.target)
        template: dict[int, bytes] = {}
        if request.id is not None:
            template[_CKA_ID] = request.id
        if request.object_class is not None:
            template[_CKA_CLASS] = _ulong(_CLASS_NUMBERS[request.object_class])
        for handle in self._cryptoki.find(session, template):
            yield self._record(session, handle)

    def _record(self, session: int, handle: int) -> wire.ObjectRecord:
        read = self._cryptoki.attributes(session, handle, (_CKA_CLASS, _CKA_ID, _CKA_LABEL))
        object_class = _name(OBJECT_CLASSES, read.get(_CKA_CLASS), "CKO_")
        wanted = _WANTED.get(object_class, ())
        more = self._cryptoki.attributes(session, handle, (_CKA_KEY_TYPE, *wanted)) if wanted else {}
        values: dict[str, Any] = {_BYTES[kind]: value for kind, value in more.items() if kind in _BYTES and value}
        values |= {_BOOLEANS[kind]: any(value) for kind, value in more.items() if kind in _BOOLEANS and value}
        return wire.ObjectRecord(
            object_class=object_class,
            id=read.get(_CKA_ID, b""),
            label=read.get(_CKA_LABEL, b"").decode(errors="replace"),
            key_type=_name(KEY_TYPES, more.get(_CKA_KEY_TYPE), "CKK_") if wanted else None,
            **values,
        )

    # -- the PIN and what needs it ------------------------------------------------------------------------------

    def _login(self, target: wire.Target, pin: bytearray) -> wire.Response:
        try:
            session = self._open(target)
            self._signing_keys.clear()
            try:
                self._cryptoki.login(session, pin)
            except CryptokiError as error:
                raise Refused(error.code, sent=True) from None
        finally:
            wire.wipe(pin)
        self._logged_in = True
        return wire.Done()

    def _sign(self, request: wire.Sign) -> wire.Response:
        session = self._open(request.target)
        number = _MECHANISM_NUMBERS.get(request.mechanism)
        if number is None:
            raise Refused(Fault.MECHANISM_UNKNOWN, request.mechanism)
        key = self._signing_keys.get(request.key_id) or self._signing_key(session, request.key_id)
        try:
            return wire.Signature(self._cryptoki.sign(session, key, number, request.data))
        except CryptokiError:
            self._signing_keys.clear()
            raise

    def _signing_key(self, session: int, key_id: bytes) -> int:
        template = {_CKA_CLASS: _ulong(_CLASS_NUMBERS["CKO_PRIVATE_KEY"]), _CKA_ID: key_id}
        keys = self._cryptoki.find(session, template)
        if not keys:
            raise Refused(Fault.KEY_MISSING if self._logged_in else "CKR_USER_NOT_LOGGED_IN")
        if len(keys) > 1:
            raise Refused(Fault.KEY_DOUBLED, str(len(keys)))
        self._signing_keys[key_id] = keys[0]
        return keys[0]


def _ulong(number: int) -> bytes:
    return number.to_bytes(_ULONG, sys.byteorder)


def _name(names: dict[int, str], raw: bytes | None, prefix: str) -> str:
    number = int.from_bytes(raw or b"", sys.byteorder)
    return names.get(number, f"{prefix}0x{number:x}") if raw else f"{prefix}UNKNOWN"
