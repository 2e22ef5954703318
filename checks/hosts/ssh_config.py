"""What the operator's own `ssh` would do for an alias: the answer of `ssh -G`, typed (ssh(1), ssh_config(5)).

OpenSSH itself reads the configuration, with Include, Match, CanonicalizeHostname and whatever its version knows; only
what `-G` leaves open (`~`, environment variables and percent tokens in file names) is filled in here.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import hashlib
import os
import re
import shlex
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from checks.hosts.errors import Unreachable
from checks.hosts.processes import end
from runbook.text import clean_line

DEADLINE = 10.0
"""Seconds for `ssh -G`; a `Match exec` of the operator's runs in them."""

SSH_PORT = 22


@dataclass(frozen=True, slots=True)
class Hop:
    """Where to go: an alias as it is given to `ssh`, with what a ProxyJump says beside it."""

    alias: str
    user: str = ""
    port: int = 0
    via: str | None = None
    """The jump hosts before it, as ProxyJump spells them; None: as the configuration says."""


@dataclass(frozen=True, slots=True)
class SshSettings:
    """The settings of one alias that matter here; paths are absolute, keywords as in ssh_config(5)."""

    alias: str
    hostname: str
    user: str
    port: int
    proxy_jump: str
    proxy_command: str
    host_key_alias: str
    known_hosts: tuple[Path, ...]
    """The operator's files, then the machine's."""
    identity_files: tuple[Path, ...]
    certificate_files: tuple[Path, ...]
    identities_only: bool
    agent: str
    """Path of the agent's socket; empty: none."""
    connect_timeout: float | None
    """Seconds; None: the configuration does not say."""
    raw: Mapping[str, tuple[str, ...]]
    """Every line that `ssh -G` printed, by keyword in lower case."""

    def value(self, keyword: str) -> str:
        """The first value of a keyword; empty where it is not set."""
        return self.raw.get(keyword, ("",))[0]

    def says(self, keyword: str) -> bool:
        return self.value(keyword).lower() in ("yes", "true")

    @property
    def address(self) -> str:
        """As people write it."""
        return f"{self.hostname}:{self.port}"

    @property
    def known_as(self) -> str:
        """The name under which known_hosts files hold the host (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
        if self.host_key_alias:
            return self.host_key_alias.lower()
        host = self.hostname.lower()
        return host if self.port == SSH_PORT else f"[{host}]:{self.port}"


async def resolve(hop: Hop, *, config: Path | None = None) -> SshSettings:
    """Ask the system's `ssh`; `config` stands in for the operator's own file (`ssh -F`).

    Raises Unreachable: no `ssh` here, a mistake in the configuration, or no answer in time.
    """
    argv = ["ssh", "-G"]
    argv += ["-F", str(config)] if config else []
    argv += ["-l", hop.user] if hop.user else []
    argv += ["-p", str(hop.port)] if hop.port else []
    argv += ["-o", f"ProxyJump={hop.via or 'none'}"] if hop.via is not None else []
    output = await _answer([*argv, "--", hop.alias], hop.alias)
    return parse(output, alias=hop.alias)


async def _answer(argv: list[str], alias: str) -> str:
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise Unreachable(
            "the system's ssh is not installed", where=alias, remedy="Install OpenSSH's client (openssh-client)."
        ) from None
    try:
        async with asyncio.timeout(DEADLINE):
            stdout, stderr = await process.communicate()
    except TimeoutError:
        raise Unreachable(
            f"ssh did not say within {DEADLINE:.0f} s how it would reach the host",
            where=alias,
            remedy=f"Try `{shlex.join(argv)}`: a `Match exec` in the ssh configuration may hang.",
        ) from None
    finally:
        await asyncio.shield(end(process))
    if process.returncode:
        said = clean_line(stderr.decode(errors="replace").strip())
        raise Unreachable(
            f"ssh does not accept its configuration: {said}",
            where=alias,
            remedy=f"Mend it, then try `{shlex.join(argv)}`.",
        )
    return stdout.decode(errors="replace")


def parse(output: str, *, alias: str) -> SshSettings:
    """What `ssh -G` printed: a keyword in lower case and its value on each line, some keywords several times."""
    raw: dict[str, tuple[str, ...]] = {}
    for line in output.splitlines():
        keyword, _, value = line.partition(" ")
        raw[keyword.lower()] = (*raw.get(keyword.lower(), ()), value.strip())

    def first(keyword: str) -> str:
        value = raw.get(keyword, ("",))[0]
        return "" if value.lower() == "none" else value

    host, user, port = first("hostname") or alias, first("user") or getpass.getuser(), int(first("port") or SSH_PORT)
    tokens = _tokens({"n": alias, "h": host, "r": user, "p": str(port)}, first("proxyjump"), first("hostkeyalias"))
    known = [*first("userknownhostsfile").split(), *first("globalknownhostsfile").split()]
    timeout = first("connecttimeout")
    return SshSettings(
        alias=alias,
        hostname=host,
        user=user,
        port=port,
        proxy_jump=first("proxyjump"),
        proxy_command=first("proxycommand"),
        host_key_alias=first("hostkeyalias"),
        known_hosts=_paths(known, tokens),
        identity_files=_paths(raw.get("identityfile", ()), tokens),
        certificate_files=_paths(raw.get("certificatefile", ()), tokens),
        identities_only=first("identitiesonly") in ("yes", "true"),
        agent=_agent(raw.get("identityagent", ("SSH_AUTH_SOCK",))[0], tokens),
        connect_timeout=float(timeout) if timeout.isdigit() else None,
        raw=raw,
    )


def jumps(settings: SshSettings) -> tuple[Hop, ...]:
    """The jump hosts in the order in which they are passed (ssh_config(5), ProxyJump).

    The first is reached as its own configuration says, every other one through the one before it, and only so.
    """
    hops: list[Hop] = []
    for spelled in filter(None, settings.proxy_jump.split(",")):
        place = spelled.removeprefix("ssh://").rstrip("/")
        user, _, host_port = place.rpartition("@")
        bracketed = re.fullmatch(r"\[([^\]]+)\](?::(\d+))?", host_port)
        if bracketed:
            host, port = bracketed[1], bracketed[2] or ""
        elif host_port.count(":") == 1:
            host, _, port = host_port.partition(":")
        else:
            host, port = host_port, ""
        before = settings.proxy_jump.split(",")[: len(hops)]
        hops.append(Hop(host, user, int(port) if port.isdigit() else 0, ",".join(before) if before else None))
    return tuple(hops)


def _tokens(given: Mapping[str, str], jump: str, key_alias: str) -> dict[str, str]:
    """Percent tokens of file names (ssh_config(5), TOKENS)."""
    here = socket.gethostname()
    joined = f"{here}{given['h']}{given['p']}{given['r']}{jump}"
    return {
        **given,
        "%": "%",
        "C": hashlib.sha1(joined.encode(), usedforsecurity=False).hexdigest(),
        "d": str(Path.home()),
        "i": str(os.getuid()),
        "j": jump,
        "k": key_alias or given["n"],
        "L": here.partition(".")[0],
        "l": here,
        "u": getpass.getuser(),
    }


def _paths(names: Iterable[str], tokens: Mapping[str, str]) -> tuple[Path, ...]:
    return tuple(_path(name, tokens) for name in names if name.lower() != "none")


def _path(name: str, tokens: Mapping[str, str]) -> Path:
    filled = re.sub(r"%(.)", lambda found: tokens.get(found[1], found[0]), name.strip('"'))
    filled = re.sub(r"\$\{(\w+)\}", lambda found: os.environ.get(found[1], found[0]), filled)
    path = Path(filled)
    with contextlib.suppress(RuntimeError):
        path = path.expanduser()
    return path.absolute()


def _agent(name: str, tokens: Mapping[str, str]) -> str:
    """IdentityAgent: a path, the name of a variable, or none."""
    if name.lower() == "none":
        return ""
    if name == "SSH_AUTH_SOCK":
        return os.environ.get("SSH_AUTH_SOCK", "")
    if name.startswith("$") and not name.startswith("${"):
        return os.environ.get(name[1:], "")
    return str(_path(name, tokens))
