"""The PC/SC service (pcscd) and its readers; no card is touched."""

from __future__ import annotations

from typing import Final

from checks.doctor.finding import Finding, State
from checks.hsm import pcsc
from runbook.site import Site
from runbook.text import clean_line

SOCKET: Final = "PCSCLITE_CSOCK_NAME"
"""The variable by which a module finds another pcscd than the usual one."""

_DEADLINE: Final = 10.0


async def pcscd(site: Site | None, *, needed: bool) -> tuple[Finding, ...]:
    """Every pcscd that a token of the site profile uses; `needed`: one of these tokens found no reader."""
    here = [profile for profile in site.tokens.values() if not profile.far] if site else []
    if site is not None and not here:
        return (Finding(State.OK, "pcscd", "not needed: no token of the site profile is in this machine"),)
    sockets = dict.fromkeys(profile.env.get(SOCKET, "") for profile in here) or {"": None}
    return tuple([await _one(socket, needed=needed) for socket in sockets])


async def _one(socket: str, *, needed: bool) -> Finding:
    service = await pcsc.ask({SOCKET: socket} if socket else {}, deadline=_DEADLINE)
    place = f" at {clean_line(socket)}" if socket else ""
    if service is None:
        found = f"the PC/SC library gave no answer{place}"
        return Finding(_lacking(needed), "pcscd", found, "Install it: apt-get install pcscd libpcsclite1")
    if service.state == "refused":
        found = f"it refuses this account{place} (polkit)"
        state = State.WRONG if needed else State.WARNING
        return Finding(state, "pcscd", found, "Allow the account org.debian.pcsc-lite.access_pcsc and access_card.")
    if service.state != "running":
        unneeded = "" if needed else "; cards and dongles need it, software tokens do not"
        found = f"it does not answer{place}{unneeded}"
        return Finding(_lacking(needed), "pcscd", found, "Start it: systemctl start pcscd.socket (package pcscd)")
    if not service.readers:
        return Finding(_lacking(needed), "pcscd", f"it runs{place} and sees no reader", "Plug the token in.")
    names = ", ".join(f"{clean_line(reader.name, 80)} ({_card(reader)})" for reader in service.readers)
    return Finding(State.OK, "pcscd", f"it runs{place} and sees {names}")


def _lacking(needed: bool) -> State:
    return State.MISSING if needed else State.WARNING


def _card(reader: pcsc.Reader) -> str:
    if not reader.present:
        return "no card"
    return "card, held by a program alone" if reader.exclusive else "card"
