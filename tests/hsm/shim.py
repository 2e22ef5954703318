"""SoftHSM2 behind a module that counts calls and fails on request (`shim.c`)."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from runbook.site import TokenProfile
from tests.softhsm import LABEL, MODULE, SoftHsm

SOURCE = Path(__file__).with_name("shim.c")

C_GET_SLOT_LIST, C_GET_TOKEN_INFO, C_GET_MECHANISM_LIST = 4, 6, 7
C_LOGIN, C_LOGOUT, C_FIND_OBJECTS_INIT, C_SIGN_INIT, C_SIGN = 18, 19, 26, 42, 43


def compiled(name: str, text: str, folder: Path) -> Path:
    """A shared library of C text, made in `folder` where it is not there yet."""
    source, target = folder / f"{name}.c", folder / f"{name}.so"
    if not target.exists():
        source.write_text(text)
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", target, source, "-ldl"], check=True, timeout=60)
    return target


@dataclass
class Shim:
    """SoftHSM2 behind a module that counts calls and fails on request."""

    module: Path
    folder: Path
    token: SoftHsm

    @classmethod
    def make(cls, folder: Path, token: SoftHsm) -> Shim:
        """A module of its own in `folder`."""
        return cls(compiled("shim", SOURCE.read_text(), folder), folder, token)

    @property
    def log(self) -> Path:
        return self.folder / "calls.log"

    def faults(self, *lines: str) -> None:
        """From now on, also for a worker that runs already."""
        made = self.folder / "faults.new"
        made.write_text("".join(f"{line}\n" for line in lines))
        made.rename(self.folder / "faults")

    def calls(self, function: int) -> list[int]:
        """For each call of that function, the length of its PIN (0 for all but C_Login)."""
        if not self.log.exists():
            return []
        pairs = [line.split() for line in self.log.read_text().splitlines()]
        return [int(size) for number, size in pairs if int(number) == function]

    def profile(self, *, serial: str | None = None, label: str = LABEL, **env: str) -> TokenProfile:
        shim = {
            "SHIM_MODULE": MODULE,
            "SHIM_LOG": str(self.log),
            "SHIM_FAULTS": str(self.folder / "faults"),
        }
        return self.token.profile(label=label, serial=serial, module=str(self.module), **shim, **env)
