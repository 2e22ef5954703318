"""What can go wrong on the way to a container engine; each class has the symptom that hints match."""

from __future__ import annotations

from collections.abc import Mapping

from checks.hosts.errors import SYMPTOMS as HOST_SYMPTOMS
from runbook.errors import StepError


class EngineError(StepError):
    """The engine gave an answer that is an error, or no sensible one."""

    symptom = "engine error"


class UnknownEngine(EngineError):
    """The site profile has no engine of that name."""

    symptom = "unknown engine"


class EngineUnreachable(EngineError):
    """Nothing answers at the engine's socket."""

    symptom = "engine unreachable"


class EngineRefused(EngineError):
    """The account may not use the engine's socket."""

    symptom = "engine refused"


class DockerMissing(EngineError):
    """The host has no `docker` program, through which its engine is reached."""

    symptom = "docker missing"


class EngineTooOld(EngineError):
    """The engine speaks only versions of the API that are not known here any more."""

    symptom = "engine API too old"


class EngineNotResponding(EngineError):
    """The engine took the request and did not answer in time."""

    symptom = "engine not responding"


class EngineLineLost(EngineError):
    """The connection to the engine's host broke during a request; what it did is not known."""

    symptom = "line lost"
    in_doubt = True


SYMPTOMS: Mapping[str, str] = {
    **HOST_SYMPTOMS,
    **{
        kind.symptom: (kind.__doc__ or "").splitlines()[0]
        for kind in (
            EngineError,
            UnknownEngine,
            EngineUnreachable,
            EngineRefused,
            DockerMissing,
            EngineTooOld,
            EngineNotResponding,
            EngineLineLost,
        )
    },
}
"""For every kind of step that uses an engine."""
