"""One file while it is being examined; becomes a FileFinding."""

from __future__ import annotations

from dataclasses import dataclass, field

from checks.evidence.files import FileFinding
from runbook.errors import StepError


@dataclass(slots=True)
class Examined:
    """What is known of a file so far."""

    name: str
    expected: str
    found: str = "not read"
    details: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    symptoms: list[str] = field(default_factory=list)
    remedy: str = ""

    def problem(self, said: str, symptom: str) -> None:
        self.problems.append(said)
        self.symptoms.append(symptom)

    def refuse(self, error: StepError) -> None:
        """The file could not be used at all."""
        self.problem(error.what, error.symptom)
        self.remedy = error.remedy

    def finding(self) -> FileFinding:
        return FileFinding(
            name=self.name,
            ok=not self.problems,
            found=self.found,
            expected=self.expected,
            details=(*self.details, *(f"warning: {warning}" for warning in self.warnings)),
            problem="; ".join(self.problems),
        )
