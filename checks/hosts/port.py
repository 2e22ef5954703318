"""A TCP port, tried from this machine or from another one."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from checks.evidence.hosts_table import HostsTable
from checks.evidence.machines import PortState
from checks.hosts.errors import FarSideLacks, HostError
from checks.hosts.fleet import HostCheck, OnHosts, where
from checks.hosts.looking import LOOK_SYMPTOMS, ask, last_words
from checks.hosts.machine import Machine
from checks.time_left import time_left
from runbook.context import Context
from runbook.kind import Params
from runbook.outcome import Outcome
from runbook.site import LOCAL

SYMPTOMS: Mapping[str, str] = {
    **LOOK_SYMPTOMS,
    "closed": "Nothing listens there: the machine refuses the connection.",
    "no answer": "No answer came in time: a firewall drops it, or the machine is not there.",
    "unreachable": "There is no way to the address.",
    "open": "Something listens there, and should not.",
    "no address": "The name is not known.",
}

# $1: the address; $2: the port; $3: seconds. One word is the answer, the second says which program tried.
# The first program that is there does it; nc of several makers agree in `-z -w` alone.
_SCRIPT = r"""
if command -v python3 >/dev/null 2>&1; then
  exec python3 -I -S -c '
import errno, socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3])).close()
    said = "open"
except socket.gaierror:
    said = "no-address"
except TimeoutError:
    said = "no-answer"
except OSError as error:
    said = "refused" if error.errno == errno.ECONNREFUSED else "unreachable"
print(said, "python3")
' "$1" "$2" "$3"
fi
getent hosts "$1" >/dev/null 2>&1 || { command -v getent >/dev/null 2>&1 && { echo no-address getent; exit 0; }; }
if command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
  e=$(timeout "$3" bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$1" "$2" 2>&1); s=$?
  case $s in
    0) echo open bash ;;
    124) echo no-answer bash ;;
    *) case $e in
      *refused*) echo refused bash ;;
      *"not known"*|*resolution*|*"No address"*) echo no-address bash ;;
      *imed\ out*) echo no-answer bash ;;
      *) echo unreachable bash ;;
    esac ;;
  esac
  exit 0
fi
if command -v nc >/dev/null 2>&1; then
  e=$(nc -z -w "$3" "$1" "$2" 2>&1 </dev/null) && { echo open nc; exit 0; }
  # One that does not know the options has tried nothing.
  case $e in
    *[Uu]sage*|*"nvalid option"*|*"nrecognized option"*) ;;
    *) echo not-open nc; exit 0 ;;
  esac
fi
echo "there is neither python3, nor bash with timeout, nor an nc that knows -z" >&2
exit 127
"""


class PortParams(Params):
    """A port, and how it must be."""

    address: str = Field(
        pattern=r"^[A-Za-z0-9_:][A-Za-z0-9_.:%-]{0,252}$",
        description="A name or an IP address; seen from `on`.",
        examples=["ca.example.org"],
    )
    port: int = Field(ge=1, le=65535, description="The TCP port.", examples=[9000])
    expect: Literal["open", "closed"] = Field(
        "open", description="`open`: something accepts the connection. `closed`: nothing does."
    )
    patience: int = Field(5, ge=1, le=120, description="Seconds until no answer is an answer.", examples=[3])


class CheckParams(PortParams, OnHosts):
    """The same; `on` is where it is tried from."""


class Port(HostCheck[CheckParams]):
    """A TCP port is open, or closed, as seen from this machine or from others (`on`)."""

    name = "port"
    Params = CheckParams
    evidence = (PortState, HostsTable)
    symptoms: ClassVar = SYMPTOMS

    def plan(self) -> tuple[str, ...]:
        return (f"connect to {self.params.address} port {self.params.port}", f"from {where(self.params.on)}")

    async def on_machine(self, machine: Machine, ctx: Context) -> Outcome:
        patience = min(self.params.patience, time_left(ctx))
        state, by = await (self._from_here(patience) if machine.name == LOCAL else self._from(machine, ctx, patience))
        if state == "no-address":
            raise HostError(f"the name {self.params.address} is not known", where=machine.name, symptom="no address")
        seen = PortState(
            address=self.params.address,
            port=self.params.port,
            seen_from="this machine" if machine.name == LOCAL else machine.name,
            state=state.replace("-", " "),
            expected=self.params.expect,
            by=by,
        )
        said = f"{seen.address} port {seen.port} is {_words(seen.state)}, seen from {seen.seen_from}"
        if seen.right:
            return Outcome.passed(said, seen)
        symptom = {"refused": "closed", "not open": "closed"}.get(seen.state, seen.state)
        return Outcome.failed(f"{said}; expected {seen.expected}", seen, symptom=symptom)

    async def _from_here(self, patience: float) -> tuple[str, str]:
        try:
            async with asyncio.timeout(patience):
                _, writer = await asyncio.open_connection(self.params.address, self.params.port)
        except TimeoutError:
            return "no-answer", ""
        except socket.gaierror:
            return "no-address", ""
        except OSError as error:
            # Several addresses fail together as one OSError without a number of its own.
            refused = error.errno == errno.ECONNREFUSED or (error.errno is None and "refused" in str(error))
            return ("refused" if refused else "unreachable"), ""
        writer.close()
        return "open", ""

    async def _from(self, machine: Machine, ctx: Context, patience: float) -> tuple[str, str]:
        arguments = (self.params.address, str(self.params.port), str(max(int(patience), 1)))
        finished = await ask(machine, ctx, ("/bin/sh", "-c", _SCRIPT, "sh", *arguments))
        said = finished.stdout.text.split()
        if finished.exit_code == 127:
            raise FarSideLacks(last_words(finished), where=machine.name, remedy="Install one of them there.")
        if finished.exit_code != 0 or len(said) != 2:
            raise HostError(f"the port could not be tried: {last_words(finished)}", where=machine.name)
        return said[0], said[1]


def _words(state: str) -> str:
    return {"refused": "closed (refused)", "no answer": "closed, or silent (no answer)"}.get(state, state)
