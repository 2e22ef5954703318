"""`ccat`, the site's own command, as a lab has it: what it does is real, on the lab's files and hosts.

`python -m rehearsal.ccat LAB secrets add NAME --env ENV` asks for the rest at the terminal and puts it into the vault;
`… secrets provision --host HOST` renders the vault into that host's environment file.
"""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
from pathlib import Path

import click
import yaml

from rehearsal.hosts import FOLDER as HOSTS_FOLDER
from rehearsal.hosts import HOSTS, ssh

REPOSITORY = "system-integration"
ENV_FILE = "opt/data-center/system-integration/.env"
"""On the host, from its own folder."""

_DEADLINE = 60.0

WRAPPER = """\
#!{python} -I
import sys

from rehearsal.ccat import ccat

ccat(args=[{lab!r}, *sys.argv[1:]])
"""


class Vault:
    """The schema, and the values encrypted by ansible-vault."""

    def __init__(self, lab: Path) -> None:
        self.folder = lab / REPOSITORY / "ansible"
        self.schema = self.folder / "vars_application_schema.yml"
        self.values = self.folder / "group_vars" / "all" / "vault.yml"

    def add(self, name: str, env_name: str, description: str, value: str) -> None:
        """Put the entry into the schema and its value into the vault."""
        schema = yaml.safe_load(self.schema.read_text()) or {}
        schema[name] = {"env_name": env_name, "description": description}
        self.schema.write_text(yaml.safe_dump(schema, sort_keys=False))
        known = self.read() | {name: value}
        self.values.parent.mkdir(parents=True, exist_ok=True)
        self.values.write_text(self._vault("encrypt", yaml.safe_dump(known)))

    def read(self) -> dict[str, str]:
        """The values by name."""
        if not self.values.exists():
            return {}
        return dict(yaml.safe_load(self._vault("decrypt", self.values.read_text())) or {})

    def rendered(self) -> str:
        """The environment file."""
        schema, values = yaml.safe_load(self.schema.read_text()) or {}, self.read()
        return "".join(f"{entry['env_name']}={values[name]}\n" for name, entry in schema.items() if name in values)

    def _vault(self, verb: str, text: str) -> str:
        key = str(self.folder / ".ansible_vault_key")
        tool = str(Path(sys.executable).with_name("ansible-vault"))
        argv = [tool, verb, "--vault-password-file", key, "--output", "-", "-"]
        done = subprocess.run(
            argv, input=text, capture_output=True, text=True, timeout=_DEADLINE, check=False, cwd=self.folder
        )
        if done.returncode:
            raise click.ClickException(f"the vault cannot be used: {done.stderr.strip()}")
        return done.stdout


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
    Vault(lab).add(name, env_name, description, value)
    click.echo(f"{name} is in the vault of {environment}, and in the schema as {env_name}.")


@secrets.command()
@click.option("--host", required=True, type=click.Choice(sorted(HOSTS.values())))
@click.pass_obj
def provision(lab: Path, host: str) -> None:
    """Render the vault into the host's environment file, mode 0640."""
    folder = str(Path(ENV_FILE).parent)
    command = f"umask 027 && mkdir -p {folder} && cat > {ENV_FILE}.new && mv {ENV_FILE}.new {ENV_FILE}"
    done = subprocess.run(
        [*ssh(lab / HOSTS_FOLDER), host, command],
        input=Vault(lab).rendered(),
        capture_output=True,
        text=True,
        timeout=_DEADLINE,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(f"{host} did not take it: {done.stderr.strip()}")
    click.echo(f"{host}: {ENV_FILE} is rendered.")


def write_command(lab: Path) -> Path:
    """Write the lab's `bin/ccat`; returns its path."""
    path = lab / "bin" / "ccat"
    path.parent.mkdir(exist_ok=True)
    path.write_text(WRAPPER.format(python=sys.executable, lab=str(lab)))
    path.chmod(0o755)
    return path


if __name__ == "__main__":
    os.umask(0o077)
    ccat()
