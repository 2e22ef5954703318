"""Why a token cannot be reached: no reader, no service, no permission, or another program that holds it.

Asked only after something failed; the answer is as good as what this host can see (playbook, day 2: the host's pcscd
and the one in the CA's container compete for the same USB device).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from checks.hsm import errors, holders, pcsc
from runbook.text import clean_line

_DEADLINE: Final = 2.0
"""Seconds for the whole look; a failure that took its own deadline is not told much later."""

_NOTICE: Final = 0.6
"""Seconds in which pcscd notices that a card was pulled; it looks every 0.4."""

_NAMED: Final = 5
"""Programs that are named; more are only counted."""

_UNNAMED: Final = frozenset({"CKR_DEVICE_ERROR", "CKR_FUNCTION_FAILED", "CKR_GENERAL_ERROR"})
"""What modules say where another program is in the way (OpenSC: the first)."""


async def explained(error: errors.TokenError, env: Mapping[str, str]) -> errors.TokenError:
    """A better error where the host shows the cause; otherwise the same one, perhaps with a line about who is there."""
    hung = isinstance(error, errors.TokenNotResponding | errors.ModuleNotResponding)
    absent = isinstance(error, errors.NoToken | errors.TokenRemoved | errors.TokenNotRecognised)
    if not (hung or absent or error.code in _UNNAMED):
        return error
    socket = env.get("PCSCLITE_CSOCK_NAME", "")
    service = await pcsc.ask(env, deadline=_DEADLINE)
    if service is None:
        return error
    if hung:
        await _with_company(error, service, socket)
        return error
    if service.state == "refused":
        what = "pcscd refuses this user (polkit); no reader can be seen"
        return errors.ReaderRefused(what, where=error.where, code=error.code)
    if service.state == "missing":
        place = socket or "/run/pcscd/pcscd.comm"
        return await _missing(f"pcscd does not answer at {clean_line(place)}", error, holders.services)
    if not service.readers:
        return await _missing("pcscd runs and sees no card reader", error, _elsewhere)
    held = [reader.name for reader in service.readers if reader.exclusive]
    if held and not isinstance(error, errors.TokenRemoved):
        what = f"another program holds the card in `{clean_line(held[0])}` for itself{await _programs(socket)}"
        return errors.TokenBusy(what, where=error.where, code=error.code)
    if error.code in _UNNAMED and await _left(env, service):
        what = f"the card has left its reader ({error.what})"
        return errors.TokenRemoved(what, where=error.where, code=error.code)
    return error


async def _left(env: Mapping[str, str], service: pcsc.Service) -> bool:
    """Whether no reader holds a card; a command to one just pulled fails before pcscd has noticed."""
    if any(reader.present for reader in service.readers):
        await asyncio.sleep(_NOTICE)
        later = await pcsc.ask(env, deadline=_DEADLINE)
        service = later or service
    return not any(reader.present for reader in service.readers)


async def _missing(
    what: str, error: errors.TokenError, rivals: Callable[[], list[holders.Holder]]
) -> errors.TokenError:
    """No reader; the dongle may be plugged in all the same, and held by somebody else's pcscd."""
    dongles, services = await asyncio.to_thread(lambda: (holders.usb_holders(), rivals()))
    taken = [f"{name} is held by {_listed(found)}" for name, found in dongles if found]
    if taken:
        return errors.TokenBusy(f"{what}, and the {'; the '.join(taken)}", where=error.where, code=error.code)
    there = [f"a {name} is on the USB bus" for name, _ in dongles]
    others = [f"another service may hold it: {_listed(services)}"] if services else []
    return errors.ReaderMissing("; ".join([what, *there, *others]), where=error.where, code=error.code)


async def _with_company(error: errors.TokenError, service: pcsc.Service, socket: str) -> None:
    """A card in a transaction of another program makes every call wait, which looks like a silent card."""
    if any(reader.in_use or reader.exclusive for reader in service.readers):
        error.what += await _programs(socket)


async def _programs(socket: str) -> str:
    found = await asyncio.to_thread(holders.clients, socket)
    return f". Programs that use PC/SC now: {_listed(found)}" if found else ""


def _elsewhere() -> list[holders.Holder]:
    """The services of containers, where this host's own runs too."""
    return [service for service in holders.services() if service.place]


def _listed(found: list[holders.Holder]) -> str:
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(map(str, found[:_NAMED])) + more
