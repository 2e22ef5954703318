"""The PIN guard: the only way a check logs in (design §5, PIN budget).

Counter first, then one prompt, one attempt, and the counter again. A refusal costs nothing; a PIN that cannot be
right for its form is never sent; an answer that never came is told as such.
"""

from __future__ import annotations

from checks.evidence.pin_counter import PinCounter
from checks.hsm import errors
from checks.hsm.pin import Reading, read_counter, words
from checks.hsm.token import Token
from runbook.context import Context
from runbook.errors import StepError
from runbook.events import PinAttempt, PinResult
from runbook.operator import ConfirmRequest, PinRequest
from runbook.outcome import Outcome
from runbook.secrets import Secret

WHO = "user PIN"


async def login(ctx: Context, token: Token, purpose: str) -> PinCounter | None:
    """Make sure the user is logged in; the counter before the attempt, or None where no PIN was needed.

    Raises PinLocked and PinFinalTry without a prompt; PinLow where the operator declines; PinLength and PinNotAscii
    without sending; PinIncorrect with what is left; LoginInDoubt when the answer never came.
    """
    if token.logged_in:
        return None
    reading = await read_counter(token)
    _refuse(token, reading.counter)
    warning = await _warned(ctx, token, reading.counter)
    pin = await ctx.operator.pin(_request(reading, purpose, warning))
    try:
        ctx.redactor.learn(pin)
        _check_form(token, reading, pin)
        await _attempt(ctx, token, reading.counter, pin)
    finally:
        pin.wipe()
    return reading.counter


def _refuse(token: Token, counter: PinCounter) -> None:
    if counter.state == "locked":
        raise errors.PinLocked(f"the user PIN of {counter.token} is locked", where=token.where)
    if counter.state == "final try":
        raise errors.PinFinalTry(
            f"one attempt is left on {counter.token}: a wrong PIN would lock it", where=token.where
        )


async def _warned(ctx: Context, token: Token, counter: PinCounter) -> str:
    """What the prompt must say beforehand. Raises PinLow where the operator does not go on."""
    lines = [f"The login made before is gone: {token.login_lost}."] if token.login_lost else []
    if counter.state == "low":
        low = f"The PIN counter of {counter.token} is not full: {words(counter)}."
        agreed = await ctx.operator.confirm(
            ConfirmRequest(
                f"{low} Use one attempt all the same?",
                (f"flags: {' '.join(counter.flags) or 'none'}", f"source: {counter.source}"),
                dangerous=True,
            )
        )
        if not agreed:
            raise errors.PinLow(f"{low} The operator did not go on; nothing was sent.", where=token.where)
        lines.append(low)
    return " ".join(lines)


def _request(reading: Reading, purpose: str, warning: str) -> PinRequest:
    token, counter = reading.token, reading.counter
    return PinRequest(
        token=token.name,
        who=WHO,
        purpose=purpose,
        tries_left=counter.tries_left,
        tries_max=counter.tries_max,
        flags=counter.flags,
        min_length=token.min_pin,
        max_length=token.max_pin,
        warning=warning,
    )


def _check_form(token: Token, reading: Reading, pin: Secret) -> None:
    """The token would count some of these as attempts; none of them can be right."""
    low, high = reading.token.min_pin, reading.token.max_pin
    if not low <= len(pin) <= high:
        side = "shorter" if len(pin) < low else "longer"
        raise errors.PinLength(f"the PIN is {side} than the token allows ({low} to {high} bytes)", where=token.where)
    if not all(0x20 <= byte < 0x7F for byte in pin.reveal()):
        raise errors.PinNotAscii("the PIN holds a character that is not printable ASCII", where=token.where)


async def _attempt(ctx: Context, token: Token, counter: PinCounter, pin: Secret) -> None:
    """One attempt, on the record before and after, whatever happens in between."""
    await ctx.record(PinAttempt(ctx.step_id, counter.token, WHO, counter.tries_left))
    try:
        await token.login(pin)
    except errors.PinIncorrect as error:
        left = await _read_again(token)
        await ctx.record(PinResult(ctx.step_id, counter.token, accepted=False, tries_left=_number(left)))
        told = words(left) if left else "unknown"
        raise errors.PinIncorrect(
            f"the token refused the PIN; attempts now: {told}", where=token.where, code=error.code
        ) from None
    except errors.LoginInDoubt as error:
        left = await _read_again(token)
        await ctx.record(PinResult(ctx.step_id, counter.token, accepted=None, tries_left=_number(left)))
        told = words(left) if left else "unknown"
        raise errors.LoginInDoubt(f"{error.what}; attempts now: {told}", where=token.where) from None
    except StepError:
        left = await _read_again(token)
        await ctx.record(PinResult(ctx.step_id, counter.token, accepted=False, tries_left=_number(left)))
        raise
    except BaseException:  # cancelled while the PIN was on its way
        await ctx.record(PinResult(ctx.step_id, counter.token, accepted=None, tries_left=None))
        raise
    # The counter is full again by definition, and reading it on a SmartCard-HSM would end the login.
    await ctx.record(PinResult(ctx.step_id, counter.token, accepted=True, tries_left=None))


def in_doubt(error: errors.LoginInDoubt) -> Outcome:
    """The outcome of a step whose login was sent and never answered."""
    return Outcome.in_doubt(error.what, symptom=error.symptom, remedy=error.remedy)


async def _read_again(token: Token) -> PinCounter | None:
    """The counter after the attempt; None where it cannot be read now."""
    try:
        return (await read_counter(token)).counter
    except StepError:
        return None


def _number(counter: PinCounter | None) -> int | None:
    return counter.tries_left if counter else None
