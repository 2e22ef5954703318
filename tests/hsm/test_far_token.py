"""A token on another host, through p11-kit remoting: all that a local one does."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from checks.hosts.errors import FarSideLacks
from checks.hosts.local import LocalConnection
from checks.hsm import errors
from checks.hsm.line import Line
from checks.hsm.objects import Objects
from checks.hsm.pin_counter import PinCounterCheck
from checks.hsm.sign_test import SignTestCheck
from checks.hsm.slots import Slots
from runbook.outcome import Verdict
from runbook.secrets import Secret
from runbook.site import Site, TokenProfile
from tests.fake_context import FakeContext
from tests.hsm.elsewhere import OneHost, far_token, moved, on_host
from tests.softhsm import LABEL, PIN, SO_PIN, SoftHsm
from tests.stand_in import StandIn

Contexts = Callable[..., FakeContext]


@pytest.fixture
def step(tmp_path: Path) -> StandIn:
    return StandIn(tmp_path)


def site(profile: TokenProfile) -> Site:
    return Site(site=1, name="test", tokens={"intermediate": moved(profile)})


async def test_it_lists_logs_in_signs_and_logs_out(softhsm: SoftHsm, step: StandIn) -> None:
    async with far_token(softhsm.profile(), step, OneHost()) as token:
        assert (await token.info()).serial == softhsm.serials[LABEL]
        assert (await token.public_key(b"\x01")).key_type == "EC P-384"
        await token.login(Secret.from_text(PIN))
        assert len(await token.sign(b"\x01", "CKM_ECDSA", bytes(48))) == 96
        await token.logout()
        with pytest.raises(errors.NotLoggedIn):
            await token.sign(b"\x01", "CKM_ECDSA", bytes(48))


async def test_stage_a_is_the_same_there(softhsm: SoftHsm, context: Contexts) -> None:
    ctx = on_host(context(site(softhsm.profile()), PIN), OneHost())
    ids = [{"id": key_id} for key_id in ("01", "02", "03")]
    for kind, params in (
        (Slots, {}),
        (Objects, {"expect": ids}),
        (PinCounterCheck, {}),
        (SignTestCheck, {"key": "01"}),
    ):
        outcome = await ctx.run(kind, token="intermediate", **params)
        assert outcome.verdict in (Verdict.PASSED, Verdict.WARNED), outcome
    assert not ctx.operator.pins


async def test_a_wrong_pin_is_told_as_here_and_costs_no_worker(softhsm: SoftHsm, step: StandIn) -> None:
    async with far_token(softhsm.profile(), step, OneHost()) as token:
        await token.info()
        worker = token.worker_pid
        with pytest.raises(errors.PinIncorrect):
            await token.login(Secret.from_text("111111"))
        assert token.worker_pid == worker


async def test_the_so_pin_sets_a_new_user_pin_there(softhsm: SoftHsm, step: StandIn) -> None:
    async with far_token(softhsm.profile(), step, OneHost()) as token:
        await token.reset_pin(Secret.from_text(SO_PIN), Secret.from_text("975310"))
        await token.login(Secret.from_text("975310"))


async def test_the_way_there_is_asked_for_when_a_worker_starts_and_not_by_the_watch(
    softhsm: SoftHsm, step: StandIn
) -> None:
    hosts = OneHost()
    async with far_token(softhsm.profile(), step, hosts) as token:
        assert await token.look() is None
        assert hosts.asked == 0
        await token.info()
        assert await token.look() is None
        assert hosts.asked == 1


def left_in(folder: Path) -> list[Path]:
    assert any(folder.iterdir()), "this is where temporary files are"
    return list(folder.glob("runbook-*"))


async def test_the_socket_is_private_and_gone_once_it_is_used(
    softhsm: SoftHsm, step: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: list[int] = []
    listen = socket.socket.listen

    def noted(listening: socket.socket, backlog: int) -> None:
        listen(listening, backlog)
        seen.append(stat.S_IMODE(Path(listening.getsockname()).parent.stat().st_mode))

    monkeypatch.setattr(socket.socket, "listen", noted)
    async with far_token(softhsm.profile(), step, OneHost()) as token:
        await token.info()
        assert seen == [0o700]
        assert not left_in(tmp_path)


async def test_a_line_that_ends_while_no_step_uses_the_token_is_not_made_anew(softhsm: SoftHsm, step: StandIn) -> None:
    hosts = OneHost()
    async with far_token(softhsm.profile(), step, hosts) as token:
        await token.login(Secret.from_text(PIN))
        worker = token._link.worker
        assert worker
        assert worker.line
        os.killpg(worker.line._carrier._channel._process.pid, signal.SIGKILL)  # type: ignore[attr-defined] - it is local
        async with asyncio.timeout(30):
            while worker.line.ended is None:  # noqa: ASYNC110 - the end of another process
                await asyncio.sleep(0.01)
        assert await token.look() is None
        await token.logout()
        await token.end_stage()
        assert hosts.asked == 1
        await token.info()
        assert hosts.asked == 2


# -- what can be missing --------------------------------------------------------------------------------------------


async def error_of(profile: TokenProfile, step: StandIn) -> Exception:
    async with far_token(profile, step, OneHost()) as token:
        with pytest.raises(Exception) as raised:  # noqa: PT011 - its type is what the caller looks at
            await token.slots()
        assert token.worker_pid is None
    return raised.value


async def test_a_module_that_is_not_there(softhsm: SoftHsm, step: StandIn) -> None:
    error = await error_of(softhsm.profile(module="/nowhere/opensc-pkcs11.so"), step)
    assert isinstance(error, errors.ModuleMissing)
    assert "there is no file /nowhere/opensc-pkcs11.so on far" in error.what
    assert "on that host" in error.remedy


async def test_a_file_there_that_is_no_module(softhsm: SoftHsm, step: StandIn, tmp_path: Path) -> None:
    (tmp_path / "notes.so").write_text("notes")
    error = await error_of(softhsm.profile(module=str(tmp_path / "notes.so")), step)
    assert isinstance(error, errors.NotAPkcs11Module)
    assert "too short" in error.what


async def test_a_host_without_p11_kit(softhsm: SoftHsm, step: StandIn, tmp_path: Path) -> None:
    error = await error_of(softhsm.profile(PATH=str(tmp_path)), step)
    assert isinstance(error, FarSideLacks)
    assert error.symptom == "missing there"
    assert "apt-get install p11-kit" in error.remedy


async def test_this_machine_without_p11_kits_client(
    softhsm: SoftHsm, step: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checks.hsm.there.CLIENTS", ())
    error = await error_of(softhsm.profile(), step)
    assert isinstance(error, errors.RemotingMissing)
    assert error.symptom in Slots.symptoms


def test_the_module_of_a_token_there_is_a_path_there(tmp_path: Path) -> None:
    from runbook.files.loader import load_site

    path = tmp_path / "site.yaml"
    path.write_text(
        "site: 1\nname: x\nhosts: {ca: {}}\n"
        "tokens: {t: {module: opensc-pkcs11.so, label: x, via: ca}, u: {module: a.so, label: x}}\n"
    )
    tokens = load_site(path).model.tokens
    assert tokens["t"].module == "opensc-pkcs11.so"
    assert tokens["u"].module == str(tmp_path / "a.so")


async def test_another_process_that_connects_first_is_turned_away() -> None:
    channel = await LocalConnection().open("exec cat")
    line = await Line.open(channel)
    try:
        line.serve(os.getppid())
        path = line.address.removeprefix("unix:path=")
        reader, writer = await asyncio.open_unix_connection(path)
        async with asyncio.timeout(30):
            assert await reader.read() == b""
        writer.close()
        assert line.ended is None
    finally:
        await line.close()
    assert not await asyncio.to_thread(Path(path).exists)
