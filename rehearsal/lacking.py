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
NO_ENGINE = "this lab has no Docker engine; the one of `runbook rehearse --full` has"
NO_CA = "this lab has no CA; the one of `runbook rehearse --full` has"

_SITE_COMMANDS = ("make", "{{ ccat }}")
"""What ends in Ansible or its vault in the lab's repository."""

_OF_A_CA = ("https", "checklist")
"""Kinds beside `ca.…` that have nothing to look at, or to tell people of, where there is no CA."""

_WHERE_A_CA_IS = ("{{ ccat_there }}", "{{ deployed }}")
"""Commands and paths of the CA's host."""


def lacking(runbook: Runbook | None, *, full: bool = False) -> dict[str, str]:
    """Steps of the runbook that the lab cannot serve, and the reason for each.

    `full`: a lab with an engine, a CA and hosts of its own lacks nothing.
    """
    if runbook is None or full:
        return {}
    return {step.id: reason for _, step in runbook.steps() if (reason := next(_reasons(step), ""))}


def _reasons(step: Step) -> Iterator[str]:
    run = step.params.get("run")
    command = run[0] if isinstance(run, (list, tuple)) and run else ""
    if step.kind == "usb":
        yield NO_USB
    elif step.kind.startswith("systemd"):
        yield NO_SYSTEMD
    elif step.kind.startswith("docker."):
        yield NO_ENGINE
    elif step.kind.startswith("ca.") or step.kind in _OF_A_CA or _names(step.params, _WHERE_A_CA_IS):
        yield NO_CA
    elif step.kind == "ansible" or command in _SITE_COMMANDS or step.params.get("on"):
        # What a step looks at on a host was put there by Ansible.
        if not Path(sys.executable).with_name("ansible-playbook").exists():
            yield NO_ANSIBLE
        elif find_sshd() is None:
            yield NO_SSHD


def _names(value: object, texts: tuple[str, ...]) -> bool:
    """Whether one of the texts stands anywhere in a step's keys."""
    if isinstance(value, dict):
        return any(_names(item, texts) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(_names(item, texts) for item in value)
    return isinstance(value, str) and any(text in value for text in texts)
