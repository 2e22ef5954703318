"""The tokens of the site profile, shared by the steps of a run (design §5)."""

from __future__ import annotations

import asyncio
from difflib import get_close_matches
from typing import Self

from checks.hsm.token import CALL_DEADLINE, LOAD_DEADLINE, Token
from runbook.context import Resource
from runbook.errors import UsageError
from runbook.secrets import Redactor
from runbook.site import Site


class TokenPool(Resource):
    """One worker process a token; different tokens work at the same time.

    Start it on the program's main thread: a worker dies with the thread that started it (prctl(2)).
    """

    def __init__(
        self, site: Site, redactor: Redactor, *, deadline: float = CALL_DEADLINE, loading: float = LOAD_DEADLINE
    ) -> None:
        self._site = site
        self._redactor = redactor
        self._deadline = deadline
        self._loading = loading
        self._tokens: dict[str, Token] = {}

    @classmethod
    async def open(cls, site: Site, redactor: Redactor) -> Self:
        return cls(site, redactor)

    def token(self, name: str) -> Token:
        """The token of that name in the site profile; no device is touched yet. Raises UsageError."""
        if name not in self._tokens:
            profile = self._site.tokens.get(name)
            if profile is None:
                near = get_close_matches(name, self._site.tokens, n=1)
                raise UsageError(
                    f"the site profile has no token `{name}`",
                    remedy=f"Did you mean `{near[0]}`?" if near else "Add it under `tokens`.",
                )
            self._tokens[name] = Token(name, profile, self._redactor, deadline=self._deadline, loading=self._loading)
        return self._tokens[name]

    async def end_stage(self) -> None:
        await asyncio.gather(*(token.end_stage() for token in self._tokens.values()))

    async def close(self) -> None:
        await asyncio.gather(*(token.close() for token in self._tokens.values()), return_exceptions=True)
