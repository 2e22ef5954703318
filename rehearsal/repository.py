"""A small git repository that stands for the site's own: branch main, an upstream, roles behind make targets."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from rehearsal.artefacts import software_points, write_export
from rehearsal.hosts import FOLDER as HOSTS_FOLDER
from rehearsal.hosts import HOSTS, ssh
from rehearsal.token import LabToken
from rehearsal.vault import Vault
from runbook.errors import EnvironmentLacks
from runbook.text import clean_line

REPOSITORY = "system-integration"
"""The working tree's folder in a lab."""

_DEADLINE = 20.0
_TREE = Path(__file__).with_name("site_tree")
_SERIAL = "<HSM2-SERIAL>"
"""Stands for the token's serial in the CA's configuration."""

_TRUSTED = ("root_ca.crt", "ssh_user_ca.pub", "ssh_host_ca.pub")
"""What hosts get of a ceremony's artefacts (playbook §B2)."""

GROUPS = {"input_staging": ["input-a-staging"], "input_ccat": ["input-a", "input-b"]}
"""Of the inventory."""


def make_repository(
    folder: Path,
    upstream: Path,
    token: LabToken,
    event: Sequence[str] = ("true",),
    *,
    intermediate: Path,
    earlier: Path | None = None,
    vault: Mapping[str, str] | None = None,
) -> None:
    """A working tree in `folder`, committed and pushed to a bare repository in `upstream`.

    Its role looks for `token`, and runs the command `event` before. It trusts the root of an earlier time whose export
    is in `earlier`, or one that nothing is known of. The files of the CA's container are as the cutover needs them;
    `intermediate` is the certificate that goes with them; `vault` is what the vault holds. Raises EnvironmentLacks
    where git or ansible-vault does not do it.
    """
    shutil.copytree(_TREE, folder, dirs_exist_ok=True)
    ansible, hosts = folder / "ansible", folder.parent / HOSTS_FOLDER
    trusted = ansible / "roles" / "ca_trust" / "files"
    trusted.mkdir()
    known = earlier or write_export(folder.parent / "earlier-export", software_points()).folder
    for name in _TRUSTED:
        shutil.copyfile(known / name, trusted / name)
    if earlier is None:
        shutil.rmtree(known)
    configuration = folder / "step-ca" / "ca.json.hsm"
    configuration.write_text(configuration.read_text().replace(_SERIAL, token.serial))
    (folder / "step-ca" / "files").mkdir()
    shutil.copyfile(intermediate, folder / "step-ca" / "files" / "intermediate_ca.crt")
    for script in ("step-ca-hsm-entrypoint.sh", "provisioners-bootstrap.sh"):
        (folder / "step-ca" / script).chmod(0o755)  # an installed package may have lost it
    (ansible / "vars_application_schema.yml").write_text(yaml.safe_dump(_SCHEMA, explicit_start=True, sort_keys=False))
    (ansible / "inventory.ini").write_text(_inventory())
    (ansible / "group_vars" / "all").mkdir(parents=True)
    (ansible / "group_vars" / "all" / "lab.yml").write_text(
        yaml.safe_dump(
            {
                "hsm_module": str(token.module),
                "hsm_environment": dict(token.environment),
                "hsm_label": token.label,
                "lab_event": {"argv": list(event)},
                "lab_root": f"{hosts}/{{{{ inventory_hostname }}}}",
                "ansible_python_interpreter": sys.executable,
                "ansible_ssh_common_args": shlex.join(ssh(hosts)[1:]),
            },
            explicit_start=True,
        )
    )
    tool = Path(sys.executable).with_name("ansible-playbook")
    (ansible / "lab.mk").write_text(f"ANSIBLE_PLAYBOOK = {tool}\n")
    (folder / ".gitignore").write_text(".ansible_vault_key\n.env*\n")
    key = ansible / ".ansible_vault_key"
    key.touch(mode=0o600)
    key.write_text(secrets.token_hex(32) + "\n")
    if vault:
        Vault(folder).put(vault)
    git("init", "--quiet", "--bare", "--initial-branch=main", str(upstream), cwd=folder)
    git("init", "--quiet", "--initial-branch=main", cwd=folder)
    git("add", "--all", cwd=folder)
    git("commit", "--quiet", "--message=The state before the cutover", cwd=folder)
    git("remote", "add", "origin", str(upstream), cwd=folder)
    git("push", "--quiet", "--set-upstream", "origin", "main", cwd=folder)
    for who, value in (("name", "Rehearsal"), ("email", "rehearsal@example.invalid")):
        git("config", f"user.{who}", value, cwd=folder)
    git("config", "commit.gpgSign", "false", cwd=folder)


_SCHEMA = {
    "ca_domain": {
        "env_name": "CA_DOMAIN",
        "description": "Name of the CA, for the proxy in front of it.",
        "default": "ca.ccat.uni-koeln.de",
    }
}
"""What every host's environment file has from the start."""


def _inventory() -> str:
    """Hosts and groups in Ansible's INI form."""
    lines = [*HOSTS.values()]
    for group, members in GROUPS.items():
        lines += ["", f"[{group}]", *members]
    return "\n".join([*lines, ""])


def git(*arguments: str, cwd: Path) -> None:
    """Git without the user's and the machine's configuration, and never with a question. Raises EnvironmentLacks."""
    person = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _PERSON.items()}
    outside = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    isolated = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    try:
        subprocess.run(
            ["git", *arguments],
            cwd=cwd,
            env={**outside, **isolated, **person},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_DEADLINE,
            check=True,
            text=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise EnvironmentLacks(
            f"git {arguments[0]} did not work: {clean_line(str(error.stderr or error))}",
            where=str(cwd),
            remedy="Look at the folder and its file system; the rehearsal needs git 2.28 or newer.",
        ) from error


_PERSON = {"NAME": "Rehearsal", "EMAIL": "rehearsal@example.invalid"}
