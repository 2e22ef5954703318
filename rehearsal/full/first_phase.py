"""The CA of the first phase, which the cutover takes away: keys in files in the volume, a container that runs."""

from __future__ import annotations

import contextlib
import io
import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from rehearsal.artefacts import INTERMEDIATE, KEY_LABELS, SSH_HOST, SSH_USER, Export, write_export
from rehearsal.full import base_image
from rehearsal.full.compose_up import container_name, labels
from rehearsal.full.names import CA_NAME
from rehearsal.private_file import write_private
from runbook.errors import EnvironmentLacks
from runbook.text import clean_line

if TYPE_CHECKING:
    from docker import DockerClient

FOLDER: Final = "first-phase"
VOLUME: Final = "ccat-ca_step-ca-data"
SERVICE: Final = "step-ca"
_HOME: Final = "/home/step"
_USER: Final = 1000
_KEY_FILES: Final = {INTERMEDIATE: "intermediate_ca_key", SSH_USER: "ssh_user_ca_key", SSH_HOST: "ssh_host_ca_key"}


def make_first_phase(folder: Path) -> Export:
    """Keys and certificates in the fresh `folder`; what the hosts trusted of it until the cutover."""
    folder.mkdir(mode=0o700)
    keys = {key_id: ec.generate_private_key(ec.SECP384R1()) for key_id in KEY_LABELS}
    points = {
        key_id: key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        for key_id, key in keys.items()
    }
    for key_id, key in keys.items():
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(folder / _KEY_FILES[key_id], pem)
    return write_export(folder / "export", points)


def start_first_phase(url: str, folder: Path) -> None:
    """On the engine's first start, fill the volume from what `make_first_phase` made, and start the container.

    Whatever became of it later stays so. Raises EnvironmentLacks.
    """
    from docker import DockerClient
    from docker.errors import DockerException

    begun = folder / "begun"
    if begun.exists():
        return
    try:
        with contextlib.closing(DockerClient(base_url=url, version="auto")) as client:
            _start(client, folder)
    except DockerException as error:
        raise EnvironmentLacks(
            f"the CA of the first phase cannot be started: {clean_line(str(error))}",
            where=url,
            remedy="Begin a new rehearsal: `runbook rehearse --full`.",
        ) from error
    begun.touch()


def _start(client: DockerClient, folder: Path) -> None:
    """A start that was broken off has left nothing that a run relies on, so it is begun anew."""
    from docker.errors import NotFound
    from docker.types import Mount

    with contextlib.suppress(NotFound):
        client.containers.get(container_name(SERVICE)).remove(force=True)
    client.volumes.create(VOLUME)
    container = client.containers.create(
        f"{base_image.NAME}:{base_image.TAG}",
        name=container_name(SERVICE),
        labels=labels(SERVICE),
        user=str(_USER),
        entrypoint=["/usr/local/bin/step-ca", f"{_HOME}/config/ca.json"],
        mounts=[Mount(_HOME, VOLUME, type="volume")],
        network_mode="host",
        restart_policy={"Name": "always"},
    )
    container.put_archive(_HOME, _content(folder))
    container.start()


def _content(folder: Path) -> bytes:
    """The volume as a tar archive: folders 0700 and files 0600 of the user step."""
    export = folder / "export"
    files = {
        "certs/root_ca.crt": (export / "root_ca.crt").read_bytes(),
        "certs/intermediate_ca.crt": (export / "intermediate_ca.crt").read_bytes(),
        "config/ca.json": json.dumps(_configuration(), indent=2).encode(),
        # As the ordinary image leaves it; the entrypoint that is deployed demands it also of the old volume.
        "secrets/password": b"of-no-use-here\n",
        **{f"secrets/{name}": (folder / name).read_bytes() for name in _KEY_FILES.values()},
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in (".", "certs", "config", "secrets", "db"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o700, _USER, _USER
            tar.addfile(entry)
        for name, raw in files.items():
            entry = tarfile.TarInfo(name)
            entry.mode, entry.uid, entry.gid, entry.size = 0o600, _USER, _USER, len(raw)
            tar.addfile(entry, io.BytesIO(raw))
    return packed.getvalue()


def _configuration() -> dict[str, object]:
    return {
        "address": ":9000",
        "dnsNames": [CA_NAME, "localhost"],
        "logger": {"format": "text"},
        "db": {"type": "badgerv2", "dataSource": f"{_HOME}/db"},
        "root": f"{_HOME}/certs/root_ca.crt",
        "crt": f"{_HOME}/certs/intermediate_ca.crt",
        "key": f"{_HOME}/secrets/{_KEY_FILES[INTERMEDIATE]}",
        "ssh": {
            "userKey": f"{_HOME}/secrets/{_KEY_FILES[SSH_USER]}",
            "hostKey": f"{_HOME}/secrets/{_KEY_FILES[SSH_HOST]}",
        },
        "authority": {"enableAdmin": False, "claims": {"enableSSHCA": True}, "provisioners": []},
    }
