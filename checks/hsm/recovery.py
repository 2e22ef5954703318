"""Resetting the user PIN with the SO-PIN, guided: what the guard offers where it refuses.

Two attempts, each on the record before it is sent: the SO-PIN with the new user PIN, and a login with the new PIN,
which proves that it is the one that was typed.
"""

from __future__ import annotations

import re
from typing import Final

from checks.evidence.pin_counter import PinCounter
from checks.hsm import errors, sc_hsm
from checks.hsm.attempt import attempt, check_form
from checks.hsm.pin import Reading, read_counter, words
from checks.hsm.token import Token
from runbook.context import Context
from runbook.errors import StepError
from runbook.operator import PinRequest, SecretRequest
from runbook.record.events import PinAttempt, PinResult
from runbook.secrets import Secret

SO_PIN: Final = "SO-PIN"

_SO_DIGITS: Final = 16
"""Of the SO-PIN of a SmartCard-HSM: eight bytes in hex."""

_SO_FORM: Final = re.compile(rb"[0-9A-Fa-f]{%d}" % _SO_DIGITS)


def obstacle(reading: Reading) -> errors.TokenError | None:
    """Why the user PIN cannot, or must not, be reset with the SO-PIN; None where nothing is known against it."""
    counters, name = reading.counters, reading.counter.token
    if counters.so_tries == 0 or "CKF_SO_PIN_LOCKED" in reading.counter.flags:
        return errors.SoPinLocked(f"the SO-PIN of {name} is locked")
    if counters.so_tries == 1 or "CKF_SO_PIN_FINAL_TRY" in reading.counter.flags:
        return errors.SoPinLocked(f"one attempt with the SO-PIN is left on {name}: a wrong one would lock it for good")
    if counters.user_tries is not None and not counters.so_reset_allowed:
        return errors.PinResetNotAllowed(f"{name} was set up without a reset of the user PIN by SO-PIN")
    return None


async def reset(ctx: Context, token: Token, reading: Reading) -> PinCounter:
    """Ask for the SO-PIN and twice for the new user PIN, set it, and log in with it; the counter in between.

    Raises what `obstacle` gives; SoPinForm, PinLength, PinNotAscii and NewPinsDiffer without sending; SoPinIncorrect
    and SoPinLocked with what is left; PinResetInDoubt when the answer never came.
    """
    problem = obstacle(reading)
    if problem is not None:
        problem.where = token.where
        raise problem
    so_pin = await ctx.operator.pin(_request(reading))
    new_pin: Secret | None = None
    try:
        ctx.redactor.learn(so_pin)
        _check_so_form(token, reading, so_pin)
        new_pin = await _new_pin(ctx, token, reading)
        after = await _attempt(ctx, token, reading, so_pin, new_pin)
        await attempt(ctx, token, after, new_pin)
        return after.counter
    finally:
        so_pin.wipe()
        if new_pin:
            new_pin.wipe()


def _request(reading: Reading) -> PinRequest:
    token, counters = reading.token, reading.counters
    card = sc_hsm.is_smartcard_hsm(token)
    return PinRequest(
        token=token.name,
        who=SO_PIN,
        purpose="resetting the user PIN; the new one is asked for next",
        tries_left=counters.so_tries,
        tries_max=sc_hsm.SO_TRIES if card else None,
        flags=tuple(flag for flag in reading.counter.flags if "_SO_PIN_" in flag),
        min_length=_SO_DIGITS if card else token.min_pin,
        max_length=_SO_DIGITS if card else token.max_pin,
        warning="A locked SO-PIN can never be reset." + (" It has 16 hex digits." if card else ""),
    )


def _check_so_form(token: Token, reading: Reading, so_pin: Secret) -> None:
    if not sc_hsm.is_smartcard_hsm(reading.token):
        check_form(token.where, reading.token, so_pin)
    elif not _SO_FORM.fullmatch(so_pin.reveal()):
        raise errors.SoPinForm(f"the SO-PIN does not have {_SO_DIGITS} hex digits; it was not sent", where=token.where)


async def _new_pin(ctx: Context, token: Token, reading: Reading) -> Secret:
    """Typed twice the same, and of the form the token takes."""
    info = reading.token
    limits = f"{info.min_pin} to {info.max_pin} printable ASCII characters; write it on paper before you type it"
    first = await ctx.operator.secret(SecretRequest(f"New user PIN of {info.name}", limits))
    kept = False
    try:
        ctx.redactor.learn(first)
        check_form(token.where, info, first)
        second = await ctx.operator.secret(SecretRequest("The new user PIN once more", "to find a slip of the fingers"))
        ctx.redactor.learn(second)
        kept = first.equals(second)
        second.wipe()
    finally:
        if not kept:
            first.wipe()
    if not kept:
        raise errors.NewPinsDiffer("the new PIN was typed differently the second time", where=token.where)
    return first


async def _attempt(ctx: Context, token: Token, reading: Reading, so_pin: Secret, new_pin: Secret) -> Reading:
    """One attempt with the SO-PIN, on the record before and after; the counters read again when it succeeded."""
    name = reading.counter.token
    await ctx.record(PinAttempt(ctx.step_id, name, SO_PIN, reading.counters.so_tries))
    try:
        await token.reset_pin(so_pin, new_pin)
    except errors.PinResetInDoubt as error:
        told = await _ended(ctx, token, name, accepted=None)
        raise errors.PinResetInDoubt(f"{error.what}; {told}", where=token.where) from None
    except (errors.SoPinIncorrect, errors.SoPinLocked) as error:
        told = await _ended(ctx, token, name, accepted=False)
        raise type(error)(f"{error.what}; {told}", where=token.where, code=error.code) from None
    except StepError:
        await _ended(ctx, token, name, accepted=False)
        raise
    except BaseException:  # cancelled while the SO-PIN was on its way
        await ctx.record(PinResult(ctx.step_id, name, accepted=None, tries_left=None, who=SO_PIN))
        raise
    left = None
    try:
        after = await read_counter(token)
        left = after.counters.so_tries
    finally:
        await ctx.record(PinResult(ctx.step_id, name, accepted=True, tries_left=left, who=SO_PIN))
    if after.counter.state in ("locked", "final try", "low"):
        what = f"the token took the SO-PIN, and its user PIN counter is not full: {words(after.counter)}"
        raise errors.PinResetInDoubt(what, where=token.where)
    return after


async def _ended(ctx: Context, token: Token, name: str, *, accepted: bool | None) -> str:
    """Record the result, also where the step's deadline ends the reading; both counters in words."""
    left = None
    try:
        after = await read_counter(token)
        left = after.counters.so_tries
    except StepError:
        return "the counters cannot be read now"
    finally:
        await ctx.record(PinResult(ctx.step_id, name, accepted=accepted, tries_left=left, who=SO_PIN))
    return f"SO-PIN attempts now: {'unknown' if left is None else left}; user PIN attempts: {words(after.counter)}"
