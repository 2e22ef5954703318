"""A private SoftHSM2 made with its own tools, and keys made with OpenSC's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from runbook.site import Site, TokenProfile

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
LABEL = "ccat-intermediate"
PIN = "648219"
SO_PIN = "3537363231383830"


@dataclass
class SoftHsm:
    """A folder with a SoftHSM2 configuration and its tokens."""

    folder: Path
    serials: dict[str, str] = field(default_factory=dict)
    """Label → serial."""

    @property
    def conf(self) -> Path:
        return self.folder / "softhsm2.conf"

    @property
    def env(self) -> dict[str, str]:
        return {"SOFTHSM2_CONF": str(self.conf)}

    def create(self) -> SoftHsm:
        (self.folder / "tokens").mkdir(parents=True)
        return self._configure()

    def copy_to(self, folder: Path) -> SoftHsm:
        shutil.copytree(self.folder, folder)
        return SoftHsm(folder, dict(self.serials))._configure()

    def _configure(self) -> SoftHsm:
        tokens = self.folder / "tokens"
        self.conf.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
        return self

    def init_token(self, label: str = LABEL, pin: str = PIN) -> str:
        """Returns the serial."""
        before = set(self._serials(label))
        self.tool("softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", SO_PIN, "--pin", pin)
        (serial,) = set(self._serials(label)) - before
        self.serials[label] = serial
        return serial

    def keypair(self, key_id: str, key_type: str = "EC:secp384r1", *, label: str = LABEL, name: str = "") -> None:
        """Generate a key pair on the token."""
        self.pkcs11_tool(
            *("--token-label", label, "--login", "--pin", PIN, "--keypairgen", "--key-type", key_type),
            *("--id", key_id, "--label", name or f"key {key_id}"),
        )

    def pkcs11_tool(self, *arguments: str) -> str:
        return self.tool("pkcs11-tool", "--module", MODULE, *arguments)

    def tool(self, *argv: str) -> str:
        done = subprocess.run(argv, env=os.environ | self.env, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{argv[0]}: {done.stdout}{done.stderr}"
        return done.stdout

    def _serials(self, label: str) -> list[str]:
        shown = self.tool("softhsm2-util", "--show-slots")
        pairs = re.findall(r"Serial number:\s*(\S*)\s*\n(?:.*\n)*?\s*Label:\s*(.*?)\s*\n", shown)
        return [serial for serial, found in pairs if found == label and serial]

    def profile(
        self, *, label: str = LABEL, serial: str | None = None, module: str = MODULE, **env: str
    ) -> TokenProfile:
        """How the site profile would name the token; by default with its true serial."""
        known = self.serials.get(label, "") if serial is None else serial
        return TokenProfile(module=module, label=label, serial=known, env=self.env | env)

    def site(self, **tokens: TokenProfile) -> Site:
        return Site(site=1, name="test", tokens=tokens or {"intermediate": self.profile()})
