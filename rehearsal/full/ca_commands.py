"""`ccat ca …`: the CA's container as its host's own commands bring it up and down, from the checkout deployed there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from checks.documents.malformed import Malformed
from rehearsal.full import drills
from rehearsal.full.compose_up import Compose, ComposeFailed
from rehearsal.full.deployed import deployed_checkout, pull
from rehearsal.full.first_phase import SERVICE
from rehearsal.full.house import socket_of
from rehearsal.full.interpolation import VariableMissing, read_environment
from rehearsal.full.names import AUTH_NAME
from rehearsal.full.provisioners import JWK_PASSWORDS, Wanted, add_provisioners
from rehearsal.full.service import NoSuchService, read_service
from rehearsal.repository import REPOSITORY
from rehearsal.vault import Vault
from runbook.secrets import Secret
from runbook.text import clean_line

if TYPE_CHECKING:
    from docker import DockerClient

_DEADLINE: Final = 120
_service = click.argument("service", default=SERVICE)


@click.group()
def ca() -> None:
    """The CA's containers. Dex stays as it is, whatever is done here."""


@ca.command()
@click.pass_obj
def up(lab: Path) -> None:
    """Bring the CA up from the newest state of the checkout."""
    folder = deployed_checkout(lab)
    pull(folder)
    with _compose(lab) as compose:
        drills.before_up(lab, compose.client)
        known = read_environment(_environment_file(folder))
        # Dex is on the same host.
        compose.up(read_service(folder, SERVICE, known), {AUTH_NAME: "127.0.0.1"})


@ca.command()
@click.pass_obj
def down(lab: Path) -> None:
    """Take the CA down; its volume stays."""
    pull(deployed_checkout(lab))
    with _compose(lab) as compose:
        compose.down(SERVICE)


@ca.command()
@_service
@click.pass_obj
def restart(lab: Path, service: str) -> None:
    """Stop a service's container and start it again."""
    with _compose(lab) as compose:
        compose.restart(service)


@ca.command()
@_service
@click.option("--tail", default="all", help="So many lines, the last ones.")
@click.pass_obj
def logs(lab: Path, service: str, tail: str) -> None:
    """What a service has said so far."""
    with _compose(lab) as compose:
        for line in compose.logs(service, int(tail) if tail.isdecimal() else "all"):
            click.echo(line)


@ca.command()
@click.pass_obj
def ps(lab: Path) -> None:
    """The containers and how they are."""
    with _compose(lab) as compose:
        for line in compose.ps():
            click.echo(line)


@ca.command("provisioners", hidden=True)
@click.option("--without", multiple=True, help="A name to be left out.")
@click.pass_obj
def provisioners(lab: Path, without: tuple[str, ...]) -> None:
    """What step-ca/provisioners-bootstrap.sh does; secrets come by the environment and from the vault."""
    values = Vault(lab / REPOSITORY).read()
    if missing := [entry for entry in JWK_PASSWORDS.values() if entry not in values]:
        raise click.ClickException(f"the vault lacks {', '.join(missing)}")
    wanted = Wanted(
        client_secret=Secret.from_text(os.environ["DEX_STEPCA_CLIENT_SECRET"]),
        admin=os.environ["OIDC_ADMIN_EMAIL"],
        passwords={name: Secret.from_text(values[entry]) for name, entry in JWK_PASSWORDS.items()},
        without=frozenset(without) | drills.left_out(lab),
    )
    with _compose(lab) as compose:
        container = compose.container(SERVICE)
        if container is None:
            raise click.ClickException("the CA's container is not there; bring it up first: ccat ca up")
        for line in add_provisioners(container, wanted):
            click.echo(f"added\t{line}")
    click.echo(f"Now restart the CA, which reads its configuration at the start alone: ccat ca restart {SERVICE}")


@contextlib.contextmanager
def _compose(lab: Path) -> Iterator[Compose]:
    from docker.errors import DockerException
    from requests import RequestException

    try:
        with contextlib.closing(_client(lab)) as client:
            yield Compose(client, click.echo)
    except (ComposeFailed, VariableMissing, NoSuchService) as error:
        raise click.ClickException(clean_line(str(error))) from None
    except Malformed as error:
        raise click.ClickException(f"{error.mark.line}: {clean_line(error.message)}") from None
    except (DockerException, RequestException) as error:
        raise click.ClickException(f"the engine says: {clean_line(str(error))}") from None


def _client(lab: Path) -> DockerClient:
    from docker import DockerClient

    socket = socket_of(lab)
    if not socket.exists():
        raise click.ClickException(f"no Docker engine runs here: there is no {socket}")
    return DockerClient(base_url=f"unix://{socket}", version="auto", timeout=_DEADLINE)


def _environment_file(folder: Path) -> str:
    path = folder / ".env"
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""  # Compose does not miss it either; it misses the variables
