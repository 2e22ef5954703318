"""SoftHSM2 behind a module that counts calls and fails on request (`shim.c`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runbook.site import TokenProfile
from tests.softhsm import LABEL, MODULE, SoftHsm

C_GET_SLOT_LIST, C_GET_TOKEN_INFO, C_GET_MECHANISM_LIST = 4, 6, 7
C_LOGIN, C_LOGOUT, C_FIND_OBJECTS_INIT, C_SIGN_INIT, C_SIGN = 18, 19, 26, 42, 43


@dataclass
class Shim:
    """SoftHSM2 behind a module that counts calls and fails on request."""

    module: Path
    folder: Path
    token: SoftHsm

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
