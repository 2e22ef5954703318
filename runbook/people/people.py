"""Who drives a run and who may witness it: the site profile's people, matched with accounts, or chosen."""

from __future__ import annotations

import hashlib
from pathlib import Path

from runbook.errors import EnvironmentLacks, PromptCancelled
from runbook.operator import ChoiceRequest, Operator
from runbook.people.inbox import account_name
from runbook.people.ssh_keygen import Signers
from runbook.record.gate_events import PeopleNamed
from runbook.site import TwoPeople
from runbook.threads import in_thread

WHO_DRIVES = "Who drives this run?"


def signers_of(two: TwoPeople) -> Signers:
    """The files of trusted and of revoked keys; their paths are absolute once the profile is loaded."""
    return Signers(Path(two.allowed_signers), Path(two.revoked_keys) if two.revoked_keys else None)


async def signers_sha256(two: TwoPeople) -> str:
    """Hex digest of the allowed-signers file's bytes; raises EnvironmentLacks."""
    return hashlib.sha256(await signers_bytes(two)).hexdigest()


async def signers_bytes(two: TwoPeople) -> bytes:
    """The allowed-signers file; raises EnvironmentLacks."""
    try:
        return await in_thread(Path(two.allowed_signers).read_bytes)
    except OSError as error:
        raise EnvironmentLacks(
            f"the allowed-signers file cannot be read: {error.strerror}", where=two.allowed_signers
        ) from error


def driver_by_account(two: TwoPeople, account: str | None = None) -> str:
    """The one person whose account this is and who may drive; empty where it is nobody's or several people's."""
    name = account or account_name()
    theirs = [who for who, person in two.people.items() if name in person.accounts]
    return theirs[0] if len(theirs) == 1 and "drive" in two.people[theirs[0]].may else ""


async def name_people(two: TwoPeople, operator: Operator | None, account: str | None = None) -> PeopleNamed:
    """Who is who in this run. `operator`: is asked who drives where the account does not tell; None asks nobody.

    The driver stays unknown (empty) where nobody said it. Raises EnvironmentLacks.
    """
    driver = driver_by_account(two, account)
    known_by = "account" if driver else ""
    if not driver and operator is not None:
        driver = await _chosen(two, operator)
        known_by = "chosen" if driver else ""
    return PeopleNamed(
        driver=driver,
        known_by=known_by,
        principals={name: person.principal for name, person in two.people.items()},
        accounts={account: name for name, person in two.people.items() for account in person.accounts},
        witnesses=tuple(name for name, person in two.people.items() if "witness" in person.may and name != driver),
        signers_sha256=await signers_sha256(two),
    )


async def _chosen(two: TwoPeople, operator: Operator) -> str:
    """Who says they drive; empty when they left the question."""
    choices = tuple((name, person.principal) for name, person in two.people.items() if "drive" in person.may)
    try:
        return await operator.choose(ChoiceRequest(WHO_DRIVES, choices))
    except PromptCancelled:
        return ""
