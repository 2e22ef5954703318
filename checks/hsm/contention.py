"""Why a token cannot be reached: no reader, no service, no permission, or another program that holds it.

Asked only after something failed; the answer is as good as what the token's host shows (playbook, day 2: the
host's pcscd and the one in the CA's container compete for the same USB device).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from checks.hsm import errors, holders, pcsc
from checks.hsm.holders import Holder
from runbook.text import clean_line

USUAL_SOCKET: Final = "/run/pcscd/pcscd.comm"

_DEADLINE: Final = 2.0
"""Seconds for the whole look; a failure that took its own deadline is not told much later."""

_NOTICE: Final = 0.6
"""Seconds in which pcscd notices that a card was pulled; it looks every 0.4."""

_NAMED: Final = 5
"""Programs that are named; more are only counted."""

_UNNAMED: Final = frozenset({"CKR_DEVICE_ERROR", "CKR_FUNCTION_FAILED", "CKR_GENERAL_ERROR"})
"""What modules say where another program is in the way (OpenSC: the first)."""


_SILENT: Final = (errors.TokenNotResponding, errors.ModuleNotResponding)
_ABSENT: Final = (errors.NoToken, errors.TokenRemoved, errors.TokenNotRecognised)


class Scene(Protocol):
    """What the machine that a token is on shows of PC/SC and of whoever uses it."""

    socket: str
    """Where pcscd listens; empty: the usual place."""

    async def service(self) -> pcsc.Service | None:
        """None where no answer comes in time."""
        ...

    async def clients(self) -> list[Holder]:
        """Programs that use PC/SC, without ours."""
        ...

    async def dongles(self) -> Sequence[tuple[str, list[Holder]]]:
        """The known ones on the USB bus, with those that have them open."""
        ...

    async def services(self) -> list[Holder]:
        """Every pcscd, also those of containers."""
        ...


class SceneHere:
    """This machine."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.socket = env.get("PCSCLITE_CSOCK_NAME", "")
        self._env = env

    async def service(self) -> pcsc.Service | None:
        return await pcsc.ask(self._env, deadline=_DEADLINE)

    async def clients(self) -> list[Holder]:
        return await asyncio.to_thread(holders.clients, self.socket)

    async def dongles(self) -> Sequence[tuple[str, list[Holder]]]:
        return await asyncio.to_thread(holders.usb_holders)

    async def services(self) -> list[Holder]:
        return await asyncio.to_thread(holders.services)


def may_have_a_cause(error: errors.TokenError) -> bool:
    """Whether this is what a token looks like that something stands in front of."""
    return isinstance(error, (*_SILENT, *_ABSENT)) or error.code in _UNNAMED


async def explained(error: errors.TokenError, scene: Scene) -> errors.TokenError:
    """A better error where the host shows the cause; otherwise the same one, perhaps with a line about who is there."""
    service = await scene.service() if may_have_a_cause(error) else None
    if service is None:
        return error
    if isinstance(error, _SILENT):
        await _with_company(error, service, scene)
        return error
    if service.state == "refused":
        what = "pcscd refuses this user (polkit); no reader can be seen"
        return errors.ReaderRefused(what, where=error.where, code=error.code)
    if service.state == "missing":
        place = scene.socket or USUAL_SOCKET
        return await _missing(f"pcscd does not answer at {clean_line(place)}", error, scene, await scene.services())
    if not service.readers:
        elsewhere = [rival for rival in await scene.services() if rival.place]
        return await _missing("pcscd runs and sees no card reader", error, scene, elsewhere)
    held = [reader.name for reader in service.readers if reader.exclusive]
    if held and not isinstance(error, errors.TokenRemoved):
        what = f"another program holds the card in `{clean_line(held[0])}` for itself{await _programs(scene)}"
        return errors.TokenBusy(what, where=error.where, code=error.code)
    if error.code in _UNNAMED and await _left(scene, service):
        what = f"the card has left its reader ({error.what})"
        return errors.TokenRemoved(what, where=error.where, code=error.code)
    await _with_company(error, service, scene)
    return error


async def _left(scene: Scene, service: pcsc.Service) -> bool:
    """Whether no reader holds a card; a command to one just pulled fails before pcscd has noticed."""
    if any(reader.present for reader in service.readers):
        await asyncio.sleep(_NOTICE)
        later = await scene.service()
        service = later or service
    return not any(reader.present for reader in service.readers)


async def _missing(what: str, error: errors.TokenError, scene: Scene, services: list[Holder]) -> errors.TokenError:
    """No reader; the dongle may be plugged in all the same, and held by somebody else's pcscd."""
    dongles = await scene.dongles()
    taken = [f"{name} is held by {_listed(found)}" for name, found in dongles if found]
    if taken:
        return errors.TokenBusy(f"{what}, and the {'; the '.join(taken)}", where=error.where, code=error.code)
    there = [f"a {name} is on the USB bus" for name, _ in dongles]
    others = [f"another service may hold it: {_listed(services)}"] if services else []
    return errors.ReaderMissing("; ".join([what, *there, *others]), where=error.where, code=error.code)


async def _with_company(error: errors.TokenError, service: pcsc.Service, scene: Scene) -> None:
    """A card in a transaction of another program makes every call wait, which looks like a silent card."""
    if any(reader.in_use or reader.exclusive for reader in service.readers):
        error.what += await _programs(scene)


async def _programs(scene: Scene) -> str:
    found = await scene.clients()
    return f". Programs that use PC/SC now: {_listed(found)}" if found else ""


def _listed(found: list[Holder]) -> str:
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(map(str, found[:_NAMED])) + more
