"""A machine at the other end of a connection: commands under supervision there, as the account or as root."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from checks.files.capture import Capture, LineFeed
from checks.files.process import KEEP, Finished
from checks.files.programs import FolderMissing, ProgramNotExecutable, ProgramNotFound
from checks.hosts.channel import Channel, Connection, Ended
from checks.hosts.errors import BrokenBefore, ChannelRefused, FarSideLacks, HostError, LineLost
from checks.hosts.machine import Machine, silent
from checks.hosts.opening import CHUNK, OPENING, Opened, closed_on_error, how_it_ended, open_shell
from checks.hosts.sudo import Sudo, SudoPasswords, refuse_never
from checks.hosts.supervision import Nonces, duplex_script, refuse_impossible, script
from checks.hosts.told import Told, ToldStream
from runbook.context import Context
from runbook.errors import StepError
from runbook.ran import Ran, tell
from runbook.site import HostProfile
from runbook.text import clean_line

_LAST_WORDS = 3.0
"""Seconds until the streams of a shell that has ended must have come to an end."""

_ENDING = 6.0
"""Seconds the far side is given to end everything and to say so."""


class Renew(Protocol):
    """Makes a host's connection anew."""

    async def __call__(self, *, broken: Connection) -> Connection: ...


class FarMachine(Machine):
    """Any machine behind a Connection, as one step sees it."""

    def __init__(
        self,
        name: str,
        connection: Connection,
        profile: HostProfile,
        ctx: Context,
        passwords: SudoPasswords,
        *,
        renew: Renew | None = None,
    ) -> None:
        """`renew` makes a connection anew that turns out to be broken before anything was run on it."""
        self.name = name
        self._renew = renew
        self._connection = connection
        self._profile = profile
        self._ctx = ctx
        self._passwords = passwords

    @property
    def shown(self) -> tuple[str, ...]:
        return self._connection.shown

    @property
    def where(self) -> str:
        """The host's name, with its address where it was reached at one."""
        first = next(iter(self._connection.shown), "")
        return f"{self.name} ({first})" if first else self.name

    async def run(
        self,
        argv: Sequence[str],
        *,
        deadline: float,
        sudo: bool = False,
        cwd: str = "",
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        on_line: Callable[[str], None] | None = None,
        keep: int = KEEP,
    ) -> Finished:
        refuse_impossible(argv, cwd, env or {})
        nonces = Nonces()
        said = script(argv, nonces=nonces, deadline=deadline, cwd=cwd, env=env or {}, input_size=len(stdin))
        opened = await self._open_shell(argv, nonces, said, sudo=sudo)
        shown = on_line or self._ctx.progress

        def pass_on(line: str) -> None:
            # What our own shell says by its odd name becomes an error of ours.
            if nonces.mark not in line:
                shown(line)

        feed = LineFeed(None if on_line is silent else pass_on, self._ctx.redactor)
        running = _Running(opened, nonces, self.where, feed, Capture(keep), Capture(keep))
        started = time.monotonic()
        ran = Ran(argv, self.name, sudo, cwd, env)
        late = False
        try:
            async with asyncio.timeout(deadline):
                await running.until_told(stdin)
        except TimeoutError:
            late = True
            await running.end()
        except BaseException as error:
            if running.told.pid:
                how = "cancelled" if isinstance(error, asyncio.CancelledError) else "unknown: the line was lost"
                tell(replace(ran, ended_by=how, seconds=time.monotonic() - started))
            # Shielded: a second cancellation must not leave the command alive.
            await asyncio.shield(asyncio.create_task(running.end()))
            raise
        finally:
            await asyncio.shield(asyncio.create_task(running.close()))
        feed.close()
        finished = self._finished(argv, running, late, time.monotonic() - started)
        tell(replace(ran, exit_code=finished.exit_code, ended_by=finished.ended_by, seconds=finished.seconds))
        return finished

    async def _open_shell(self, argv: Sequence[str], nonces: Nonces, said: bytes, *, sudo: bool) -> Opened:
        """A shell there. Once one was opened nothing is reconnected: the step may be in the middle of something.

        Raises as `open_shell`, but LineLost for a line that broke after an earlier command of the step.
        """
        renew, self._renew = self._renew, None
        asking = self._sudo(argv, sudo)
        try:
            return await open_shell(self._connection, nonces, said, where=self.where, sudo=asking)
        except BrokenBefore as broken:
            if renew is None:
                raise LineLost(broken.what, where=broken.where, remedy=broken.remedy) from None
            self._connection = await renew(broken=self._connection)
        return await open_shell(self._connection, nonces, said, where=self.where, sudo=asking)

    async def duplex(self, argv: Sequence[str], *, sudo: bool = False) -> Channel:
        refuse_impossible(argv, "", {})
        nonces = Nonces()
        said = duplex_script(argv, nonces=nonces)
        opened = await self._open_shell(argv, nonces, said, sudo=sudo)
        async with closed_on_error(opened.channel):
            await self._until_open(opened, f"{nonces.tag} open\n".encode())
        tell(Ran(argv, self.name, sudo, ended_by="kept open"))
        return opened.channel

    async def _until_open(self, opened: Opened, wanted: bytes) -> None:
        """Until our shell there is about to become the program. Raises LineLost and FarSideLacks."""
        try:
            async with asyncio.timeout(OPENING):
                await opened.channel.stdout.readexactly(len(wanted) - len(opened.stdout))
        except TimeoutError:
            said = f"nothing was heard for {OPENING:.0f} seconds after the command was sent; it may be running"
            raise LineLost(said, where=self.where, remedy="Look there before you go on.") from None
        except asyncio.IncompleteReadError:
            ended = await how_it_ended(opened.channel, self.where)
            raise FarSideLacks(f"our shell did not read its script ({ended.how})", where=self.where) from None

    def _sudo(self, argv: Sequence[str], wanted: bool) -> Sudo | None:
        if not wanted or self._profile.sudo == "unneeded":
            return None
        refuse_never(self.name, self._profile, self.where)
        purpose = f"to run {clean_line(argv[0], 100)} as root"
        ctx = self._ctx
        return Sudo(self.name, self.where, self._profile, ctx.operator, ctx.redactor, self._passwords, purpose)

    def _finished(self, argv: Sequence[str], running: _Running, late: bool, seconds: float) -> Finished:
        told = running.told
        if told.refused:
            raise FolderMissing(
                "the folder to run in does not exist",
                where=self.where,
                remedy="Correct `cwd`, or mount what is missing.",
            )
        stderr = running.captures[1].kept(self._ctx.redactor)
        if not late and told.exit_code in (2, 126, 127):
            running.raise_if_refused(argv[0], stderr.raw)
        ended_by = "deadline" if late else ""
        if late and not told.group:
            ended_by += f"; what it started may still run on {self.name}, which has no setsid to tell it by"
        elif told.alive or (late and told.exit_code is None):
            what = f"process {told.pid}" if told.pid else "the command"
            ended_by = f"{ended_by or 'itself'}; {what} or what it started may still run on {self.name}"
        return Finished(
            argv=tuple(argv),
            exit_code=None if late else told.exit_code,
            ended_by=ended_by,
            stdout=running.captures[0].kept(self._ctx.redactor),
            stderr=stderr,
            left_behind=0 if late else told.left,
            seconds=seconds,
        )


@dataclass(slots=True)
class _Running:
    """A command there, from its script to its end."""

    opened: Opened
    nonces: Nonces
    where: str
    feed: LineFeed
    stdout: Capture
    stderr: Capture
    told: Told = field(default_factory=Told)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _tell: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def captures(self) -> tuple[Capture, Capture]:
        return self.stdout, self.stderr

    @property
    def channel(self) -> Channel:
        return self.opened.channel

    def raise_if_refused(self, program: str, stderr: bytes) -> None:
        """The shell's own last words, recognised by the name it has: the program could not be run."""
        for line in stderr.decode("utf-8", errors="replace").splitlines():
            _, named, rest = line.partition(f"{self.nonces.mark}: ")
            if not named:
                continue
            why = clean_line(rest.rpartition(": ")[2], 200)
            if why == "not found" or "No such file" in why:
                raise ProgramNotFound(
                    f"there is no program `{program}`", where=self.where, remedy="Install it, or give its whole path."
                )
            raise ProgramNotExecutable(f"the system refuses to run {program}: {why}", where=self.where)

    async def until_told(self, stdin: bytes) -> None:
        """Until both streams have said how it ended. Raises LineLost."""
        for stream, capture, rest in (
            (self.channel.stdout, self.stdout, self.opened.stdout),
            (self.channel.stderr, self.stderr, self.opened.stderr),
        ):
            self.tasks.append(asyncio.create_task(self._read(stream, capture, rest)))
        feeding = asyncio.create_task(self._feed(stdin)) if stdin else None
        try:
            await self._heard()
        finally:
            if feeding is not None:
                feeding.cancel()
                await asyncio.gather(feeding, return_exceptions=True)
        if self.told.exit_code is None and not self.told.refused:
            raise await self._lost()

    async def _heard(self) -> None:
        """Until both streams have told their end, or our shell there is gone without that."""
        # Not gathered: the readers go on when this is cancelled, to hear how the command was ended.
        heard = asyncio.create_task(asyncio.wait(self.tasks))
        over = asyncio.create_task(self.channel.wait())
        try:
            await asyncio.wait((heard, over), return_when=asyncio.FIRST_COMPLETED)
            # The command may hold its output open although our shell is gone: nothing more will be told.
            await asyncio.wait((heard,), timeout=_LAST_WORDS)
        finally:
            for task in (heard, over):
                task.cancel()
            await asyncio.gather(heard, over, return_exceptions=True)

    async def _read(self, stream: asyncio.StreamReader, capture: Capture, rest: bytes) -> None:
        cut = ToldStream(self.nonces.tag.encode(), self.told)
        chunk = rest or await stream.read(CHUNK)
        while chunk:
            output = cut.feed(chunk)
            self._tell.set()
            if output:
                capture.add(output)
                self.feed.add(id(stream), output)
            if cut.over:
                return
            chunk = await stream.read(CHUNK)
        if output := cut.rest():
            capture.add(output)

    async def _feed(self, stdin: bytes) -> None:
        """The command's input; a command that does not read it is free to end."""
        await self._until(lambda: bool(self.told.pid))
        with contextlib.suppress(LineLost):
            await self.channel.write(f"{self.told.pid}\n".encode())
            for start in range(0, len(stdin), CHUNK):
                await self.channel.write(stdin[start : start + CHUNK])
            await self._until(lambda: self.told.fed)
            await self.channel.write(f"{self.nonces.tag} eof\n".encode())

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._tell.clear()
            await self._tell.wait()

    async def end(self) -> None:
        """Have the command ended there, and wait a while for the word that it is."""
        with contextlib.suppress(TimeoutError, HostError):
            async with asyncio.timeout(_ENDING):
                await self.channel.write(f"{self.nonces.tag} end\n".encode())
                await asyncio.wait(self.tasks)

    async def close(self) -> None:
        """Let go of the channel: what is not ended by then is ended by the far side, when it hears of it."""
        if self.told.exit_code is not None:
            with contextlib.suppress(TimeoutError, HostError):
                async with asyncio.timeout(1):
                    await self.channel.write(f"{self.nonces.tag} done\n".encode())
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.channel.close()

    async def _lost(self) -> StepError:
        try:
            ended: Ended = await how_it_ended(self.channel, self.where)
        except LineLost as lost:
            return self._in_doubt(lost.what)
        if not self.told.pid:
            return ChannelRefused("our shell there ended before it had started the command", where=self.where)
        return self._in_doubt(f"our shell there ended ({ended.how}) before it could say how the command did")

    def _in_doubt(self, what: str) -> LineLost:
        pid = self.told.pid
        still = f"process {pid} there may still be at work until the host notices" if pid else "it may not have started"
        look = (
            f"Look there before you go on: `ps -o pid,pgid,args -g {pid}`." if pid else "Look there before you go on."
        )
        return LineLost(f"{what}; {still}", where=self.where, remedy=look)
