"""A token of the site profile, as checks use it: typed answers, deadlines, and no surprise about the login."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final

import msgspec

from checks.evidence.slots import SlotInfo, TokenInfo
from checks.hsm import errors, wire
from checks.hsm.binding import Binding, Noticed
from checks.hsm.failures import judged, so_pin_error
from checks.hsm.keys import TokenKey, key_type_of, public_key_from_object
from checks.hsm.link import Link
from checks.hsm.place import Here, Place
from checks.hsm.records import ObjectRecord, SlotRecord, TokenRecord
from checks.hsm.selection import Wanted
from checks.hsm.there import Reached, There
from runbook.secrets import Redactor, Secret
from runbook.site import TokenProfile
from runbook.text import clean_line
from runbook.wiping import wipe

CALL_DEADLINE: Final = 10.0
"""Seconds for one call, unless it says otherwise."""

LOAD_DEADLINE: Final = 10.0
"""Seconds to start a worker and load the module."""

PAD_DEADLINE: Final = 60.0
"""Seconds to type the PIN on the reader's own pad; readers give up earlier by themselves."""

_LEAVE_DEADLINE: Final = 2.0
"""Seconds for the logout when a stage or the program ends."""


@dataclass(frozen=True, slots=True)
class Survey:
    """All slots, and which one holds the token meant, or why none does."""

    slots: tuple[SlotInfo, ...]
    selected: SlotInfo | None
    problem: errors.TokenError | None


class Token:
    """One token and its worker; operations are done one after another.

    Every operation raises a TokenError: TokenNotResponding when the deadline passed, WorkerCrashed when the worker
    ended, TokenRemoved when the token is gone, and so on. After any of these three the worker is replaced at the
    next call and the login is gone (`login_lost` says why). Nothing here ever sends a PIN a second time.
    """

    def __init__(
        self,
        name: str,
        profile: TokenProfile,
        redactor: Redactor,
        *,
        deadline: float = CALL_DEADLINE,
        loading: float = LOAD_DEADLINE,
    ) -> None:
        self.name = name
        self.profile = profile
        self.wanted = Wanted.from_profile(profile)
        self._far = There(self.where, profile, redactor) if profile.far else None
        self.place: Place = self._far or Here(profile.module, profile.env)
        self._link = Link(self.where, profile.module, self.place, redactor, deadline=deadline, loading=loading)
        self._lock = asyncio.Lock()
        self._binding = Binding(self._link, self.wanted, self.where)

    def reached(self, machine: Reached) -> None:
        """How the step at hand reaches the host that the token is on; nothing for a token of this machine."""
        if self._far:
            self._far.reached = machine

    @property
    def logged_in(self) -> bool:
        """Whether a login of ours holds, as far as is known without asking."""
        return self._link.logged_in

    @property
    def login_lost(self) -> str:
        """Why an earlier login is gone; empty when there was none or it still holds."""
        return self._link.login_lost

    @property
    def deadline(self) -> float:
        """Seconds for one call."""
        return self._link.deadline

    @deadline.setter
    def deadline(self, seconds: float) -> None:
        self._link.deadline = seconds

    @property
    def where(self) -> str:
        """The token's name in the site profile, for messages, and the host that it is on."""
        return f"token {self.name} on {self.profile.via}" if self.profile.far else f"token {self.name}"

    @property
    def module(self) -> str:
        """The module's path, and the host that it is on."""
        return self.profile.module + (f" on {self.profile.via}" if self.profile.far else "")

    @property
    def worker_pid(self) -> int | None:
        return self._link.worker.pid if self._link.worker else None

    # -- operations ---------------------------------------------------------------------------------------------

    async def slots(self) -> tuple[SlotInfo, ...]:
        """All slots of the module, read afresh."""
        async with self._lock:
            return tuple(map(_slot_info, await self._binding.list()))

    async def survey(self) -> Survey:
        """All slots, and the one meant among them; a token that is not there is no exception here."""
        async with self._lock:
            records = await self._binding.list()
            slots = tuple(map(_slot_info, records))
            try:
                record = await self._binding.bind(records)
            except errors.TokenError as problem:
                return Survey(slots, None, problem)
            return Survey(slots, _slot_info(record), None)

    async def select(self) -> SlotInfo:
        """Find the token meant afresh; within a stage it must be the device that it was before.

        Raises TokenSwapped, and what `selection.choose` raises.
        """
        async with self._lock:
            return _slot_info(await self._binding.bind_again(await self._binding.list()))

    async def info(self) -> TokenInfo:
        """The token's CK_TOKEN_INFO, read afresh: the flags about the PIN are those of now."""
        async with self._lock:
            answer = await self._link.call(wire.ReadToken(await self._binding.bound()), wire.TokenRead)
            return _token_info(answer.token)

    async def mechanisms(self) -> frozenset[str]:
        """Names such as `CKM_ECDSA`."""
        async with self._lock:
            return frozenset(
                (await self._link.call(wire.ListMechanisms(await self._binding.bound()), wire.Mechanisms)).names
            )

    async def objects(self, key_id: bytes | None = None, object_class: str | None = None) -> tuple[ObjectRecord, ...]:
        """Objects with that CKA_ID and class (`CKO_PUBLIC_KEY`), in no particular order; None: any."""
        async with self._lock:
            request = wire.FindObjects(await self._binding.bound(), key_id, object_class)
            return (await self._link.call(request, wire.Objects)).objects

    async def public_key(self, key_id: bytes) -> TokenKey:
        """The public key of that CKA_ID. Raises KeyMissing, KeyDoubled, WrongKeyType."""
        found = await self.objects(key_id, "CKO_PUBLIC_KEY")
        if not found:
            there = sorted({record.id.hex() for record in await self.objects(None, "CKO_PUBLIC_KEY")})
            listed = f"the ids there are {', '.join(there)}" if there else "no public key is there at all"
            raise errors.KeyMissing(f"there is no public key {key_id.hex()}; {listed}", where=self.where)
        if len(found) > 1:
            raise errors.KeyDoubled(f"{len(found)} public keys have the id {key_id.hex()}", where=self.where)
        key = public_key_from_object(found[0])
        return TokenKey(key, key_type_of(found[0]), key_id.hex(), clean_line(found[0].label))

    async def login(self, pin: Secret | None, pin_flags: tuple[str, ...] | None = None) -> None:
        """One attempt with the user PIN; checks go through `guard.login` instead.

        Without a PIN it is typed on the reader's own pad. Where `pin_flags` (as `cryptoki_names.pin_flags` gives them)
        are not those of the token now, nothing is sent and PinChanged is raised. Raises PinIncorrect, PinLocked,
        PinLength, PinNotSet; LoginInDoubt when the answer never came.
        """
        async with self._lock:
            request = wire.Login(await self._binding.bound(), bytearray(pin.reveal() if pin else b""), pin_flags)
            try:
                await self._link.call(request, wire.Done, deadline=None if pin else PAD_DEADLINE)
            except errors.TokenError as error:
                if judged(error):
                    raise
                raise errors.LoginInDoubt(
                    f"the PIN was sent and the token's verdict never came ({error.what})", where=self.where
                ) from None
            finally:
                wipe(request.pin)
            self._link.logged_in, self._link.login_lost = True, ""

    async def reset_pin(self, so_pin: Secret, new_pin: Secret) -> None:
        """One attempt with the SO-PIN to set a new user PIN; checks go through `recovery.reset` instead.

        Ends the login. Raises SoPinIncorrect, SoPinLocked; PinResetInDoubt when the answer never came.
        """
        async with self._lock:
            target = await self._binding.bound()
            request = wire.ResetPin(target, bytearray(so_pin.reveal()), bytearray(new_pin.reveal()))
            self._link.logged_in = False
            try:
                await self._link.call(request, wire.Done)
            except errors.TokenError as error:
                raise so_pin_error(error) from None
            finally:
                wipe(request.so_pin)
                wipe(request.new_pin)

    async def sign(self, key_id: bytes, mechanism: str, data: bytes) -> bytes:
        """Sign with the private key of that CKA_ID; `mechanism` is a name such as `CKM_ECDSA`.

        ECDSA gives r‖s, each as long as the curve's order (PKCS#11 v2.40 §2.3.1).
        """
        async with self._lock:
            request = wire.Sign(await self._binding.bound(), key_id, mechanism, data)
            sent = await self._link.send(request)
        return (await self._link.answer(*sent, "Sign", wire.Signature)).value

    async def look(self) -> Noticed | None:
        """Whether the token came, went or was swapped since the last look; None: nothing new, or it is in use.

        Asks the module for slot events, which touches no card and disturbs no login; never raises a TokenError. No
        host is connected to for this.
        """
        if not self._binding.watched or self._lock.locked() or (self._far and not self._link.alive):
            return None
        async with self._lock:
            with self._far.at_rest() if self._far else contextlib.nullcontext():
                return await self._binding.look()

    async def logout(self) -> None:
        """End the login, if there is one."""
        async with self._lock:
            logged_in, self._link.logged_in = self._link.logged_in, False
            if logged_in and self._link.alive:
                await self._link.call(wire.Logout(), wire.Done)

    async def end_stage(self) -> None:
        """Log out and forget which device was meant; never raises a TokenError."""
        try:
            async with asyncio.timeout(_LEAVE_DEADLINE):
                await self.logout()
        except (TimeoutError, errors.TokenError):
            await self._link.retire(self._link.worker, "")
        self._binding.forget()
        self._link.login_lost = ""

    async def close(self) -> None:
        """Log out and end the worker; bounded, never raises."""
        await self.end_stage()
        await self._link.close()


def _slot_info(record: SlotRecord) -> SlotInfo:
    token = None if record.token is None else _token_info(record.token)
    return SlotInfo(
        slot_id=record.slot_id,
        description=record.description,
        manufacturer=record.manufacturer,
        flags=record.flags,
        hardware_version=record.hardware_version,
        firmware_version=record.firmware_version,
        token=token,
    )


def _token_info(record: TokenRecord) -> TokenInfo:
    return TokenInfo(**msgspec.structs.asdict(record))
