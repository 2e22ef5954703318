"""The pool on a card that is pulled, swapped, reset and held by others: real OpenSC, real pcscd."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from checks.hsm import errors
from checks.hsm.guard import login
from checks.hsm.opensc import without_cache
from checks.hsm.pin import read_counter
from checks.hsm.pool import TokenPool
from checks.hsm.token import Token
from rehearsal.card.virtual_reader import VirtualReader
from runbook.event import Event
from runbook.record.events import TokenNoticed
from runbook.secrets import Redactor, Secret
from tests.fake_context import FakeContext
from tests.hsm.cards import OTHER_SERIAL, SERIAL, CardBench, make_card
from tests.softhsm import PIN

MakeContext = Callable[..., FakeContext]


@pytest.fixture
async def token(bench: CardBench) -> AsyncIterator[Token]:
    made = Token("intermediate", bench.profile(), Redactor())
    yield made
    await made.close()


async def sign(token: Token) -> None:
    assert len(await token.sign(b"\x01", "CKM_ECDSA", bytes(48))) == 96


async def there(bench: CardBench, serial: str) -> None:
    """pcscd looks for cards every 0.4 s; returns once OpenSC's own tool sees this one."""
    async with asyncio.timeout(15):
        while serial not in await bench.tool("pkcs11-tool", "-L"):
            pass


async def swapped_for(bench: CardBench, state: Path, serial: str) -> None:
    await bench.card.pull()
    async with asyncio.timeout(15):
        while "Card not present" not in await bench.tool("sc-hsm-tool"):
            pass
    await bench.card.insert(state)
    await there(bench, serial)


# -- no attempt that nobody made -----------------------------------------------------------------------------------


async def test_opensc_does_not_present_the_pin_again_by_itself(bench: CardBench, token: Token) -> None:
    """Its PIN cache would: another program selects the applet, and the next signature sends the PIN once more."""
    await token.login(Secret.from_text(PIN))
    await sign(token)
    await bench.tool("sc-hsm-tool")
    assert not (await bench.status()).verified
    with pytest.raises(errors.NotLoggedIn):
        await sign(token)
    assert (await bench.status()).user_checks == 1
    assert token.login_lost == "the token ended it"
    await token.login(Secret.from_text(PIN))
    await sign(token)


async def test_the_cache_is_what_would_have_done_it(bench: CardBench) -> None:
    """With a configuration of the site's own, OpenSC is as it comes: the reason for the test above."""
    conf = bench.folder / "site.conf"
    conf.write_text("app default { }\n")
    token = Token("intermediate", bench.profile(OPENSC_CONF=str(conf)), Redactor())
    await token.login(Secret.from_text(PIN))
    await bench.tool("sc-hsm-tool")
    await sign(token)
    assert (await bench.status()).user_checks == 2
    await token.close()


@pytest.mark.parametrize(
    "host",
    [
        "",
        "app default {\n\tframework pkcs15 {\n\t}\n}\n",
        "app opensc-pkcs11 {\n\tframework pkcs15 { use_pin_caching = true; }\n}\n",
        "# app opensc-pkcs11 {\napp default { reader_driver pcsc { connect_exclusive = false; } }\n",
    ],
)
async def test_the_hosts_configuration_keeps_its_rest(bench: CardBench, host: str) -> None:
    conf = bench.folder / "made.conf"
    conf.write_text(without_cache(host))
    assert set(host.split()) <= set(without_cache(host).split())
    token = Token("intermediate", bench.profile(OPENSC_CONF=str(conf)), Redactor())
    await token.login(Secret.from_text(PIN))
    await bench.tool("sc-hsm-tool")
    with pytest.raises(errors.NotLoggedIn):
        await sign(token)
    assert (await bench.status()).user_checks == 1
    await token.close()


async def test_the_cards_own_driver_is_asked_first_unless_the_host_chose(bench: CardBench, token: Token) -> None:
    before = (await bench.status()).apdus
    await token.select()
    assert (await bench.commands(before))[0] == "SELECT 04 00 + -> 9000"
    assert "sc-hsm, internal" in without_cache("app default { # card_drivers = x;\n}\n")
    assert "sc-hsm" not in without_cache("app default { card_drivers = openpgp; }\n")


async def test_reading_the_counter_takes_one_look_and_five_commands(bench: CardBench, token: Token) -> None:
    """The flags, the applet, both counters and the key status that `sc-hsm-tool` shows too."""
    await token.select()
    before = (await bench.status()).apdus
    assert (await read_counter(token)).counter.tries_left == 3
    told = await bench.commands(before)
    assert [line for line in told if "6A82" in line] == []
    assert len(told) <= 6


async def test_a_reset_by_another_program_asks_again_and_says_why(context: MakeContext, bench: CardBench) -> None:
    ctx = context(bench.site(), PIN, PIN)
    token = ctx.pool.token("intermediate")
    await login(ctx, token, "to sign")
    await bench.tool("opensc-tool", "--reset")
    with pytest.raises(errors.TokenError):
        await sign(token)
    assert (await bench.status()).user_checks == 1
    await login(ctx, token, "to sign")
    assert "login made before is gone" in ctx.operator.requests[1].warning
    await sign(token)
    assert (await bench.status()).user_checks == 2


async def test_the_counter_is_not_read_in_a_way_that_ends_the_login(context: MakeContext, bench: CardBench) -> None:
    ctx = context(bench.site(), PIN)
    token = ctx.pool.token("intermediate")
    await login(ctx, token, "to sign")
    counter = (await read_counter(token)).counter
    assert (counter.tries_left, counter.state) == (None, "unknown")
    assert "while a login holds" in counter.source
    assert (await bench.status()).verified
    await sign(token)


async def test_an_attempt_of_somebody_else_during_the_prompt_keeps_the_pin_back(
    context: MakeContext, bench: CardBench
) -> None:
    ctx = context(bench.site(), PIN)
    token = ctx.pool.token("intermediate")
    ask = ctx.operator.pin

    async def slowly(request: object) -> Secret:
        await bench.spend_attempts(2)
        return await ask(request)

    ctx.operator.pin = slowly
    with pytest.raises(errors.PinChanged, match="CKF_USER_PIN_FINAL_TRY"):
        await login(ctx, token, "to sign")
    assert (await bench.status()).user_tries == 1


# -- cards that come and go ----------------------------------------------------------------------------------------


async def test_a_pulled_card_is_told_and_the_next_call_works(bench: CardBench, token: Token) -> None:
    await token.login(Secret.from_text(PIN))
    await bench.card.pull()
    with pytest.raises(errors.TokenRemoved):  # also before pcscd has noticed
        await sign(token)
    assert not token.logged_in
    assert token.login_lost
    await bench.card.insert()
    await there(bench, SERIAL)
    assert (await token.info()).serial == SERIAL
    assert (await bench.status()).user_checks == 1


@pytest.mark.parametrize("named", [True, False])
async def test_a_swapped_card_is_never_used_for_the_other(bench: CardBench, named: bool) -> None:
    token = Token("intermediate", bench.profile(serial=SERIAL if named else ""), Redactor())
    await token.login(Secret.from_text(PIN))
    await sign(token)
    await swapped_for(bench, make_card(bench.folder / "two.card", OTHER_SERIAL), OTHER_SERIAL)
    before = (await bench.status()).apdus
    for _ in range(3):
        with pytest.raises((errors.TokenRemoved, errors.TokenSwapped, errors.WrongSerial)):
            await sign(token)
        with pytest.raises((errors.TokenSwapped, errors.WrongSerial)):
            await token.login(Secret.from_text(PIN))
    assert (await bench.status()).user_checks == 0
    assert not [line for line in await bench.commands() if line.startswith("SIGN")][1:]
    assert before <= (await bench.status()).apdus
    await token.close()


async def test_removal_insertion_and_swap_are_noticed_while_nobody_asks(bench: CardBench) -> None:
    events: list[Event] = []
    heard = asyncio.Event()

    async def record(event: Event) -> None:
        events.append(event)
        heard.set()

    async def next_one() -> Event:
        async with asyncio.timeout(20):
            await heard.wait()
        heard.clear()
        return events[-1]

    pool = TokenPool(bench.site(), Redactor())
    pool.record = record
    token = pool.token("intermediate")
    await token.login(Secret.from_text(PIN))
    await bench.card.pull()
    assert await next_one() == TokenNoticed("intermediate", "removed")
    assert token.login_lost == "the token was removed"
    await bench.card.insert()
    assert await next_one() == TokenNoticed("intermediate", "inserted")
    await bench.card.pull()
    assert await next_one() == TokenNoticed("intermediate", "removed")
    await bench.card.insert(make_card(bench.folder / "two.card", OTHER_SERIAL))
    swapped = await next_one()
    assert isinstance(swapped, TokenNoticed)
    assert swapped.state == "swapped"
    assert OTHER_SERIAL in swapped.detail
    assert len(events) == 4
    await pool.close()
    assert (await bench.status()).user_checks == 0


async def test_looking_touches_no_card(bench: CardBench, token: Token) -> None:
    await token.login(Secret.from_text(PIN))
    await token.look()
    before = (await bench.status()).apdus
    for _ in range(20):
        assert await token.look() is None
    assert (await bench.status()).apdus == before
    await sign(token)


async def test_two_cards_with_one_serial_are_an_error_that_lists_them(short: Path) -> None:
    (short / "r").mkdir()
    cards = [make_card(short / "one.card"), make_card(short / "two.card")]
    async with VirtualReader(short / "r", cards) as reader:
        bench = CardBench(short, reader)
        token = Token("intermediate", bench.profile(), Redactor())
        with pytest.raises(errors.TwoTokens, match="2 tokens match") as raised:
            await token.login(Secret.from_text(PIN))
        assert "Rehearsal reader 1" in raised.value.what
        assert "Rehearsal reader 2" in raised.value.what
        assert [(await card.control.status()).user_checks for card in reader.cards] == [0, 0]
        await token.close()


async def test_the_right_one_of_two_cards_is_used(short: Path) -> None:
    (short / "r").mkdir()
    cards = [make_card(short / "one.card", OTHER_SERIAL), make_card(short / "two.card")]
    async with VirtualReader(short / "r", cards) as reader:
        token = Token("intermediate", CardBench(short, reader).profile(), Redactor())
        assert (await read_counter(token)).counter.tries_left == 3
        await token.login(Secret.from_text(PIN))
        await sign(token)
        assert [(await card.control.status()).user_checks for card in reader.cards] == [0, 1]
        await token.close()


# -- who is in the way ---------------------------------------------------------------------------------------------

HOLDER = """
import ctypes as c, sys
pcsc = c.CDLL("libpcsclite.so.1")
context, size, card, protocol = c.c_long(), c.c_ulong(4096), c.c_long(), c.c_ulong()
names = c.create_string_buffer(4096)
assert not pcsc.SCardEstablishContext(c.c_ulong(2), None, None, c.byref(context))
assert not pcsc.SCardListReaders(context, None, names, c.byref(size))
share = c.c_ulong({"exclusive": 1, "transaction": 2}[sys.argv[1]])
assert not pcsc.SCardConnect(context, names.value, share, c.c_ulong(3), c.byref(card), c.byref(protocol))
assert sys.argv[1] == "exclusive" or not pcsc.SCardBeginTransaction(card)
print("held", flush=True)
sys.stdin.read()
"""


@contextlib.asynccontextmanager
async def held(bench: CardBench, how: str) -> AsyncIterator[int]:
    """Another program has the card; its process id."""
    holder = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLDER, how),
        env=os.environ | bench.env,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert holder.stdin
    assert holder.stdout
    assert await holder.stdout.readline() == b"held\n"
    try:
        yield holder.pid
    finally:
        holder.stdin.close()
        await holder.wait()


async def test_a_card_in_exclusive_use_is_told_with_the_program(bench: CardBench, token: Token) -> None:
    async with held(bench, "exclusive") as pid:
        for operation in (token.select, token.info, token.survey):
            try:
                problem = getattr(await operation(), "problem", None)
            except errors.TokenError as error:
                problem = error
            assert isinstance(problem, errors.TokenBusy)
            assert problem.symptom == "token busy"
            assert f"pid {pid}" in problem.what
    assert (await token.info()).serial == SERIAL


async def test_a_card_in_a_transaction_is_told_with_the_program(bench: CardBench, token: Token) -> None:
    await token.login(Secret.from_text(PIN))
    token.deadline = 1.0
    async with held(bench, "transaction") as pid:
        with pytest.raises(errors.TokenNotResponding, match=f"Programs that use PC/SC now: .*pid {pid}"):
            await sign(token)
    token.deadline = 10.0
    assert (await token.info()).serial == SERIAL
    assert (await bench.status()).user_checks == 1


async def test_pcscd_that_ends_and_comes_back(bench: CardBench, token: Token) -> None:
    await token.login(Secret.from_text(PIN))
    await bench.reader.pcscd.stop()
    for _ in range(2):
        with pytest.raises(errors.TokenError) as raised:
            await sign(token)
        assert isinstance(raised.value, errors.ReaderMissing | errors.TokenRemoved | errors.NotLoggedIn)
    with pytest.raises(errors.ReaderMissing, match="pcscd does not answer at"):
        await token.select()
    await bench.reader.pcscd.start()
    await there(bench, SERIAL)
    assert (await token.info()).serial == SERIAL
    await token.login(Secret.from_text(PIN))
    await sign(token)
    assert (await bench.status()).user_checks == 2
