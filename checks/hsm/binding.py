"""Which slot holds the token meant, and whether it is still the device that it was (design §5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from checks.hsm import errors, wire
from checks.hsm.link import Link
from checks.hsm.process import WorkerProcess
from checks.hsm.records import SlotRecord
from checks.hsm.selection import Wanted, choose, token_name
from runbook.text import clean_line

_PRESENT: Final = "present"


@dataclass(frozen=True, slots=True)
class Noticed:
    """What became of a token while nobody asked it anything."""

    state: str
    """`removed`, `inserted` or `swapped`."""
    detail: str = ""


class Binding:
    """The device that a name of the site profile stands for, from its first use to the end of the stage."""

    def __init__(self, link: Link, wanted: Wanted, where: str) -> None:
        self._link = link
        self._wanted = wanted
        self._where = where
        self._identity: tuple[str, str] | None = None
        self._seen = _PRESENT
        self._looked_at: WorkerProcess | None = None
        self._blind = False
        """Whether a look failed; the next use of the token ends that."""

    @property
    def watched(self) -> bool:
        """Whether there is a device to look after."""
        return self._identity is not None and not self._blind

    def forget(self) -> None:
        """The stage has ended: whatever fits next is the device meant."""
        self._identity = self._link.target = self._looked_at = None
        self._seen = _PRESENT

    async def list(self) -> tuple[SlotRecord, ...]:
        """All slots, read afresh."""
        return (await self._link.call(wire.ListSlots(), wire.Slots)).slots

    async def bound(self) -> wire.Target:
        """The token meant; looked for again after a worker was replaced, and then it must be the same device."""
        await self._link.running()
        if self._link.target is None:
            await self.bind_again(await self.list())
        assert self._link.target is not None  # noqa: S101 - bind sets it or raises
        return self._link.target

    async def bind_again(self, records: Sequence[SlotRecord]) -> SlotRecord:
        """As `bind`; raises TokenSwapped where another device answers to the same label now."""
        before = self._identity
        slot = await self.bind(records)
        if before and before != self._identity:
            found, self._identity, self._link.target = self._identity, before, None
            raise errors.TokenSwapped(
                f"another token is there now: {clean_line(str(found))} instead of {clean_line(str(before))}",
                where=self._where,
            )
        return slot

    async def bind(self, records: Sequence[SlotRecord]) -> SlotRecord:
        """Take the one that fits as the device meant. Raises what `selection.choose` raises, or why it is not seen."""
        self._link.target = None
        try:
            slot = choose(records, self._wanted)
        except errors.TokenError as error:
            error.where = error.where or self._where
            if isinstance(error, errors.NoToken):  # after a restart of pcscd OpenSC may see no token for good
                await self._link.retire(self._link.worker, "the token was gone and its worker was replaced")
            raise await self._link.explained(error) from None
        assert slot.token is not None  # noqa: S101 - choose returns slots with a token
        self._link.target = wire.Target(slot.slot_id, slot.token.serial, slot.token.label)
        self._identity = (slot.token.label, slot.token.serial)
        self._blind = False
        return slot

    async def look(self) -> Noticed | None:
        """What became of the device since the last look; None: nothing new. Never raises a TokenError."""
        try:
            return await self._news()
        except errors.TokenError:
            self._blind = True
            return None

    async def _news(self) -> Noticed | None:
        worker = await self._link.running()
        new, self._looked_at = worker is not self._looked_at, worker
        changed = (await self._link.call(wire.Look(), wire.Looked)).changed
        if not (changed or new):
            return None
        state, detail = self._state_in(await self.list())
        if state in ("", self._seen):
            return None
        self._seen = state
        if state == _PRESENT:
            return Noticed("inserted")
        await self._link.retire(self._link.worker, f"the token was {state}")
        return Noticed(state, detail)

    def _state_in(self, records: Sequence[SlotRecord]) -> tuple[str, str]:
        """Where the device meant is now, and what is there instead; empty where that cannot be said."""
        try:
            found = choose(records, self._wanted).token
        except errors.NoToken:
            return "removed", ""
        except (errors.WrongSerial, errors.WrongLabel, errors.OtherToken, errors.TokenNotInitialised) as error:
            return "swapped", error.what
        except errors.TokenError:
            return "", ""
        if found is None or self._identity == (found.label, found.serial):
            return _PRESENT, ""
        return "swapped", token_name(found)
