"""The check `pin_counter`: how many PIN attempts are left, before one is risked?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from checks.evidence.pin_counter import PinCounter
from checks.hsm.errors import SYMPTOMS
from runbook.kind import Check, Params, TokenName
from runbook.outcome import Outcome

if TYPE_CHECKING:
    from runbook.context import Context

_AT_LEAST_WHEN_LOW = 2
"""A counter that is low, and not at its final try, has two attempts at least (PKCS#11 v2.40 §3.2)."""


class PinCounterParams(Params):
    """What `pin_counter` takes."""

    token: TokenName
    minimum: int | None = Field(None, ge=1, le=15, description="User PIN attempts that must be left.", examples=[3])


class PinCounterCheck(Check[PinCounterParams]):
    """The user PIN counter leaves room for a mistake (playbook §A3). Reading it uses no attempt.

    Every token has flags (low, final try, locked); a SmartCard-HSM tells the exact number to `sc-hsm-tool`. A token
    that tells nothing is "unknown", never a number.
    """

    name = "pin_counter"
    Params = PinCounterParams
    evidence = (PinCounter,)
    symptoms = SYMPTOMS | {"pin counter unknown": "The token does not say how many attempts are left."}
    loads = ("checks.hsm.pool", "checks.hsm.pin", "checks.files.process")

    async def run(self, ctx: Context) -> Outcome:
        from checks.hsm.pin import read_counter
        from checks.hsm.pool import use_token

        token = await use_token(ctx, self.params.token)
        return self.judge((await read_counter(token)).counter)

    def judge(self, counter: PinCounter) -> Outcome:
        """The verdict on this counter."""
        from checks.hsm import errors
        from checks.hsm.pin import words

        said = f"user PIN attempts: {words(counter)}"
        minimum = self.params.minimum
        match counter.state:
            case "locked":
                return Outcome.failed(
                    "the user PIN is locked", counter, symptom="pin locked", remedy=errors.PinLocked.advice
                )
            case "final try":
                return Outcome.failed(
                    "one attempt is left", counter, symptom="pin final try", remedy=errors.PinFinalTry.advice
                )
            case "low":
                left = counter.tries_left or _AT_LEAST_WHEN_LOW
                judged = Outcome.failed if minimum is not None and left < minimum else Outcome.warned
                return judged(said, counter, symptom="pin low", remedy=errors.PinLow.advice)
            case "unknown":
                if minimum is None:
                    return Outcome.passed(f"{said}; no flag warns", counter)
                return Outcome.warned(
                    f"{said}; no flag warns, and a minimum of {minimum} cannot be confirmed",
                    counter,
                    symptom="pin counter unknown",
                )
            case "full":
                if minimum is not None and (counter.tries_left or 0) < minimum:
                    return Outcome.failed(f"{said}, fewer than {minimum}", counter, symptom="pin low")
                return Outcome.passed(said, counter)
