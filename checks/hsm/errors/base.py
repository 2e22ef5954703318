"""The root of what can go wrong with a token."""

from __future__ import annotations

from typing import ClassVar

from runbook.errors import StepError


class TokenError(StepError):
    """The token or its module gave an error that has no name of its own here."""

    symptom = "token error"
    advice: ClassVar[str] = "Read the token's state with the `slots` check; then retry, or replug the token."
    code: str = ""
    """The PKCS#11 return code by name, where one was given."""

    def __init__(
        self, what: str, *, where: str = "", remedy: str = "", code: str = "", after_pin: bool = False
    ) -> None:
        super().__init__(what, where=where, remedy=remedy or type(self).advice)
        self.code = code
        self.after_pin = after_pin
        """Whether a PIN had gone to the token before the error came."""
