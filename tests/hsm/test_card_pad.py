"""A card whose PIN is typed on a pad of its own, through OpenSC's own handling of pads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from checks.hsm import errors
from checks.hsm.guard import login
from rehearsal.card.faults import PadEntry
from rehearsal.card.virtual_reader import VirtualReader
from runbook.errors import PromptCancelled
from runbook.record.events import PinAttempt, PinResult
from tests.fake_context import FakeContext
from tests.hsm.cards import SERIAL, CardBench, make_card
from tests.hsm.shim import C_LOGIN, Shim

MakeContext = Callable[..., FakeContext]

NAME = f"ccat-intermediate (UserPIN) [{SERIAL}]"


@pytest.fixture
async def pad(short: Path) -> AsyncIterator[CardBench]:
    (short / "r").mkdir()
    async with VirtualReader(short / "r", [make_card(short / "pad.card", pin_pad=True)]) as reader:
        yield CardBench(short, reader)


async def test_the_pin_is_typed_on_the_pad_and_never_asked_for(context: MakeContext, pad: CardBench) -> None:
    ctx = context(pad.site())
    token = ctx.pool.token("intermediate")
    await login(ctx, token, "to sign")
    assert ctx.operator.requests == []
    (question,) = ctx.operator.confirms
    assert "typed on the reader's own pad" in question.question
    assert "attempts left: 3 of 3 left" in question.detail
    assert any("on the reader's pad now" in line for line in ctx.lines)
    assert ctx.events == [
        PinAttempt("A3.sign", NAME, "user PIN", 3),
        PinResult("A3.sign", NAME, accepted=True, tries_left=None),
    ]
    assert len(await token.sign(b"\x01", "CKM_ECDSA", bytes(48))) == 96
    assert (await pad.status()).user_checks == 1


async def test_a_wrong_one_on_the_pad_costs_one_attempt(context: MakeContext, pad: CardBench) -> None:
    await pad.card.at_pad(PadEntry.WRONG)
    ctx = context(pad.site())
    with pytest.raises(errors.PinIncorrect, match="attempts now: 2 of 3 left"):
        await login(ctx, ctx.pool.token("intermediate"), "to sign")
    assert (await pad.status()).user_checks == 1


async def test_nothing_starts_until_the_operator_says_so(context: MakeContext, pad: CardBench) -> None:
    ctx = context(pad.site(), confirm=False)
    with pytest.raises(PromptCancelled, match="nothing was sent"):
        await login(ctx, ctx.pool.token("intermediate"), "to sign")
    assert ctx.events == []
    assert (await pad.status()).user_checks == 0


async def test_the_final_try_is_guarded_on_the_pad_too(context: MakeContext, pad: CardBench) -> None:
    await pad.card.at_pad(PadEntry.WRONG)
    ctx = context(pad.site())
    token = ctx.pool.token("intermediate")
    for _ in range(2):
        with pytest.raises(errors.PinIncorrect):
            await login(ctx, token, "to sign")
    with pytest.raises(errors.PinFinalTry):
        await login(ctx, token, "to sign")
    assert (await pad.status()).user_tries == 1


@pytest.mark.parametrize("code", [0x01, 0x50])
async def test_cancelled_on_the_pad_is_no_doubt(context: MakeContext, shim: Shim, code: int) -> None:
    shim.faults("flags 0x100", f"fault {C_LOGIN} rv {code}")
    ctx = context(shim.token.site(intermediate=shim.profile()))
    with pytest.raises(errors.PinPadCancelled):
        await login(ctx, ctx.pool.token("intermediate"), "to sign")
    assert shim.calls(C_LOGIN) == [0]
    assert ctx.events[-1].accepted is False
