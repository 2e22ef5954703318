"""The real step-ca, built from Debian's sources of it."""

from __future__ import annotations

import os
from pathlib import Path

from rehearsal.full import tools

PROGRAM = Path(__file__).with_name("step_ca.go")
_DEADLINE = 900.0
"""Seconds; it takes 30 to 90 on two cores."""


async def build(target: Path, folder: Path) -> None:
    """Write the binary; `folder` gets the log and the compiler's files. Raises EnvironmentLacks."""
    await tools.run(
        *("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", str(target), str(PROGRAM)),
        log=folder / "go.log",
        deadline=_DEADLINE,
        environment={
            "GO111MODULE": "off",
            "GOPATH": str(tools.SOURCES),
            "GOCACHE": str(folder / "go-cache"),
            "GOFLAGS": "",
            "CGO_ENABLED": "1",
            "HOME": os.environ.get("HOME", "/root"),
        },
        what="step-ca could not be built",
    )
