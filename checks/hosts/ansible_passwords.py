"""The passwords that Ansible will ask for: typed here once, masked, before it starts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runbook.context import Context
from runbook.operator import SecretRequest
from runbook.secrets import Secret

if TYPE_CHECKING:
    from checks.hosts.ansible import AnsibleParams

BECOME_PROMPT = r"^BECOME password.*:\s*?$"
"""As `ansible-playbook --ask-become-pass` asks (ansible.cli, ask_passwords)."""


def vault_prompt(name: str) -> str:
    """As `--vault-id NAME@prompt` asks, and for `default` also as `--ask-vault-pass` does."""
    named = rf" \({re.escape(name)}\)"
    return rf"^Vault password{f'({named})?' if name == 'default' else named}:\s*?$"


async def ask(params: AnsibleParams, ctx: Context) -> tuple[tuple[str, Secret], ...]:
    """Pairs of prompt and secret; the caller wipes them. Raises PromptCancelled."""
    what = f"make {params.make}" if params.make else params.playbook
    found: list[tuple[str, Secret]] = []
    try:
        for name in params.vault:
            request = SecretRequest(f"Vault password ({name})", f"For {what}; it is typed at Ansible's own prompt.")
            found.append((vault_prompt(name), await ctx.operator.secret(request)))
        if params.become_password:
            request = SecretRequest("Password for becoming root", f"For {what}, on every host of it alike.")
            found.append((BECOME_PROMPT, await ctx.operator.secret(request)))
    except BaseException:
        for _, secret in found:
            secret.wipe()
        raise
    return tuple(found)
