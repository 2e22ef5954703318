"""What can go wrong on the way to a server and in its answer; each class has the symptom that hints match."""

from __future__ import annotations

from collections.abc import Mapping

from runbook.errors import StepError


class ServerError(StepError):
    """The server could not be asked, or gave no answer that can be used."""

    symptom = "server error"


class NoAddress(ServerError):
    """The server's name is not known here."""

    symptom = "no address"


class Unreachable(ServerError):
    """Nothing answers there: refused, no way to it, or it hangs up before anything was said."""

    symptom = "unreachable"


class NotInTime(ServerError):
    """The server did not answer in time."""

    symptom = "no answer"


class TlsRefused(ServerError):
    """The two sides agree on no TLS, or the other side speaks none."""

    symptom = "TLS refused"


class AnotherRoot(ServerError):
    """The server's certificate does not lead to a root that is trusted here."""

    symptom = "another root"


class AnotherName(ServerError):
    """The server's certificate is for another name."""

    symptom = "another name"


class NotValidNow(ServerError):
    """The server's certificate, or one above it, has expired or is not valid yet."""

    symptom = "not valid now"


class BrokenAnswer(ServerError):
    """What came is not HTTP, or it ended before its end."""

    symptom = "broken answer"


class TooLarge(ServerError):
    """The answer is far larger than any that is meant."""

    symptom = "too large"


class Redirected(ServerError):
    """The server sends elsewhere; no redirection is followed."""

    symptom = "redirect"


class WrongStatus(ServerError):
    """The answer's status is another than expected."""

    symptom = "status"

    def __init__(self, what: str, *, where: str = "", remedy: str = "", status: int = 0) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.status = status
        """What came."""


class NotJson(ServerError):
    """The answer is not JSON, or not of the form that is expected there."""

    symptom = "not JSON"


SYMPTOMS: Mapping[str, str] = {
    kind.symptom: (kind.__doc__ or "").splitlines()[0]
    for kind in (
        ServerError,
        NoAddress,
        Unreachable,
        NotInTime,
        TlsRefused,
        AnotherRoot,
        AnotherName,
        NotValidNow,
        BrokenAnswer,
        TooLarge,
        Redirected,
        WrongStatus,
        NotJson,
    )
}
"""For every kind of step that asks a server."""
