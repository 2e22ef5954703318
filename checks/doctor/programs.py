"""Programs that steps call, and the SSH agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from checks.doctor.finding import Finding, State
from checks.files.process import run
from checks.files.programs import ProgramNotFound
from checks.hosts.ssh_agent import AgentSilent, identities
from runbook.errors import StepError
from runbook.site import Site
from runbook.text import clean_line

_DEADLINE: Final = 10.0


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the PATH."""

    name: str
    package: str
    """Debian's package that brings it."""
    use: str
    """What it is for."""
    version: tuple[str, ...]
    """Arguments that make it print its version and do nothing; empty: it has none, and is only looked for."""
    needed: Callable[[Site | None], bool]


PROGRAMS: Final = (
    Program("git", "git", "steps that read and change the site's repository", ("--version",), lambda _: True),
    Program("openssl", "openssl", "verifying certificates a second time", ("version",), lambda _: True),
    Program("ssh", "openssh-client", "steps on other hosts", ("-V",), lambda site: bool(site and _has_hosts(site))),
    Program(
        "ssh-keygen",
        "openssh-client",
        "approvals of two people",
        (),
        lambda site: bool(site and site.two_people),
    ),
    Program("sc-hsm-tool", "opensc", "the number of PIN attempts left on a SmartCard-HSM", (), lambda _: False),
)


async def program(wanted: Program, site: Site | None) -> Finding:
    """Whether it is there and runs."""
    from checks.files.programs import find_program

    needed = wanted.needed(site)
    try:
        place = clean_line(find_program(wanted.name, None, None))
        if not wanted.version:
            return Finding(State.OK, wanted.name, place)
        done = await run([wanted.name, *wanted.version], deadline=_DEADLINE, keep=4096)
    except ProgramNotFound:
        found = f"it is not on the PATH; it is for {wanted.use}"
        state = State.MISSING if needed else State.WARNING
        return Finding(state, wanted.name, found, f"Install it: apt-get install {wanted.package}")
    except StepError as error:
        return Finding(State.WRONG if needed else State.WARNING, wanted.name, error.what, error.remedy)
    said = (done.stdout.text.strip() or done.stderr.text.strip()).partition("\n")[0]
    if done.exit_code != 0:
        how = f"was ended by {done.ended_by}" if done.ended_by else f"failed with exit code {done.exit_code}"
        found = f"{place} {how}: {clean_line(said, 200) or 'it said nothing'}"
        state = State.WRONG if needed else State.WARNING
        return Finding(state, wanted.name, found, f"Install it again: apt-get install --reinstall {wanted.package}")
    return Finding(State.OK, wanted.name, f"{clean_line(said.partition(' (')[0], 80)}, {place}")


def _has_hosts(site: Site) -> bool:
    return bool(site.hosts or site.inventory)


async def agent(environ: Mapping[str, str]) -> Finding:
    """The operator's SSH agent is asked for its list of keys, and for nothing else."""
    path = environ.get("SSH_AUTH_SOCK", "")
    start = "To log in with keys of an agent: eval $(ssh-agent), then ssh-add. Key files work without one."
    if not path:
        return Finding(State.WARNING, "SSH agent", "none: SSH_AUTH_SOCK is not set", start)
    try:
        keys = await identities(path)
    except AgentSilent as error:
        return Finding(State.WARNING, "SSH agent", clean_line(str(error)), start)
    if not keys:
        return Finding(State.WARNING, "SSH agent", f"it has no key ({clean_line(path)})", "Give it one: ssh-add")
    names = ", ".join(key.comment or "(without a comment)" for key in keys)
    return Finding(State.OK, "SSH agent", f"{len(keys)} {'key' if len(keys) == 1 else 'keys'}: {names}")
