"""The configuration that the system's `ssh` is run with: the operator's own, under settings that nothing can weaken.

In ssh_config(5) the first value of a keyword counts, so what is fixed stands at the top and the operator's files are
included after it. Jump hosts are reached by connections of our own with the same top, never by a ProxyJump of theirs,
which would take its settings from their files alone.
"""

from __future__ import annotations

from pathlib import Path

FIXED = (
    "StrictHostKeyChecking yes",
    "UpdateHostKeys no",
    "CheckHostIP no",
    "VerifyHostKeyDNS no",
    "NoHostAuthenticationForLocalhost no",
    "ForwardAgent no",
    "ForwardX11 no",
    "ForwardX11Trusted no",
    "GSSAPIDelegateCredentials no",
    "ClearAllForwardings yes",
    "Tunnel no",
    "PermitLocalCommand no",
    "RemoteCommand none",
    "RequestTTY no",
    "EscapeChar none",
    "AddKeysToAgent no",
    "ControlMaster no",
    "ControlPath none",
    "ControlPersist no",
    "NumberOfPasswordPrompts 1",
    "ConnectionAttempts 1",
    "ServerAliveInterval 5",
    "ServerAliveCountMax 3",
    "FingerprintHash sha256",
    "VisualHostKey no",
    "BatchMode no",
    "LogLevel DEBUG1",
)
"""Host keys are never accepted or stored, nothing is forwarded, nothing is run here, an answer counts once."""

USER_CONFIG = Path("~/.ssh/config")
SYSTEM_CONFIG = Path("/etc/ssh/ssh_config")


def configuration(own: Path | None, *, connect_seconds: float, proxy: str) -> str:
    """The text of the file. `own` stands in for the operator's and the machine's; `proxy` is a ProxyCommand.

    An empty `proxy` leaves what the operator's files say (they have no ProxyJump then), and is none if they say none.
    """
    lines = ["Host *", *(f"    {line}" for line in FIXED), f"    ConnectTimeout {max(int(connect_seconds), 1)}"]
    if proxy:
        lines.append(f"    ProxyCommand {proxy}")
    files = (own,) if own else (USER_CONFIG.expanduser(), SYSTEM_CONFIG)
    lines += [f'Include "{path}"' for path in files]
    return "\n".join(lines) + "\n"


def mux_options(control: Path) -> list[str]:
    """Arguments for an `ssh` that goes through a running connection, and ends where that does not serve it.

    Left to itself it would then make a connection of its own; the failing ProxyCommand prevents that.
    """
    return [
        *("-F", "none", "-S", str(control), "-o", "ProxyCommand=false", "-o", "BatchMode=yes"),
        *("-o", "LogLevel=DEBUG1", "-T"),
    ]


def through(control: Path) -> str:
    """A ProxyCommand that goes through the connection to a jump host."""
    return f"ssh -F none -S {control} -o ProxyCommand=false -o BatchMode=yes -o LogLevel=ERROR -W [%h]:%p jump"
