"""What can go wrong on the way to a token of another host, beside what can go wrong with any host."""

from __future__ import annotations

from checks.hsm.errors.base import TokenError


class LineToTokenLost(TokenError):
    """The connection to the token's host broke during a call."""

    symptom = "line lost"
    advice = "Retry: the host is connected to anew; a login made before is lost."


class RemotingMissing(TokenError):
    """This machine lacks p11-kit's client module, which speaks to a token of another host."""

    symptom = "p11-kit missing"
    advice = "Install it here: apt-get install p11-kit-modules (its file is p11-kit-client.so)."
