"""`ccat`, the site's own command, as a lab has it: what it does is real, on the lab's files, hosts and engine.

`python -m rehearsal.ccat LAB secrets add NAME --env ENV` asks for the rest at the terminal and puts it into the vault;
`… secrets provision --host HOST` renders the vault into that host's environment file; `… secrets show NAME` shows a
value. `… ca up|down|restart|logs|ps` is for the CA's container (`rehearsal.full.ca_commands`).
"""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
from pathlib import Path

import click

from rehearsal.full.ca_commands import ca
from rehearsal.full.deployed import COMMAND, PLACE
from rehearsal.hosts import FOLDER as HOSTS_FOLDER
from rehearsal.hosts import HOSTS, ssh
from rehearsal.repository import REPOSITORY
from rehearsal.vault import Vault
from runbook.errors import RunbookError
from runbook.secrets import MASK

ENV_FILE = f"{PLACE}/.env"
"""On the host, from its own folder."""

_DEADLINE = 60.0

WRAPPER = """\
#!{python} -I
import sys

from rehearsal.ccat import main

main([{lab!r}, *sys.argv[1:]])
"""


@click.group()
@click.argument("lab", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.pass_context
def ccat(ctx: click.Context, lab: Path) -> None:
    """The site's command."""
    ctx.obj = lab


@ccat.group()
def secrets() -> None:
    """The vault."""


@secrets.command()
@click.argument("name")
@click.option("--env", "environment", required=True)
@click.pass_obj
def add(lab: Path, name: str, environment: str) -> None:
    """Ask for a secret and put it into the vault."""
    env_name = input("env_name: ")
    description = input("description: ")
    value = getpass.getpass("value: ")
    if not (env_name and value):
        raise click.ClickException("nothing was typed, so nothing was added")
    Vault(lab / REPOSITORY).add(name, env_name, description, value)
    click.echo(f"{name} is in the vault of {environment}, and in the schema as {env_name}.")


@secrets.command()
@click.argument("name")
@click.option("--reveal", is_flag=True, help="Show the value itself.")
@click.pass_obj
def show(lab: Path, name: str, *, reveal: bool) -> None:
    """Show a secret, masked unless it is to be revealed; the value is the last line."""
    values = Vault(lab / REPOSITORY).read()
    if name not in values:
        raise click.ClickException(f"the vault has no {name}")
    click.echo(f"{name}:")
    click.echo(values[name] if reveal else MASK)


@secrets.command()
@click.option("--host", required=True, type=click.Choice(sorted(HOSTS.values())))
@click.pass_obj
def provision(lab: Path, host: str) -> None:
    """Render the vault into the host's environment file, mode 0640."""
    folder = str(Path(ENV_FILE).parent)
    command = f"umask 027 && mkdir -p {folder} && cat > {ENV_FILE}.new && mv {ENV_FILE}.new {ENV_FILE}"
    done = subprocess.run(
        [*ssh(lab / HOSTS_FOLDER), host, command],
        input=Vault(lab / REPOSITORY).rendered(),
        capture_output=True,
        text=True,
        timeout=_DEADLINE,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(f"{host} did not take it: {done.stderr.strip()}")
    click.echo(f"{host}: {ENV_FILE} is rendered.")


ccat.add_command(ca)


def write_command(lab: Path) -> Path:
    """Write the lab's `bin/ccat`; returns its path."""
    path = lab / "bin" / COMMAND
    path.parent.mkdir(exist_ok=True)
    path.write_text(WRAPPER.format(python=sys.executable, lab=str(lab)))
    path.chmod(0o755)
    return path


def main(arguments: list[str] | None = None) -> None:
    """Run the command; what this machine lacks is told in a sentence."""
    try:
        ccat(args=arguments, prog_name="ccat")
    except RunbookError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    os.umask(0o077)
    main()
