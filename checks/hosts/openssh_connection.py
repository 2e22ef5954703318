"""A connection by the system's `ssh`: one master process, and a small process for each command (ssh(1), -M and -S)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from checks.files.supervised import Supervised
from checks.hosts.askpass import Askpass
from checks.hosts.errors import LineLost, Unreachable
from checks.hosts.host_keys import where
from checks.hosts.known_hosts import Entry
from checks.hosts.openssh_channel import OpensshChannel, open_channel
from checks.hosts.openssh_config import configuration, through
from checks.hosts.openssh_said import Said, failure
from checks.hosts.passphrases import Passphrases
from checks.hosts.patience import Patience, Prompts
from checks.hosts.ssh_config import SshSettings
from checks.hosts.ssh_keys import Candidates, candidates
from runbook.text import clean_line

# Started by sh, which outlives ssh only to take the folder away; a signal to both ends ssh alone.
_KEEPER = 'trap : TERM HUP INT; "$@"; code=$?; rm -rf -- "$0"; exit $code'

TOUCHING = 120.0
"""Seconds that a key on a device may wait for a touch."""

LONGEST_SOCKET = 80
"""Bytes of a socket's path: sun_path holds 107, and ssh puts 17 more behind it for a moment."""


@dataclass(frozen=True, slots=True)
class Means:
    """What every connection is made with."""

    passphrases: Passphrases
    prompts: Prompts
    known: Sequence[Entry]
    own_config: Path | None
    why: tuple[str, ...]
    """Why the system's ssh is the transport."""


class Master:
    """The master process, and what it says of itself.

    That comes through a named pipe (`-E`): what a host says on its banner is written to stderr, and cannot be taken for
    it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.control = folder / "s"
        self.said = Said()
        self.changed = asyncio.Event()
        self._process: Supervised | None = None
        self._rest = b""
        self._left = False
        self._log = -1

    def leave(self) -> None:
        """Nobody wants the connection any more."""
        self._left = True
        self.changed.set()

    def start(self, argv: Sequence[str], env: dict[str, str]) -> None:
        """`argv` without what belongs to the program alone: its name and where it writes."""
        log = self.folder / "log"
        os.mkfifo(log, 0o600)
        # Open for both, so that it neither blocks nor ends before ssh has come.
        self._log = os.open(log, os.O_RDWR | os.O_NONBLOCK)
        asyncio.get_running_loop().add_reader(self._log, self._read)
        keeper = ["sh", "-c", _KEEPER, str(self.folder), "ssh", "-E", str(log), *argv]
        self._process = Supervised.start(shutil.which("sh") or "/bin/sh", keeper, None, env, stdin=False)
        self._process.read(lambda _: None, lambda _: None)
        self._process.over.add_done_callback(lambda _: self._read())

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._log >= 0 and (chunk := os.read(self._log, 64 * 1024)):
                *lines, self._rest = (self._rest + chunk).split(b"\n")
                self._rest = self._rest[-64 * 1024 :]
                for line in lines:
                    self.said.take(line.decode(errors="replace").rstrip("\r"))
        self.changed.set()

    @property
    def running(self) -> bool:
        return self._process is not None and not self._process.over.done() and not self._process.status.told_end

    async def until_ready(self, patience: Patience) -> bool:
        """False when it ended instead. While a key on a device waits for a touch, time stands still."""
        with contextlib.ExitStack() as standing:
            touching = False
            while self.running and not self.said.ready and not self._left:
                if self.said.waits_for_touch and not touching:
                    touching = True
                    standing.enter_context(patience.stand_still(at_most=TOUCHING))
                elif touching and not self.said.waits_for_touch:
                    standing.close()
                self.changed.clear()
                await self.changed.wait()
        return self.running and self.said.ready

    async def end(self) -> None:
        if self._process is not None:
            await self._process.end()
        if self._log >= 0:
            asyncio.get_running_loop().remove_reader(self._log)
            os.close(self._log)
            self._log = -1
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)


class OpensshConnection:
    """A `Connection`; made by `connect`."""

    def __init__(self, master: Master, settings: SshSettings, shown: tuple[str, ...]) -> None:
        self._master = master
        self._settings = settings
        self._shown = shown

    @property
    def shown(self) -> tuple[str, ...]:
        return self._shown

    @property
    def alive(self) -> bool:
        return self._master.running

    @property
    def control(self) -> Path:
        """The master's socket."""
        return self._master.control

    async def open(self, command: str) -> OpensshChannel:
        if not self.alive:
            raise LineLost(
                "the connection broke before the command was started",
                where=where(self._settings),
                remedy="See to the line, then try again.",
            )
        return await open_channel(self._master.control, command, where(self._settings))

    async def close(self) -> None:
        with contextlib.suppress(Exception):
            await self._master.end()


async def connect(settings: SshSettings, means: Means, jump: OpensshConnection | None) -> OpensshConnection:
    """Reach the host. The caller bounds it.

    Raises Unreachable, the errors of host keys, NotLetIn and PromptCancelled.
    """
    folder = await asyncio.to_thread(_private_folder)
    master = Master(folder)
    try:
        await _start(master, settings, means, jump)
    except BaseException:
        await asyncio.shield(master.end())
        raise
    said = master.said
    shown = (
        f"{settings.user}@{settings.address}",
        *(f"through {line}" for line in (jump.shown[:1] if jump else ())),
        f"transport: the system's ssh ({'; '.join(means.why)}; {said.server})",
        f"host key: {said.host_key}",
        f"let in by: {said.let_in_by(await _candidates(settings, means))}",
    )
    return OpensshConnection(master, settings, tuple(clean_line(line, 400) for line in shown))


async def _start(master: Master, settings: SshSettings, means: Means, jump: OpensshConnection | None) -> None:
    who = f"{settings.user} on {where(settings)}"
    askpass = Askpass(master.folder, who, means.prompts, means.passphrases, leave=master.leave)
    config = master.folder / "config"
    text = configuration(
        means.own_config,
        connect_seconds=min(means.prompts.patience.seconds, settings.connect_timeout or TOUCHING),
        proxy=through(jump.control) if jump else "",
    )
    await asyncio.to_thread(config.write_text, text)
    asking = await askpass.start()
    try:
        argv = ["-F", str(config), "-N", "-M", "-S", str(master.control), "-l", settings.user]
        argv += ["-p", str(settings.port), "--", settings.alias]
        master.start(argv, {**os.environ, **asking})
        ready = await master.until_ready(means.prompts.patience)
        if askpass.left:
            raise askpass.left
    finally:
        await askpass.close()
    if not ready:
        master.said.passphrases_given(askpass.passphrases_given)
        for path in master.said.wrong_passphrases:
            means.passphrases.wrong(path)
        raise failure(master.said, settings, means.known, await _candidates(settings, means))


async def _candidates(settings: SshSettings, means: Means) -> Candidates:
    """What there is to offer, to say it in the same words as the other transport."""
    return await candidates(settings, means.passphrases, means.prompts)


def _private_folder() -> Path:
    """A folder for one connection, only ours, with a path short enough for sockets. It touches the disk."""
    for place in (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp"):  # noqa: S108 - mkdtemp makes it private
        if place and len(place) + 16 <= LONGEST_SOCKET and _serves(place):
            return Path(tempfile.mkdtemp(prefix="ssh-", dir=place))
    raise Unreachable(
        "there is no folder for the sockets of ssh and for the program by which it asks",
        remedy="Make $XDG_RUNTIME_DIR, $TMPDIR or /tmp a writable folder with a short path, not mounted noexec.",
    )


def _serves(place: str) -> bool:
    if not Path(place).is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return False
    return not os.statvfs(place).f_flag & os.ST_NOEXEC
