"""A server over HTTPS: the roots it must lead to, where it is reached, and a bound on everything that it says.

>>> client = Client("https://ca.example", connect="127.0.0.1:9000", trust=await trust_of("root_ca.crt", ctx))
>>> (await client.json("GET", "/health"))["status"]
'ok'
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from checks.ca.errors import NotInTime, NotJson, Redirected, ServerError, Unreachable, WrongStatus
from checks.ca.exchange import Answer, Exchange
from checks.ca.place import SECONDS, place_of
from checks.ca.trust import Trust
from runbook.text import clean_line
from runbook.threads import in_thread

LIMIT: Final = 1024 * 1024
"""Bytes of an answer."""

_AGAIN = 0.5
"""Seconds between two tries of a server that is not there yet."""


class Client:
    """Asks one server; every request is a connection of its own."""

    def __init__(
        self,
        url: str,
        *,
        connect: str = "",
        trust: Trust,
        seconds: Callable[[], float] = lambda: SECONDS,
        patience: float = 0.0,
    ) -> None:
        """`url` is `https://NAME[:PORT][/PATH]`, `connect` is `HOST:PORT` as curl's --connect-to has it, or empty.

        For `patience` seconds from now on, a server that is not there is tried again; only its name and certificate
        have then been asked for, never anything twice.
        """
        self._base = urlsplit(url)
        self.place = place_of(url, connect)
        self.trust = trust
        self._seconds = seconds
        self._patient_until = time.monotonic() + patience

    @property
    def where(self) -> str:
        """For people."""
        return self.place.shown

    def with_trust(self, trust: Trust) -> Client:
        """The same server, believed for another reason."""
        other = Client(self._base.geturl(), trust=trust, seconds=self._seconds)
        other.place = self.place
        return other

    def url(self, path: str) -> str:
        """`path` on this server, as its other clients write it."""
        return f"https://{self._base.netloc}{self._target(path)}"

    async def ask(self, method: str, path: str, *, body: bytes | None = None, limit: int = LIMIT) -> Answer:
        """Whatever the server answers, also with an error. Raises the ServerError that fits."""
        headers = {"Accept": "application/json", "User-Agent": "hsm-runbook"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        while True:
            try:
                return await self._once(method, self._target(path), headers, body, limit)
            except Unreachable:
                if time.monotonic() + _AGAIN > self._patient_until:
                    raise
            await asyncio.sleep(_AGAIN)

    async def json(self, method: str, path: str, given: Mapping[str, Any] | None = None, *, status: int = 0) -> Any:
        """What the server answers as JSON, with `status` (0: any of success). Raises the ServerError that fits."""
        answer = await self.ask(method, path, body=None if given is None else json.dumps(given).encode())
        if not (answer.status == status if status else 200 <= answer.status < 300):
            raise self.refusal(answer, path)
        return self.parse(answer, path)

    def parse(self, answer: Answer, path: str) -> Any:
        """The body as JSON. Raises NotJson."""
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError):
            raise self.not_json(path, f"it begins with {beginning(answer.body)}") from None

    def not_json(self, path: str, what: str) -> NotJson:
        """The error for an answer that is not of the form expected there."""
        return NotJson(
            f"the answer to {self._target(path)} is not what is expected there: {what}",
            where=self.where,
            remedy="Look which service answers there.",
        )

    def refusal(self, answer: Answer, path: str) -> ServerError:
        """The error for an answer with another status than expected."""
        target, status = self._target(path), status_words(answer.status)
        if 300 <= answer.status < 400 and (to := answer.headers.get("location")):
            return Redirected(f"{target} is answered with {status}: it sends to {to}", where=self.where)
        said = message_of(answer)
        return WrongStatus(
            f"{target} is answered with {status}{f': {said}' if said else ''}", where=self.where, status=answer.status
        )

    def _target(self, path: str) -> str:
        return (self._base.path.rstrip("/") + path) or "/"

    async def _once(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, limit: int
    ) -> Answer:
        seconds = self._seconds()
        exchange = Exchange(self.place, self.trust, seconds)
        try:
            async with asyncio.timeout(seconds):
                return await in_thread(lambda: exchange.ask(method, target, headers, body, limit))
        except TimeoutError:
            raise NotInTime(
                f"it did not answer within {seconds:.0f} seconds",
                where=self.where,
                remedy="Is the service well, and does a firewall drop what is sent there?",
            ) from None
        finally:
            exchange.abort()


def status_words(status: int) -> str:
    """The number and its meaning (RFC 9110 §15)."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def message_of(answer: Answer) -> str:
    """What a server says of an error: step-ca's `message`, or how a text begins; empty: nothing that helps."""
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return beginning(answer.body) if answer.headers.get("content-type", "").startswith("text/plain") else ""
    message = said.get("message") if isinstance(said, dict) else None
    return clean_line(message, 300) if isinstance(message, str) else ""


def beginning(body: bytes) -> str:
    """How an answer begins, for people."""
    return clean_line(body[:80].decode("utf-8", errors="replace").strip(), 80) or "nothing"
