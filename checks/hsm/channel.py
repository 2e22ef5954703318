"""Requests and answers over a socket (asyncio): several may be under way, and they are answered in their order."""

from __future__ import annotations

import asyncio
import socket
from collections import deque

from checks.hsm import wire
from runbook.wiping import wipe

_CHUNK = 65_536


class Channel:
    """This end of the connection with a worker; it ends for good when the other end closes or breaks the protocol."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._waiting: deque[tuple[int, asyncio.Future[wire.Answer]]] = deque()
        self._number = 0
        self._ended: Exception | None = None
        self._loop.add_reader(connection, self._readable)

    def greeting(self) -> asyncio.Future[wire.Answer]:
        """The worker's first message; ask for it before anything else."""
        return self._expect(0)

    async def send(self, request: wire.Request, deadline: float) -> asyncio.Future[wire.Answer]:
        """Send it; the future has the answer, or EOFError, OSError or WireError. One sender at a time.

        Raises TimeoutError where the other end has not even taken it within `deadline` seconds.
        """
        self._number += 1
        answer = self._expect(self._number)
        message = wire.frame(wire.Call(self._number, request))
        try:
            if not answer.done():
                await self._send(message, deadline)
        except TimeoutError:
            raise
        except OSError as error:
            self._end(error)
        finally:
            wipe(message)
        return answer

    def close(self) -> None:
        self._end(EOFError())
        self._connection.close()

    def _expect(self, number: int) -> asyncio.Future[wire.Answer]:
        answer: asyncio.Future[wire.Answer] = self._loop.create_future()
        if self._ended:
            answer.set_exception(self._ended)
        else:
            self._waiting.append((number, answer))
        return answer

    async def _send(self, message: bytearray, deadline: float) -> None:
        try:
            count = self._connection.send(message)
        except BlockingIOError:
            count = 0
        if count < len(message):
            with memoryview(message) as view:
                async with asyncio.timeout(deadline):
                    await self._loop.sock_sendall(self._connection, view[count:])

    def _readable(self) -> None:
        try:
            chunk = self._connection.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(error)
            return
        if not chunk:
            self._end(EOFError())
            return
        self._received += chunk
        try:
            while (body := wire.take(self._received)) is not None:
                self._take(wire.read_answer(body))
        except wire.WireError as error:
            self._end(error)

    def _take(self, answer: wire.Answer) -> None:
        if not self._waiting:
            raise wire.WireError(f"the worker answered call {answer.number}, which nobody made")
        number, waiting = self._waiting.popleft()
        if answer.number != number:
            self._waiting.appendleft((number, waiting))
            raise wire.WireError(f"the worker answered call {answer.number} instead of {number}")
        if not waiting.done():
            waiting.set_result(answer)

    def _end(self, error: Exception) -> None:
        if self._ended:
            return
        self._ended = error
        self._loop.remove_reader(self._connection)
        for _, waiting in self._waiting:
            if not waiting.done():
                waiting.set_exception(error)
                waiting.exception()  # whoever was cancelled does not ask any more
        self._waiting.clear()
