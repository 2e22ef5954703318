"""Where a server is: its name, and where it is reached. Cheap to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

SECONDS: Final = 15.0
"""For one request and its answer."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which server, and where it is."""

    name: str
    """As its certificate must have it."""
    port: int
    at: tuple[str, int]
    """Where to connect."""
    authority: str
    """The `Host` of a request."""

    @property
    def shown(self) -> str:
        host, port = self.at
        away = "" if self.at == (self.name, self.port) else f", reached at {host} port {port}"
        return f"{self.authority}{away}"


def place_of(url: str, connect: str) -> Place:
    """Raises ValueError for what is no `https://` URL, and for another form than `HOST:PORT`."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise ValueError("write `https://NAME` or `https://NAME:PORT`, without an account")
    if parts.query or parts.fragment:
        raise ValueError("write the URL without a query and a fragment")
    port = parts.port or 443
    at = (parts.hostname, port)
    if connect:
        there = urlsplit(f"//{connect}")
        if not there.hostname or there.port is None or there.netloc != connect or "@" in connect:
            raise ValueError("write `HOST:PORT`; an IPv6 address in brackets")
        at = (there.hostname, there.port)
    return Place(parts.hostname, port, at, parts.netloc)
