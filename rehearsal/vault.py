"""The vault of the lab's repository: a schema, and values encrypted by the real ansible-vault."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from runbook.errors import EnvironmentLacks
from runbook.text import clean_line

_DEADLINE = 60.0


class Vault:
    """Methods raise EnvironmentLacks where ansible-vault does not do it."""

    def __init__(self, repository: Path) -> None:
        self.folder = repository / "ansible"
        self.schema = self.folder / "vars_application_schema.yml"
        self.values = self.folder / "group_vars" / "all" / "vault.yml"

    def add(self, name: str, env_name: str, description: str, value: str) -> None:
        """Put the entry into the schema and its value into the vault."""
        schema = yaml.safe_load(self.schema.read_text()) or {}
        schema[name] = {"env_name": env_name, "description": description}
        self.schema.write_text(yaml.safe_dump(schema, sort_keys=False))
        self.put({name: value})

    def put(self, values: Mapping[str, str]) -> None:
        """Put values into the vault that are rendered nowhere."""
        known = {**self.read(), **values}
        self.values.parent.mkdir(parents=True, exist_ok=True)
        self.values.write_text(self._vault("encrypt", yaml.safe_dump(known)))

    def read(self) -> dict[str, str]:
        """The values by name."""
        if not self.values.exists():
            return {}
        return dict(yaml.safe_load(self._vault("decrypt", self.values.read_text())) or {})

    def rendered(self) -> str:
        """The environment file: what the schema names and the vault, or the schema itself, has a value for."""
        schema, values = yaml.safe_load(self.schema.read_text()) or {}, self.read()
        known = {entry["env_name"]: values.get(name, entry.get("default")) for name, entry in schema.items()}
        return "".join(f"{name}={value}\n" for name, value in known.items() if value is not None)

    def _vault(self, verb: str, text: str) -> str:
        key = str(self.folder / ".ansible_vault_key")
        tool = str(Path(sys.executable).with_name("ansible-vault"))
        argv = [tool, verb, "--vault-password-file", key, "--output", "-", "-"]
        try:
            done = subprocess.run(
                argv, input=text, capture_output=True, text=True, timeout=_DEADLINE, check=False, cwd=self.folder
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EnvironmentLacks(f"ansible-vault does not run: {type(error).__name__}", where=tool) from error
        if done.returncode:
            raise EnvironmentLacks(f"the vault cannot be used: {clean_line(done.stderr)}", where=str(self.values))
        return done.stdout
