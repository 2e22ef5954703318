"""Modules other than SoftHSM2's own: a token behind p11-kit, and OpenSC with nothing to reach."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.hsm import errors
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


async def test_a_token_behind_p11_kit(softhsm: SoftHsm, p11_kit_server: str) -> None:
    """The client module gives a fresh function list to whoever asks: only one list may be used."""
    profile = TokenProfile(
        module=installed("p11-kit-client.so"),
        label=LABEL,
        serial=softhsm.serials[LABEL],
        env={"P11_KIT_SERVER_ADDRESS": p11_kit_server},
    )
    token = Token("far", profile, Redactor())
    try:
        assert (await token.info()).serial == softhsm.serials[LABEL]
        assert (await token.public_key(b"\x01")).key_type == "EC P-384"
        await token.login(Secret.from_text(PIN))
        assert len(await token.sign(b"\x01", "CKM_ECDSA", bytes(48))) == 96
    finally:
        await token.close()


async def test_opensc_without_pcscd_has_no_token() -> None:
    env = {"PCSCLITE_CSOCK_NAME": "/nonexistent/pcscd.comm"}
    token = Token("card", TokenProfile(module=installed("opensc-pkcs11.so"), label=LABEL, env=env), Redactor())
    try:
        with pytest.raises(errors.NoToken, match="no slot") as raised:
            await token.select()
        assert "pcscd" in raised.value.remedy
    finally:
        await token.close()
