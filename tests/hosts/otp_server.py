"""An SSH server that asks for a password and a one-time code (RFC 4256); paramiko's server side."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import paramiko

RIGHT = ["the password", "123456"]


class _Questions(paramiko.ServerInterface):  # type: ignore[misc]
    def __init__(self, server: OtpServer) -> None:
        self._server = server

    def get_allowed_auths(self, username: str) -> str:
        return "keyboard-interactive"

    def check_auth_interactive(self, username: str, submethods: str) -> paramiko.InteractiveQuery:
        query = paramiko.InteractiveQuery("Bastion", "Have your token at hand.")
        query.add_prompt("Password: ", echo=False)
        query.add_prompt("One-time code: ", echo=False)
        return query

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        self._server.answers.append(list(responses))
        self._server.before_verdict()
        return int(paramiko.AUTH_SUCCESSFUL if responses == RIGHT else paramiko.AUTH_FAILED)


class OtpServer:
    """Listens on a loopback port; keeps every set of answers that it got."""

    def __init__(self, host_key: Path) -> None:
        self.answers: list[list[str]] = []
        self.before_verdict: Callable[[], None] = lambda: None
        self._key = paramiko.PKey.from_path(host_key)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._transports: list[paramiko.Transport] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                transport = paramiko.Transport(connection)
                transport.add_server_key(self._key)
                self._transports.append(transport)
                with contextlib.suppress(paramiko.SSHException, EOFError):
                    transport.start_server(event=threading.Event(), server=_Questions(self))

    def stop(self) -> None:
        self._listening.close()
        for transport in self._transports:
            transport.close()
