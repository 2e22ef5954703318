"""The tokens of the site profile, shared by the steps of a run (design §5)."""

from __future__ import annotations

import asyncio
import contextlib
from difflib import get_close_matches
from typing import Final, Self

from checks.hsm.token import CALL_DEADLINE, LOAD_DEADLINE, Token
from runbook.context import Context, Record, Resource
from runbook.errors import RunbookError, UsageError
from runbook.record.events import TokenNoticed
from runbook.secrets import Redactor
from runbook.site import Site

WATCH_EVERY: Final = 1.0
"""Seconds between two looks at each token in use; a look asks the module for slot events and touches no card."""


async def use_token(ctx: Context, name: str) -> Token:
    """The token of that name for the step at hand, also one of another host: the step's operator is who sudo asks.

    No device is touched yet, and no host. Raises UsageError.
    """
    token = (await ctx.use(TokenPool)).token(name)
    via = token.profile.via
    if token.profile.far:
        from checks.hosts.hosts import Hosts

        hosts = await ctx.use(Hosts)
        token.reached(lambda: hosts.machine(via, ctx))
    return token


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
        self._watching: asyncio.Task[None] | None = None

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
        if self.record and self._watching is None:
            self._watching = asyncio.create_task(self._watch(self.record), name="token watch")
        return self._tokens[name]

    async def end_stage(self) -> None:
        await asyncio.gather(*(token.end_stage() for token in self._tokens.values()))

    async def _watch(self, record: Record) -> None:
        """Tell of tokens that come, go or are swapped while nobody asks them anything."""
        while True:
            await asyncio.sleep(WATCH_EVERY)
            for token in tuple(self._tokens.values()):
                if noticed := await token.look():
                    await record(TokenNoticed(token.name, noticed.state, noticed.detail))

    async def close(self) -> None:
        if self._watching:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError, RunbookError):  # a record that failed has ended the run
                await self._watching
        await asyncio.gather(*(token.close() for token in self._tokens.values()), return_exceptions=True)
