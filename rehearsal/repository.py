"""A small git repository that stands for the site's own: branch main, an upstream, roles behind make targets."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from rehearsal.artefacts import software_points, write_export
from rehearsal.hosts import FOLDER as HOSTS_FOLDER
from rehearsal.hosts import HOSTS, ssh
from rehearsal.token import LabToken
from runbook.errors import EnvironmentLacks
from runbook.text import clean_line

_DEADLINE = 20.0
_TREE = Path(__file__).with_name("site_tree")
_SERIAL = "<HSM2-SERIAL>"
"""Stands for the token's serial in the CA's configuration."""

_TRUSTED = ("root_ca.crt", "ssh_user_ca.pub", "ssh_host_ca.pub")
"""What hosts get of a ceremony's artefacts (playbook §B2)."""

GROUPS = {"input_staging": ["input-a-staging"], "input_ccat": ["input-a", "input-b"]}
"""Of the inventory."""


def make_repository(
    folder: Path, upstream: Path, token: LabToken, event: Sequence[str] = ("true",), *, intermediate: Path
) -> None:
    """A working tree in `folder`, committed and pushed to a bare repository in `upstream`.

    Its role looks for `token`, and runs the command `event` before. It trusts a root of an earlier time. The files of
    the CA's container are as the cutover needs them; `intermediate` is the certificate that goes with them. Raises
    EnvironmentLacks where git does not do it.
    """
    shutil.copytree(_TREE, folder, dirs_exist_ok=True)
    ansible, hosts = folder / "ansible", folder.parent / HOSTS_FOLDER
    trusted = ansible / "roles" / "ca_trust" / "files"
    trusted.mkdir()
    earlier = write_export(folder.parent / "earlier-export", software_points())
    for name in _TRUSTED:
        shutil.move(earlier.folder / name, trusted / name)
    shutil.rmtree(earlier.folder)
    configuration = folder / "step-ca" / "ca.json.hsm"
    configuration.write_text(configuration.read_text().replace(_SERIAL, token.serial))
    (folder / "step-ca" / "files").mkdir()
    shutil.copyfile(intermediate, folder / "step-ca" / "files" / "intermediate_ca.crt")
    (folder / "step-ca" / "step-ca-hsm-entrypoint.sh").chmod(0o755)  # an installed package may have lost it
    (ansible / "vars_application_schema.yml").write_text("---\n{}\n")
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
    (folder / ".gitignore").write_text(".ansible_vault_key\n")
    _git("init", "--quiet", "--bare", "--initial-branch=main", str(upstream), cwd=folder)
    _git("init", "--quiet", "--initial-branch=main", cwd=folder)
    _git("add", "--all", cwd=folder)
    _git("commit", "--quiet", "--message=The state before the cutover", cwd=folder)
    _git("remote", "add", "origin", str(upstream), cwd=folder)
    _git("push", "--quiet", "--set-upstream", "origin", "main", cwd=folder)
    for who, value in (("name", "Rehearsal"), ("email", "rehearsal@example.invalid")):
        _git("config", f"user.{who}", value, cwd=folder)
    _git("config", "commit.gpgSign", "false", cwd=folder)
    key = ansible / ".ansible_vault_key"
    key.touch(mode=0o600)
    key.write_text(secrets.token_hex(32) + "\n")


def _inventory() -> str:
    """Hosts and groups in Ansible's INI form."""
    lines = [*HOSTS.values()]
    for group, members in GROUPS.items():
        lines += ["", f"[{group}]", *members]
    return "\n".join([*lines, ""])


def _git(*arguments: str, cwd: Path) -> None:
    """Git without the user's and the machine's configuration, and never with a question."""
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
