"""What a step ends with: a verdict, one line, and the typed evidence behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict

from runbook.text import clean, clean_line


class Verdict(StrEnum):
    """The outcomes of a step (design: words)."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    ERRORED = "errored"
    SKIPPED = "skipped"
    IN_DOUBT = "in doubt"

    @property
    def green(self) -> bool:
        """Whether a later step may build on this one."""
        return self in (Verdict.PASSED, Verdict.WARNED)


ForeignLine = Annotated[str, AfterValidator(clean_line)]
"""One line of text from a device, a file or a host, cleaned when the evidence is made."""

ForeignText = Annotated[str, AfterValidator(clean)]
"""Several lines of foreign text, cleaned when the evidence is made."""


class Evidence(BaseModel):
    """Typed data behind an outcome.

    A subclass sets `kind` (unique, the name in the journal) and `plain()`. It holds public data only, and
    every text that comes from outside is a `ForeignLine` or `ForeignText`. Screens draw it by its class.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    kind: ClassVar[str]

    def plain(self) -> Iterable[str]:
        """The evidence as lines of plain text, for the console, the transcript and the report."""
        raise NotImplementedError

    def values(self) -> Iterable[tuple[str, str]]:
        """Values that a person may want to copy, such as fingerprints: what each is, and itself without spaces."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            for inner in value if isinstance(value, tuple) else (value,):
                if isinstance(inner, Evidence):
                    yield from inner.values()

    def on_request(self) -> Iterable[str]:
        """Further lines, for a person who asks for them: OpenSSH's randomart of keys."""
        return ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict and why."""

    verdict: Verdict
    summary: str
    """One line that says what was found."""
    evidence: tuple[Evidence, ...] = ()
    symptom: str = ""
    """For an outcome that is not green: one of the kind's declared symptoms; hints match on it."""
    remedy: str = ""
    """What to do next, where the step itself knows."""

    def __post_init__(self) -> None:
        if self.verdict.green and not self.evidence:
            raise ValueError("a green outcome needs evidence: a step that checked nothing is not green")

    @classmethod
    def passed(cls, summary: str, *evidence: Evidence) -> Outcome:
        return cls(Verdict.PASSED, summary, evidence)

    @classmethod
    def warned(cls, summary: str, *evidence: Evidence, symptom: str = "", remedy: str = "") -> Outcome:
        return cls(Verdict.WARNED, summary, evidence, symptom, remedy)

    @classmethod
    def failed(cls, summary: str, *evidence: Evidence, symptom: str = "", remedy: str = "") -> Outcome:
        return cls(Verdict.FAILED, summary, evidence, symptom, remedy)

    @classmethod
    def errored(cls, summary: str, *evidence: Evidence, symptom: str = "", remedy: str = "") -> Outcome:
        return cls(Verdict.ERRORED, summary, evidence, symptom, remedy)

    @classmethod
    def in_doubt(cls, summary: str, *evidence: Evidence, symptom: str = "", remedy: str = "") -> Outcome:
        return cls(Verdict.IN_DOUBT, summary, evidence, symptom, remedy)
