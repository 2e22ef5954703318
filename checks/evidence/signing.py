"""The proof that a CA's keys are on a token: what its process has mapped, who holds the device, what it was told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from checks.evidence.fingerprints import FingerprintPair
from runbook.outcome import Evidence, ForeignLine


class SigningProof(Evidence):
    """A CA in a container, and every sign that its keys are on the token and nowhere else."""

    kind: ClassVar[str] = "signing_proof"
    engine: ForeignLine
    container: ForeignLine
    process: ForeignLine = ""
    """Name, number in the container, user."""
    module: ForeignLine
    """The PKCS#11 module that must be the only one, as a path in the container."""
    mapped: tuple[ForeignLine, ...] = ()
    """Programs and libraries in the process's memory, as paths in the container."""
    holder: ForeignLine = ""
    """The pcscd of the container."""
    devices: tuple[ForeignLine, ...] = ()
    """What it holds open of what was looked for."""
    configuration: ForeignLine = ""
    keys: tuple[ForeignLine, ...] = ()
    """Each key of the configuration with the PKCS#11 URI that leads to it."""
    intermediate: FingerprintPair | None = None
    """The certificate that it must be beside the one in the container."""
    right: tuple[ForeignLine, ...] = ()
    """What holds."""
    problems: tuple[ForeignLine, ...] = ()
    notes: tuple[ForeignLine, ...] = ()

    def plain(self) -> Iterator[str]:
        yield f"{'BAD' if self.problems else 'ok '} keys of {self.container} on engine {self.engine}"
        yield from (f"    ! {problem}" for problem in self.problems)
        yield from (f"      ok: {line}" for line in self.right)
        yield f"      module {self.module}"
        for name, value in (
            ("process", self.process),
            ("pcscd", self.holder),
            ("configuration", self.configuration),
        ):
            if value:
                yield f"      {name} {value}"
        yield from (f"      key {key}" for key in self.keys)
        yield from (f"      holds {device}" for device in self.devices)
        yield from (f"      mapped {path}" for path in self.mapped)
        if self.intermediate is not None:
            yield from (f"      {line}" for line in self.intermediate.plain())
        yield from (f"      note: {note}" for note in self.notes)
