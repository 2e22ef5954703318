"""The PIN guard: the only way a check logs in (design §5, PIN budget).

Counter first, then one prompt, one attempt, and the counter again. A refusal costs nothing; a PIN that cannot be
right for its form is never sent; an answer that never came is told as such.
"""

from __future__ import annotations

from checks.evidence.pin_counter import PinCounter
from checks.hsm import errors
from checks.hsm.attempt import USER_PIN, attempt, check_form
from checks.hsm.pin import Reading, read_counter, words
from checks.hsm.refusal import refused
from checks.hsm.token import PAD_DEADLINE, Token
from runbook.context import Context
from runbook.errors import PromptCancelled
from runbook.operator import ConfirmRequest, PinRequest
from runbook.outcome import Outcome

_PAD = "CKF_PROTECTED_AUTHENTICATION_PATH"


async def login(ctx: Context, token: Token, purpose: str) -> PinCounter | None:
    """Make sure the user is logged in; the counter before the attempt, or None where no PIN was needed.

    Raises PinLocked and PinFinalTry without a prompt for a PIN, unless the operator resets the PIN or overrides the
    refusal (see `refusal`); PinLow where the operator declines; PinLength and PinNotAscii without sending; PinChanged
    where the flags changed during the prompt; PinIncorrect with what is left; LoginInDoubt when the answer never came.
    """
    if token.logged_in:
        return None
    reading = await read_counter(token)
    if reading.counter.state in ("locked", "final try"):
        await refused(ctx, token, reading)
        if token.logged_in:  # with the new PIN, after a reset
            return reading.counter
    warning = await _warned(ctx, token, reading.counter)
    if _PAD in reading.token.flags:
        await _on_the_pad(ctx, token, reading, purpose, warning)
        return reading.counter
    pin = await ctx.operator.pin(_request(reading, purpose, warning))
    try:
        ctx.redactor.learn(pin)
        check_form(token.where, reading.token, pin)
        await attempt(ctx, token, reading, pin)
    finally:
        pin.wipe()
    return reading.counter


async def _warned(ctx: Context, token: Token, counter: PinCounter) -> str:
    """What the prompt must say beforehand. Raises PinLow where the operator does not go on."""
    lines = [f"The login made before is gone: {token.login_lost}."] if token.login_lost else []
    if counter.state == "final try":
        lines.append("This is the last attempt: a wrong PIN locks the token.")
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
        who=USER_PIN,
        purpose=purpose,
        tries_left=counter.tries_left,
        tries_max=counter.tries_max,
        flags=counter.flags,
        min_length=token.min_pin,
        max_length=token.max_pin,
        warning=warning,
    )


async def _on_the_pad(ctx: Context, token: Token, reading: Reading, purpose: str, warning: str) -> None:
    """A reader with a PIN pad of its own: the PIN never comes near this program (PKCS#11 v2.40 §5.6, C_Login)."""
    go_on = await ctx.operator.confirm(
        ConfirmRequest(
            f"The {USER_PIN} of {reading.token.name} is typed on the reader's own pad. Let the reader ask for it now?",
            (
                f"for: {purpose}",
                f"attempts left: {words(reading.counter)}",
                f"time to type it: {PAD_DEADLINE:g} s, or what the reader allows",
                *([warning] if warning else []),
            ),
        )
    )
    if not go_on:
        raise PromptCancelled("the operator did not start the login; nothing was sent")
    ctx.progress(f"Type the {USER_PIN} on the reader's pad now; nothing is asked on this screen.")
    await attempt(ctx, token, reading, None)


def in_doubt(error: errors.LoginInDoubt) -> Outcome:
    """The outcome of a step whose login was sent and never answered."""
    return Outcome.in_doubt(error.what, symptom=error.symptom, remedy=error.remedy)
