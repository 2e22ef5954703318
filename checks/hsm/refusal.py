"""What the guard does at the final try and beyond: refuse, offer the way out, and let nobody slip past unrecorded."""

from __future__ import annotations

from checks.hsm import errors
from checks.hsm.pin import Reading
from checks.hsm.recovery import obstacle, reset
from checks.hsm.token import Token
from runbook.context import Context
from runbook.errors import PromptCancelled
from runbook.operator import ChoiceRequest, PhraseRequest, TextRequest
from runbook.record.events import GuardOverridden

_STOP, _RESET, _OVERRIDE = "stop", "reset", "override"


async def refused(ctx: Context, token: Token, reading: Reading) -> None:
    """Raise PinLocked or PinFinalTry, unless the operator resets the PIN, or overrides the final try on the record.

    Returns logged in after a reset, and not logged in after an override.
    """
    counter = reading.counter
    locked = counter.state == "locked"
    error: errors.TokenError
    if locked:
        error = errors.PinLocked(f"the user PIN of {counter.token} is locked", where=token.where)
    else:
        what = f"one attempt is left on {counter.token}: a wrong PIN would lock it"
        error = errors.PinFinalTry(what, where=token.where)
    why_not = obstacle(reading)
    choices = [(_STOP, "Stop here; nothing is sent.")]
    if not why_not:
        choices.append((_RESET, "Reset the user PIN now, with the SO-PIN from the safe."))
    if not locked:
        choices.append((_OVERRIDE, "Use the last attempt all the same: a deviation, on the record."))
    if len(choices) == 1:
        raise error
    try:
        answer = await ctx.operator.choose(ChoiceRequest(f"The guard refuses: {error.what}. What now?", tuple(choices)))
        if answer == _OVERRIDE and not locked and await _overridden(ctx, reading):
            return
    except PromptCancelled:  # also where nobody is there to choose
        raise error from None
    if answer != _RESET or why_not:
        raise error
    await reset(ctx, token, reading)


async def _overridden(ctx: Context, reading: Reading) -> bool:
    """Whether the operator typed the phrase and gave a reason; then it is on the record."""
    name = reading.counter.token
    typed = await ctx.operator.type_phrase(
        PhraseRequest(
            f"A wrong PIN locks {name}. Type the phrase to use its last attempt.",
            f"LAST TRY {reading.token.serial}",
            ("the safe way is to reset the user PIN with the SO-PIN first",),
        )
    )
    if not typed:
        return False
    reason = (
        await ctx.operator.text(TextRequest("Why is the last attempt used?", help="Recorded as a deviation."))
    ).strip()
    if not reason:
        return False
    await ctx.record(GuardOverridden(ctx.step_id, f"final PIN try of {name}", reason))
    return True
