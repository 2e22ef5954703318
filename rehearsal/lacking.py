"""What an embedded lab cannot serve, step by step, and why (design §9)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from rehearsal.hosts import find_sshd
from runbook.model import Runbook, Step

NO_USB = "the lab's token is not on a USB bus"
NO_SYSTEMD = "the lab's hosts are this machine, whose services a rehearsal leaves alone"
NO_SSHD = "there is no ssh or no sshd here that could serve the lab's hosts (packages openssh-client, openssh-server)"
NO_ANSIBLE = "Ansible is not installed beside the program (pip install 'hsm-runbook[ansible]')"

_SITE_COMMANDS = ("make", "{{ ccat }}")
"""What ends in Ansible or its vault in the lab's repository."""


def lacking(runbook: Runbook | None) -> dict[str, str]:
    """Steps of the runbook that the lab cannot serve, and the reason for each."""
    if runbook is None:
        return {}
    return {step.id: reason for _, step in runbook.steps() for reason in _reasons(step)}


def _reasons(step: Step) -> Iterator[str]:
    run = step.params.get("run")
    command = run[0] if isinstance(run, (list, tuple)) and run else ""
    if step.kind == "usb":
        yield NO_USB
    elif step.kind.startswith("systemd"):
        yield NO_SYSTEMD
    elif step.kind == "ansible" or command in _SITE_COMMANDS or step.params.get("on"):
        # What a step looks at on a host was put there by Ansible.
        if not Path(sys.executable).with_name("ansible-playbook").exists():
            yield NO_ANSIBLE
        elif find_sshd() is None:
            yield NO_SSHD
