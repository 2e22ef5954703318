"""The lab's hosts: a real sshd for each connection, over a pipe, as the account that rehearses.

Nothing listens and nothing has to be ended: `ssh` starts `sshd -i` as its proxy command (ssh_config(5)), and both go
when the connection does. All names lead to this machine; each is one that known_hosts has the lab's host key for.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from rehearsal.people import make_key
from runbook.errors import EnvironmentLacks

HOSTS: Mapping[str, str] = {"ca": "input-b", "input_a": "input-a", "input_a_staging": "input-a-staging"}
"""The site profile's names, and what the hosts are called at a site."""

GROUPS: Mapping[str, Sequence[str]] = {"staging": ["input_a_staging"], "production": ["input_a", "ca"]}

FOLDER = "hosts"
_PRIVSEP = Path("/run/sshd")
"""Where Debian's sshd wants an empty folder before it serves as root; the package's service makes it otherwise."""

SSHD_CONFIG = """\
# For connections of the rehearsal alone; nothing listens.
HostKey {folder}/host
AuthorizedKeysFile {folder}/operator.pub
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
"""

SSH_CONFIG = """\
{stanzas}
Host *
  HostName 127.0.0.1
  User {user}
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile /dev/null
  IdentityFile {folder}/operator
  IdentitiesOnly yes
  IdentityAgent none
  ProxyCommand {sshd} -i -f {folder}/sshd_config
"""


def make_hosts(lab: Path, user: str, environment: Mapping[str, str]) -> dict[str, object]:
    """Make keys and configuration in the lab; the keys `hosts`, `groups` and `ssh_config` of its site profile.

    `environment` is set for every command there. Raises EnvironmentLacks where there is no sshd.
    """
    folder = lab / FOLDER
    folder.mkdir(mode=0o700)
    sshd = _sshd()
    host_key = make_key(folder / "host", "host")
    make_key(folder / "operator", "operator")
    settings = " ".join(f'"{name}={value}"' for name, value in environment.items())
    (folder / "sshd_config").write_text(SSHD_CONFIG.format(folder=folder, environment=settings or '"LANG=C.UTF-8"'))
    stanzas = "\n".join(f"Host {name}\n  HostKeyAlias {name}" for name in HOSTS.values())
    (folder / "ssh_config").write_text(SSH_CONFIG.format(stanzas=stanzas, user=user, folder=folder, sshd=sshd))
    (folder / "known_hosts").write_text("".join(f"{name} {host_key}\n" for name in HOSTS.values()))
    return {
        "ssh_config": f"{FOLDER}/ssh_config",
        "hosts": {name: {"ssh": ssh, "sudo": "unneeded"} for name, ssh in HOSTS.items()},
        "groups": {name: list(members) for name, members in GROUPS.items()},
    }


def _sshd() -> str:
    """Its absolute path, which it wants to be started with."""
    sshd = shutil.which("sshd", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))
    if sshd is None:
        raise EnvironmentLacks(
            "the rehearsal needs an sshd for its hosts, and there is none",
            remedy="Install the Debian package: apt-get install openssh-server",
        )
    if os.geteuid() == 0 and not _PRIVSEP.exists():
        _PRIVSEP.mkdir(mode=0o755)
    return sshd
