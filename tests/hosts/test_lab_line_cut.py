"""The line goes away at every stage: a typed error within its bound, nothing left here, and nothing left there."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from checks.hosts.errors import LineLost, NotLetIn, Unreachable
from tests.hosts.reaching import TRANSPORTS, Transport, reaching
from tests.ssh_lab.lab import Lab
from tests.ssh_lab.plan import PASSWORD

TROUBLES: dict[str, Callable[[Lab], AbstractContextManager[object]]] = {
    "the host's cable is pulled": lambda lab: lab.beta.cut(),
    "the jump host's cable is pulled": lambda lab: lab.jump.cut(),
    "the host's sshd is killed": lambda lab: lab.beta.sshd_killed(),
    "the jump host's sshd is killed": lambda lab: lab.jump.sshd_killed(),
    "the host's sshd is stopped": lambda lab: lab.beta.sshd_stopped(),
    "the jump host's sshd is stopped": lambda lab: lab.jump.sshd_stopped(),
    "no packet passes": lambda lab: lab.beta.bad_line(loss=100),
}
SECONDS = 25.0
"""Within which a lost line is told, with `attentive`: 4 s of silence, and the bounds of what is closed then."""

_numbers = itertools.count(86_000)


@pytest.fixture
def mark() -> str:
    """In the command line of what runs on the host; another one each time, since far ends may take a while to end."""
    return str(next(_numbers))


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> Transport:
    chosen: Transport = request.param
    return chosen


@pytest.fixture(params=TROUBLES)
def trouble(request: pytest.FixtureRequest, ssh_lab: Lab) -> Iterator[Callable[[], object]]:
    """Begins when it is called, ends with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(TROUBLES[request.param](ssh_lab))


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


@pytest.mark.usefixtures("attentive")
async def test_while_connecting(
    ssh_lab: Lab, tmp_path: Path, mark: str, transport: Transport, trouble: Callable[[], object]
) -> None:
    async with reaching(ssh_lab.client(), tmp_path, transport, connect_seconds=4) as reached:
        trouble()
        with within(SECONDS), pytest.raises(Unreachable) as lost:
            await reached.connection("beta")
    assert lost.value.where.startswith(("beta", "jump"))
    assert lost.value.remedy


@pytest.mark.usefixtures("attentive")
async def test_while_a_code_is_typed(
    ssh_lab: Lab, tmp_path: Path, mark: str, transport: Transport, trouble: Callable[[], object]
) -> None:
    async with reaching(ssh_lab.client(), tmp_path, transport, PASSWORD, connect_seconds=8) as reached:
        reached.person.when_asked = trouble
        with within(SECONDS), pytest.raises((Unreachable, NotLetIn, LineLost)):
            await reached.connection("beta-otp")
        assert len(reached.person.asked) == 1


@pytest.mark.usefixtures("attentive")
async def test_while_the_sudo_password_is_typed(
    ssh_lab: Lab, tmp_path: Path, mark: str, transport: Transport, trouble: Callable[[], object]
) -> None:
    async with reaching(ssh_lab.client(), tmp_path, transport, PASSWORD) as reached:
        machine = await reached.machine("beta")
        reached.person.when_asked = trouble
        with within(SECONDS), pytest.raises(Unreachable) as lost:
            await machine.run(["sleep", mark], deadline=60, sudo=True)
        assert not lost.value.in_doubt, "the command had not been sent"
        assert len(reached.person.asked) == 1


@pytest.mark.usefixtures("attentive")
async def test_while_a_command_runs(
    ssh_lab: Lab, tmp_path: Path, mark: str, transport: Transport, trouble: Callable[[], object]
) -> None:
    async with reaching(ssh_lab.client(), tmp_path, transport) as reached:
        machine = await reached.machine("beta")
        running = asyncio.create_task(machine.run(["sleep", mark], deadline=120))
        await asyncio.to_thread(ssh_lab.beta.until, mark, running=True)
        (pid,) = ssh_lab.beta.running(f"sleep {mark}")
        trouble()
        with within(SECONDS), pytest.raises(LineLost) as lost:
            await running
    assert lost.value.in_doubt
    assert str(pid) in str(lost.value), "which process may still be at work"


@pytest.mark.usefixtures("attentive")
async def test_a_deadline_holds_on_a_dead_line(
    ssh_lab: Lab, tmp_path: Path, mark: str, transport: Transport, trouble: Callable[[], object]
) -> None:
    async with reaching(ssh_lab.client(), tmp_path, transport) as reached:
        machine = await reached.machine("beta")
        running = asyncio.create_task(machine.run(["sleep", mark], deadline=3))
        await asyncio.to_thread(ssh_lab.beta.until, mark, running=True)
        trouble()
        with within(20):
            try:
                finished = await running
            except LineLost as lost:
                told = str(lost)
            else:
                assert finished.exit_code is None
                told = finished.ended_by
        assert "may still" in told, told


@pytest.mark.usefixtures("attentive")
@pytest.mark.parametrize("name", ["the host's cable is pulled", "the jump host's sshd is killed"])
@pytest.mark.parametrize("sudo", [False, True])
async def test_the_far_side_ends_its_command_when_it_hears(
    ssh_lab: Lab, tmp_path: Path, mark: str, transport: Transport, name: str, *, sudo: bool
) -> None:
    async with reaching(ssh_lab.client(), tmp_path, transport) as reached:
        machine = await reached.machine("beta-ops")
        running = asyncio.create_task(machine.run(["sleep", mark], deadline=120, sudo=sudo))
        await asyncio.to_thread(ssh_lab.beta.until, mark, running=True)
        with TROUBLES[name](ssh_lab), pytest.raises(LineLost):
            await running
        await asyncio.to_thread(ssh_lab.beta.until, mark, running=False)


async def test_the_next_step_connects_anew(ssh_lab: Lab, tmp_path: Path, mark: str, transport: Transport) -> None:
    async with reaching(ssh_lab.client(), tmp_path, transport) as reached:
        machine = await reached.machine("beta")
        running = asyncio.create_task(machine.run(["sleep", mark], deadline=120))
        await asyncio.to_thread(ssh_lab.beta.until, mark, running=True)
        with ssh_lab.beta.sshd_killed(), pytest.raises(LineLost):
            await running
        again = await reached.machine("beta")
        assert (await again.run(["hostname"], deadline=30)).stdout.text == "beta\n"
        with pytest.raises(LineLost):
            await machine.run(["hostname"], deadline=30)


@pytest.mark.parametrize("loss", [10, 30])
async def test_a_bad_line_is_slow_or_told(ssh_lab: Lab, tmp_path: Path, transport: Transport, loss: int) -> None:
    """What comes through is whole; otherwise it is told that the line is lost."""
    wanted = "".join(f"{number}\n" for number in range(1, 2001))
    async with reaching(ssh_lab.client(), tmp_path, transport, connect_seconds=60) as reached:
        with ssh_lab.jump.bad_line(loss=loss, delay=5), within(110):
            try:
                machine = await reached.machine("beta")
                finished = await machine.run(["seq", "2000"], deadline=40)
            except (LineLost, Unreachable):
                return
            assert finished.ended_by.startswith("deadline") or finished.stdout.text == wanted


async def test_a_silent_line_is_lost_after_half_a_minute(
    ssh_lab: Lab, tmp_path: Path, mark: str, transport: Transport
) -> None:
    async with reaching(ssh_lab.client(), tmp_path, transport) as reached:
        machine = await reached.machine("beta")
        running = asyncio.create_task(machine.run(["sleep", mark], deadline=120))
        await asyncio.to_thread(ssh_lab.beta.until, mark, running=True)
        with ssh_lab.beta.cut(), within(40), pytest.raises(LineLost):
            await running


@pytest.mark.usefixtures("attentive")
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_command_may_be_silent_for_long(ssh_lab: Lab, tmp_path: Path, transport: Transport) -> None:
    """A sleep is what the test is about: twice as long as a dead line is waited for."""
    async with reaching(ssh_lab.client(), tmp_path, transport) as reached:
        machine = await reached.machine("beta")
        done = await machine.run(["sleep", "9"], deadline=60)
        assert (done.exit_code, done.ended_by) == (0, "")
