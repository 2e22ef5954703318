"""A deadline that stands still while a person is asked: connecting has a bound, people's time does not count."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

from runbook.operator import Operator, SecretRequest
from runbook.secrets import Redactor, Secret


class Patience:
    """Seconds of our own and the network's time; raises TimeoutError within `limit` when they are used up."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._left = seconds
        self._timeout: asyncio.Timeout | None = None
        self._asking = 0

    @contextlib.asynccontextmanager
    async def limit(self) -> AsyncIterator[None]:
        async with asyncio.timeout(self._left) as self._timeout:
            yield
        self._timeout = None

    @contextlib.contextmanager
    def stand_still(self, at_most: float | None = None) -> Iterator[None]:
        """While somebody is asked, by whatever task; for so many seconds at most."""
        loop = asyncio.get_running_loop()
        if not self._asking and self._timeout and (until := self._timeout.when()):
            self._left = max(until - loop.time(), 0.0)
            self._timeout.reschedule(None if at_most is None else loop.time() + at_most)
        self._asking += 1
        try:
            yield
        finally:
            self._asking -= 1
            if not self._asking and self._timeout and not self._timeout.expired():
                self._timeout.reschedule(loop.time() + self._left)


class Prompts:
    """Masked questions about one way to a host; every answer is known to the redactor and used for one attempt."""

    def __init__(self, operator: Operator, redactor: Redactor, patience: Patience) -> None:
        self._operator = operator
        self._redactor = redactor
        self.patience = patience

    async def secret(self, question: str, purpose: str) -> Secret:
        """Raises PromptCancelled and OperatorStopped."""
        with self.patience.stand_still():
            answer = await self._operator.secret(SecretRequest(question, purpose))
        self._redactor.learn(answer)
        return answer
