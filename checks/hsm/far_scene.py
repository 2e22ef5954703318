"""What another host shows of PC/SC and of whoever uses it: one look by its own shell, with OpenSC's tool for readers.

`opensc-tool --list-readers` selects nothing on a card. It waits while another program has the card for itself, and
cannot say why there is no reader; the processes tell more, as far as the account there may see them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from checks.hosts.machine import Machine
from checks.hsm import pcsc
from checks.hsm.contention import USUAL_SOCKET
from checks.hsm.holders import TOKENS, Holder, place_of
from runbook.site import TokenProfile
from runbook.text import clean_line

_DEADLINE: Final = 10.0

_SCRIPT: Final = r"""
socket=$1 module=$2 mark=$3 dongles=$4
here=$(readlink /proc/self/ns/mnt)
if [ ! -f "$module" ] || { echo "$module"; ldd "$module" 2>/dev/null | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p'; } |
  { while read -r file; do grep -q libpcsclite "$file" && exit 0; done; exit 1; }
then echo pcsc; fi
[ -S "$socket" ] && echo socket
command -v opensc-tool >/dev/null && echo tool
readers=$(timeout 2 opensc-tool --list-readers 2>/dev/null)
[ $? -eq 124 ] && readers="0    Yes             a reader whose card does not answer"
echo "$readers" | sed -n 's/^[0-9][0-9]* /reader &/p'
tell() {
  read -r name <"/proc/$2/comm" || return
  there=$(readlink "/proc/$2/ns/mnt") || there=$here
  [ "$there" = "$here" ] && e=same || e=elsewhere
  echo "$1 $2 $e $(tr '\n ' '  ' <"/proc/$2/cgroup" | tr -d '\t') | $name"
}
for p in /proc/[0-9]*; do
  read -r name <"$p/comm" || continue
  case $name in
    pcscd) tell service "${p#/proc/}" ;;
    *) grep -q libpcsclite "$p/maps" || continue
       tr '\0' '\n' <"$p/environ" | grep -Fxq "$mark" && continue
       s=$(tr '\0' '\n' <"$p/environ" | sed -n 's/^PCSCLITE_CSOCK_NAME=//p')
       [ -r "$p/environ" ] && [ "${s:-$5}" != "$socket" ] && continue
       tell client "${p#/proc/}" ;;
  esac
done 2>/dev/null
for d in /sys/bus/usb/devices/*; do
  read -r v <"$d/idVendor" && read -r k <"$d/idProduct" && read -r b <"$d/busnum" && read -r n <"$d/devnum" || continue
  case " $dongles " in *" $v:$k "*) ;; *) continue ;; esac
  echo "dongle $v:$k"
  node=$(printf '/dev/bus/usb/%03d/%03d' "$b" "$n")
  find /proc/[0-9]*/fd -lname "$node" | sed 's#/proc/\([0-9]*\)/.*#\1#' | sort -u | while read -r pid; do
    tell opened "$pid"
  done
done 2>/dev/null
echo end
"""

_READER = re.compile(r"^reader \d+\s+(Yes|No)\s+(?:PIN pad\s+)?(.*)$")
_PROCESS = re.compile(r"^(service|client|opened) (\d+) (same|elsewhere) (.*) \| (.*)$")


@dataclass
class Facts:
    """One look."""

    socket: bool = False
    readers: list[pcsc.Reader] = field(default_factory=list)
    services: list[Holder] = field(default_factory=list)
    clients: list[Holder] = field(default_factory=list)
    dongles: list[tuple[str, list[Holder]]] = field(default_factory=list)


async def look(machine: Machine, profile: TokenProfile, mark: str) -> Facts | None:
    """Ask the host; None where its module has nothing to do with PC/SC, or nothing is to be seen. Raises HostError.

    Never as root: a question for a password would be no answer to what went wrong.
    """
    dongles = " ".join(":".join(pair) for pair in TOKENS)
    argv = ["/bin/sh", "-c", _SCRIPT, "sh", _socket(profile), profile.module, mark, dongles, USUAL_SOCKET]
    env = {"LC_ALL": "C", **profile.env}
    done = await machine.run(argv, deadline=_DEADLINE, env=env, on_line=lambda _: None)
    lines = done.stdout.text.splitlines()
    return parse(lines) if {"end", "pcsc", "tool"} <= set(lines) else None


def parse(lines: Sequence[str]) -> Facts:
    """The lines of the script; those that are not understood are passed over."""
    facts = Facts(socket="socket" in lines)
    for line in lines:
        if reader := _READER.match(line):
            facts.readers.append(pcsc.Reader(clean_line(reader[2]), reader[1] == "Yes", exclusive=False, in_use=False))
        elif process := _PROCESS.match(line):
            elsewhere = process[3] == "elsewhere"
            holder = Holder(int(process[2]), clean_line(process[5], 40), place_of(process[4], elsewhere=elsewhere))
            _add(facts, process[1], holder)
        elif line.startswith("dongle "):
            vendor, _, product = line.removeprefix("dongle ").partition(":")
            facts.dongles.append((TOKENS.get((vendor, product), clean_line(line)), []))
    return facts


def _add(facts: Facts, kind: str, holder: Holder) -> None:
    if kind == "opened":
        if facts.dongles:
            facts.dongles[-1][1].append(holder)
    else:
        (facts.services if kind == "service" else facts.clients).append(holder)


def _socket(profile: TokenProfile) -> str:
    return profile.env.get("PCSCLITE_CSOCK_NAME", "") or USUAL_SOCKET


class SceneThere:
    """That host, as it was when it was last asked about its service."""

    def __init__(self, machine: Machine, profile: TokenProfile, mark: str) -> None:
        self.socket = _socket(profile)
        self._machine = machine
        self._profile = profile
        self._mark = mark
        self._facts = Facts()

    async def service(self) -> pcsc.Service | None:
        """A look. With a card that others use too, one of them may hold it: the host has no better word on that.

        Raises HostError.
        """
        facts = await look(self._machine, self._profile, self._mark)
        if facts is None:
            return None
        self._facts = facts
        state = "running" if facts.socket and (facts.services or facts.readers) else "missing"
        used = bool(facts.clients)
        readers = (pcsc.Reader(one.name, one.present, exclusive=False, in_use=used) for one in facts.readers)
        return pcsc.Service(state, tuple(readers))

    async def clients(self) -> list[Holder]:
        return self._facts.clients

    async def dongles(self) -> Sequence[tuple[str, list[Holder]]]:
        return self._facts.dongles

    async def services(self) -> list[Holder]:
        return self._facts.services
