"""Which runbook is meant where none is named."""

from __future__ import annotations

from pathlib import Path

from runbook.errors import UsageError
from runbook.files.named import DEFAULT_RUNBOOK

_PACKAGE = Path(__file__).parent
_SHIPPED = (
    _PACKAGE / "library" / "hsm-cutover.yaml",  # an installed wheel
    _PACKAGE.parent / DEFAULT_RUNBOOK,  # a checkout
)


def shipped_runbook() -> Path:
    """The cutover's runbook as it came with the program; raises UsageError where the installation lacks it."""
    for path in _SHIPPED:
        if path.is_file():
            return path
    raise UsageError(
        "this installation came without its runbook", where=str(_PACKAGE), remedy="Install it again, or name a file."
    )


def find_runbook(given: Path | None) -> Path:
    """The file that was named; else `runbook.yaml` in the working folder; else the shipped one."""
    if given is not None:
        return given
    return DEFAULT_RUNBOOK if DEFAULT_RUNBOOK.is_file() else shipped_runbook()
