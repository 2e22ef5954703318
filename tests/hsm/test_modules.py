"""Modules other than SoftHSM2's own: a token behind p11-kit, and OpenSC with nothing to reach."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pkcs11.exceptions
import pytest
from pkcs11.exceptions import PKCS11Error

from checks.hsm import errors
from checks.hsm.cryptoki_names import exception_code, return_code
from checks.hsm.token import Token
from runbook.secrets import Redactor, Secret
from runbook.site import TokenProfile
from tests.softhsm import LABEL, MODULE, PIN, SoftHsm


def installed(name: str) -> str:
    return str(next(Path("/usr/lib").glob(f"*/pkcs11/{name}")))


@pytest.fixture
def p11_kit_server(softhsm: SoftHsm) -> Iterator[str]:
    """`p11-kit server` in front of SoftHSM2; its address."""
    socket = softhsm.folder / "p11.sock"
    argv = ["p11-kit", "server", "--foreground", "--name", str(socket), "--provider", MODULE, "pkcs11:"]
    with subprocess.Popen(argv, env=softhsm.env | {"PATH": "/usr/bin"}, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        said = server.stdout.readline()
        assert "P11_KIT_SERVER_ADDRESS" in said
        yield f"unix:path={socket}"
        server.terminate()


@pytest.fixture
async def far(softhsm: SoftHsm, p11_kit_server: str) -> AsyncIterator[Token]:
    """SoftHSM2 behind p11-kit, whose client module gives a fresh function list to whoever asks."""
    profile = TokenProfile(
        module=installed("p11-kit-client.so"),
        label=LABEL,
        serial=softhsm.serials[LABEL],
        env={"P11_KIT_SERVER_ADDRESS": p11_kit_server},
    )
    token = Token("far", profile, Redactor())
    yield token
    await token.close()


async def test_a_token_behind_p11_kit(softhsm: SoftHsm, far: Token) -> None:
    assert (await far.info()).serial == softhsm.serials[LABEL]
    assert (await far.public_key(b"\x01")).key_type == "EC P-384"
    await far.login(Secret.from_text(PIN))
    assert len(await far.sign(b"\x01", "CKM_ECDSA", bytes(48))) == 96
    await far.logout()
    with pytest.raises(errors.NotLoggedIn):
        await far.sign(b"\x01", "CKM_ECDSA", bytes(48))


async def test_behind_p11_kit_no_worker_outlives_its_login(far: Token) -> None:
    """There the PIN goes through strings that cannot be wiped, and a wrong one leaks a session."""
    await far.info()
    first = far.worker_pid
    with pytest.raises(errors.PinIncorrect):
        await far.login(Secret.from_text("111111"))
    assert far.worker_pid is None
    await far.login(Secret.from_text(PIN))
    assert far.worker_pid != first
    await far.logout()
    assert far.worker_pid is None


NEVER_FROM_OUR_CALLS = ("Multiple", "NoSuch", "Random", "Unwrapping", "Wrapped", "Wrapping", "ExceededMax")


def test_the_exceptions_of_python_pkcs11_have_their_return_codes() -> None:
    known = {return_code(number) for number in range(0x201)}
    for kind in vars(pkcs11.exceptions).values():
        if isinstance(kind, type) and not kind.__name__.startswith(NEVER_FROM_OUR_CALLS):
            assert exception_code(kind()) in known
    assert exception_code(PKCS11Error("Unmapped error code 0x68")) == "CKR_KEY_FUNCTION_NOT_PERMITTED"
    assert exception_code(PKCS11Error("Unmapped error code 0x80000123")) == "CKR_0x80000123"


async def test_opensc_without_pcscd_has_no_reader() -> None:
    env = {"PCSCLITE_CSOCK_NAME": "/nonexistent/pcscd.comm"}
    token = Token("card", TokenProfile(module=installed("opensc-pkcs11.so"), label=LABEL, env=env), Redactor())
    try:
        with pytest.raises(errors.ReaderMissing, match="does not answer at /nonexistent") as raised:
            await token.select()
        assert "pcscd" in raised.value.remedy
    finally:
        await token.close()
