"""PKCS#11 modules and the tokens they show; nothing is logged in to and no PIN is asked for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from checks.doctor.finding import Finding, State
from checks.evidence.slots import SlotInfo, TokenInfo
from checks.hsm.pool import TokenPool
from checks.hsm.there import client_module
from checks.hsm.token import Token
from runbook.errors import RunbookError, StepError
from runbook.findable import opensc_module
from runbook.secrets import Redactor
from runbook.site import Site, TokenProfile

_NOT_THERE: Final = frozenset({"module missing", "no token", "reader missing"})
_READERS: Final = frozenset({"reader missing", "reader refused", "module not responding"})
"""Symptoms of a token that PC/SC is needed for."""

_LOCKED: Final = "CKF_USER_PIN_LOCKED"
_PIN_SET: Final = "CKF_USER_PIN_INITIALIZED"


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found of a site's tokens."""

    findings: tuple[Finding, ...]
    wants_reader: bool = False
    """A token was not reached since there was no reader for it."""


async def tokens(site: Site | None) -> Seen:
    """The tokens of the site profile; without one, what OpenSC sees here."""
    if site is None:
        return Seen((await _opensc(),))
    if not site.tokens:
        return Seen((Finding(State.OK, "tokens", "the site profile names none"),))
    pool = TokenPool(site, Redactor())
    try:
        seen = await asyncio.gather(*(_token(pool, name, profile) for name, profile in site.tokens.items()))
    finally:
        await pool.close()
    return Seen(tuple(one for one, _ in seen), any(wants for _, wants in seen))


async def _token(pool: TokenPool, name: str, profile: TokenProfile) -> tuple[Finding, bool]:
    title = f"token {name}"
    if profile.far:
        return await _far(title, profile), False
    try:
        survey = await pool.token(name).survey()
    except RunbookError as error:
        return _trouble(title, error, ()), getattr(error, "symptom", "") in _READERS
    if survey.selected is None or survey.selected.token is None:
        problem = survey.problem or StepError("the token is not there", symptom="no token")
        return _trouble(title, problem, survey.slots), problem.symptom in _READERS
    return judged(title, survey.selected.token, profile.module), False


async def _far(title: str, profile: TokenProfile) -> Finding:
    """It is not connected to: that may ask for passwords."""
    client = await asyncio.to_thread(client_module)
    if client is None:
        found = f"it is on {profile.via}, and p11-kit's client module, which reaches it, is not on this machine"
        return Finding(State.MISSING, title, found, "Install it here: apt-get install p11-kit-modules p11-kit")
    return Finding(State.OK, title, f"it is on {profile.via}, where a run looks at it, through {client}")


def _trouble(title: str, error: RunbookError, slots: tuple[SlotInfo, ...]) -> Finding:
    state = State.MISSING if getattr(error, "symptom", "") in _NOT_THERE else State.WRONG
    others = [slot.token.name for slot in slots if slot.token and slot.token.initialised]
    beside = f" (seen: {', '.join(others)})" if others and not any(other in error.what for other in others) else ""
    return Finding(state, title, error.what + beside, error.remedy)


def judged(title: str, token: TokenInfo, module: str) -> Finding:
    """The token that is meant, by its flags about PINs (PKCS#11 v2.40 §3.2)."""
    flags = [flag for flag in token.flags if "_PIN_" in flag]
    found = f"{token.name} through {module}; PIN flags: {' '.join(flags) or 'none'}"
    if _LOCKED in flags:
        return Finding(State.WRONG, title, found, "The user PIN is locked; step A3.unlock resets it with the SO-PIN.")
    if _PIN_SET not in flags:
        return Finding(State.WRONG, title, found, "The token has no user PIN; set one before the cutover.")
    if len(flags) > 1:
        return Finding(
            State.WARNING, title, found, "Attempts were spent, or a PIN waits to be changed: look before one is typed."
        )
    return Finding(State.OK, title, found)


async def _opensc() -> Finding:
    """There is no site profile, so nothing is known to be needed."""
    title = "PKCS#11 module"
    module = await asyncio.to_thread(opensc_module)
    if module is None:
        return Finding(State.WARNING, title, "OpenSC's is not here", "Install it: apt-get install opensc-pkcs11")
    # Slots are listed whatever the profile selects; none is.
    token = Token("here", TokenProfile(module=str(module), label="-"), Redactor())
    try:
        slots = await token.slots()
    except RunbookError as error:
        return Finding(State.WARNING, title, f"{module}: {error.what}", error.remedy)
    finally:
        await token.close()
    there = [slot.token for slot in slots if slot.token]
    if not there:
        return Finding(State.WARNING, title, f"{module} sees no token", "Plug the token in, and see pcscd below.")
    flags = [f"{one.name}, PIN flags: {' '.join(flag for flag in one.flags if '_PIN_' in flag)}" for one in there]
    return Finding(State.OK, title, f"{module} sees {'; '.join(flags)}")
