"""paramiko's protocol engine, made to speak to an event loop: who waits is woken, nobody polls.

paramiko gives a connection one thread that reads. What it learns (data, room to send, the end) is told to the loop from
there; whatever may block is done on a pool of threads (`threads`). Its public interface knows neither the signal that
ended a command nor that there is room again, and does not compare a host key again when keys are renewed: that is
what reaches into it here, and nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import paramiko
from paramiko.common import MSG_CHANNEL_CLOSE, MSG_CHANNEL_REQUEST, MSG_REQUEST_FAILURE, MSG_REQUEST_SUCCESS

from checks.hosts.paramiko_packets import WipingPacketizer
from checks.hosts.threads import Threads

WINDOW = 512 * 1024
"""Bytes that the far side may send before they are read here, for each channel."""

# Without a handler of its own, Python would write its warnings over the screen.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


class LoopEvent(threading.Event):
    """An event that paramiko's thread sets and the loop waits for."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._seen = asyncio.Event()

    def set(self) -> None:
        super().set()
        call_on(self._loop, self._seen.set)

    async def seen(self) -> None:
        await self._seen.wait()


def call_on(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    """Have the loop call it; nothing happens once the loop is closed."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call)


class _Hearing(WipingPacketizer):
    """Notes when something was last heard."""

    heard = 0.0

    def read_message(self) -> Any:
        message = super().read_message()
        self.heard = time.monotonic()
        return message


class SshTransport(paramiko.Transport):  # type: ignore[misc]
    """One SSH connection, as a client."""

    # How often the reading thread looks up when there is nothing to read, in seconds.
    _active_check_timeout = 2.0

    def __init__(self, sock: socket.socket | paramiko.Channel, host_key_types: Sequence[str]) -> None:
        super().__init__(sock, default_window_size=WINDOW, packetizer_class=_Hearing)
        self._preferred_keys = tuple(host_key_types)
        self._loop = asyncio.get_running_loop()
        self._watchers: dict[int, Callable[[], None]] = {}
        self.signals: dict[int, str] = {}
        """The signals that ended commands, by channel."""
        self.last_finished = 0.0
        self.finished: set[int] = set()
        """Channels whose end both sides have told each other: the host counts them no more."""
        self.ended = asyncio.Event()
        self._channel_handler_table = {
            number: self._watched(handler) for number, handler in paramiko.Transport._channel_handler_table.items()
        }
        self._channel_handler_table[MSG_CHANNEL_REQUEST] = self._watched(self._channel_request)
        self._channel_handler_table[MSG_CHANNEL_CLOSE] = self._watched(self._channel_close)
        self._handler_table[MSG_REQUEST_SUCCESS] = self._handler_table[MSG_REQUEST_FAILURE] = lambda _: None

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """Host key algorithms, the ones on file first; never certificates, which paramiko does not verify."""
        return tuple(self._preferred_keys)

    @property
    def heard(self) -> float:
        """When something was last heard, by the monotonic clock."""
        return float(self.packetizer.heard)

    def watch(self, channel: paramiko.Channel, wake: Callable[[], None]) -> None:
        """Call `wake` on the loop whenever something happened to the channel."""
        self._watchers[channel.chanid] = wake

    def forget(self, channel: paramiko.Channel) -> None:
        self._watchers.pop(channel.chanid, None)
        self.signals.pop(channel.chanid, None)
        self.finished.discard(channel.chanid)

    def run(self) -> None:
        try:
            super().run()
        finally:
            call_on(self._loop, self.ended.set)
            for wake in list(self._watchers.values()):
                call_on(self._loop, wake)

    def break_off(self, threads: Threads) -> None:
        """End it at once, without a word to the other side; its thread ends soon after."""
        self.active = False
        if isinstance(self.sock, socket.socket):
            with contextlib.suppress(OSError):
                # Wakes the thread that reads; closing would not.
                self.sock.shutdown(socket.SHUT_RDWR)
        # With a jump host this closes a channel there, which may have to wait for the line to it.
        threads.start(self.packetizer.close)

    def _watched(self, handler: Callable[[paramiko.Channel, paramiko.Message], None]) -> Any:
        def handle(channel: paramiko.Channel, message: paramiko.Message) -> None:
            handler(channel, message)
            if wake := self._watchers.get(channel.chanid):
                call_on(self._loop, wake)

        return handle

    def _channel_request(self, channel: paramiko.Channel, message: paramiko.Message) -> None:
        start = message.packet.tell()
        if message.get_text() == "exit-signal":
            message.get_boolean()
            self.signals[channel.chanid] = f"SIG{message.get_text()}"
        message.packet.seek(start)
        channel._handle_request(message)

    def _channel_close(self, channel: paramiko.Channel, message: paramiko.Message) -> None:
        channel._handle_close(message)
        self.finished.add(channel.chanid)
        self.last_finished = time.monotonic()

    def _verify_key(self, host_key: bytes, signature: bytes) -> None:
        before = self.host_key
        super()._verify_key(host_key, signature)
        if before is not None and before.asbytes() != self.host_key.asbytes():
            raise paramiko.SSHException("the host showed another key when the session's keys were renewed")
