"""The worker's side of a token: one module, one session, one operation at a time."""

from __future__ import annotations

import contextlib
import os
from typing import Final

from checks.hsm import attributes, cryptoki_objects, wire
from checks.hsm.cryptoki import Cryptoki, CryptokiError, NoModule, User
from checks.hsm.cryptoki_names import MECHANISMS, mechanism, pin_flags
from checks.hsm.records import ObjectRecord, TokenRecord
from checks.hsm.wire import Fault
from runbook.wiping import wipe

_MECHANISM_NUMBERS: Final = {name: number for number, name in MECHANISMS.items()}


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
            self._module = Cryptoki(module)
            self._info = self._module.info()
        except NoModule as error:
            raise Refused(Fault.NOT_PKCS11, str(error)) from None
        except CryptokiError as error:
            raise Refused(error.code) from None
        self._unsure = True
        """Whether a token came or went since the one meant was last looked at."""
        self._seen: wire.Target | None = None
        """The token that was looked at last, and was the one meant."""
        self._target: wire.Target | None = None
        """The token that the session is with."""
        self._session: int | None = None
        self.logged_in = False
        self._signing_keys: dict[bytes, int] = {}
        self._mechanisms: tuple[str, ...] = ()

    @property
    def greeting(self) -> wire.Ready:
        """CK_INFO."""
        return wire.Ready(*self._info, _uses_pcsc())

    def answer(self, request: wire.Request) -> wire.Response:
        """Do it. Raises Refused."""
        try:
            return self._answer(request)
        except CryptokiError as error:
            raise Refused(error.code) from None

    def _answer(self, request: wire.Request) -> wire.Response:
        match request:
            case wire.ListSlots():
                return wire.Slots(tuple(map(self._module.slot, self._module.slots())))
            case wire.ReadToken(target=target):
                return wire.TokenRead(self._verified(target))
            case wire.ListMechanisms(target=target):
                self._open(target)
                return wire.Mechanisms(self._offered())
            case wire.FindObjects():
                return wire.Objects(tuple(self._objects(request)))
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
        if self._session is not None:
            self._module.logout(self._session)

    # -- the token ----------------------------------------------------------------------------------------------

    def _slots_changed(self) -> bool:
        changed = self._module.slot_changed()
        self._unsure = self._unsure or changed
        return changed

    def _offered(self) -> tuple[str, ...]:
        """The mechanisms of the token that is open; they are the same as long as it is."""
        if not self._mechanisms and self._target:
            numbers = self._module.mechanisms(self._target.slot_id)
            self._mechanisms = tuple(sorted(map(mechanism, numbers)))
        return self._mechanisms

    def _verified(self, target: wire.Target) -> TokenRecord:
        """The token in the slot, read afresh, if it still is the one meant."""
        self._slots_changed()
        return self._read(target)

    def _read(self, target: wire.Target) -> TokenRecord:
        self._seen = None
        token = self._module.token_info(target.slot_id)
        if (token.serial, token.label) != (target.serial, target.label):
            raise Refused(Fault.SWAPPED, f"{token.label} [{token.serial}]")
        self._unsure, self._seen = False, target
        return token

    def _open(self, target: wire.Target) -> int:
        """The session with that token; opened once.

        A session ends with the token's presence (PKCS#11 v2.40 §5.6), and the module says when one came or went; only
        then is the token looked at again, which on a card costs an APDU.
        """
        self._slots_changed()
        if self._unsure or self._seen != target:
            self._read(target)
        if self._session is None or self._target != target:
            self._signing_keys.clear()
            self._mechanisms = ()
            self.logged_in = False
            self._session = self._module.open_session(target.slot_id)
            self._target = target
        return self._session

    # -- objects ------------------------------------------------------------------------------------------------

    def _objects(self, request: wire.FindObjects) -> list[ObjectRecord]:
        session = self._open(request.target)
        found = self._find(session, request.id, request.object_class)
        return [attributes.record_of(self._module, session, handle) for handle in found]

    def _find(self, session: int, key_id: bytes | None, object_class: str | None) -> list[int]:
        template: dict[int, bytes] = {}
        if key_id is not None:
            template[attributes.ID] = key_id
        if object_class is not None:
            template[attributes.CLASS] = attributes.number(attributes.CLASS_NUMBERS[object_class])
        return cryptoki_objects.find(self._module, session, template)

    # -- the PIN and what needs it ------------------------------------------------------------------------------

    def _login(self, request: wire.Login) -> wire.Response:
        try:
            flags = pin_flags(self._verified(request.target).flags)
            if request.pin_flags is not None and flags != request.pin_flags:
                raise Refused(Fault.PIN_FLAGS_CHANGED, " ".join(flags))
            self._signing_keys.clear()
            session = self._open(request.target)
            try:
                self._module.login(session, request.pin)
            except CryptokiError as error:
                raise Refused(error.code, sent=True) from None
        finally:
            wipe(request.pin)
        self.logged_in = True
        return wire.Done()

    def _reset_pin(self, request: wire.ResetPin) -> wire.Response:
        """C_Login as security officer and C_InitPIN (PKCS#11 v2.40 §5.5, §5.6) in a session of its own.

        OpenSC keeps the SO-PIN at C_Login and sends both PINs to a SmartCard-HSM at C_InitPIN: its refusal comes there.
        """
        try:
            self._verified(request.target)
            self._close_session()
            session = self._module.open_session(request.target.slot_id, rw=True)
            try:
                self._module.login(session, request.so_pin, User.SO)
                self._module.init_pin(session, request.new_pin)
                self._module.logout(session)
            except CryptokiError as error:
                raise Refused(error.code, sent=True) from None
            finally:
                with contextlib.suppress(CryptokiError):
                    self._module.close_session(session)
        finally:
            wipe(request.so_pin)
            wipe(request.new_pin)
        return wire.Done()

    def _close_session(self) -> None:
        """A security officer cannot log in beside a read-only session."""
        self.logout()
        session, self._session, self._target = self._session, None, None
        if session is not None:
            self._module.close_session(session)

    def _sign(self, request: wire.Sign) -> wire.Response:
        session = self._open(request.target)
        number = _MECHANISM_NUMBERS.get(request.mechanism)
        if number is None:
            raise Refused(Fault.MECHANISM_UNKNOWN, request.mechanism)
        key = self._signing_keys.get(request.key_id)
        try:
            if key is None:
                key = self._signing_key(session, request.key_id)
            return wire.Signature(cryptoki_objects.sign(self._module, session, key, number, request.data))
        except CryptokiError:
            self._signing_keys.clear()
            raise

    def _signing_key(self, session: int, key_id: bytes) -> int:
        keys = self._find(session, key_id, "CKO_PRIVATE_KEY")
        if not keys:
            raise Refused(Fault.KEY_MISSING if self.logged_in else "CKR_USER_NOT_LOGGED_IN")
        if len(keys) > 1:
            raise Refused(Fault.KEY_DOUBLED, str(len(keys)))
        self._signing_keys[key_id] = keys[0]
        return keys[0]


def _uses_pcsc() -> bool:
    """Whether a PC/SC client library is in this process."""
    with open("/proc/self/maps") as maps:  # noqa: PTH123 - pathlib alone would cost a fifth of start-up
        return "libpcsclite" in maps.read()
