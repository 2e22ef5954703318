"""The action `pin.unlock`: the user PIN reset with the SO-PIN, where its counter is not full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from checks.evidence.pin_counter import PinCounter
from checks.hsm.errors import SYMPTOMS, LoginInDoubt, PinFinalTry, PinLocked
from runbook.errors import PromptCancelled
from runbook.kind import Action, Params, TokenName
from runbook.outcome import Outcome

if TYPE_CHECKING:
    from runbook.context import Context


_AT_LEAST = {"low": 2, "final try": 1, "locked": 0}
"""Attempts that a flag promises where no number is known (PKCS#11 v2.40 §3.2)."""

_REFUSED = {"final try": PinFinalTry, "locked": PinLocked}


class PinUnlockParams(Params):
    """What `pin.unlock` takes."""

    token: TokenName
    below: int | None = Field(
        None,
        ge=1,
        le=15,
        description="Only where fewer user PIN attempts are left; left out: where any is missing.",
        examples=[3],
    )


class PinUnlock(Action[PinUnlockParams]):
    """The user PIN is reset with the SO-PIN and the counter is full again; where enough is left nothing is done.

    Asks for the SO-PIN, with its own counter, and twice for the new user PIN; logs in once with the new PIN.
    """

    name = "pin.unlock"
    Params = PinUnlockParams
    evidence = (PinCounter,)
    symptoms = SYMPTOMS
    loads = ("checks.hsm.pool", "checks.hsm.guard", "checks.hsm.recovery")

    def plan(self) -> tuple[str, ...]:
        few = "any is missing" if self.params.below is None else f"fewer than {self.params.below} are left"
        return (
            f"read the PIN counters of the token `{self.params.token}`; only where of the user PIN's attempts {few}:",
            "ask for the SO-PIN once, and for the new user PIN twice",
            "C_Login as CKU_SO with the SO-PIN, one attempt, and C_InitPIN with the new user PIN",
            "C_Login as CKU_USER with the new user PIN, one attempt, which proves it",
        )

    async def run(self, ctx: Context) -> Outcome:
        from checks.hsm.guard import in_doubt
        from checks.hsm.pin import read_counter, words
        from checks.hsm.pool import use_token
        from checks.hsm.recovery import reset

        token = await use_token(ctx, self.params.token)
        reading = await read_counter(token)
        if not self._needed(reading.counter):
            return Outcome.passed(f"nothing to reset: {words(reading.counter)}", reading.counter)
        try:
            counter = await reset(ctx, token, reading)
        except LoginInDoubt as error:
            return in_doubt(error)
        except PromptCancelled as error:
            if reading.counter.state not in _REFUSED:
                raise
            # What stands in the way is the counter; that nobody gave the SO-PIN is why it still does.
            kind = _REFUSED[reading.counter.state]
            raise kind(f"{words(reading.counter)}, and it was not reset: {error.what}", where=token.where) from None
        return Outcome.passed(f"the user PIN was reset and a login with it succeeded: {words(counter)}", counter)

    def _needed(self, counter: PinCounter) -> bool:
        if self.params.below is None:
            return counter.state != "full"
        if counter.tries_left is not None:
            return counter.tries_left < self.params.below
        return _AT_LEAST.get(counter.state, self.params.below) < self.params.below
