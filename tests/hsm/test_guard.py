"""The PIN guard: no attempt that the operator did not just make, and none that cannot be right."""

from __future__ import annotations

import asyncio
import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from checks.hsm import errors
from checks.hsm.guard import login
from runbook.record.events import PinAttempt, PinResult
from tests.fake_context import FakeContext
from tests.hsm.shim import C_LOGIN, Shim
from tests.softhsm import PIN, SoftHsm

MakeContext = Callable[..., FakeContext]

WRONG = "111111"
CARD = ("manufacturer www.CardContact.de", "model PKCS#15 emulated", "pin 6 15")
"""What makes the program take a token for a SmartCard-HSM behind OpenSC."""

SC_HSM_TOOL = """\
Version              : 6.6
Config options       :
  User PIN reset with SO-PIN enabled
SO-PIN tries left    : 15
{user}
DKEK shares          : 0
DKEK key check value : 0000000000000000
"""


def stand_in_for_sc_hsm_tool(folder: Path, user_line: str) -> str:
    """A program of that name that says this; returns a PATH that finds it first."""
    tool = folder / "bin" / "sc-hsm-tool"
    tool.parent.mkdir(exist_ok=True)
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{SC_HSM_TOOL.format(user=user_line)}END\n")
    tool.chmod(0o755)
    return f"{tool.parent}:{os.environ['PATH']}"


def site(shim: Shim, **env: str):
    return shim.token.site(intermediate=shim.profile(**env))


async def test_the_right_pin_is_asked_once_and_serves_the_stage(context: MakeContext, shim: Shim) -> None:
    ctx = context(site(shim), PIN)
    token = ctx.pool.token("intermediate")
    before = await login(ctx, token, "to sign")
    assert before
    assert before.state == "unknown"
    assert await login(ctx, token, "to sign again") is None
    (request,) = ctx.operator.requests
    assert request.token == f"ccat-intermediate [{shim.token.serials['ccat-intermediate']}]"
    assert (request.tries_left, request.min_length, request.max_length) == (None, 4, 255)
    assert shim.calls(C_LOGIN) == [len(PIN)]
    attempt, result = ctx.events
    assert isinstance(attempt, PinAttempt)
    assert isinstance(result, PinResult)
    assert result.accepted is True
    with pytest.raises(ValueError, match="wiped"):
        ctx.operator.given[0].reveal()
    await ctx.pool.end_stage()
    assert not token.logged_in


async def test_the_attempt_is_on_record_before_the_pin_is_sent(context: MakeContext, shim: Shim) -> None:
    ctx = context(site(shim), PIN)
    seen: list[int] = []

    async def record(event: object) -> None:
        ctx.events.append(event)
        seen.append(len(shim.calls(C_LOGIN)))

    ctx.record = record
    await login(ctx, ctx.pool.token("intermediate"), "to sign")
    assert seen == [0, 1]


async def test_a_record_that_fails_keeps_the_pin_back(context: MakeContext, shim: Shim) -> None:
    ctx = context(site(shim), PIN)

    async def record(event: object) -> None:
        raise OSError("the disk is full")

    ctx.record = record
    with pytest.raises(OSError, match="full"):
        await login(ctx, ctx.pool.token("intermediate"), "to sign")
    assert shim.calls(C_LOGIN) == []
    assert len(ctx.operator.given[0]) == 0


async def test_a_wrong_pin_is_sent_exactly_once(context: MakeContext, shim: Shim) -> None:
    ctx = context(site(shim), WRONG)
    token = ctx.pool.token("intermediate")
    with pytest.raises(errors.PinIncorrect, match="the token says: low") as raised:
        await login(ctx, token, "to sign")
    assert shim.calls(C_LOGIN) == [len(WRONG)]
    assert not token.logged_in
    assert ctx.events[-1] == PinResult(
        "A3.sign", f"ccat-intermediate [{token.profile.serial}]", accepted=False, tries_left=None
    )
    shown = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + repr(ctx.operator.requests)
    assert WRONG not in shown
    assert WRONG not in repr(ctx.events)


async def test_after_a_wrong_pin_the_next_attempt_is_asked_for_with_a_warning(context: MakeContext, shim: Shim) -> None:
    ctx = context(site(shim), WRONG, PIN)
    token = ctx.pool.token("intermediate")
    with pytest.raises(errors.PinIncorrect):
        await login(ctx, token, "to sign")
    await login(ctx, token, "to sign")
    assert "not full" in ctx.operator.requests[1].warning
    assert "CKF_USER_PIN_COUNT_LOW" in ctx.operator.requests[1].flags
    assert len(ctx.operator.confirms) == 1
    assert token.logged_in


@pytest.mark.parametrize(
    ("flags", "error", "remedy"),
    [
        ("0x40000", errors.PinLocked, "SO-PIN"),
        ("0x20000", errors.PinFinalTry, "SO-PIN"),
        ("0x60000", errors.PinLocked, "SO-PIN"),
        ("0x30000", errors.PinFinalTry, "SO-PIN"),
    ],
)
async def test_locked_and_final_try_are_refused_without_a_prompt(
    context: MakeContext, shim: Shim, flags: str, error: type[errors.TokenError], remedy: str
) -> None:
    ctx = context(site(shim), PIN)
    shim.faults(f"flags {flags}")
    with pytest.raises(error) as raised:
        await login(ctx, ctx.pool.token("intermediate"), "to sign")
    assert remedy in raised.value.remedy
    assert ctx.operator.requests == []
    assert ctx.events == []
    assert shim.calls(C_LOGIN) == []


@pytest.mark.parametrize(
    ("user_line", "error"),
    [
        ("User PIN tries left  : 3", None),
        ("User PIN tries left  : 1", errors.PinFinalTry),
        ("User PIN locked", errors.PinLocked),
    ],
)
async def test_the_exact_counter_of_a_smartcard_hsm_decides(
    context: MakeContext, shim: Shim, tmp_path: Path, user_line: str, error: type[errors.TokenError] | None
) -> None:
    ctx = context(site(shim, PATH=stand_in_for_sc_hsm_tool(tmp_path, user_line)), PIN)
    shim.faults(*CARD)
    token = ctx.pool.token("intermediate")
    if error is None:
        await login(ctx, token, "to sign")
        assert (ctx.operator.requests[0].tries_left, ctx.operator.requests[0].tries_max) == (3, 3)
        assert ctx.operator.confirms == []
        return
    with pytest.raises(error):
        await login(ctx, token, "to sign")
    assert ctx.operator.requests == []
    assert shim.calls(C_LOGIN) == []


async def test_a_low_counter_asks_first_and_no_means_no(context: MakeContext, shim: Shim, tmp_path: Path) -> None:
    path = stand_in_for_sc_hsm_tool(tmp_path, "User PIN tries left  : 2")
    ctx = context(site(shim, PATH=path), PIN, confirm=False)
    shim.faults(*CARD, "flags 0x10000")
    with pytest.raises(errors.PinLow, match="2 of 3 left"):
        await login(ctx, ctx.pool.token("intermediate"), "to sign")
    assert ctx.operator.confirms[0].dangerous
    assert ctx.operator.requests == []
    assert shim.calls(C_LOGIN) == []


@pytest.mark.parametrize(
    ("pin", "error"),
    [
        ("12345", errors.PinLength),
        ("1234567890123456", errors.PinLength),
        ("", errors.PinLength),
        ("648219\u00e9", errors.PinNotAscii),
        ("\u0660\u0661\u0662\u0663", errors.PinNotAscii),
        ("648219\n", errors.PinNotAscii),
        ("\u00e9" * 8, errors.PinLength),
    ],
)
async def test_a_pin_that_cannot_be_right_never_reaches_the_token(
    context: MakeContext, shim: Shim, pin: str, error: type[errors.TokenError]
) -> None:
    ctx = context(site(shim), pin)
    shim.faults("pin 6 15")
    with pytest.raises(error, match="PIN") as raised:
        await login(ctx, ctx.pool.token("intermediate"), "to sign")
    assert "no attempt is spent" in raised.value.remedy
    assert shim.calls(C_LOGIN) == []
    assert ctx.events == []
    assert len(ctx.operator.given[0]) == 0


@pytest.mark.parametrize("fault", ["hang", "crash", "crash-after", "rv 50", "rv 48", "rv 5"])
async def test_an_answer_that_never_came_is_in_doubt(context: MakeContext, shim: Shim, fault: str) -> None:
    ctx = context(site(shim), PIN, deadline=0.5)
    token = ctx.pool.token("intermediate")
    shim.faults(f"fault {C_LOGIN} {fault}")
    with pytest.raises(errors.LoginInDoubt, match="attempts now"):
        await login(ctx, token, "to sign")
    assert shim.calls(C_LOGIN) == [len(PIN)]
    assert not token.logged_in
    result = ctx.events[-1]
    assert isinstance(result, PinResult)
    assert result.accepted is None


@pytest.mark.parametrize(("code", "error"), [(0xA4, errors.PinLocked), (0x102, errors.PinNotSet)])
async def test_a_verdict_of_the_token_is_no_doubt(
    context: MakeContext, shim: Shim, code: int, error: type[errors.TokenError]
) -> None:
    ctx = context(site(shim), PIN)
    shim.faults(f"fault {C_LOGIN} rv {code}")
    with pytest.raises(error):
        await login(ctx, ctx.pool.token("intermediate"), "to sign")
    assert ctx.events[-1].accepted is False


async def test_a_cancelled_login_is_on_record_as_unknown(context: MakeContext, shim: Shim) -> None:
    ctx = context(site(shim), PIN)
    shim.faults(f"fault {C_LOGIN} hang")
    attempt = asyncio.ensure_future(login(ctx, ctx.pool.token("intermediate"), "to sign"))
    async with asyncio.timeout(10):
        while not shim.calls(C_LOGIN):  # noqa: ASYNC110 - the state of another process
            await asyncio.sleep(0.005)
    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt
    assert ctx.events[-1].accepted is None
    assert len(ctx.operator.given[0]) == 0


async def test_when_the_login_is_lost_the_prompt_says_why(context: MakeContext, shim: Shim) -> None:
    ctx = context(site(shim), PIN, PIN)
    token = ctx.pool.token("intermediate")
    await login(ctx, token, "to sign")
    assert token.worker_pid
    os.kill(token.worker_pid, signal.SIGKILL)
    with pytest.raises(errors.WorkerCrashed):
        await token.info()
    assert shim.calls(C_LOGIN) == [len(PIN)]
    await login(ctx, token, "to sign")
    assert "login made before is gone: its worker ended" in ctx.operator.requests[1].warning


async def test_the_pin_is_not_left_in_the_workers_memory(context: MakeContext, softhsm: SoftHsm) -> None:
    pin = "8Hq2-vKz7Lm"
    label = "other"
    softhsm.init_token(label, pin)
    ctx = context(softhsm.site(other=softhsm.profile(label=label)), pin)
    token = ctx.pool.token("other")
    await login(ctx, token, "to sign")
    assert _memory_of(token.worker_pid or 0).count(b"CKF_LOGIN_REQUIRED") > 0
    assert _memory_of(token.worker_pid or 0).count(pin.encode()) == 0


def _memory_of(pid: int) -> bytes:
    """All readable, writable memory of a process."""
    out = bytearray()
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in maps:
            span, permissions, *_ = line.split()
            start, end = (int(part, 16) for part in span.split("-"))
            if permissions.startswith("rw") and "[v" not in line:
                memory.seek(start)
                out += memory.read(end - start)
    return bytes(out)
