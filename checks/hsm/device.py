"""The worker's side of a token: one module, one session, one operation at a time (python-pkcs11 and `cryptoki`)."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Final

import pkcs11
from pkcs11 import PROTECTED_AUTH, Attribute, Mechanism, ObjectClass
from pkcs11.exceptions import PKCS11Error

from checks.hsm import wire
from checks.hsm.attributes import PlainValues, record_of
from checks.hsm.cryptoki import Cryptoki, CryptokiError, User
from checks.hsm.cryptoki_names import MECHANISMS, exception_code, mechanism, pin_flags, slot_flags
from checks.hsm.records import SlotRecord, TokenRecord
from checks.hsm.wire import Fault

_MECHANISM_NUMBERS: Final = {name: number for number, name in MECHANISMS.items()}


class Refused(Exception):
    """The operation cannot be done, and the answer that says so."""

    def __init__(self, code: str, detail: str = "", *, sent: bool = False) -> None:
        super().__init__(code)
        self.failure = wire.Failure(code, detail, sent)


class Device:
    """A loaded module and the session with the token that is meant.

    `tainted` says that this process is not to be used again: a PIN lies in memory that cannot be wiped, or a session
    was lost sight of. Both come from a module whose function list is not shared (see `Cryptoki`): there the login is
    python-pkcs11's own, which takes the PIN as a string and leaks the session when it is wrong.
    """

    def __init__(self, module: str) -> None:
        if "/" in module and not os.path.exists(module):  # noqa: PTH110 - pathlib alone would cost a fifth of start-up
            raise Refused(Fault.MODULE_MISSING, module)
        try:
            self._library = pkcs11.lib(module)
            self._cryptoki = Cryptoki(module)
        except PKCS11Error as error:
            if "exception while loading" in str(error):
                raise Refused(Fault.NOT_PKCS11, str(error)) from None
            raise Refused(exception_code(error)) from None
        except CryptokiError as error:
            raise Refused(error.code) from None
        self.tainted = False
        self._slots: dict[int, Any] = {}
        self._unsure = True
        """Whether a token came or went since the one meant was last looked at."""
        self._target: wire.Target | None = None
        self._session: Any = None
        self.logged_in = False
        self._signing_keys: dict[bytes, Any] = {}

    @property
    def greeting(self) -> wire.Ready:
        """CK_INFO."""
        version = _version(self._library.library_version)
        return wire.Ready(self._library.manufacturer_id, self._library.library_description, version, _uses_pcsc())

    def answer(self, request: wire.Request) -> wire.Response:
        """Do it. Raises Refused."""
        try:
            return self._answer(request)
        except CryptokiError as error:
            raise Refused(error.code) from None
        except PKCS11Error as error:
            raise Refused(exception_code(error)) from None

    def _answer(self, request: wire.Request) -> wire.Response:
        match request:
            case wire.ListSlots():
                return wire.Slots(tuple(map(self._slot_record, self._list())))
            case wire.ReadToken(target=target):
                return wire.TokenRead(self._verified(target))
            case wire.ListMechanisms(target=target):
                self._open(target)
                return wire.Mechanisms(tuple(sorted(map(mechanism, self._slot(target).get_mechanisms()))))
            case wire.FindObjects():
                return wire.Objects(tuple(map(record_of, self._find(request))))
            case wire.Login():
                return self._login(request)
            case wire.ResetPin():
                return self._reset_pin(request)
            case wire.Sign():
                return self._sign(request)
            case wire.Logout():
                self.logout()
                return wire.Done()
            case wire.Look():
                return wire.Looked(self._slots_changed())

    def logout(self) -> None:
        """End the login, if there is one."""
        if not self.logged_in:
            return
        self._signing_keys.clear()
        self.logged_in = False
        if self._cryptoki.shared:
            self._cryptoki.logout(self._session.handle)
        else:
            self._close_session()

    # -- slots and tokens ---------------------------------------------------------------------------------------

    def _list(self) -> list[Any]:
        """All slots, with and without a token; asking makes the module look for new ones."""
        found = self._library.get_slots()
        self._slots = {slot.slot_id: slot for slot in found}
        return found

    def _slot(self, target: wire.Target) -> Any:
        if target.slot_id not in self._slots:
            self._list()
        try:
            return self._slots[target.slot_id]
        except KeyError:
            raise Refused("CKR_SLOT_ID_INVALID") from None

    def _slot_record(self, slot: Any) -> SlotRecord:
        token, trouble = None, ""
        try:
            token = self._cryptoki.token_info(slot.slot_id)
        except CryptokiError as error:
            trouble = "" if error.code == "CKR_TOKEN_NOT_PRESENT" else error.code
        return SlotRecord(
            slot_id=slot.slot_id,
            description=slot.slot_description,
            manufacturer=slot.manufacturer_id,
            flags=slot_flags(int(slot.flags)),
            hardware_version=_version(slot.hardware_version),
            firmware_version=_version(slot.firmware_version),
            token=token,
            trouble=trouble,
        )

    def _slots_changed(self) -> bool:
        changed = self._cryptoki.slot_changed()
        self._unsure = self._unsure or changed
        return changed

    def _verified(self, target: wire.Target) -> TokenRecord:
        """The token in the slot, read afresh, if it still is the one meant."""
        self._slots_changed()
        token = self._cryptoki.token_info(target.slot_id)
        if (token.serial, token.label) != (target.serial, target.label):
            raise Refused(Fault.SWAPPED, f"{token.label} [{token.serial}]")
        self._unsure = False
        return token

    def _open(self, target: wire.Target) -> Any:
        """The session with that token; opened once.

        A session ends with the token's presence (PKCS#11 v2.40 §5.6), and the module says when one came or went; only
        then is the token looked at again, which on a card costs an APDU.
        """
        self._slots_changed()
        if self._unsure or self._target != target:
            self._verified(target)
        if self._target != target:
            self._signing_keys.clear()
            self.logged_in = False
            self._session = self._slot(target).get_token().open(attribute_mapper=PlainValues())
            self._target = target
        return self._session

    # -- objects ------------------------------------------------------------------------------------------------

    def _find(self, request: wire.FindObjects) -> list[Any]:
        template: dict[Attribute, Any] = {}
        if request.id is not None:
            template[Attribute.ID] = request.id
        if request.object_class is not None:
            template[Attribute.CLASS] = ObjectClass[request.object_class.removeprefix("CKO_")]
        return list(self._open(request.target).get_objects(template))

    # -- the PIN and what needs it ------------------------------------------------------------------------------

    def _login(self, request: wire.Login) -> wire.Response:
        try:
            flags = pin_flags(self._verified(request.target).flags)
            if request.pin_flags is not None and flags != request.pin_flags:
                raise Refused(Fault.PIN_FLAGS_CHANGED, " ".join(flags))
            self._signing_keys.clear()
            if self._cryptoki.shared:
                session = self._open(request.target)
                try:
                    self._cryptoki.login(session.handle, request.pin)
                except CryptokiError as error:
                    raise Refused(error.code, sent=True) from None
            else:
                self._login_by_opening(request.target, request.pin)
        finally:
            wire.wipe(request.pin)
        self.logged_in = True
        return wire.Done()

    def _login_by_opening(self, target: wire.Target, pin: bytearray) -> None:
        token = self._slot(target).get_token()
        self.tainted = True
        given = pin.decode() if pin else PROTECTED_AUTH
        try:
            self._session = token.open(user_pin=given, attribute_mapper=PlainValues())
        except PKCS11Error as error:
            raise Refused(exception_code(error), sent=True) from None
        self._target = target

    def _reset_pin(self, request: wire.ResetPin) -> wire.Response:
        """C_Login as security officer and C_InitPIN (PKCS#11 v2.40 §5.5, §5.6) in a session of its own.

        OpenSC keeps the SO-PIN at C_Login and sends both PINs to a SmartCard-HSM at C_InitPIN: its refusal comes there.
        """
        try:
            self._verified(request.target)
            if not self._cryptoki.shared:
                raise Refused("CKR_FUNCTION_NOT_SUPPORTED")
            self._close_session()
            session = self._slot(request.target).get_token().open(rw=True)
            try:
                self._cryptoki.login(session.handle, request.so_pin, User.SO)
                self._cryptoki.init_pin(session.handle, request.new_pin)
                self._cryptoki.logout(session.handle)
            except CryptokiError as error:
                raise Refused(error.code, sent=True) from None
            finally:
                with contextlib.suppress(PKCS11Error):
                    session.close()
        finally:
            wire.wipe(request.so_pin)
            wire.wipe(request.new_pin)
        return wire.Done()

    def _close_session(self) -> None:
        """A security officer cannot log in beside a read-only session."""
        self.logout()
        session, self._session, self._target = self._session, None, None
        if session is not None:
            session.close()

    def _sign(self, request: wire.Sign) -> wire.Response:
        session = self._open(request.target)
        number = _MECHANISM_NUMBERS.get(request.mechanism)
        if number is None:
            raise Refused(Fault.MECHANISM_UNKNOWN, request.mechanism)
        key = self._signing_keys.get(request.key_id) or self._signing_key(session, request.key_id)
        try:
            return wire.Signature(key.sign(request.data, mechanism=Mechanism(number)))
        except PKCS11Error:
            self._signing_keys.clear()
            raise

    def _signing_key(self, session: Any, key_id: bytes) -> Any:
        keys = list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.ID: key_id}))
        if not keys:
            raise Refused(Fault.KEY_MISSING if self.logged_in else "CKR_USER_NOT_LOGGED_IN")
        if len(keys) > 1:
            raise Refused(Fault.KEY_DOUBLED, str(len(keys)))
        if not hasattr(keys[0], "sign"):
            raise Refused("CKR_KEY_FUNCTION_NOT_PERMITTED")
        self._signing_keys[key_id] = keys[0]
        return keys[0]


def _uses_pcsc() -> bool:
    """Whether a PC/SC client library is in this process."""
    with open("/proc/self/maps") as maps:  # noqa: PTH123 - pathlib alone would cost a fifth of start-up
        return "libpcsclite" in maps.read()


def _version(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
