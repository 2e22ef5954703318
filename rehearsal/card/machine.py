"""The card as the reader meets it: power, APDUs, faults, and what it can tell of itself."""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path

from rehearsal.card import applet, files, pkcs15
from rehearsal.card.apdu import SW, Refused, parse_command
from rehearsal.card.faults import Fault, FaultKind, FaultPlan, PadEntry, PinCheckFault, spoil
from rehearsal.card.session import Session
from rehearsal.card.state import StateFile
from rehearsal.card.status import CardStatus

_LOG_LENGTH = 10_000


class Pulled(Exception):
    """The card left the reader in the middle of a command."""


class Silence(Exception):
    """The card will not answer this command."""


class Machine:
    """One card and its state file. Close it when done.

    Commands run in a thread, one at a time: writing to disk and making keys must not keep the control waiting.
    """

    def __init__(self, state: Path) -> None:
        self.faults = FaultPlan()
        self._power_ups = 0
        self._apdus = 0
        self._log: deque[str] = deque(maxlen=_LOG_LENGTH)
        self._busy = asyncio.Lock()
        self._card = self._power_on(StateFile(state))

    async def swap(self, state: Path) -> None:
        """Become another card, once the command at hand is done; raises CardStateUnusable and stays this one then."""
        async with self._busy:
            if state == self._card.file.path:
                return
            other = StateFile(state)
            self._card.file.close()
            self._card = self._power_on(other)

    def close(self) -> None:
        """Let another process have the state file."""
        self._card.file.close()

    def reset(self, *, powered: bool) -> None:
        """Power on or off, or a reset: the login is gone."""
        self._power_ups += powered
        self._card.reset()

    @property
    def answer_to_reset(self) -> bytes:
        """What the card says of itself when it is powered (ISO 7816-3 §8)."""
        return applet.FOREIGN_ATR if self._card.state.foreign else applet.ATR

    async def answer(self, raw: bytes) -> bytes:
        """The answer to one APDU, after the delay and with its fault; raises Pulled or Silence."""
        async with self._busy:
            self._apdus += 1
            name = _name(raw)
            fault = self.faults.next(name)
            try:
                response = await self._response(raw, fault)
                if self.faults.delay:
                    await asyncio.sleep(self.faults.delay)
            except (Pulled, Silence) as lost:
                self._log.append(f"{name} -> {lost}")
                raise
            self._log.append(f"{name} -> {response[-2:].hex().upper()}")
            return response

    def status(self, *, inserted: bool, connected: bool) -> CardStatus:
        """What the card knows of itself, its counters as they are on disk; asking changes nothing."""
        state = self._card.file.on_disk
        user, so = state.user_pin, state.so_pin
        return CardStatus(
            serial=state.serial,
            label=pkcs15.label_of(state.files.get(files.name(files.TOKEN_INFO))),
            inserted=inserted,
            connected=connected,
            power_ups=self._power_ups,
            verified=self._card.verified,
            apdus=self._apdus,
            user_tries=user.tries if user else None,
            user_checks=user.checks if user else 0,
            so_tries=so.tries if so else None,
            so_checks=so.checks if so else 0,
            log=list(self._log),
        )

    async def _response(self, raw: bytes, fault: Fault | None) -> bytes:
        if fault and not fault.carried_out:
            response = SW.UNKNOWN_FAILURE.to_bytes(2)
        else:
            response = await asyncio.to_thread(_carried_out, self._card, raw)
        if fault is None:
            return response
        if fault.kind is FaultKind.PULL:
            raise Pulled("pulled")
        if fault.kind is FaultKind.SILENT:
            raise Silence("silent")
        if fault.kind is FaultKind.HOLD:
            await self.faults.hold()
            return response
        return spoil(fault, response)

    def _power_on(self, file: StateFile) -> Session:
        return Session(file, spent=self._spent, typed=lambda: self.faults.pad is PadEntry.RIGHT)

    def _spent(self) -> None:
        match self.faults.take_pin_check():
            case PinCheckFault.POWER_LOSS:
                raise Pulled("pulled when the try was spent")
            case PinCheckFault.SILENT:
                raise Silence("silent when the try was spent")


def _name(raw: bytes) -> str:
    try:
        return applet.describe(parse_command(raw))
    except Refused:
        return "MALFORMED"


def _carried_out(card: Session, raw: bytes) -> bytes:
    try:
        return applet.answer(card, parse_command(raw)).encode()
    except Refused as refused:
        return refused.status.to_bytes(2)
