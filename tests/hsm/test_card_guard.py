"""The guard in front of a card that counts: real OpenSC, real pcscd, a counter that locks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from checks.hsm import errors
from checks.hsm.guard import login
from checks.hsm.pin import read_counter
from checks.hsm.pin_unlock import PinUnlock, PinUnlockParams
from rehearsal.card.faults import FaultKind, PinCheckFault
from runbook.outcome import Verdict
from runbook.record.events import GuardOverridden, PinAttempt, PinResult
from tests.fake_context import FakeContext
from tests.hsm.cards import SERIAL, CardBench
from tests.softhsm import PIN, SO_PIN

MakeContext = Callable[..., FakeContext]

NAME = f"ccat-intermediate (UserPIN) [{SERIAL}]"
WRONG = "111111"
NEW_PIN = "735190"


async def test_the_table_of_flags_and_counters_step_by_step(context: MakeContext, bench: CardBench) -> None:
    """Facts of a Nitrokey HSM 2: the number, the flags (final try without "low") and what a login gives."""
    ctx = context(bench.site())
    ctx.operator.pins = [WRONG, WRONG, WRONG]
    token = ctx.pool.token("intermediate")
    ctx.operator.choice = "override"
    seen = []
    for _ in range(3):
        counter = (await read_counter(token)).counter
        seen.append((counter.tries_left, counter.state, counter.flags))
        with pytest.raises((errors.PinIncorrect, errors.PinLocked)):
            await login(ctx, token, "to be wrong")
    counter = (await read_counter(token)).counter
    seen.append((counter.tries_left, counter.state, counter.flags))
    assert seen == [
        (3, "full", ()),
        (2, "low", ("CKF_USER_PIN_COUNT_LOW",)),
        (1, "final try", ("CKF_USER_PIN_FINAL_TRY",)),
        (0, "locked", ("CKF_USER_PIN_LOCKED",)),
    ]
    assert (await bench.status()).user_checks == 3
    results = [event for event in ctx.events if isinstance(event, PinResult)]
    assert [(result.accepted, result.tries_left) for result in results] == [(False, 2), (False, 1), (False, 0)]


async def test_the_right_pin_is_sent_once_and_serves_the_stage(context: MakeContext, bench: CardBench) -> None:
    ctx = context(bench.site(), PIN)
    token = ctx.pool.token("intermediate")
    before = await login(ctx, token, "to sign")
    assert before
    assert (before.tries_left, before.so_tries_left) == (3, 15)
    assert await login(ctx, token, "to sign again") is None
    assert len(await token.sign(b"\x01", "CKM_ECDSA_SHA384", b"statement")) == 96
    status = await bench.status()
    assert (status.user_checks, status.user_tries) == (1, 3)


async def test_one_attempt_left_is_refused_and_nothing_is_sent(context: MakeContext, bench: CardBench) -> None:
    await bench.spend_attempts(2)
    ctx = context(bench.site(), PIN)
    with pytest.raises(errors.PinFinalTry, match="one attempt is left") as raised:
        await login(ctx, ctx.pool.token("intermediate"), "to sign")
    assert "pin.unlock" in raised.value.remedy
    (offer,) = ctx.operator.choices
    assert [key for key, _ in offer.choices] == ["stop", "reset", "override"]
    status = await bench.status()
    assert (status.user_checks, status.user_tries) == (2, 1)
    assert ctx.operator.requests == []


async def test_the_final_try_can_be_overridden_only_on_the_record(context: MakeContext, bench: CardBench) -> None:
    await bench.spend_attempts(2)
    ctx = context(bench.site(), PIN)
    token = ctx.pool.token("intermediate")
    ctx.operator.choice = "override"
    ctx.operator.phrase = "LAST TRY DENK0100003"
    with pytest.raises(errors.PinFinalTry):
        await login(ctx, token, "to sign")
    ctx.operator.phrase, ctx.operator.reason = None, " "
    with pytest.raises(errors.PinFinalTry):
        await login(ctx, token, "to sign")
    assert (await bench.status()).user_checks == 2
    assert ctx.events == []
    ctx.operator.reason = "the safe is out of reach"
    await login(ctx, token, "to sign")
    assert ctx.operator.phrases[0].phrase == f"LAST TRY {SERIAL}"
    assert "last attempt" in ctx.operator.requests[0].warning
    assert ctx.events[:2] == [
        GuardOverridden("A3.sign", f"final PIN try of {NAME}", "the safe is out of reach"),
        PinAttempt("A3.sign", NAME, "user PIN", 1),
    ]
    assert token.logged_in


async def test_a_locked_card_cannot_be_overridden(context: MakeContext, bench: CardBench) -> None:
    await bench.spend_attempts(3)
    ctx = context(bench.site(), PIN)
    ctx.operator.choice = "override"
    with pytest.raises(errors.PinLocked):
        await login(ctx, ctx.pool.token("intermediate"), "to sign")
    assert [key for key, _ in ctx.operator.choices[0].choices] == ["stop", "reset"]
    assert ctx.events == []
    assert (await bench.status()).user_checks == 3


@pytest.mark.parametrize("spent", [2, 3])
async def test_the_guard_leads_through_a_reset(context: MakeContext, bench: CardBench, spent: int) -> None:
    await bench.spend_attempts(spent)
    ctx = context(bench.site(), SO_PIN)
    ctx.operator.choice, ctx.operator.secrets = "reset", [NEW_PIN, NEW_PIN]
    token = ctx.pool.token("intermediate")
    await login(ctx, token, "to sign")
    assert token.logged_in
    (request,) = ctx.operator.requests
    assert (request.who, request.tries_left, request.tries_max) == ("SO-PIN", 15, 15)
    assert ctx.events == [
        PinAttempt("A3.sign", NAME, "SO-PIN", 15),
        PinResult("A3.sign", NAME, accepted=True, tries_left=15, who="SO-PIN"),
        PinAttempt("A3.sign", NAME, "user PIN", 3),
        PinResult("A3.sign", NAME, accepted=True, tries_left=None),
    ]
    status = await bench.status()
    assert (status.so_checks, status.user_tries) == (1, 3)
    assert len(await token.sign(b"\x01", "CKM_ECDSA", bytes(48))) == 96
    assert all(len(secret) == 0 for secret in ctx.operator.given)
    shown = repr(ctx.events) + repr(ctx.lines)
    assert SO_PIN not in shown
    assert NEW_PIN not in shown


async def test_each_attempt_is_on_record_before_it_is_sent(context: MakeContext, bench: CardBench) -> None:
    await bench.spend_attempts(3)
    ctx = context(bench.site(), SO_PIN)
    ctx.operator.secrets = [NEW_PIN, NEW_PIN]
    seen = []

    async def record(event: object) -> None:
        status = await bench.status()
        ctx.events.append(event)
        seen.append((type(event), status.so_checks, status.user_checks))

    ctx.record = record
    outcome = await PinUnlock(PinUnlockParams(token="intermediate")).run(ctx)
    assert outcome.verdict is Verdict.PASSED
    assert seen == [(PinAttempt, 0, 3), (PinResult, 1, 3), (PinAttempt, 1, 3), (PinResult, 1, 4)]


@pytest.mark.parametrize(
    ("so_pin", "new", "error"),
    [
        ("353736323138383", (), errors.SoPinForm),
        ("35373632313838300", (), errors.SoPinForm),
        ("3537363231383g30", (), errors.SoPinForm),
        (SO_PIN, ("12345",), errors.PinLength),
        (SO_PIN, ("1234567890123456",), errors.PinLength),
        (SO_PIN, ("73519é",), errors.PinNotAscii),
        (SO_PIN, (NEW_PIN, "735191"), errors.NewPinsDiffer),
    ],
)
async def test_what_cannot_be_right_is_not_sent(
    context: MakeContext, bench: CardBench, so_pin: str, new: tuple[str, ...], error: type[errors.TokenError]
) -> None:
    await bench.spend_attempts(2)
    ctx = context(bench.site(), so_pin)
    ctx.operator.secrets = list(new)
    with pytest.raises(error) as raised:
        await PinUnlock(PinUnlockParams(token="intermediate")).run(ctx)
    assert "Nothing was sent" in raised.value.remedy
    assert (await bench.status()).so_checks == 0
    assert ctx.events == []
    assert all(len(secret) == 0 for secret in ctx.operator.given)


async def test_a_wrong_so_pin_costs_one_of_its_attempts(context: MakeContext, bench: CardBench) -> None:
    await bench.spend_attempts(2)
    ctx = context(bench.site(), "0000000000000000")
    ctx.operator.secrets = [NEW_PIN, NEW_PIN]
    with pytest.raises(errors.SoPinIncorrect, match="SO-PIN attempts now: 14; user PIN attempts: 1 of 3 left"):
        await PinUnlock(PinUnlockParams(token="intermediate")).run(ctx)
    assert ctx.events[-1] == PinResult("A3.sign", NAME, accepted=False, tries_left=14, who="SO-PIN")
    assert (await bench.status()).so_checks == 1


async def test_what_the_token_said_is_on_record_when_the_reading_after_it_is_cut_off(
    context: MakeContext, bench: CardBench
) -> None:
    """The card falls silent while the counter is read again, and the step's deadline ends that."""
    ctx = context(bench.site(), WRONG, deadline=60.0)
    await bench.card.fault(FaultKind.SILENT, command="IMPORT DKEK SHARE", after=2)
    task = asyncio.ensure_future(login(ctx, ctx.pool.token("intermediate"), "to sign"))
    await bench.card.wait_until(lambda status: sum(line.startswith("VERIFY 00 88") for line in status.log) == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await bench.status()).user_checks == 1
    assert ctx.events[-1] == PinResult("A3.sign", NAME, accepted=False, tries_left=None)


async def test_what_the_token_said_to_the_so_pin_is_on_record_too(context: MakeContext, bench: CardBench) -> None:
    await bench.spend_attempts(2)
    ctx = context(bench.site(), SO_PIN, deadline=60.0)
    ctx.operator.secrets = [NEW_PIN, NEW_PIN]
    await bench.card.fault(FaultKind.SILENT, command="IMPORT DKEK SHARE", after=2)
    task = asyncio.ensure_future(PinUnlock(PinUnlockParams(token="intermediate")).run(ctx))
    await bench.card.wait_until(lambda status: sum(line.startswith("VERIFY 00 88") for line in status.log) == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ctx.events[-1] == PinResult("A3.sign", NAME, accepted=True, tries_left=None, who="SO-PIN")


async def test_a_full_counter_needs_no_reset(context: MakeContext, bench: CardBench) -> None:
    outcome = await PinUnlock(PinUnlockParams(token="intermediate")).run(context(bench.site()))
    assert outcome.verdict is Verdict.PASSED
    assert (await bench.status()).so_checks == 0


@pytest.mark.parametrize("fault", [PinCheckFault.POWER_LOSS, PinCheckFault.SILENT])
async def test_a_check_that_never_answers_is_in_doubt_and_counted(
    context: MakeContext, bench: CardBench, fault: PinCheckFault
) -> None:
    """Power is lost after the counter went down and before the PIN was compared, as on the real card."""
    ctx = context(bench.site(), PIN, deadline=3.0)
    token = ctx.pool.token("intermediate")
    await token.info()
    await bench.card.at_pin_check(fault)
    put_back = bench.card.wait_until(lambda status: status.user_checks == 1)

    async def record(event: object) -> None:
        ctx.events.append(event)

    ctx.record = record
    task = asyncio.ensure_future(login(ctx, token, "to sign"))
    await put_back
    await bench.card.wait_until(lambda status: not status.inserted or fault is PinCheckFault.SILENT)
    await bench.card.pull()
    await bench.card.insert()
    with pytest.raises(errors.LoginInDoubt) as raised:
        await task
    assert "the attempt was counted" in raised.value.what or "take the attempt as spent" in raised.value.what
    assert isinstance(ctx.events[-1], PinResult)
    assert ctx.events[-1].accepted is None
    status = await bench.status()
    assert (status.user_checks, status.user_tries) == (1, 2)
