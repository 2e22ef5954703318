"""The double of systemctl by itself: command lines it understands, and what holds whatever it is asked."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rehearsal.full import units as unit_state
from rehearsal.full.calls import Call, NotUnderstood, parse
from rehearsal.full.services import Services
from rehearsal.full.systemctl import Said
from rehearsal.full.units import SERVICE, SOCKET, Units
from runbook.errors import EnvironmentLacks

NAMES = st.sampled_from(["pcscd", SERVICE, SOCKET, "ntpd.service"])


class Pcscd:
    """What the units stand for, kept as three facts."""

    def __init__(self) -> None:
        self.listens = self.runs = False
        self.here = True
        self._ended = asyncio.Event()

    @property
    def main_pid(self) -> int:
        return 4711 if self.runs else 0

    def listen(self) -> None:
        self.listens = True

    def drop(self) -> None:
        self.listens = False

    def when_asked(self, _wake: object) -> None:
        assert self.listens

    async def close(self) -> None:
        self.drop()
        await self.stop()

    async def start(self) -> None:
        self.listens = self.runs = self.here = True

    async def stop(self) -> None:
        self.runs = self.here = False

    async def let_go(self) -> None:
        self.here = False

    async def ended(self) -> None:
        await self._ended.wait()


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("show --no-pager --property=Id,MainPID -- pcscd", Call("show", (SERVICE,), ("Id", "MainPID"))),
        ("-p Id show pcscd.socket", Call("show", (SOCKET,), ("Id",))),
        ("show -p Id --value pcscd", Call("show", (SERVICE,), ("Id",), value=True)),
        ("--no-ask-password stop -- pcscd.service pcscd.socket", Call("stop", (SERVICE, SOCKET))),
        ("mask --now pcscd", Call("mask", (SERVICE,), now=True)),
        ("daemon-reload", Call("daemon-reload")),
    ],
)
def test_command_lines(line: str, call: Call) -> None:
    assert parse(line.split()) == call


@given(st.lists(st.text(max_size=12), max_size=6))
def test_whatever_is_typed_is_understood_or_refused_in_words(words: list[str]) -> None:
    with contextlib.suppress(NotUnderstood):
        assert parse(words).verb


def test_what_was_damaged_is_not_taken_for_a_fresh_machine(tmp_path: Path) -> None:
    path = tmp_path / "services.json"
    assert unit_state.read(path) == Units()
    unit_state.write(path, Units(masked={SOCKET}))
    assert unit_state.read(path).masked == {SOCKET}
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(EnvironmentLacks, match="cannot be read"):
        unit_state.read(path)


class Calls(RuleBasedStateMachine):
    """Any calls in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.pcscd = Pcscd()
        self.services = self._begun()

    def _begun(self) -> Services:
        folder = Path(self.folder.name)
        services = Services(folder / "services.json", folder / "systemd", self.pcscd)  # type: ignore[arg-type]
        return self.loop.run_until_complete(services.__aenter__())

    def teardown(self) -> None:
        self.loop.run_until_complete(self.services.__aexit__())
        self.loop.close()
        self.folder.cleanup()

    def call(self, *arguments: str) -> Said:
        return self.loop.run_until_complete(self.services.call(list(arguments)))

    def shown(self, unit: str) -> dict[str, str]:
        said = self.call("show", unit)
        return dict(line.partition("=")[::2] for line in said.stdout.splitlines())

    @rule(
        verb=st.sampled_from(["start", "stop", "restart", "mask", "unmask", "enable", "disable", "daemon-reload"]),
        units=st.lists(NAMES, min_size=1, max_size=3),
        now=st.booleans(),
    )
    def ask(self, verb: str, units: list[str], now: bool) -> None:
        before = {unit: self.shown(unit) for unit in units}
        said = self.call(verb, *(["--now"] if now else []), *units)
        after = {unit: self.shown(unit) for unit in units}
        assert said.exit_code == 0 or said.stderr
        if verb in ("start", "restart") and any(each["LoadState"] != "loaded" for each in before.values()):
            assert said.exit_code
        if said.exit_code == 0 and verb in ("start", "stop"):
            state = "active" if verb == "start" else "inactive"
            assert {each["ActiveState"] for each in after.values()} == {state}
        if verb in ("mask", "unmask"):
            assert {each["LoadState"] == "masked" for each in after.values()} == {verb == "mask"}

    @rule()
    def program_is_killed(self) -> None:
        before = [self.shown(unit) for unit in (SERVICE, SOCKET)]
        self.loop.run_until_complete(self.services.__aexit__())
        self.pcscd = Pcscd()
        self.services = self._begun()
        assert [self.shown(unit) for unit in (SERVICE, SOCKET)] == before

    @invariant()
    def pcscd_is_as_the_units_say(self) -> None:
        active = {unit for unit in (SERVICE, SOCKET) if self.shown(unit)["ActiveState"] == "active"}
        assert (self.pcscd.runs, self.pcscd.listens) == (SERVICE in active, SOCKET in active)
        assert self.pcscd.here == self.pcscd.runs, "the dongle is free once the host's pcscd is gone"
        assert active in (set(), {SOCKET}, {SOCKET, SERVICE}), "the service needs its socket"

    @invariant()
    def there_is_a_block_for_each_name(self) -> None:
        said = self.call("show", "--property=Id,LoadState,MainPID", SOCKET, SERVICE, "ntpd", SOCKET)
        blocks = said.stdout.strip("\n").split("\n\n")
        names = [next(line for line in block.splitlines() if line.startswith("Id=")) for block in blocks]
        assert names == [f"Id={SOCKET}", f"Id={SERVICE}", "Id=ntpd.service", f"Id={SOCKET}"]
        assert self.call("is-active", SERVICE).exit_code == (0 if self.pcscd.runs else 3)


TestCalls = Calls.TestCase
TestCalls.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
