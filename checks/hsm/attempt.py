"""One attempt with a user PIN: its form, the record around it, and what became of the counter."""

from __future__ import annotations

from checks.evidence.pin_counter import PinCounter
from checks.evidence.slots import TokenInfo
from checks.hsm import errors
from checks.hsm.pin import Reading, read_counter, words
from checks.hsm.token import Token
from runbook.context import Context
from runbook.errors import StepError
from runbook.record.events import PinAttempt, PinResult
from runbook.secrets import Secret

USER_PIN = "user PIN"


def check_form(where: str, info: TokenInfo, pin: Secret) -> None:
    """The token would count some of these as attempts; none can be right. Raises PinLength and PinNotAscii."""
    low, high = info.min_pin, info.max_pin
    if not low <= len(pin) <= high:
        side = "shorter" if len(pin) < low else "longer"
        raise errors.PinLength(f"the PIN is {side} than the token allows ({low} to {high} bytes)", where=where)
    if not all(0x20 <= byte < 0x7F for byte in pin.reveal()):
        raise errors.PinNotAscii("the PIN holds a character that is not printable ASCII", where=where)


async def attempt(ctx: Context, token: Token, reading: Reading, pin: Secret | None) -> None:
    """One attempt, on the record before and after, whatever happens in between; None: typed on the reader's pad.

    Raises what `Token.login` raises, with what is left.
    """
    before = reading.counter
    await ctx.record(PinAttempt(ctx.step_id, before.token, USER_PIN, before.tries_left))
    try:
        await token.login(pin, before.flags)
    except errors.PinIncorrect as error:
        left = await _ended(ctx, token, before, accepted=False)
        told = words(left) if left else "unknown"
        what = f"the token refused the PIN; attempts now: {told}"
        raise errors.PinIncorrect(what, where=token.where, code=error.code) from None
    except errors.LoginInDoubt as error:
        left = await _ended(ctx, token, before, accepted=None)
        raise errors.LoginInDoubt(f"{error.what}; {what_became(before, left)}", where=token.where) from None
    except StepError:
        await _ended(ctx, token, before, accepted=False)
        raise
    except BaseException:  # cancelled while the PIN was on its way
        await ctx.record(PinResult(ctx.step_id, before.token, accepted=None, tries_left=None))
        raise
    # The counter is full again by definition, and reading it on a SmartCard-HSM would end the login.
    await ctx.record(PinResult(ctx.step_id, before.token, accepted=True, tries_left=None))


def what_became(before: PinCounter, after: PinCounter | None) -> str:
    """Whether an attempt whose answer never came was counted, as far as the counter tells."""
    if after is None:
        return "attempts now: unknown, the counter cannot be read; take the attempt as spent"
    now = f"attempts now: {words(after)}"
    if before.tries_left is None or after.tries_left is None:
        changed = before.state != after.state
        return f"{now}; " + ("the attempt was counted" if changed else "whether it was counted is not known")
    if after.tries_left < before.tries_left:
        return f"{now}; the attempt was counted"
    if after.tries_left > before.tries_left:
        return f"{now}; the PIN was right, for the counter is full again"
    return f"{now}; the attempt was not counted"


async def read_again(token: Token) -> PinCounter | None:
    """The counter after an attempt; None where it cannot be read now."""
    try:
        return (await read_counter(token)).counter
    except StepError:
        return None


async def _ended(ctx: Context, token: Token, before: PinCounter, *, accepted: bool | None) -> PinCounter | None:
    left = None
    try:
        left = await read_again(token)
    finally:  # the step's deadline may end the reading; what the token said is known, and is on record all the same
        number = left.tries_left if left else None
        await ctx.record(PinResult(ctx.step_id, before.token, accepted=accepted, tries_left=number))
    return left
