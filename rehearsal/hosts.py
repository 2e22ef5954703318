"""The lab's hosts: a real sshd for each connection, over a pipe, as the account that rehearses.

Nothing listens and nothing has to be ended: `ssh` starts `sshd -i` as its proxy command (ssh_config(5)), and both go
when the connection does. All names lead to this machine; each is one that known_hosts has the lab's host key for.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.people import make_key

HOSTS: Mapping[str, str] = {"ca": "input-b", "input_a": "input-a", "input_a_staging": "input-a-staging"}
"""The site profile's names, and what the hosts are called at a site."""

GROUPS: Mapping[str, Sequence[str]] = {"staging": ["input_a_staging"], "production": ["input_a", "ca"]}

FOLDER = "hosts"
_LOCALE = {"LANG": "C.UTF-8"}
_PRIVSEP = Path("/run/sshd")
"""Where Debian's sshd wants an empty folder before it serves as root; the package's service makes it otherwise."""

SSHD_CONFIG = """\
# For connections of the rehearsal alone; nothing listens.
HostKey {host_key}
AuthorizedKeysFile {authorized}
AuthenticationMethods publickey
# The folder may lie below one that others may write to, such as /tmp.
StrictModes no
UsePAM no
PidFile none
PermitRootLogin prohibit-password
AllowAgentForwarding no
AllowTcpForwarding no
X11Forwarding no
PrintMotd no
LogLevel ERROR
SetEnv {environment}
{more}# Each host has a folder of its own, in which every command begins.
ForceCommand cd {home} && exec {shell} -c "${{SSH_ORIGINAL_COMMAND:-exit 0}}"
"""

SSH_CONFIG = """\
{stanzas}
Host *
  HostName 127.0.0.1
  User {user}
  UserKnownHostsFile {known_hosts}
  GlobalKnownHostsFile /dev/null
  IdentityFile {identity}
  IdentitiesOnly yes
  IdentityAgent none
"""


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a host has that the others have not."""

    environment: Mapping[str, str] = field(default_factory=dict)
    """For its commands, on top of what all have."""
    path: str = ""
    """Where its commands are looked for; empty: where the account's are."""
    sshd: Sequence[str] = ()
    """More lines of its sshd_config(5)."""
    around: Sequence[str] = ()
    """The command that its sshd is started by, which becomes it in the end."""


def make_hosts(
    lab: Path, user: str, environment: Mapping[str, str], *, equipment: Mapping[str, Equipment] | None = None
) -> dict[str, object]:
    """Make keys and configuration in the lab; the keys `hosts`, `groups` and `ssh_config` of its site profile.

    `environment` is set for every command there; `equipment`: what a host has besides, by its name in `HOSTS`. Where
    this machine has no ssh or no sshd the hosts have their names alone, and nothing leads to them.
    """
    profile: dict[str, object] = {
        "hosts": {name: {"ssh": ssh, "sudo": "unneeded"} for name, ssh in HOSTS.items()},
        "groups": {name: list(members) for name, members in GROUPS.items()},
    }
    sshd = find_sshd()
    if sshd is None:
        return profile
    folder = lab / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    host_key = make_key(folder / "host", "host")
    make_key(folder / "operator", "operator")
    stanzas: list[str] = []
    for profile_name, name in HOSTS.items():
        server = folder / f"{name}.sshd_config"
        (folder / name).mkdir()
        has = (equipment or {}).get(profile_name, Equipment())
        variables = {**_LOCALE, **environment, **has.environment}
        server.write_text(
            SSHD_CONFIG.format(
                host_key=_quoted(folder / "host"),
                authorized=_path(folder / "operator.pub"),
                environment=" ".join(_quoted(f"{key}={value}") for key, value in variables.items()),
                more="".join(f"{line}\n" for line in has.sshd),
                home=shlex.quote(str(folder / name)),
                # A login shell's own files may set another PATH.
                shell=shlex.join(["env", f"PATH={has.path}", "/bin/sh"] if has.path else ["/bin/sh"]),
            )
        )
        proxy = shlex.join([*has.around, sshd, "-i", "-f", str(server)]).replace("%", "%%")
        stanzas.append(f"Host {name}\n  HostKeyAlias {name}\n  ProxyCommand {proxy}")
    (folder / "ssh_config").write_text(
        SSH_CONFIG.format(
            stanzas="\n".join(stanzas),
            user=user,
            known_hosts=_path(folder / "known_hosts"),
            identity=_path(folder / "operator"),
        )
    )
    (folder / "known_hosts").write_text("".join(f"{name} {host_key}\n" for name in HOSTS.values()))
    return {"ssh_config": f"{FOLDER}/ssh_config", **profile}


def ssh(folder: Path) -> list[str]:
    """The command that reaches the lab's hosts, whose files are in `folder`, without a question."""
    return ["ssh", "-F", str(folder / "ssh_config"), "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]


def _quoted(value: object) -> str:
    """One argument in OpenSSH's files."""
    return f'"{value}"'


def _path(path: Path) -> str:
    """One where `%` would begin a token."""
    return _quoted(str(path).replace("%", "%%"))


def find_sshd() -> str | None:
    """Its absolute path, which it wants to be started with; the folder that it needs as root is made.

    None where it or the program that reaches it is not installed.
    """
    if shutil.which("ssh") is None:
        return None
    sshd = shutil.which("sshd", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))
    if sshd is not None and os.geteuid() == 0:
        _PRIVSEP.mkdir(mode=0o755, exist_ok=True)
    return sshd
