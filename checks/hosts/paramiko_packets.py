"""paramiko's packets, of which nothing stays behind that may have held a password.

paramiko puts a message together as bytes and cuts and joins them until they are encrypted. Bytes cannot be wiped, and
what is freed is not either; so those of the messages that carry what a person typed are followed through all of that,
and overwritten when the packet is out.
"""

from __future__ import annotations

import threading
from typing import Any, Final, SupportsIndex

from paramiko.common import MSG_CHANNEL_DATA, MSG_USERAUTH_INFO_RESPONSE, MSG_USERAUTH_REQUEST
from paramiko.packet import Packetizer

from runbook.wiping import wipe_lent

_MAY_HOLD: Final = frozenset({MSG_USERAUTH_REQUEST, MSG_USERAUTH_INFO_RESPONSE, MSG_CHANNEL_DATA})


class _Followed(bytes):
    """Bytes that know what was made of them by cutting and joining."""

    made: list[_Followed]

    @classmethod
    def of(cls, value: bytes, made: list[_Followed]) -> _Followed:
        one = cls(value)
        one.made = made
        made.append(one)
        return one

    def __getitem__(self, at: SupportsIndex | slice) -> Any:
        got = super().__getitem__(at)
        if isinstance(got, int):
            return got
        followed = self.of(got, self.made)
        wipe_lent(got)
        return followed

    def __radd__(self, before: bytes) -> _Followed:
        joined = b"".join((before, self))
        followed = self.of(joined, self.made)
        wipe_lent(joined)
        return followed


class WipingPacketizer(Packetizer):  # type: ignore[misc]
    """Sends as paramiko does."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        # Several threads send at the same time; none may wipe what another has yet to send.
        self._sending = threading.local()

    def send_message(self, data: Any) -> None:
        message = data.asbytes()
        if message[0] not in _MAY_HOLD:
            super().send_message(data)
            return
        made: list[_Followed] = []
        self._sending.made = made
        try:
            super().send_message(data)
        finally:
            self._sending.made = None
            for one in made:
                wipe_lent(one)
            wipe_lent(message)

    def _build_packet(self, payload: bytes) -> bytes:
        packet: bytes = super()._build_packet(payload)
        made = getattr(self._sending, "made", None)
        if made is None:
            return packet
        followed = _Followed.of(packet, made)
        wipe_lent(packet)
        return followed
