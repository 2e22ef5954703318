"""A Docker engine of the lab's own, in namespaces of its own: "the network of the CA's host"."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
from pathlib import Path

from rehearsal.card import fitness
from rehearsal.full import engine_init
from runbook.children import hang_up
from runbook.children import start as start_child
from runbook.errors import EnvironmentLacks

_START_DEADLINE = 60.0
"""Seconds until the engine answers; it takes about one, and longer where it starts containers again."""

_STOP_DEADLINE = 35.0
"""Seconds for the engine to stop its containers and end; what is left then is killed."""

_POLL = 0.05
_EXEC_ROOT = f"{engine_init.SHIMS}/docker"
"""In the engine's own mounts, so that nothing is left of it and no socket's path is too long."""

_LONGEST_SOCKET = 107
"""Bytes of a Unix socket's address (unix(7))."""


class Engine:
    """A dockerd as long as the context lasts; raises EnvironmentLacks where it does not come up.

    `data`: its data-root; `folder`: an own one with a short path for its socket, its state and its log. What it starts
    sees a network with a loopback interface alone, which is that of containers with `network_mode: host`. It and its
    containers end with this process, however it ends; containers that are to restart do so when it is started again.
    `held`: file descriptors that are to stay open as long as any of this lives.
    """

    def __init__(self, data: Path, folder: Path, *, held: tuple[int, ...] = ()) -> None:
        self._data = data
        self._folder = folder
        self._held = held
        self._log = folder / "dockerd.log"
        self._configuration = folder / "daemon.json"
        self.socket = folder / "docker.sock"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """As DOCKER_HOST has it."""
        return f"unix://{self.socket}"

    @property
    def inside(self) -> int:
        """The process id, seen from here, of the first process in its namespaces."""
        if self._process is None:
            raise RuntimeError("the engine is not started")
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        if not children:
            raise EnvironmentLacks("the engine has ended", where=str(self._log))
        return int(children[0])

    def command(self, *arguments: str) -> list[str]:
        """The command that runs `arguments` in the engine's network."""
        return [str(fitness.program("nsenter")), "--target", str(self.inside), "--net", *arguments]

    async def __aenter__(self) -> Engine:
        if len(str(self.socket).encode()) > _LONGEST_SOCKET:
            raise EnvironmentLacks(
                "the path of the engine's socket is too long", where=str(self.socket), remedy="Use a shorter folder."
            )
        # What an engine leaves that was killed.
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700, parents=True)
        self._configuration.write_text("{}\n")  # otherwise the machine's own would be read
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._process = await start_child(
                *self._command(),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=_environment(),
                pass_fds=self._held,
                process_group=0,  # ctrl-c at the terminal is for the program
            )
        finally:
            os.close(log)
        try:
            async with asyncio.timeout(_START_DEADLINE):
                await self._answers(self._process)
        except TimeoutError as error:
            await self._end()
            raise await self._did_not_start(f"the engine did not answer within {_START_DEADLINE:g} s") from error
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self._end()

    def _command(self) -> list[str]:
        return [
            str(fitness.program("unshare")),
            *("--net", "--mount", "--propagation", "slave", "--pid", "--fork", "--kill-child", "--mount-proc"),
            *(sys.executable, "-I", "-m", "rehearsal.full.engine_init"),
            str(fitness.program("dockerd")),
            *("--data-root", str(self._data), "--exec-root", _EXEC_ROOT),
            *("--pidfile", str(self._folder / "dockerd.pid"), "--host", self.url, "--group", str(os.getegid())),
            # The machine's packet filter is none of a lab's business, and its network is loopback alone.
            *("--iptables=false", "--ip6tables=false", "--bridge=none", "--ip-forward=false", "--ip-masq=false"),
            *("--shutdown-timeout", "10", "--log-level", "warn", "--config-file", str(self._configuration)),
        ]

    async def _answers(self, process: asyncio.subprocess.Process) -> None:
        while not await self._ping():
            if process.returncode is not None:
                raise await self._did_not_start("the engine ended at once")
            await asyncio.sleep(_POLL)

    async def _ping(self) -> bool:
        try:
            reader, writer = await asyncio.open_unix_connection(self.socket)
        except OSError:
            return False
        try:
            writer.write(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in await reader.readline()
        except OSError:
            return False
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _did_not_start(self, what: str) -> EnvironmentLacks:
        said = await asyncio.to_thread(self._log.read_text, errors="replace")
        last = said.strip().splitlines()[-1:] or ["it said nothing"]
        return EnvironmentLacks(
            f"{what}: {last[0][-400:]}",
            where=str(self._log),
            remedy="The full lab needs a machine on which root may run dockerd; `runbook rehearse` needs none.",
        )

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await hang_up(process, _STOP_DEADLINE)


def _environment() -> dict[str, str]:
    """Daemons are not on everybody's PATH."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    return {"PATH": path, "LANG": "C.UTF-8"}
