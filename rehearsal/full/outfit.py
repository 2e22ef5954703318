"""What a full lab has besides: an engine, the first phase's CA, a checkout on its host, and a front door."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rehearsal.faults import Fault
from rehearsal.full import engines, public_ca
from rehearsal.full.cache import Cache
from rehearsal.full.compose_up import container_name
from rehearsal.full.deployed import PLACE, deploy
from rehearsal.full.first_phase import SERVICE, VOLUME, make_first_phase
from rehearsal.full.front_door import Ports, make_front
from rehearsal.full.house import FIRST_PHASE, public_ca_of, socket_of
from rehearsal.full.machines import CA_HOST, equip
from rehearsal.full.names import AUTH_NAME, CA_NAME
from rehearsal.full.provisioners import JWK_PASSWORDS, VAULT_ENTRIES
from rehearsal.hosts import Equipment

_PASSWORD_BYTES = 16


@dataclass(frozen=True, slots=True)
class Outfit:
    """Made before the hosts and the repository of the lab, which need parts of it."""

    lab: Path
    earlier: Path
    """What the hosts trusted until the cutover: the first phase's artefacts."""
    vault: Mapping[str, str]
    """What the vault holds from the start."""
    equipment: Mapping[str, Equipment]
    """What each host has of its own."""
    ports: Ports

    @property
    def engines(self) -> dict[str, object]:
        """`engines` of the site profile."""
        names = {"containers": [container_name(SERVICE)], "volumes": [VOLUME]}
        return {"ca": {"on": CA_HOST, "url": f"unix://{socket_of(self.lab)}", **names}}

    @property
    def provisioners(self) -> dict[str, str]:
        """The passwords of the CA's provisioners, by name."""
        return {name: self.vault[entry] for name, entry in JWK_PASSWORDS.items()}

    def inputs(self, ccat: Path) -> dict[str, object]:
        """Inputs of the site profile, `ccat` being the site's command."""
        return {
            "ca_url": f"https://{CA_NAME}",
            "ca_connect": self.ports.ca_connect,
            "auth_url": f"https://{AUTH_NAME}",
            "auth_connect": self.ports.auth_connect,
            "auth_trust": str(public_ca_of(self.lab) / public_ca.CERTIFICATE),
            # On the lab's hosts, each of which has a folder of its own.
            "deployed": PLACE,
            "ccat_there": str(ccat),
            "build_network": "host",
            "snapshot": str(self.lab / "snapshot" / f"{VOLUME}.tar"),
            # The dongle in the container is a connection of the virtual reader, with a card at its other end.
            "token_device": r"^socket:.* tcp \S+:35963 - \S+ established$",
        }

    def finish(self, upstream: Path) -> None:
        """Once the repository is pushed: its checkout on the CA's host. Raises EnvironmentLacks."""
        deploy(self.lab, upstream)


def make_outfit(
    lab: Path, cache: Cache, fault: Fault | None, environment: Mapping[str, str], say: Callable[[str], None]
) -> Outfit:
    """`environment` is what a PC/SC client on the CA's host needs. Raises EnvironmentLacks."""
    say("a Docker engine, and the CA of the first phase")
    engines.make(cache, lab)
    kept = public_ca_of(lab)
    kept.mkdir(mode=0o700)
    for name in (public_ca.CERTIFICATE, public_ca.KEY):
        shutil.copy(cache.made / name, kept / name)
    (lab / "snapshot").mkdir(mode=0o700)
    earlier = make_first_phase(lab / FIRST_PHASE)
    there = {**environment, "DOCKER_HOST": f"unix://{socket_of(lab)}"}
    return Outfit(
        lab,
        earlier.folder,
        {entry: secrets.token_hex(_PASSWORD_BYTES) for entry in VAULT_ENTRIES},
        equip(lab, there),
        make_front(lab, another_root=fault is Fault.MITM_CA),
    )


def discard(lab: Path) -> None:
    """Remove what a lab has outside its folder."""
    engines.remove(engines.place(lab))
