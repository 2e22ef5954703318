"""What the hosts of a full lab have of their own, so that no command on them meets this machine's.

Commands that come first on the PATH, such as `systemctl`, a USB bus, and an sshd that takes certificates of users from
the CA, once its key has been distributed.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from rehearsal.card import fitness
from rehearsal.full import usb
from rehearsal.hosts import FOLDER, HOSTS, Equipment
from rehearsal.smartcard import CardPlaces

CA_HOST = "ca"
"""Of `HOSTS`: it has the dongle, and pcscd as a service."""

WITH_USERS = ("input_a", "input_a_staging")
"""Where people log in with certificates."""

TRUSTED_USER_CA_KEYS = "etc/ssh/trusted_user_ca_keys"
"""From the host's own folder; the trust role writes it (playbook §B2)."""

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_SYSTEMCTL = """\
#!/bin/sh
exec {python} -I -m rehearsal.full.systemctl {place} "$@"
"""

_ENTER = """\
#!/bin/sh
# Becomes the command that it is given, with the host's USB bus in place of this machine's.
mount --bind {bus} {place} || exit 1
{join}exec "$@"
"""

_JOIN = """\
# While its containers run, the host is in their network.
if [ -e {network} ]; then exec {nsenter} --net={network} "$@"; fi
"""


def systemd_socket(lab: Path) -> Path:
    """Where the services of input-b are asked."""
    return CardPlaces(lab).reader / "systemd"


def network(lab: Path) -> Path:
    """A link to the network namespace of input-b (`/proc/PID/ns/net`), which it shares with its containers."""
    return CardPlaces(lab).reader / "network"


def units_file(lab: Path) -> Path:
    """How the services of input-b stand."""
    return lab / "services.json"


def commands(lab: Path, host: str) -> Path:
    """The folder that comes first on the PATH of this host of `HOSTS`."""
    return lab / FOLDER / f"{HOSTS[host]}.bin"


def equip(lab: Path, environment: Mapping[str, str]) -> dict[str, Equipment]:
    """Make what the hosts have of their own, in the lab; for `make_hosts`, which is to be called afterwards.

    `environment` is for the commands of the CA's host alone.
    """
    (lab / FOLDER).mkdir(mode=0o700, exist_ok=True)
    return {host: _equip(lab, host, environment) for host in HOSTS}


def _equip(lab: Path, host: str, environment: Mapping[str, str]) -> Equipment:
    folder, own = commands(lab, host), lab / FOLDER
    folder.mkdir(mode=0o755)
    # Hosts without services find nothing that answers, as on a machine without systemd.
    place = systemd_socket(lab) if host == CA_HOST else Path(os.devnull)
    _script(folder / "systemctl", _SYSTEMCTL.format(python=_word(sys.executable), place=_word(place)))
    bus = own / f"{HOSTS[host]}.bus"
    usb.make_tree(bus, [("usb1", usb.HUB), *([("1-3", usb.NITROKEY)] if host == CA_HOST else [])])
    enter = own / f"{HOSTS[host]}.enter"
    join = ""
    if host == CA_HOST:
        join = _JOIN.format(network=_word(network(lab)), nsenter=_word(fitness.program("nsenter")))
    _script(enter, _ENTER.format(bus=_word(bus), place=_word(usb.PLACE), join=join))
    path = os.pathsep.join((str(folder), _SYSTEM_PATH))
    trusted = own / HOSTS[host] / TRUSTED_USER_CA_KEYS
    return Equipment(
        environment=environment if host == CA_HOST else {},
        path=path,
        sshd=[f'TrustedUserCAKeys "{trusted}"'] if host in WITH_USERS else [],
        around=[str(fitness.program("unshare")), "--mount", "/bin/sh", str(enter)],
    )


def _script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _word(value: object) -> str:
    return shlex.quote(str(value))
