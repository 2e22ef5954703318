"""The wire: whole messages out of any pieces, nothing else accepted, nothing secret shown or kept."""

from __future__ import annotations

import os
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.hsm import wire
from runbook.wiping import wipe

TARGET = wire.Target(7, "DENK0100001", "ccat-intermediate")
requests = st.one_of(
    st.just(wire.ListSlots()),
    st.just(wire.Logout()),
    st.builds(wire.FindObjects, st.just(TARGET), st.none() | st.binary(max_size=8), st.none() | st.text(max_size=9)),
    st.builds(wire.Login, st.just(TARGET), st.binary(max_size=20).map(bytearray)),
    st.builds(wire.Sign, st.just(TARGET), st.binary(max_size=4), st.text(max_size=20), st.binary(max_size=200)),
)


@given(st.lists(st.builds(wire.Call, st.integers(0, 2**40), requests), max_size=5), st.integers(1, 64))
def test_messages_come_whole_out_of_any_pieces(calls: list[wire.Call], size: int) -> None:
    stream = b"".join(bytes(wire.frame(call)) for call in calls)
    buffer, found = bytearray(), []
    for start in range(0, len(stream), size):
        buffer += stream[start : start + size]
        while (body := wire.take(buffer)) is not None:
            found.append(wire.read_call(body))
    assert found == calls
    assert not buffer


@given(st.binary(max_size=200))
def test_other_bytes_are_a_wire_error(body: bytes) -> None:
    for read in (wire.read_call, wire.read_answer):
        try:
            message = read(bytearray(body))
        except wire.WireError:
            continue
        assert msgspec.msgpack.encode(message)


def test_a_message_that_is_too_long_is_refused_on_both_sides() -> None:
    with pytest.raises(wire.WireError, match="longer than"):
        wire.frame(wire.Call(1, wire.Sign(TARGET, b"\x01", "CKM_ECDSA", bytes(wire.MAX_FRAME))))
    with pytest.raises(wire.WireError, match="longer than"):
        wire.take(bytearray((wire.MAX_FRAME + 1).to_bytes(4)))


def test_a_login_does_not_show_its_pin() -> None:
    request = wire.Login(TARGET, bytearray(b"648219"))
    assert "648219" not in f"{request!r} {request} {wire.Call(1, request)!r}"


def test_bytes_taken_are_wiped_from_the_buffer() -> None:
    frame = wire.frame(wire.Call(1, wire.Login(TARGET, bytearray(b"648219"))))
    body = wire.take(frame)
    assert body
    assert not frame
    wipe(body)
    assert not any(body)


PROTECTED = """
import ctypes, os, sys
from checks.hsm.worker import protect
protect(int(sys.argv[1]))
signal = ctypes.c_int()
libc = ctypes.CDLL(None)
libc.prctl(2, ctypes.byref(signal), 0, 0, 0)
print(libc.prctl(3, 0, 0, 0, 0), signal.value)
"""


def protected(parent: int) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-c", PROTECTED, str(parent)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)


def test_a_worker_cannot_be_looked_into_and_dies_with_its_parent() -> None:
    """PR_GET_DUMPABLE is 0, PR_GET_PDEATHSIG is SIGKILL (prctl(2))."""
    assert protected(os.getpid()).stdout.split() == ["0", "9"]


def test_a_worker_whose_parent_went_before_leaves_at_once() -> None:
    done = protected(os.getppid())
    assert (done.returncode, done.stdout) == (71, "")
