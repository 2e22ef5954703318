"""The worker's side of a token: one module, one session, one operation at a time (python-pkcs11 and `cryptoki`)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import PKCS11Error

from checks.hsm import wire
from checks.hsm.cryptoki import Cryptoki, CryptokiError, slot_flags
from checks.hsm.return_codes import name_of_exception
from checks.hsm.wire import Fault

_ATTRIBUTES: Final = {
    "ec_params": Attribute.EC_PARAMS,
    "ec_point": Attribute.EC_POINT,
    "modulus": Attribute.MODULUS,
    "public_exponent": Attribute.PUBLIC_EXPONENT,
    "sensitive": Attribute.SENSITIVE,
    "extractable": Attribute.EXTRACTABLE,
    "always_sensitive": Attribute.ALWAYS_SENSITIVE,
    "never_extractable": Attribute.NEVER_EXTRACTABLE,
    "local": Attribute.LOCAL,
}
_OF_CLASS: Final = {
    "CKO_PUBLIC_KEY": ("ec_params", "ec_point", "modulus", "public_exponent", "local"),
    "CKO_PRIVATE_KEY": (
        "ec_params",
        "modulus",
        "public_exponent",
        "sensitive",
        "extractable",
        "always_sensitive",
        "never_extractable",
        "local",
    ),
    "CKO_SECRET_KEY": ("sensitive", "extractable", "always_sensitive", "never_extractable", "local"),
}
_KEYS: Final = frozenset(_OF_CLASS)


class Refused(Exception):
    """The operation cannot be done, and the answer that says so."""

    def __init__(self, code: str, detail: str = "", *, sent: bool = False) -> None:
        super().__init__(code)
        self.failure = wire.Failure(code, detail, sent)


class Device:
    """A loaded module and the session with the token that is meant."""

    def __init__(self, module: str) -> None:
        if "/" in module and not Path(module).exists():
            raise Refused(Fault.MODULE_MISSING, module)
        try:
            self._library = pkcs11.lib(module)
        except PKCS11Error as error:
            if "exception while loading" in str(error):
                raise Refused(Fault.NOT_PKCS11, str(error)) from None
            raise Refused(name_of_exception(error)) from None
        self._cryptoki = Cryptoki(module)
        self._target: wire.Target | None = None
        self._session: Any = None
        self._logged_in = False
        self._signing_keys: dict[bytes, Any] = {}

    def greeting(self) -> wire.Ready:
        major, minor = self._library.library_version
        return wire.Ready(self._library.manufacturer_id, self._library.library_description, f"{major}.{minor}")

    def answer(self, request: wire.Request) -> wire.Response:
        """Do it. Raises Refused."""
        try:
            return self._answer(request)
        except CryptokiError as error:
            raise Refused(error.code) from None
        except PKCS11Error as error:
            raise Refused(name_of_exception(error), str(error)) from None

    def _answer(self, request: wire.Request) -> wire.Response:
        match request:
            case wire.ListSlots():
                return wire.Slots(tuple(self._slot_record(slot) for slot in self._library.get_slots()))
            case wire.ReadToken(target=target):
                return wire.TokenRead(self._verified(target))
            case wire.ListMechanisms(target=target):
                self._verified(target)
                return wire.Mechanisms(tuple(sorted(map(_mechanism_name, self._slot(target).get_mechanisms()))))
            case wire.FindObjects(target=target):
                return wire.Objects(tuple(self._find(target, request.id, request.object_class)))
            case wire.Login(target=target, pin=pin):
                return self._login(target, pin)
            case wire.Sign(target=target):
                return self._sign(request)
            case wire.Logout():
                self.logout()
                return wire.Done()

    def logout(self) -> None:
        """End the login, if there is one."""
        if self._logged_in:
            self._signing_keys.clear()
            self._logged_in = False
            self._cryptoki.logout(self._session.handle)

    # -- slots and tokens ---------------------------------------------------------------------------------------

    def _slot_record(self, slot: Any) -> wire.SlotRecord:
        token, trouble = None, ""
        try:
            token = self._cryptoki.token_info(slot.slot_id)
        except CryptokiError as error:
            trouble = "" if error.code == "CKR_TOKEN_NOT_PRESENT" else error.code
        return wire.SlotRecord(
            slot_id=slot.slot_id,
            description=slot.slot_description,
            manufacturer=slot.manufacturer_id,
            flags=slot_flags(int(slot.flags)),
            hardware_version=".".join(map(str, slot.hardware_version)),
            firmware_version=".".join(map(str, slot.firmware_version)),
            token=token,
            trouble=trouble,
        )

    def _verified(self, target: wire.Target) -> wire.TokenRecord:
        """The token in the slot, read afresh, if it still is the one meant."""
        token = self._cryptoki.token_info(target.slot_id)
        if (token.serial, token.label) != (target.serial, target.label):
            raise Refused(Fault.SWAPPED, f"{token.label} [{token.serial}]")
        return token

    def _slot(self, target: wire.Target) -> Any:
        for slot in self._library.get_slots():
            if slot.slot_id == target.slot_id:
                return slot
        raise Refused("CKR_SLOT_ID_INVALID")

    def _open(self, target: wire.Target) -> Any:
        """The session with that token; opened once."""
        self._verified(target)
        if self._session is None or self._target != target:
            self._signing_keys.clear()
            self._logged_in = False
            self._session = self._slot(target).get_token().open()
            self._target = target
        return self._session

    # -- objects ------------------------------------------------------------------------------------------------

    def _find(self, target: wire.Target, key_id: bytes | None, object_class: str | None) -> Iterable[wire.ObjectRecord]:
        template: dict[Attribute, Any] = {}
        if key_id is not None:
            template[Attribute.ID] = key_id
        if object_class is not None:
            template[Attribute.CLASS] = ObjectClass[object_class.removeprefix("CKO_")]
        found = list(self._open(target).get_objects(template))
        return [_object_record(item) for item in found]

    # -- the PIN and what needs it ------------------------------------------------------------------------------

    def _login(self, target: wire.Target, pin: bytearray) -> wire.Response:
        session = None
        try:
            session = self._open(target)
            self._signing_keys.clear()
            self._cryptoki.login(session.handle, pin)
        except CryptokiError as error:
            raise Refused(error.code, sent=session is not None) from None
        finally:
            wire.wipe(pin)
        self._logged_in = True
        return wire.Done()

    def _sign(self, request: wire.Sign) -> wire.Response:
        session = self._open(request.target)
        try:
            mechanism = Mechanism[request.mechanism.removeprefix("CKM_")]
        except KeyError:
            raise Refused(Fault.MECHANISM_UNKNOWN, request.mechanism) from None
        key = self._signing_keys.get(request.key_id) or self._signing_key(session, request.key_id)
        try:
            return wire.Signature(key.sign(request.data, mechanism=mechanism))
        except PKCS11Error:
            self._signing_keys.clear()
            raise

    def _signing_key(self, session: Any, key_id: bytes) -> Any:
        keys = list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.ID: key_id}))
        if not keys:
            raise Refused(Fault.KEY_MISSING if self._logged_in else "CKR_USER_NOT_LOGGED_IN")
        if len(keys) > 1:
            raise Refused(Fault.KEY_DOUBLED, str(len(keys)))
        if not hasattr(keys[0], "sign"):
            raise Refused(Fault.KEY_CANNOT_SIGN)
        self._signing_keys[key_id] = keys[0]
        return keys[0]


def _object_record(item: Any) -> wire.ObjectRecord:
    object_class = _name("CKO_", ObjectClass, _read(item, Attribute.CLASS))
    wanted = _OF_CLASS.get(object_class, ())
    key_type = _read(item, Attribute.KEY_TYPE) if object_class in _KEYS else None
    return wire.ObjectRecord(
        object_class=object_class,
        id=_read(item, Attribute.ID) or b"",
        label=_read(item, Attribute.LABEL) or "",
        key_type=None if key_type is None else _name("CKK_", KeyType, key_type),
        **{name: _read(item, _ATTRIBUTES[name]) for name in wanted},
    )


def _read(item: Any, attribute: Attribute) -> Any:
    """An attribute's value; None where the token does not have or give it, or gives what cannot be read."""
    try:
        value = item[attribute]
    except (PKCS11Error, IndexError, ValueError):
        return None
    return None if value == b"" and attribute in (Attribute.EC_PARAMS, Attribute.EC_POINT, Attribute.MODULUS) else value


def _name(prefix: str, names: type[ObjectClass] | type[KeyType], value: Any) -> str:
    return prefix + (value.name if isinstance(value, names) else "UNKNOWN")


def _mechanism_name(mechanism: Mechanism | int) -> str:
    return f"CKM_{mechanism.name.lstrip('_')}" if isinstance(mechanism, Mechanism) else f"0x{int(mechanism):08x}"
