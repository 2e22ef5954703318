"""A token on another host: p11-kit speaks PKCS#11 through the host's channel, so nothing of ours is installed there.

Here a worker like any other holds p11-kit's client module; there `p11-kit remote MODULE` holds the token's
(p11-kit(8)). The login is the far program's: it ends with the line.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from checks.files.process import Finished
from checks.hosts.carrier import FarEnd
from checks.hosts.errors import FarSideLacks
from checks.hosts.machine import Machine
from checks.hsm import errors
from checks.hsm.contention import explained, may_have_a_cause
from checks.hsm.far_scene import SceneThere
from checks.hsm.line import Line
from checks.hsm.opensc import HOST_FILES, without_cache
from checks.hsm.process import WorkerProcess
from runbook.errors import StepError
from runbook.secrets import Redactor
from runbook.site import TokenProfile
from runbook.text import clean_line

Reached = Callable[[], Awaitable[Machine]]
"""Gives the host as the step at hand sees it: its prompts are the step's."""

CLIENTS: Final = ("/usr/lib/*/pkcs11", "/usr/lib64/pkcs11", "/usr/lib/pkcs11", "/usr/local/lib*/pkcs11")
"""Where distributions put p11-kit's client module."""

_CLIENT: Final = "p11-kit-client.so"
_READ_DEADLINE: Final = 10.0
_KEPT: Final = 400

_FIRST_FILE: Final = 'for f; do if [ -e "$f" ]; then exec cat "$f"; fi; done'
_PROTECTED: Final = 'ulimit -c 0; exec 3<<END_OF_CONF\n$1\nEND_OF_CONF\nshift; exec "$@"'
"""No core file, for a PIN passes through the program; OpenSC's configuration in an open file that nobody else has."""


class There:
    """A host of the site profile. Before each step that uses the token, `reached` is set."""

    def __init__(self, where: str, profile: TokenProfile, redactor: Redactor) -> None:
        self.reached: Reached | None = None
        self._resting = False
        """No step uses the token now: nothing is connected to, and nobody is asked."""
        self._where = where
        self._profile = profile
        self._redactor = redactor
        self._mark = f"RUNBOOK_LINE={secrets.token_hex(8)}"
        """Stands in the far program's environment, so that it is not taken for somebody else's."""

    @contextlib.contextmanager
    def at_rest(self) -> Iterator[None]:
        """Within it nothing is connected to."""
        self._resting = True
        try:
            yield
        finally:
            self._resting = False

    async def start(self) -> WorkerProcess:
        client = await asyncio.to_thread(client_module)
        if client is None:
            raise errors.RemotingMissing(
                f"there is no {_CLIENT} on this machine, which reaches tokens of other hosts", where=self._where
            )
        machine = await self._machine()
        command = self._command(await self._configuration(machine))
        line = await Line.open(await machine.duplex(command, sudo=self._profile.sudo))
        try:
            worker = await WorkerProcess.spawn(client, {"P11_KIT_SERVER_ADDRESS": line.address})
        except BaseException:
            await line.close()
            raise
        worker.line = line
        line.serve(worker.pid)
        return worker

    async def tool(self, argv: Sequence[str], *, deadline: float) -> Finished:
        machine = await self._machine()
        env = {"LC_ALL": "C", **self._profile.env}
        return await machine.run(argv, deadline=deadline, sudo=self._profile.sudo, env=env, on_line=_unseen)

    async def explained(self, error: errors.TokenError) -> errors.TokenError:
        if not may_have_a_cause(error):
            return error
        try:
            return await explained(error, SceneThere(await self._machine(), self._profile, self._mark))
        except StepError:
            return error  # what happened is told, also where its cause cannot be looked for

    def unloaded(self, end: FarEnd) -> StepError:
        """Why `p11-kit remote` ended before the module was ready, from what it printed (p11-kit 0.24)."""
        module, words = self._profile.module, clean_line(self._redactor(end.words)[-_KEPT:])
        if end.lost:
            return errors.LineToTokenLost(f"the line broke while {module} was loaded there", where=self._where)
        if end.exit_code == 127 or "not a valid" in words:
            return FarSideLacks(
                f"there is no `p11-kit remote` on {self._profile.via} ({words})",
                where=self._where,
                remedy="Install it there: apt-get install p11-kit. Nothing else is needed on that host.",
            )
        if "couldn't load module" in words and "No such file" in words:
            what = f"there is no file {module} on {self._profile.via}"
            return errors.ModuleMissing(what, where=self._where, remedy=_ADVICE)
        if "couldn't load module" in words or "C_GetFunctionList" in words:
            what = f"{module} on {self._profile.via} is not a PKCS#11 module: {words}"
            return errors.NotAPkcs11Module(what, where=self._where)
        said = f". Its last words: {words}" if words else ""
        kind = errors.ModuleCrashed if end.signal else errors.ModuleFailed
        return kind(f"`p11-kit remote {module}` {end.how} on {self._profile.via}{said}", where=self._where)

    async def _machine(self) -> Machine:
        if self._resting:
            raise errors.LineToTokenLost("there is no line to the token", where=self._where)
        assert self.reached, "a token on a host is used by a step"  # noqa: S101 - for the type checker
        return await self.reached()

    async def _configuration(self, machine: Machine) -> str:
        """OpenSC's for that host, with its PIN cache off; empty where the site gives the module one of its own."""
        if "OPENSC_CONF" in self._profile.env:
            return ""
        argv = ("/bin/sh", "-c", _FIRST_FILE, "sh", *HOST_FILES)
        read = await machine.run(argv, deadline=_READ_DEADLINE, on_line=_unseen)
        return without_cache(read.stdout.text)

    def _command(self, configuration: str) -> list[str]:
        ours = ["OPENSC_CONF=/dev/fd/3"] if configuration else []
        settings = [self._mark, *ours, *(f"{name}={value}" for name, value in self._profile.env.items())]
        program = ["env", *settings, "p11-kit", "remote", "-v", self._profile.module]
        return ["/bin/sh", "-c", _PROTECTED, "sh", configuration, *program]


_ADVICE: Final = "Install the package that provides the module on that host, or correct `module` in the site profile."


def _unseen(_: str) -> None:
    """Not for the step's live output."""


def client_module() -> str | None:
    """p11-kit's client module on this machine; None: it is not installed."""
    for pattern in CLIENTS:
        for folder in sorted(Path("/").glob(pattern.lstrip("/"))):
            if (folder / _CLIENT).is_file():
                return str(folder / _CLIENT)
    return None
