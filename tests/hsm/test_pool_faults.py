"""Foreign modules crash, hang and lie; the program gets a typed error in time and goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from checks.hsm import errors
from checks.hsm.token import Token
from runbook.secrets import Redactor, Secret
from runbook.site import TokenProfile
from tests.hsm.shim import Shim
from tests.softhsm import PIN, SoftHsm

DEADLINE = 0.4
SLACK = 2.5
"""Seconds beyond the deadline for killing and reaping on a busy machine."""

Operation = Callable[[Token], Awaitable[object]]

OPERATIONS: dict[str, tuple[int, Operation]] = {
    "slots": (4, lambda token: token.slots()),
    "select": (4, lambda token: token.select()),
    "info": (6, lambda token: token.info()),
    "mechanisms": (7, lambda token: token.mechanisms()),
    "objects": (26, lambda token: token.objects()),
    "login": (18, lambda token: token.login(Secret.from_text(PIN))),
    "sign": (43, lambda token: token.sign(b"\x01", "CKM_ECDSA", bytes(48))),
    "logout": (19, lambda token: token.logout()),
}
each_operation = pytest.mark.parametrize("name", OPERATIONS)


@pytest.fixture
async def token(shim: Shim):
    made = Token("intermediate", shim.profile(), Redactor(), deadline=DEADLINE)
    yield made
    await made.close()


def alive(pid: int) -> bool:
    """Running, stopped or hanging; a zombie is dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until(fact: Callable[[], object], within: float = 10.0) -> None:
    async with asyncio.timeout(within):
        while not fact():  # noqa: ASYNC110 - the state of another process; there is no event to wait for
            await asyncio.sleep(0.005)


async def prepared(token: Token, name: str) -> Operation:
    """The operation, with what it needs done before."""
    if name in ("sign", "logout"):
        await token.login(Secret.from_text(PIN))
    else:
        await token.info()
    return OPERATIONS[name][1]


def expected(name: str, error: type[errors.TokenError]) -> type[errors.TokenError]:
    return errors.LoginInDoubt if name == "login" else error


@contextmanager
def within_deadline() -> Iterator[None]:
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < DEADLINE + SLACK


async def works_again(token: Token, shim: Shim, before: int | None) -> None:
    shim.faults()
    await token.login(Secret.from_text(PIN))
    assert len(await token.sign(b"\x01", "CKM_ECDSA", bytes(48))) == 96
    assert token.worker_pid != before


@each_operation
async def test_a_hang_ends_at_the_deadline_and_the_next_call_works(token: Token, shim: Shim, name: str) -> None:
    operation = await prepared(token, name)
    shim.faults(f"fault {OPERATIONS[name][0]} hang")
    worker = token.worker_pid
    with within_deadline(), pytest.raises(expected(name, errors.TokenNotResponding)):
        await operation(token)
    assert worker
    assert not alive(worker)
    await works_again(token, shim, worker)


@each_operation
async def test_a_worker_that_is_stopped_is_replaced(token: Token, shim: Shim, name: str) -> None:
    operation = await prepared(token, name)
    worker = token.worker_pid
    assert worker
    os.kill(worker, signal.SIGSTOP)
    with within_deadline(), pytest.raises(expected(name, errors.TokenNotResponding)):
        await operation(token)
    assert not alive(worker)
    await works_again(token, shim, worker)


@each_operation
async def test_a_worker_killed_during_the_operation_is_told_as_a_crash(token: Token, shim: Shim, name: str) -> None:
    token.deadline = 10.0
    operation = await prepared(token, name)
    function = OPERATIONS[name][0]
    before = len(shim.calls(function))
    shim.faults(f"fault {function} hang")
    worker = token.worker_pid
    assert worker
    call = asyncio.ensure_future(operation(token))
    await until(lambda: len(shim.calls(function)) > before)
    os.kill(worker, signal.SIGKILL)
    with within_deadline(), pytest.raises(expected(name, errors.WorkerCrashed), match="SIGKILL"):
        await call
    await works_again(token, shim, worker)


@each_operation
async def test_a_segfault_is_told_with_its_signal(token: Token, shim: Shim, name: str) -> None:
    operation = await prepared(token, name)
    shim.faults(f"fault {OPERATIONS[name][0]} crash")
    worker = token.worker_pid
    with within_deadline(), pytest.raises(expected(name, errors.WorkerCrashed), match="SIGSEGV"):
        await operation(token)
    await works_again(token, shim, worker)


@each_operation
async def test_a_cancelled_call_leaves_no_worker_behind(token: Token, shim: Shim, name: str) -> None:
    token.deadline = 10.0
    operation = await prepared(token, name)
    function = OPERATIONS[name][0]
    before = len(shim.calls(function))
    shim.faults(f"fault {function} hang")
    worker = token.worker_pid
    assert worker
    call = asyncio.ensure_future(operation(token))
    await until(lambda: len(shim.calls(function)) > before)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await until(lambda: not alive(worker))
    await works_again(token, shim, worker)


async def test_a_lost_worker_loses_the_login_and_says_so(token: Token, shim: Shim) -> None:
    await token.login(Secret.from_text(PIN))
    assert token.logged_in
    shim.faults("fault 6 hang")
    with pytest.raises(errors.TokenNotResponding):
        await token.info()
    shim.faults()
    assert not token.logged_in
    assert "replaced" in token.login_lost
    with pytest.raises(errors.NotLoggedIn):
        await token.sign(b"\x01", "CKM_ECDSA", bytes(48))
    assert len(shim.calls(18)) == 1


@pytest.mark.parametrize(
    ("code", "error", "symptom"),
    [
        (0x32, errors.TokenRemoved, "token removed"),
        (0xE0, errors.TokenRemoved, "token removed"),
        (0xB3, errors.TokenRemoved, "token removed"),
        (0x101, errors.NotLoggedIn, "not logged in"),
        (0x63, errors.WrongKeyType, "wrong key type"),
        (0x70, errors.MechanismMissing, "mechanism missing"),
        (0x30, errors.TokenError, "token error"),
        (0x80000123, errors.TokenError, "token error"),
    ],
)
async def test_return_codes_become_typed_errors(
    token: Token, shim: Shim, code: int, error: type[errors.TokenError], symptom: str
) -> None:
    await token.login(Secret.from_text(PIN))
    shim.faults(f"fault 42 rv {code}")
    with pytest.raises(error) as raised:
        await token.sign(b"\x01", "CKM_ECDSA", bytes(48))
    assert raised.value.symptom == symptom
    assert raised.value.code.startswith("CKR_")
    assert raised.value.remedy
    shim.faults()
    await token.info()


async def test_a_swapped_card_is_never_used_for_the_other(shim: Shim) -> None:
    token = Token("intermediate", shim.profile(serial=""), Redactor(), deadline=DEADLINE)
    await token.login(Secret.from_text(PIN))
    shim.faults("serial DENK0100009", "event")
    with pytest.raises(errors.TokenSwapped, match="DENK0100009"):
        await token.sign(b"\x01", "CKM_ECDSA", bytes(48))
    assert not token.logged_in
    with pytest.raises(errors.TokenSwapped, match="DENK0100009"):
        await token.login(Secret.from_text(PIN))
    assert len(shim.calls(18)) == 1
    shim.faults()
    await token.info()
    await token.close()


# -- modules ------------------------------------------------------------------------------------------------------

HANGS_IN_INITIALIZE = """
#include <unistd.h>
static unsigned long init(void *args) { (void)args; for (;;) pause(); }
static struct { unsigned char version[2]; void *entry[68]; } list = {{2, 40}, {init}};
unsigned long C_GetFunctionList(void **out) { *out = &list; return 0; }
"""
FAILS_IN_INITIALIZE = """
#include <stdio.h>
static unsigned long init(void *args) { (void)args; fputs("the \\033[31mdaemon is down\\n", stderr); return 0x30; }
static struct { unsigned char version[2]; void *entry[68]; } list = {{2, 40}, {init}};
unsigned long C_GetFunctionList(void **out) { *out = &list; return 0; }
"""
NO_FUNCTION_LIST = "int nothing(void) { return 0; }"
CRASHES_ON_LOAD = """
#include <signal.h>
#include <stdio.h>
__attribute__((constructor)) static void start(void) {
    fputs("last \\033]52;c;cGFzdGU=\\007words\\n", stderr); fflush(stderr); raise(SIGSEGV);
}
"""


async def module_error(module: str, *, loading: float = 10.0) -> errors.TokenError:
    token = Token("t", TokenProfile(module=module, label="x"), Redactor(), deadline=DEADLINE, loading=loading)
    with pytest.raises(errors.TokenError) as raised:
        await token.slots()
    assert token.worker_pid is None
    await token.close()
    return raised.value


async def test_a_missing_module(tmp_path: Path) -> None:
    error = await module_error(str(tmp_path / "nowhere.so"))
    assert isinstance(error, errors.ModuleMissing)
    assert "nowhere.so" in error.what


async def test_a_text_file_for_a_module(tmp_path: Path) -> None:
    (tmp_path / "notes.so").write_text("not a library")
    error = await module_error(str(tmp_path / "notes.so"))
    assert isinstance(error, errors.NotAPkcs11Module)
    assert "invalid ELF header" in error.what or "too short" in error.what


async def test_a_library_without_function_list(compile_module: Callable[[str, str], Path]) -> None:
    error = await module_error(str(compile_module("plain", NO_FUNCTION_LIST)))
    assert isinstance(error, errors.NotAPkcs11Module)
    assert "C_GetFunctionList" in error.what


async def test_a_module_that_crashes_on_load_leaves_its_last_words(
    compile_module: Callable[[str, str], Path],
) -> None:
    error = await module_error(str(compile_module("crashing", CRASHES_ON_LOAD)))
    assert isinstance(error, errors.ModuleCrashed)
    assert "SIGSEGV" in error.what
    assert "words" in error.what
    assert "\x1b" not in error.what


async def test_a_module_that_hangs_while_it_is_loaded(compile_module: Callable[[str, str], Path]) -> None:
    begin = time.monotonic()
    error = await module_error(str(compile_module("hanging", HANGS_IN_INITIALIZE)), loading=0.5)
    assert isinstance(error, errors.ModuleNotResponding)
    assert time.monotonic() - begin < 0.5 + SLACK


async def test_a_module_that_refuses_to_start(compile_module: Callable[[str, str], Path]) -> None:
    error = await module_error(str(compile_module("refusing", FAILS_IN_INITIALIZE)))
    assert isinstance(error, errors.ModuleFailed)
    assert "CKR_DEVICE_ERROR" in error.what


# -- no process left, the loop never blocked ----------------------------------------------------------------------


async def test_close_ends_every_worker_even_one_that_hangs(softhsm: SoftHsm, shim: Shim) -> None:
    good = Token("good", softhsm.profile(), Redactor(), deadline=DEADLINE)
    bad = Token("bad", shim.profile(), Redactor(), deadline=30.0)
    await good.info()
    await bad.info()
    shim.faults("fault 6 hang")
    hanging = asyncio.ensure_future(bad.info())
    await until(lambda: shim.calls(6))
    pids = [good.worker_pid, bad.worker_pid]
    hanging.cancel()
    begin = time.monotonic()
    await asyncio.gather(good.close(), bad.close(), hanging, return_exceptions=True)
    assert time.monotonic() - begin < 5
    assert not any(alive(pid) for pid in pids if pid)


PARENT = """
import asyncio, os, sys
from checks.hsm.token import Token
from runbook.secrets import Redactor
from runbook.site import TokenProfile
async def main():
    token = Token("t", TokenProfile.model_validate_json(sys.argv[1]), Redactor(), deadline=60)
    await token.info()
    print(token.worker_pid, flush=True)
    sys.stdin.readline()
    await token.info()
asyncio.run(main())
"""


@pytest.mark.parametrize("state", ["idle", "hanging", "stopped"])
async def test_no_worker_outlives_a_parent_killed_with_sigkill(shim: Shim, state: str) -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, shim.profile().model_dump_json()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert parent.stdin
    assert parent.stdout
    worker = int(await parent.stdout.readline())
    if state == "hanging":
        before = len(shim.calls(6))
        shim.faults("fault 6 hang")
        parent.stdin.write(b"go\n")
        await until(lambda: len(shim.calls(6)) > before)
    elif state == "stopped":
        os.kill(worker, signal.SIGSTOP)
    assert alive(worker)
    parent.kill()
    await parent.wait()
    await until(lambda: not alive(worker), within=3)


async def test_the_event_loop_is_not_blocked_while_a_worker_hangs(token: Token, shim: Shim) -> None:
    await token.info()
    shim.faults("fault 6 hang")
    late: list[float] = []

    async def ticks() -> None:
        while True:
            due = time.monotonic() + 0.01
            await asyncio.sleep(0.01)
            late.append(time.monotonic() - due)

    ticking = asyncio.ensure_future(ticks())
    with pytest.raises(errors.TokenNotResponding):
        await token.info()
    shim.faults()
    await token.info()
    ticking.cancel()
    assert len(late) > 20
    assert max(late) < 0.1


async def test_tokens_work_side_by_side(shim: Shim, softhsm: SoftHsm) -> None:
    slow = Token("slow", shim.profile(), Redactor(), deadline=30.0)
    quick = Token("quick", softhsm.profile(), Redactor(), deadline=30.0)
    await asyncio.gather(slow.info(), quick.info())
    shim.faults("fault 6 hang")
    hanging = asyncio.ensure_future(slow.info())
    assert (await quick.info()).label == "ccat-intermediate"
    assert not hanging.done()
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)
    await asyncio.gather(slow.close(), quick.close())


async def test_the_worker_is_closed_to_others(softhsm: SoftHsm) -> None:
    token = Token("t", softhsm.profile(), Redactor())
    await token.login(Secret.from_text(PIN))
    proc = Path(f"/proc/{token.worker_pid}")
    limits = proc.joinpath("limits").read_text()
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
    assert PIN.encode() not in proc.joinpath("cmdline").read_bytes() + proc.joinpath("environ").read_bytes()
    assert os.getsid(token.worker_pid or 0) == token.worker_pid
    environ = {part.partition(b"=")[0].decode() for part in proc.joinpath("environ").read_bytes().split(b"\0") if part}
    assert environ <= {"PATH", "HOME", "LC_ALL", "SOFTHSM2_CONF"}
    assert "libsofthsm2.so" in proc.joinpath("maps").read_text()
    await token.close()
    ours = Path("/proc/self")
    assert "libsofthsm2.so" not in ours.joinpath("maps").read_text()
