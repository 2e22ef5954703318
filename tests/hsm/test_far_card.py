"""A SmartCard-HSM on another host: its exact counter, its PIN and its recovery, by OpenSC's tools over there."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

import pytest

from checks.hsm import errors
from checks.hsm.far_scene import parse
from checks.hsm.guard import login
from checks.hsm.objects import Objects
from checks.hsm.pin import read_counter
from checks.hsm.pin_counter import PinCounterCheck
from checks.hsm.pool import use_token
from checks.hsm.sign_test import SignTestCheck
from checks.hsm.slots import Slots
from rehearsal.card.faults import PinCheckFault
from runbook.outcome import Verdict
from runbook.secrets import Secret
from tests.fake_context import FakeContext
from tests.hsm.cards import CardBench
from tests.hsm.elsewhere import OneHost, far_token, moved, on_host
from tests.hsm.test_card_pool import held
from tests.softhsm import PIN, SO_PIN

Contexts = Callable[..., FakeContext]


def step(context: Contexts, bench: CardBench, *pins: str, **env: str) -> FakeContext:
    return on_host(context(bench.site(intermediate=moved(bench.profile(**env))), *pins), OneHost())


async def test_stage_a_is_green_there(context: Contexts, bench: CardBench) -> None:
    ctx = step(context, bench, PIN)
    for kind, params in (
        (Slots, {}),
        (PinCounterCheck, {"minimum": 3}),
        (Objects, {"expect": [{"id": "01"}], "surplus": "allow"}),
        (SignTestCheck, {"key": "01"}),
        (SignTestCheck, {"key": "02", "mechanism": "ECDSA"}),
    ):
        outcome = await ctx.run(kind, token="intermediate", **params)
        assert outcome.verdict is Verdict.PASSED, outcome.summary
    status = await bench.status()
    assert (status.user_checks, status.user_tries) == (1, 3)


async def test_the_counter_is_the_cards_own(context: Contexts, bench: CardBench) -> None:
    ctx = step(context, bench, PIN, "111111")
    token = await use_token(ctx, "intermediate")
    await bench.spend_attempts(1)
    assert (await read_counter(token)).counter.tries_left == 2
    ctx.operator.pins = ["111111"]
    with pytest.raises(errors.PinIncorrect, match="1 of 3 left"):
        await login(ctx, token, "to sign")
    with pytest.raises(errors.PinFinalTry):
        await login(ctx, token, "to sign")
    assert (await bench.status()).user_tries == 1


async def test_the_guard_leads_through_a_reset_there(context: Contexts, bench: CardBench) -> None:
    ctx = step(context, bench, SO_PIN)
    ctx.operator.choice, ctx.operator.secrets = "reset", ["975310", "975310"]
    await bench.spend_attempts(3)
    await login(ctx, await use_token(ctx, "intermediate"), "to sign")
    status = await bench.status()
    assert (status.user_tries, status.so_checks) == (3, 1)


async def test_opensc_over_there_does_not_present_the_pin_again_either(context: Contexts, bench: CardBench) -> None:
    """`p11-kit remote` gets OpenSC's configuration of that host with the PIN cache off."""
    async with far_token(bench.profile(), step(context, bench), OneHost()) as token:
        await token.login(Secret.from_text(PIN))
        await token.sign(b"\x01", "CKM_ECDSA", bytes(48))
        await bench.tool("sc-hsm-tool")
        with pytest.raises(errors.NotLoggedIn):
            await token.sign(b"\x01", "CKM_ECDSA", bytes(48))
        assert (await bench.status()).user_checks == 1


async def test_the_cache_is_what_would_have_done_it_there(context: Contexts, bench: CardBench) -> None:
    conf = bench.folder / "site.conf"
    conf.write_text("app default { }\n")
    async with far_token(bench.profile(OPENSC_CONF=str(conf)), step(context, bench), OneHost()) as token:
        await token.login(Secret.from_text(PIN))
        await bench.tool("sc-hsm-tool")
        await token.sign(b"\x01", "CKM_ECDSA", bytes(48))
        assert (await bench.status()).user_checks == 2


# -- who is in the way over there ------------------------------------------------------------------------------------


async def test_a_card_held_by_another_program_there_is_told_with_the_program(
    context: Contexts, bench: CardBench
) -> None:
    async with far_token(bench.profile(), step(context, bench), OneHost(), deadline=3.0) as token:
        await token.info()
        async with held(bench, "transaction") as pid:
            with pytest.raises(errors.TokenNotResponding, match=rf"use PC/SC now: .*pid {pid}") as raised:
                await token.info()
        assert "p11-kit" not in raised.value.what, "our own is not in its own way"
        assert (await token.info()).serial


async def test_no_pcscd_there(context: Contexts, bench: CardBench) -> None:
    await bench.reader.pcscd.stop()
    async with far_token(bench.profile(), step(context, bench), OneHost()) as token:
        with pytest.raises(errors.ReaderMissing, match="pcscd does not answer at"):
            await token.select()


async def test_a_card_that_is_pulled_there(context: Contexts, bench: CardBench) -> None:
    async with far_token(bench.profile(), step(context, bench), OneHost()) as token:
        await token.login(Secret.from_text(PIN))
        await bench.card.pull()
        with pytest.raises(errors.TokenRemoved):
            await token.sign(b"\x01", "CKM_ECDSA", bytes(48))
        await bench.card.insert()
        await bench.reader.pcscd.wait_for_cards(1)
        assert (await token.info()).serial
        assert not token.logged_in


def test_what_the_host_says_is_read_with_care() -> None:
    lines = [
        *("pcsc", "socket", "tool", "reader 0    Yes             Virtual PCD \x1b[31m00 00", "reader 1    No   Other"),
        "service 812 elsewhere 0::/docker/0a1b2c | pcscd",
        *("client x same 0::/ | nonsense", "client 900 same 0::/user.slice | pkcs11-tool", "dongle 20a0:4230"),
        *("opened 812 elsewhere 0::/docker/0a1b2c | pcscd", "anything else", "end"),
    ]
    facts = parse(lines)
    assert [(reader.name, reader.present) for reader in facts.readers] == [
        ("Virtual PCD ␛[31m00 00", True),
        ("Other", False),
    ]
    assert [str(holder) for holder in facts.services] == ["pcscd (pid 812, in a container (docker))"]
    assert [str(holder) for holder in facts.clients] == ["pkcs11-tool (pid 900)"]
    assert facts.dongles == [("Nitrokey HSM", facts.services)]


async def test_after_a_line_lost_at_the_pin_the_counter_tells_that_the_attempt_was_counted(
    context: Contexts, bench: CardBench
) -> None:
    ctx = step(context, bench, PIN)
    token = await use_token(ctx, "intermediate")
    await token.info()
    worker = token._link.worker
    assert worker
    assert worker.line
    await bench.card.at_pin_check(PinCheckFault.SILENT)
    attempt = asyncio.ensure_future(login(ctx, token, "to sign"))
    await bench.card.wait_until(lambda status: status.user_checks == 1)
    os.killpg(worker.line._carrier._channel._process.pid, signal.SIGKILL)  # type: ignore[attr-defined] - it is local
    await bench.card.pull()
    await bench.card.insert()
    with pytest.raises(errors.LoginInDoubt) as raised:
        await attempt
    assert (
        "2 of 3 left; the attempt was counted" in raised.value.what or "take the attempt as spent" in raised.value.what
    )
    status = await bench.status()
    assert (status.user_checks, status.user_tries) == (1, 2)
    await bench.reader.pcscd.wait_for_cards(1)
    assert (await read_counter(await use_token(ctx, "intermediate"))).counter.tries_left == 2
