"""Several callers of one token at once: each gets its own answer, or a typed error in time."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from checks.hsm import errors
from checks.hsm.token import Token
from runbook.secrets import Redactor, Secret
from tests.hsm.shim import C_LOGIN, C_SIGN, Shim
from tests.softhsm import PIN, SoftHsm

DEADLINE = 0.5
SLACK = 2.5


@pytest.fixture
async def token(shim: Shim) -> AsyncIterator[Token]:
    made = Token("intermediate", shim.profile(), Redactor(), deadline=DEADLINE)
    await made.login(Secret.from_text(PIN))
    yield made
    await made.close()


async def sign(token: Token, digest: bytes = bytes(48)) -> bytes:
    return await token.sign(b"\x01", "CKM_ECDSA", digest)


async def test_each_caller_gets_the_signature_of_its_own_message(softhsm: SoftHsm) -> None:
    token = Token("intermediate", softhsm.profile(), Redactor())
    await token.login(Secret.from_text(PIN))
    key = (await token.public_key(b"\x01")).public_key
    assert isinstance(key, ec.EllipticCurvePublicKey)
    digests = [bytes([number]) * 48 for number in range(20)]
    signatures = await asyncio.gather(*(sign(token, digest) for digest in digests), token.info(), token.objects())
    for digest, signature in zip(digests, signatures[:20], strict=True):
        r, s = int.from_bytes(signature[:48]), int.from_bytes(signature[48:])
        key.verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(hashes.SHA384())))
    await token.close()


async def test_one_that_hangs_ends_all_in_time_and_the_next_call_works(token: Token, shim: Shim) -> None:
    shim.faults(f"fault {C_SIGN} hang")
    begin = time.monotonic()
    results = await asyncio.gather(*(sign(token) for _ in range(4)), return_exceptions=True)
    assert time.monotonic() - begin < DEADLINE + SLACK
    assert {type(result) for result in results} <= {errors.TokenNotResponding, errors.WorkerCrashed}
    assert any("earlier call" in str(result) for result in results) or len(set(map(type, results))) == 1
    shim.faults()
    with pytest.raises(errors.NotLoggedIn):
        await sign(token)
    assert shim.calls(C_LOGIN) == [len(PIN)]


async def test_a_caller_that_gives_up_harms_the_others_only_as_a_crash(token: Token, shim: Shim) -> None:
    token.deadline = 10.0
    shim.faults(f"fault {C_SIGN} hang")
    first, second = (asyncio.ensure_future(sign(token)) for _ in range(2))
    async with asyncio.timeout(10):
        while not shim.calls(C_SIGN):  # noqa: ASYNC110 - the state of another process
            await asyncio.sleep(0.005)
    first.cancel()
    results = await asyncio.gather(first, second, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert isinstance(results[1], errors.WorkerCrashed)
    assert "cancelled" in token.login_lost


async def test_a_worker_that_takes_no_more_does_not_keep_its_caller(token: Token) -> None:
    """The message is larger than a socket holds."""
    assert token.worker_pid
    os.kill(token.worker_pid, signal.SIGSTOP)
    begin = time.monotonic()
    with pytest.raises(errors.TokenNotResponding):
        await sign(token, bytes(3_000_000))
    assert time.monotonic() - begin < DEADLINE + SLACK
    assert not token.logged_in


async def test_a_login_queued_behind_a_hanging_call_is_in_doubt(token: Token, shim: Shim) -> None:
    """It was given to the worker; only the counter can say more."""
    shim.faults(f"fault {C_SIGN} hang")
    hanging = asyncio.ensure_future(sign(token))
    async with asyncio.timeout(10):
        while not shim.calls(C_SIGN):  # noqa: ASYNC110 - the state of another process
            await asyncio.sleep(0.005)
    with pytest.raises(errors.LoginInDoubt):
        await token.login(Secret.from_text(PIN))
    with pytest.raises((errors.TokenNotResponding, errors.WorkerCrashed)):
        await hanging
    assert shim.calls(C_LOGIN) == [len(PIN)]
