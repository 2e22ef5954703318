"""The services of input-b in a full lab: what `systemctl` is asked there, done by the keeper, and remembered.

What is wanted is on disk before it is done, so that a keeper that was killed in between finds the host as it was asked
to be.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from rehearsal.full import units as unit_state
from rehearsal.full.calls import LOOKING, WITHOUT_UNITS, Call, NotUnderstood, parse
from rehearsal.full.host_pcscd import HostPcscd
from rehearsal.full.looks import look
from rehearsal.full.systemctl import Asked, Said
from rehearsal.full.units import SERVICE, SOCKET, UNIT_FILES
from runbook.errors import RunbookError

_ETC = "/etc/systemd/system"
_WANTED = f"{_ETC}/sockets.target.wants/{SOCKET}"

_FAILED, _NOT_LOADED = 1, 5
"""Exit codes of systemctl(1)."""


class Services:
    """A context manager: inside, `pcscd` is as the units say, and `systemctl` is answered at the socket `place`.

    `state` is the file in which the units are remembered. Raises ReaderUnavailable and EnvironmentLacks.
    """

    def __init__(self, state: Path, place: Path, pcscd: HostPcscd) -> None:
        self.fresh = True
        """Whether nothing was ever changed before."""
        self._state = state
        self._place = place
        self._pcscd = pcscd
        self._busy = asyncio.Lock()
        self._stack = contextlib.AsyncExitStack()
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Services:
        self.fresh = not await asyncio.to_thread(self._state.exists)
        self._units = await asyncio.to_thread(unit_state.read, self._state)
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self._pcscd.drop)
            stack.callback(self._forget)
            await self._arrange()
            server = await asyncio.start_unix_server(self._client, self._place)
            stack.callback(server.close)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        # What is being done is brought to its end, and nothing begins any more.
        await self._busy.acquire()
        await self._stack.aclose()

    async def call(self, arguments: list[str]) -> Said:
        """What `systemctl` with these arguments does and says."""
        try:
            call = parse(arguments)
        except NotUnderstood as error:
            return Said(_FAILED, stderr=f"{error}\n")
        async with self._busy:
            if call.verb in LOOKING:
                return look(call, self._units, self._pcscd.main_pid)
            if call.verb in WITHOUT_UNITS:
                return Said()
            do = getattr(self, f"_{call.verb}")
            try:
                said: Said = await do(call)
            except RunbookError as error:
                # Whatever stands in the way of a service is in its journal on a real host.
                return Said(_FAILED, stderr=f"Job for {' '.join(call.units)} failed: {error}\n")
            return said

    async def _start(self, call: Call) -> Said:
        refused = [said for unit in call.units if (said := self._refusal(unit))]
        if refused:
            return _joined(refused)
        # The service needs its socket. The socket's first client would wake the service; in a lab it is awake at once,
        # because a virtual reader shows its card a moment later than pcscd answers.
        await self._become({SOCKET, SERVICE})
        return Said()

    def _refusal(self, unit: str) -> Said | None:
        if self._units.load_state(unit) == "not-found":
            return Said(_NOT_LOADED, stderr=f"Failed to start {unit}: Unit {unit} not found.\n")
        if unit == SOCKET and SERVICE in self._units.masked and SOCKET not in self._units.masked:
            look_at = f'See "systemctl status {SOCKET}" and "journalctl -xeu {SOCKET}" for details.'
            return Said(_FAILED, stderr=f"Job for {SOCKET} failed.\n{look_at}\n")
        masked = next((each for each in (unit, SOCKET) if each in self._units.masked), None)
        return Said(_FAILED, stderr=f"Failed to start {unit}: Unit {masked} is masked.\n") if masked else None

    async def _stop(self, call: Call) -> Said:
        wrong = [
            Said(_NOT_LOADED, stderr=f"Failed to stop {unit}: Unit {unit} not loaded.\n")
            for unit in call.units
            if self._units.load_state(unit) == "not-found"
        ]
        # What needs the socket goes with it (Requires=, systemd.unit(5)).
        gone = {SOCKET, SERVICE} if SOCKET in call.units else {SERVICE} if SERVICE in call.units else set()
        await self._become(self._units.active - gone)
        if SERVICE in gone and SOCKET in self._units.active:
            warning = f"Warning: Stopping {SERVICE}, but it can still be activated by:\n  {SOCKET}\n"
            return _joined([*wrong, Said(stderr=warning)])
        return _joined(wrong)

    async def _restart(self, call: Call) -> Said:
        refused = [said for unit in call.units if (said := self._refusal(unit))]
        if refused:
            return _joined(refused)
        await self._become(self._units.active - {SERVICE})
        return await self._start(call)

    async def _mask(self, call: Call) -> Said:
        said = []
        for unit in call.units:
            if unit not in UNIT_FILES:
                said.append(Said(stderr=f"Unit {unit} does not exist, proceeding anyway.\n"))
            if unit not in self._units.masked:
                self._units.masked.add(unit)
                said.append(Said(stderr=f"Created symlink {_ETC}/{unit} -> /dev/null.\n"))
        await self._save()
        return _joined([*said, await self._stop(call)] if call.now else said)

    async def _unmask(self, call: Call) -> Said:
        gone = [unit for unit in call.units if unit in self._units.masked]
        self._units.masked.difference_update(gone)
        await self._save()
        return _joined(Said(stderr=f'Removed "{_ETC}/{unit}".\n') for unit in gone)

    async def _enable(self, call: Call) -> Said:
        return await self._link(call, enabled=True)

    async def _disable(self, call: Call) -> Said:
        return await self._link(call, enabled=False)

    async def _link(self, call: Call, *, enabled: bool) -> Said:
        """Both units have the socket's link (`Also=`)."""
        for unit in call.units:
            state = self._units.file_state(unit)
            if not state or (state == "masked" and enabled):
                why = f"{_ETC}/{unit} is masked" if state else f"{unit} does not exist"
                return Said(_FAILED, stderr=f"Failed to {call.verb} unit: Unit file {why}.\n")
        changed, self._units.enabled = self._units.enabled is not enabled, enabled
        await self._save()
        link = f"Created symlink {_WANTED} -> {UNIT_FILES[SOCKET].path}.\n" if enabled else f'Removed "{_WANTED}".\n'
        said = [Said(stderr=link)] if changed else []
        if call.now:
            said.append(await (self._start(call) if enabled else self._stop(call)))
        return _joined(said)

    async def _become(self, active: set[str]) -> None:
        for unit in UNIT_FILES:
            self._units.set_active(unit, unit in active)
        await self._save()
        try:
            await self._arrange()
        except RunbookError:
            self._units.set_active(SERVICE, False)
            await self._save()
            raise

    async def _save(self) -> None:
        await asyncio.to_thread(unit_state.write, self._state, self._units)

    async def _arrange(self) -> None:
        """Let pcscd, its socket and the dongle be as the units say."""
        self._forget()
        if SERVICE in self._units.active:
            await self._pcscd.start()
            self._watching = asyncio.create_task(self._watch())
        elif SOCKET in self._units.active:
            await self._pcscd.stop()
            self._pcscd.listen()
            self._pcscd.when_asked(self._wake)
        else:
            await self._pcscd.close()
            await self._pcscd.let_go()

    def _forget(self) -> None:
        """Whatever happens to pcscd now is our doing."""
        if self._watching and self._watching is not asyncio.current_task():
            self._watching.cancel()
        self._watching = None

    async def _watch(self) -> None:
        await self._pcscd.ended()
        async with self._busy:
            if SERVICE in self._units.active:  # it has ended by itself
                await self._become(self._units.active - {SERVICE})

    def _wake(self) -> None:
        """A client came, which starts the service."""
        self._waking = asyncio.create_task(self._awake())

    async def _awake(self) -> None:
        async with self._busy:
            if SOCKET in self._units.active and SERVICE not in self._units.masked:
                await self._become({SOCKET, SERVICE})

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(ConnectionError, msgspec.DecodeError):
            asked = msgspec.json.decode(await reader.readline(), type=Asked)
            # Once begun it is brought to its end, whoever still listens.
            said = await asyncio.shield(self.call(asked.arguments))
            writer.write(msgspec.json.encode(said) + b"\n")
            await writer.drain()


def _joined(said: Iterable[Said]) -> Said:
    """All of it, with the worst exit code."""
    each = list(said)
    return Said(
        max((one.exit_code for one in each), default=0),
        "".join(one.stdout for one in each),
        "".join(one.stderr for one in each),
    )
