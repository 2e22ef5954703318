"""The hosts and groups of an Ansible inventory, as `ansible-inventory --list` tells them (ansible-inventory(1))."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from checks.files.process import run
from checks.hosts.errors import HostError
from runbook.errors import EnvironmentLacks
from runbook.site import LOCAL, HostProfile
from runbook.text import clean_line

DEADLINE = 60.0
"""Seconds for reading an inventory; a dynamic one asks others."""

KEEP = 64 * 1024 * 1024
"""Bytes of the answer at most."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """Names as the inventory has them; a host whose connection is `local` is this machine."""

    path: str
    variables: Mapping[str, Mapping[str, Any]]
    """Of each host."""
    groups: Mapping[str, tuple[str, ...]]
    """Hosts of each group, those of the groups within it too; in the order of the inventory."""

    def members(self, name: str) -> tuple[str, ...] | None:
        """The hosts of a group, or the host; None where there is neither."""
        names = (name,) if name in self.variables else self.groups.get(name)
        return names and tuple(dict.fromkeys(self._name(host) for host in names))

    def _name(self, host: str) -> str:
        return LOCAL if self.variables[host].get("ansible_connection") == LOCAL else host

    def profile(self, name: str) -> HostProfile:
        """Address, account and port; everything else is left to the operator's ssh configuration. Raises HostError."""
        variables = self.variables[name]
        connection = str(variables.get("ansible_connection", "ssh"))
        if connection not in _SSH:
            raise HostError(f"Ansible reaches {name} by `{connection}`, and only SSH is known here", where=self.path)
        used = {ours: theirs for theirs, ours in reversed(_VARIABLES.items()) if variables.get(theirs)}
        given = {ours: variables[theirs] for ours, theirs in used.items()}
        try:
            return HostProfile.model_validate(given)
        except ValidationError as error:
            wrong = ", ".join(used.get(str(item["loc"][0]), "") for item in error.errors())
            raise HostError(
                f"{wrong} of the host {clean_line(name)} cannot be used: a plain value is expected, no template",
                where=self.path,
                remedy="Correct it there, or describe the host under `hosts` of the site profile.",
            ) from error


_SSH = ("ssh", "smart", "paramiko", "ansible.builtin.ssh", "ansible.builtin.paramiko_ssh")
_VARIABLES = {
    "ansible_host": "ssh",
    "ansible_user": "user",
    "ansible_ssh_user": "user",
    "ansible_port": "port",
    "ansible_ssh_port": "port",
}
"""What is taken over from an inventory, and what it is called in a host's profile."""


async def read(path: str) -> Inventory:
    """Read it. Raises EnvironmentLacks without Ansible, and HostError where Ansible cannot read it."""
    programs = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])
    program = shutil.which("ansible-inventory", path=programs)
    if program is None:
        raise EnvironmentLacks(
            "the site profile names an Ansible inventory, and there is no `ansible-inventory` on this machine",
            where=path,
            remedy="Install Ansible beside the program (pip install 'hsm-runbook[ansible]'), or name the hosts under "
            "`hosts` and `groups` of the site profile.",
        )
    finished = await run(
        [program, "--inventory", path, "--list"],
        deadline=DEADLINE,
        env={**os.environ, "LC_ALL": "C.UTF-8", "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True", "ANSIBLE_NOCOLOR": "1"},
        keep=KEEP,
    )
    if finished.exit_code != 0:
        said = clean_line(finished.stderr.plain.strip().replace("\n", " "))
        raise HostError(
            f"Ansible cannot read the inventory: {said or finished.ended_by}",
            where=path,
            remedy=f"Try `ansible-inventory -i {path} --list`.",
        )
    try:
        return parse(path, json.loads(finished.stdout.raw))
    except ValueError as error:
        raise HostError("the answer of ansible-inventory is not understood", where=path) from error


def parse(path: str, listed: Mapping[str, Any]) -> Inventory:
    """From the answer's JSON: groups with `hosts` and `children`, variables under `_meta`."""
    variables = listed.get("_meta", {}).get("hostvars", {})
    groups = {name: group for name, group in listed.items() if name != "_meta" and isinstance(group, Mapping)}
    members = {name: tuple(dict.fromkeys(_members(name, groups, ()))) for name in groups}
    names = dict.fromkeys([*(host for hosts in members.values() for host in hosts), *variables])
    found = {name: variables.get(name, {}) for name in names}
    return Inventory(path, found, {name: hosts for name, hosts in members.items() if name not in found})


def _members(name: str, groups: Mapping[str, Mapping[str, Any]], within: tuple[str, ...]) -> list[str]:
    group = groups.get(name, {})
    found = list(group.get("hosts", ()))
    for child in group.get("children", ()):
        if child not in within:
            found += _members(child, groups, (*within, name))
    return found
