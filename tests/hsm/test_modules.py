"""Modules other than SoftHSM2's own: a token behind p11-kit, and OpenSC with nothing to reach."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from checks.hsm import errors
from checks.hsm.token import Token
from runbook.secrets import Redactor, Secret
from runbook.site import TokenProfile
from tests.softhsm import LABEL, MODULE, PIN, SO_PIN, SoftHsm


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
    """SoftHSM2 behind p11-kit, in a process of its own."""
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


async def test_behind_p11_kit_a_wrong_pin_costs_no_worker(far: Token) -> None:
    await far.info()
    first = far.worker_pid
    with pytest.raises(errors.PinIncorrect):
        await far.login(Secret.from_text("111111"))
    await far.login(Secret.from_text(PIN))
    await far.logout()
    assert far.worker_pid == first


async def test_behind_p11_kit_the_so_pin_sets_a_new_user_pin(far: Token) -> None:
    await far.reset_pin(Secret.from_text(SO_PIN), Secret.from_text("975310"))
    await far.login(Secret.from_text("975310"))
    assert len(await far.sign(b"\x01", "CKM_ECDSA", bytes(48))) == 96


async def test_opensc_without_pcscd_has_no_reader() -> None:
    env = {"PCSCLITE_CSOCK_NAME": "/nonexistent/pcscd.comm"}
    token = Token("card", TokenProfile(module=installed("opensc-pkcs11.so"), label=LABEL, env=env), Redactor())
    try:
        with pytest.raises(errors.ReaderMissing, match="does not answer at /nonexistent") as raised:
            await token.select()
        assert "pcscd" in raised.value.remedy
    finally:
        await token.close()
