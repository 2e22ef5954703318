"""The action `pin.unlock`: the user PIN reset with the SO-PIN, where its counter is not full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.evidence.pin_counter import PinCounter
from checks.hsm.errors import SYMPTOMS, LoginInDoubt
from runbook.kind import Action, Params, TokenName
from runbook.outcome import Outcome

if TYPE_CHECKING:
    from runbook.context import Context


class PinUnlockParams(Params):
    """What `pin.unlock` takes."""

    token: TokenName


class PinUnlock(Action[PinUnlockParams]):
    """The user PIN is reset with the SO-PIN and the counter is full again; with a full counter nothing is done.

    Asks for the SO-PIN, with its own counter, and twice for the new user PIN; logs in once with the new PIN.
    """

    name = "pin.unlock"
    Params = PinUnlockParams
    evidence = (PinCounter,)
    symptoms = SYMPTOMS

    async def run(self, ctx: Context) -> Outcome:
        from checks.hsm.guard import in_doubt
        from checks.hsm.pin import read_counter, words
        from checks.hsm.pool import TokenPool
        from checks.hsm.recovery import reset

        token = (await ctx.use(TokenPool)).token(self.params.token)
        reading = await read_counter(token)
        if reading.counter.state == "full":
            return Outcome.passed(f"nothing to reset: {words(reading.counter)}", reading.counter)
        try:
            counter = await reset(ctx, token, reading)
        except LoginInDoubt as error:
            return in_doubt(error)
        return Outcome.passed(f"the user PIN was reset and a login with it succeeded: {words(counter)}", counter)
