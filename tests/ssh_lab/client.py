"""What a person has who uses the lab: ssh_config, known_hosts, keys, an agent."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from runbook.site import HostProfile, Site
from tests.ssh_lab.keys import CERTIFICATES
from tests.ssh_lab.plan import ACCOUNTS, ALPHA, BETA, INNER, JUMP, MACHINES, USER

Trust = Literal["known", "unknown", "changed", "revoked", "other-ca", "certified", "key"]
"""What known_hosts holds of a machine. `known`: its key, or for `alpha` the CA that signed it (`@cert-authority`);
`certified`: the CA although the machine has no certificate; `key`: its key although it has one.
"""


@dataclass(frozen=True, slots=True)
class Client:
    """The files in `folder`, made anew by `write`. Aliases: a machine, MACHINE-ACCOUNT, and `beta-far` through two."""

    folder: Path
    keys: Path
    jump_address: str
    identity: str = "operator"
    """One of `keys.PLAIN` and `keys.CERTIFICATES`; empty: none, so an agent has to have it."""
    trust: Mapping[str, Trust] = field(default_factory=dict)
    agent: str = "none"
    """The agent's socket (ssh_config(5), IdentityAgent)."""
    jump_identity: str = "operator"
    extra: str = ""
    """Lines before everything else, which therefore win."""

    @property
    def config(self) -> Path:
        return self.folder / "ssh_config"

    def write(self) -> Client:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(self._ssh_config())
        (self.folder / "known_hosts").write_text("".join(self._known(machine) for machine in MACHINES))
        return self

    def site(self, **hosts: HostProfile) -> Site:
        """A site profile with these hosts; without any, with every alias of the lab."""
        return Site(site=1, name="lab", ssh_config=str(self.config), hosts=hosts or self.profiles())

    def profiles(self, **values: object) -> dict[str, HostProfile]:
        return {alias: HostProfile.model_validate(values) for alias in self.aliases()}

    @staticmethod
    def aliases() -> list[str]:
        of_accounts = (f"{machine}-{account.name}" for machine in MACHINES for account in ACCOUNTS)
        return [*MACHINES, "beta-far", *of_accounts, *(f"{machine}-root" for machine in MACHINES)]

    def ssh(self, alias: str, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """The system's own ssh, without anybody to ask."""
        argv = ["ssh", "-F", str(self.config), "-oBatchMode=yes", "-oStrictHostKeyChecking=yes", alias, *command]
        return subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=60, check=False)

    def _ssh_config(self) -> str:
        users = "".join(f"Host *-{name}\n  User {name}\n" for name in (*(one.name for one in ACCOUNTS), "root"))
        return f"""\
{self.extra}
{users}
Host {JUMP} {JUMP}-*
  HostName {self.jump_address}
  HostKeyAlias {JUMP}
{self._identity(self.jump_identity)}
Host {ALPHA} {ALPHA}-*
  HostName {INNER[ALPHA]}
  HostKeyAlias {ALPHA}
  ProxyJump {JUMP}
Host beta-far
  ProxyJump {JUMP},{ALPHA}
Host {BETA} {BETA}-*
  HostName {INNER[BETA]}
  HostKeyAlias {BETA}
  ProxyJump {JUMP}
Host *
  User {USER}
  Port 22
  UserKnownHostsFile {self.folder}/known_hosts
  GlobalKnownHostsFile /dev/null
  IdentityAgent {self.agent}
  ConnectTimeout 15
Host * !{JUMP} !{JUMP}-*
{self._identity(self.identity)}"""

    def _identity(self, name: str) -> str:
        if not name:
            return "  IdentitiesOnly no\n  IdentityFile none\n"
        lines = f"  IdentitiesOnly yes\n  IdentityFile {self.keys}/{name}\n"
        if name in CERTIFICATES:
            lines += f"  CertificateFile {self.keys}/{name}-cert.pub\n"
        return lines

    def _known(self, machine: str) -> str:
        trust = self.trust.get(machine, "known")
        host_key = self._public(f"host-{machine}")
        match trust:
            case "unknown":
                return ""
            case "changed":
                return f"{machine} {self._public('other-host-key')}\n"
            case "revoked":
                return f"@revoked {machine} {host_key}\n{machine} {host_key}\n"
            case "other-ca":
                return f"@cert-authority {machine} {self._public('other-ca-key')}\n"
            case "certified":
                return f"@cert-authority {machine} {self._public('host-ca')}\n"
            case "known" if machine == ALPHA:
                return f"@cert-authority {machine} {self._public('host-ca')}\n"
            case "known" | "key":
                return f"{machine} {host_key}\n"

    def _public(self, name: str) -> str:
        return " ".join((self.keys / f"{name}.pub").read_text().split()[:2])


@contextlib.contextmanager
def ssh_agent(folder: Path, *keys: Path) -> Iterator[str]:
    """An ssh-agent with these keys (and the certificates that lie beside them): its socket."""
    socket = folder / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert process.stdout.readline()  # it listens once it has told where
        for key in keys:
            subprocess.run(
                ["ssh-add", "-q", str(key)],
                env={**os.environ, "SSH_AUTH_SOCK": str(socket)},
                check=True,
                timeout=30,
                stdin=subprocess.DEVNULL,
            )
        yield str(socket)
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
