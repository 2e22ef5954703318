"""What goes wrong between here and another machine, for people; each class has the symptom that hints match."""

from __future__ import annotations

from collections.abc import Mapping

from runbook.errors import StepError


class HostError(StepError):
    """Something about a host; `where` names it as the site profile does, with its address."""

    symptom = "host error"


class UnknownHost(HostError):
    """The site profile has no host or group of that name."""

    symptom = "unknown host"


class Unreachable(HostError):
    """No connection: the name, the network, the port, or a jump host on the way."""

    symptom = "host unreachable"


class BrokenBefore(Unreachable):
    """A connection that stood turned out to have broken when a command was to be run: nothing was sent over it."""


class HostKeyUnknown(HostError):
    """No known_hosts file holds a key for the host; nothing is ever added by the program."""

    symptom = "host key unknown"


class HostKeyChanged(HostError):
    """The host showed another key than the one on file."""

    symptom = "host key changed"


class HostKeyRevoked(HostError):
    """The host's key, or the CA that signed it, is marked as revoked."""

    symptom = "host key revoked"


class HostCertificateRefused(HostError):
    """The host's certificate does not hold: its principals, its time, or its CA."""

    symptom = "host certificate refused"


class NotLetIn(HostError):
    """The host does not accept any key, certificate or code that was offered."""

    symptom = "not let in"


class LineLost(HostError):
    """The connection broke while a command was running; what it did is not known."""

    symptom = "line lost"
    in_doubt = True


class NotInTime(HostError):
    """A command of a step's own did not end in time and was ended; what it had done until then is not known."""

    symptom = "deadline"
    in_doubt = True


class ChannelRefused(HostError):
    """The host lets nobody run a command, or no further one at a time (sshd_config(5), MaxSessions)."""

    symptom = "command refused"


class FarSideLacks(HostError):
    """The host lacks a program that is needed there."""

    symptom = "missing there"


class SudoRefused(HostError):
    """sudo does not let this account run the command, or the site profile does not let us ask."""

    symptom = "sudo refused"


class SudoWrongPassword(HostError):
    """sudo did not accept the password; it was sent once."""

    symptom = "wrong sudo password"


class SudoSilent(HostError):
    """sudo neither asked nor ran the command in time."""

    symptom = "sudo silent"


SYMPTOMS: Mapping[str, str] = {
    "unknown host": "The site profile has no such host or group.",
    "host unreachable": "There is no connection: name, network, port, or a jump host on the way.",
    "host key unknown": "No known_hosts file holds the host's key.",
    "host key changed": "The host showed another key than the one on file.",
    "host key revoked": "The host's key is marked as revoked.",
    "host certificate refused": "The host's certificate does not hold: its names, its time or its CA.",
    "not let in": "The host accepted no key, certificate or code.",
    "line lost": "The connection broke while a command was running.",
    "command refused": "The host does not let a (further) command be run.",
    "missing there": "The host lacks a program that is needed.",
    "sudo refused": "sudo does not let the account run the command, or the site profile does not let us ask.",
    "wrong sudo password": "sudo did not accept the password.",
    "sudo silent": "sudo neither asked nor ran the command in time.",
}
"""For every kind of step that may run on a host."""
