"""A token behind a jump host, by real sshds: as the account, as root, and with the line cut at the worst moment."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from checks.hosts.errors import HostKeyChanged, SudoRefused, SudoWrongPassword
from checks.hosts.hosts import Hosts
from checks.hsm import errors
from checks.hsm.guard import login
from checks.hsm.objects import Objects
from checks.hsm.pin_counter import PinCounterCheck
from checks.hsm.pool import use_token
from checks.hsm.sign_test import SignTestCheck
from checks.hsm.slots import Slots
from runbook.errors import StepError
from runbook.outcome import Verdict
from runbook.record.events import PinResult
from runbook.site import HostProfile, TokenProfile
from tests.fake_context import FakeContext
from tests.hsm.shim import C_LOGIN, C_SIGN
from tests.softhsm import LABEL, MODULE, PIN, SO_PIN
from tests.ssh_lab.client import Client
from tests.ssh_lab.host import Host
from tests.ssh_lab.lab import Lab
from tests.ssh_lab.plan import PASSWORD, TOKEN_FOLDERS

Contexts = Callable[..., FakeContext]
SHIM = "/srv/shim"
SECONDS = 60.0
REMOTE = "remote -v "
"""How p11-kit calls itself in the list of processes."""

LABELLED = ("--label", LABEL)


def make_token(host: Host, folder: str) -> None:
    """A token with a P-384 key 01 in that folder of the host."""
    conf = f"SOFTHSM2_CONF={folder}/softhsm2.conf"
    host.run("env", conf, "softhsm2-util", "--init-token", "--free", *LABELLED, "--so-pin", SO_PIN, "--pin", PIN)
    login = ("--token-label", LABEL, "--login", "--pin", PIN)
    key = ("--keypairgen", "--key-type", "EC:secp384r1", "--id", "01", "--label", "intermediate")
    host.run("env", conf, "pkcs11-tool", "--module", MODULE, *login, *key)


@pytest.fixture(scope="module")
def host(ssh_lab: Lab) -> Iterator[Host]:
    beta = ssh_lab.beta
    for folder in TOKEN_FOLDERS.values():
        make_token(beta, folder)
    beta.run("chmod", "-R", "a+rwX", TOKEN_FOLDERS["softhsm"])
    yield beta
    for folder in TOKEN_FOLDERS.values():
        beta.run("sh", "-c", 'rm -rf "$1"/tokens/*', "sh", folder)


def profile(alias: str = "beta", *, folder: str = "softhsm", **changes: object) -> TokenProfile:
    conf = f"{TOKEN_FOLDERS[folder]}/softhsm2.conf"
    values: dict[str, object] = {"module": MODULE, "label": LABEL, "via": alias, "env": {"SOFTHSM2_CONF": conf}}
    return TokenProfile.model_validate(values | changes)


def step(
    context: Contexts, client: Client, token: TokenProfile, *pins: str, deadline: float = 30.0, **hosts: HostProfile
) -> FakeContext:
    site = client.site(**hosts).model_copy(update={"tokens": {"intermediate": token}})
    return context(site, *pins, deadline=deadline)


@pytest.fixture
async def ended(context: Contexts) -> AsyncIterator[list[FakeContext]]:
    """Contexts whose connections are to be closed."""
    made: list[FakeContext] = []
    yield made
    for ctx in made:
        await ctx.pool.close()
        if Hosts in ctx.resources:
            await ctx.resources[Hosts].close()


async def stage_a(ctx: FakeContext) -> None:
    for kind, params in (
        (Slots, {}),
        (Objects, {"expect": [{"id": "01"}]}),
        (PinCounterCheck, {}),
        (SignTestCheck, {"key": "01"}),
    ):
        outcome = await ctx.run(kind, token="intermediate", **params)
        assert outcome.verdict in (Verdict.PASSED, Verdict.WARNED), outcome


@pytest.mark.parametrize("alias", ["beta", "beta-far", "beta-noisy", "beta-plain"])
async def test_stage_a_behind_the_jump_host(
    ssh_lab: Lab, host: Host, context: Contexts, ended: list[FakeContext], alias: str
) -> None:
    ctx = step(context, ssh_lab.client(), profile(alias), PIN)
    ended.append(ctx)
    await stage_a(ctx)
    assert host.running(REMOTE)
    assert PIN not in "".join(host.processes().values())
    await ctx.pool.close()
    host.until(REMOTE, running=False)


async def test_stage_a_by_the_system_s_ssh(
    ssh_lab: Lab, host: Host, context: Contexts, ended: list[FakeContext]
) -> None:
    ctx = step(context, ssh_lab.client(), profile(), PIN, beta=HostProfile(transport="openssh"))
    ended.append(ctx)
    await stage_a(ctx)
    await ctx.pool.close()
    host.until(REMOTE, running=False)


async def test_a_module_that_only_root_may_use(
    ssh_lab: Lab, host: Host, context: Contexts, ended: list[FakeContext]
) -> None:
    """sudo asks the operator, as for any command there; the password is kept where the site says so."""
    hosts = {"beta": HostProfile(keep_sudo_password=True)}
    ctx = step(context, ssh_lab.client(), profile(folder="softhsm-root", sudo=True), PIN, **hosts)
    ended.append(ctx)
    ctx.operator.secrets = [PASSWORD]
    await stage_a(ctx)
    assert ctx.operator.secrets == []
    assert ctx.redactor(PASSWORD) != PASSWORD


@pytest.mark.parametrize(
    "case",
    [
        ("beta", "wrong", SudoWrongPassword),
        ("beta-guest", PASSWORD, SudoRefused),
        ("beta-limited", PASSWORD, SudoRefused),
    ],
)
async def test_sudo_that_does_not_let_us(
    ssh_lab: Lab,
    host: Host,
    context: Contexts,
    ended: list[FakeContext],
    case: tuple[str, str, type[StepError]],
) -> None:
    alias, given, error = case
    ctx = step(context, ssh_lab.client(), profile(alias, folder="softhsm-root", sudo=True))
    ended.append(ctx)
    ctx.operator.secrets = [given]
    with pytest.raises(error) as raised:
        await ctx.run(Slots, token="intermediate")
    assert raised.value.symptom in Slots.symptoms
    host.until(REMOTE, running=False)


async def test_a_host_with_another_key_gets_no_pin(
    ssh_lab: Lab, host: Host, context: Contexts, ended: list[FakeContext]
) -> None:
    ctx = step(context, ssh_lab.client(trust={"beta": "changed"}), profile(), PIN)
    ended.append(ctx)
    with pytest.raises(HostKeyChanged):
        await ctx.run(SignTestCheck, token="intermediate", key="01")
    assert ctx.operator.requests == []


# -- the line is cut ------------------------------------------------------------------------------------------------


class FarShim:
    """The module over there that counts calls and fails on request."""

    def __init__(self, host: Host) -> None:
        self.host = host

    @property
    def profile(self) -> TokenProfile:
        env = {"SHIM_MODULE": MODULE, "SHIM_LOG": f"{SHIM}/log", "SHIM_FAULTS": f"{SHIM}/faults"}
        conf = f"{TOKEN_FOLDERS['softhsm']}/softhsm2.conf"
        return profile(module=f"{SHIM}/shim.so", env=env | {"SOFTHSM2_CONF": conf})

    def faults(self, *lines: str) -> None:
        self.host.write(f"{SHIM}/faults", "".join(f"{line}\n" for line in lines))

    def calls(self, function: int) -> int:
        shown = self.host.run("sh", "-c", f"cat {SHIM}/log 2>/dev/null || true")
        return sum(line.split()[0] == str(function) for line in shown.splitlines())

    async def until_called(self, function: int) -> None:
        async with asyncio.timeout(SECONDS):
            while not await asyncio.to_thread(self.calls, function):
                pass


@pytest.fixture
def far_shim(host: Host, compile_module: Callable[[str, str], Path]) -> Iterator[FarShim]:
    text = Path(__file__).with_name("shim.c").read_text()
    built = base64.b64encode(compile_module("shim", text).read_bytes()).decode()
    host.run("sh", "-c", f"mkdir {SHIM}; base64 -d > {SHIM}/shim.so; chmod -R a+rwX {SHIM}", stdin=built)
    yield FarShim(host)
    host.remove(SHIM)


Cut = Callable[[Host], AbstractContextManager[None]]
CUTS: dict[str, Cut] = {
    "sshd killed": Host.sshd_killed,
    "cable pulled": Host.cut,
    "sshd stopped": Host.sshd_stopped,
}
DEADLINE = 5.0


async def cut_during(
    cut: Cut, shim: FarShim, function: int, operation: Callable[[], Awaitable[object]]
) -> BaseException | None:
    """What came of it, when the line is cut while the module there is at work on that function."""
    shim.faults(f"fault {function} hang")
    task = asyncio.ensure_future(operation())
    await shim.until_called(function)
    with cut(shim.host):
        done, _ = await asyncio.wait({task}, timeout=SECONDS)
        assert done, "the operation did not end by itself"
        shim.faults()
    return task.exception()


@pytest.mark.parametrize("transport", ["paramiko", "openssh"])
@pytest.mark.parametrize("name", CUTS)
async def test_a_line_cut_during_a_login_leaves_the_attempt_in_doubt(
    ssh_lab: Lab, far_shim: FarShim, context: Contexts, ended: list[FakeContext], *, name: str, transport: str
) -> None:
    hosts = {"beta": HostProfile.model_validate({"transport": transport})}
    ctx = step(context, ssh_lab.client(), far_shim.profile, PIN, deadline=DEADLINE, **hosts)
    ended.append(ctx)
    token = await use_token(ctx, "intermediate")
    await token.info()
    error = await cut_during(CUTS[name], far_shim, C_LOGIN, lambda: login(ctx, token, "to sign"))
    assert isinstance(error, errors.LoginInDoubt), repr(error)
    assert "never came" in error.what
    assert isinstance(ctx.events[-1], PinResult)
    assert ctx.events[-1].accepted is None
    # The line is back: everything goes on, and the PIN is asked for anew.
    ctx.operator.pins = [PIN]
    token = await use_token(ctx, "intermediate")
    await login(ctx, token, "to sign")
    assert far_shim.calls(C_LOGIN) == 2
    assert len(await token.sign(b"\x01", "CKM_ECDSA", bytes(48))) == 96


@pytest.mark.parametrize("name", CUTS)
async def test_a_line_cut_during_a_signature_is_told_and_the_step_can_be_repeated(
    ssh_lab: Lab, far_shim: FarShim, context: Contexts, ended: list[FakeContext], name: str
) -> None:
    ctx = step(context, ssh_lab.client(), far_shim.profile, PIN, deadline=DEADLINE)
    ended.append(ctx)
    token = await use_token(ctx, "intermediate")
    await login(ctx, token, "to sign")
    error = await cut_during(CUTS[name], far_shim, C_SIGN, lambda: token.sign(b"\x01", "CKM_ECDSA", bytes(48)))
    assert isinstance(error, errors.LineToTokenLost | errors.TokenNotResponding), repr(error)
    assert not token.logged_in
    assert token.login_lost
    assert far_shim.calls(C_SIGN) == 1
    ctx.operator.pins = [PIN]
    await login(ctx, await use_token(ctx, "intermediate"), "to sign")
    assert len(await token.sign(b"\x01", "CKM_ECDSA", bytes(48))) == 96


async def test_a_killed_program_over_there_is_told_with_its_signal(
    ssh_lab: Lab, far_shim: FarShim, context: Contexts, ended: list[FakeContext]
) -> None:
    ctx = step(context, ssh_lab.client(), far_shim.profile)
    ended.append(ctx)
    token = await use_token(ctx, "intermediate")
    await token.info()
    far_shim.faults("fault 6 crash")
    with pytest.raises(errors.WorkerCrashed, match=r"p11-kit remote.*SIGSEGV.*`ReadToken`"):
        await token.info()
    far_shim.faults()
    await token.info()
