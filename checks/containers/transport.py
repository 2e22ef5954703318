"""Docker's SDK over any connected socket: an adapter for requests that asks for one whenever it needs one.

The SDK's own `ssh://` would read other host definitions and believe other host keys than the rest of this program.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Final

from docker import DockerClient
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

Connect = Callable[[], socket.socket]
"""Gives a connected stream to the engine; called in the thread of the request. Raises EngineError, HostError."""

BASE_URL: Final = "http://engine:80"
"""Nothing is ever looked up: every connection comes from `Connect`."""


class _Connection(HTTPConnection):
    def __init__(self, connect: Connect, timeout: float) -> None:
        super().__init__("engine", timeout=timeout)
        self._connect = connect

    def connect(self) -> None:
        self.sock = self._connect()
        self.sock.settimeout(self.timeout if isinstance(self.timeout, int | float) else None)


class _Pool(HTTPConnectionPool):
    def __init__(self, connect: Connect, timeout: float) -> None:
        super().__init__("engine", timeout=timeout, retries=False)
        self._connect = connect
        self._seconds = timeout

    def _new_conn(self) -> _Connection:
        return _Connection(self._connect, self._seconds)


class EngineAdapter(HTTPAdapter):
    """All requests over the sockets that `connect` gives; kept open between requests."""

    def __init__(self, connect: Connect, timeout: float) -> None:
        super().__init__(max_retries=0)
        self._only = _Pool(connect, timeout)

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        return self._only

    def request_url(self, request: Any, *_: Any) -> str:
        return str(request.path_url)

    def close(self) -> None:
        self._only.close()
        super().close()


def sdk(adapter: EngineAdapter, version: str, timeout: float) -> DockerClient:
    """The SDK's client for that version of the API. Nothing is sent yet. Raises docker.errors.InvalidVersion."""
    client = DockerClient(base_url=BASE_URL, version=version, timeout=timeout)
    client.api.trust_env = False  # no proxy of the environment stands between us and the socket
    client.api.mount("http://", adapter)
    return client
