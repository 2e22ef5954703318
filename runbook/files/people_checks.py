"""Whether the people of a site profile fit together, and their files this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from runbook.account_groups import unreachable
from runbook.errors import EnvironmentLacks
from runbook.files.document import Document, Map, Node
from runbook.files.problems import Problem, Severity
from runbook.paths import runs_folder
from runbook.site import SIGNER_FILES, Site, TwoPeople


def people_problems(document: Document, site: Site) -> Iterator[Problem]:
    """What is wrong with `two_people` on this machine; blocking."""
    node = document.root.map("two_people")
    if node is None or site.two_people is None:
        return
    two = site.two_people
    yield from _same(document, node, two)
    yield from _files(document, node, two)
    yield from _group(document, node, two)


def _same(document: Document, node: Map, two: TwoPeople) -> Iterator[Problem]:
    """One name for two people, or one account."""
    people = node.map("people")
    principals: dict[str, str] = {}
    accounts: dict[str, str] = {}
    for name, person in two.people.items():
        place: Node = (people and people.map(name)) or node
        other = principals.setdefault(person.principal, name)
        if other != name:
            yield document.problem(place, f"{name} has the same principal as {other}: they would be one person")
        for account in person.accounts:
            other = accounts.setdefault(account, name)
            if other != name:
                said = f"the account `{account}` is {other}'s already; `accounts` are one person's alone"
                yield document.problem(place, said)


def _files(document: Document, node: Map, two: TwoPeople) -> Iterator[Problem]:
    for key in SIGNER_FILES:
        place = node.get(key)
        if place is None or not getattr(two, key):
            continue
        try:
            text = Path(getattr(two, key)).read_bytes().decode(errors="replace")
        except OSError as error:
            yield document.problem(place, f"this file cannot be read: {error.strerror}")
            continue
        if key == "allowed_signers":
            lists = [line.split()[0].strip('"') for line in text.splitlines() if line.strip() and line[0] != "#"]
            for name, person in two.people.items():
                if "witness" in person.may and not any(_matches(person.principal, listed) for listed in lists):
                    said = f"no line of this file is for {name} (`{person.principal}`), so they cannot approve"
                    yield document.problem(place, said, severity=Severity.WARNING)


def _matches(principal: str, patterns: str) -> bool:
    """As OpenSSH matches a list of patterns (ssh_config(5), PATTERNS)."""
    found = False
    for pattern in patterns.split(","):
        negated, wanted = pattern.startswith("!"), pattern.removeprefix("!")
        expression = re.escape(wanted).replace(r"\*", ".*").replace(r"\?", ".")
        if re.fullmatch(expression, principal):
            if negated:
                return False
            found = True
    return found


def _group(document: Document, node: Map, two: TwoPeople) -> Iterator[Problem]:
    place = node.get("group")
    if place is None or not two.group:
        return
    try:
        closed = unreachable(runs_folder().parent.parent, two.group)
    except EnvironmentLacks as error:
        yield document.problem(place, error.what, error.remedy)
        return
    if closed is not None:
        said = f"the group cannot reach the records: {closed} does not let it pass"
        hint = "Set XDG_STATE_HOME to a folder that it can go through, or let it pass there."
        yield document.problem(place, said, hint, severity=Severity.WARNING)
