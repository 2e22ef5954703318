"""A whole site profile, asked for line by line: what the steps of a runbook need, and nothing secret."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from runbook import findable, paths
from runbook.fields import NAME_PATTERN
from runbook.files import inputs
from runbook.files.needs import Needs
from runbook.files.profile_text import Entry, used_in
from runbook.input_types import ChoiceInput, Input, IntegerInput, ListInput, PathInput, SecretInput, Source
from runbook.model import Runbook
from runbook.plain.place_questions import Places, engine, fits, said_of, token
from runbook.plain.questions import Asker, Question
from runbook.site import HOST_PATTERN, LOCAL, Person, Site, TwoPeople


async def ask_site(asker: Asker, runbook: Runbook, needs: Needs, folder: Path) -> tuple[Entry, ...]:
    """The keys of the profile that will lie in `folder`; raises OperatorStopped."""
    name = await asker.ask(
        Question(ask="What is this site called", help="It stands in the header of each run.", check=fits(Site, "name"))
    )
    entries = [
        Entry("site", 1, said_of(Site, "site")),
        Entry("name", name, "What this site is called; it stands in the header and in the record of each run."),
    ]
    values = await _inputs(asker, runbook, needs)
    places = Places(asker, await asyncio.to_thread(findable.ssh_aliases))
    await places.ask(needs.hosts | _hosts_given(needs, values))
    modules = await asyncio.to_thread(findable.pkcs11_modules) if needs.tokens else []
    tokens = [await token(places, name, steps, modules, folder) for name, steps in needs.tokens.items()]
    engines = [
        await engine(places, name, steps, list(needs.containers.get(name, ())), list(needs.volumes.get(name, ())))
        for name, steps in needs.engines.items()
    ]
    groups = [Entry(name, members, used_in(needs.hosts.get(name, ()))) for name, members in places.groups.items()]
    people = [await _people(asker, needs, folder)] if needs.witnessed else []
    sections = (
        ("hosts", list(places.hosts.values()), "The machines that steps act on, reached as your own ssh reaches them."),
        ("groups", groups, said_of(Site, "groups")),
        ("tokens", tokens, "PKCS#11 tokens. A PIN is never written here: it is asked for when a step needs it."),
        ("engines", engines, "Docker engines, each with the containers and volumes that steps may touch there."),
    )
    entries += [Entry(key, tuple(below), comment) for key, below, comment in sections if below]
    entries += people
    return (*entries, Entry("inputs", values, said_of(Site, "inputs"))) if values else tuple(entries)


def _hosts_given(needs: Needs, values: tuple[Entry, ...]) -> dict[str, list[str]]:
    """The hosts that the values of inputs name, with the steps that use them."""
    return {
        entry.value: needs.hosts_given[entry.key]
        for entry in values
        if entry.key in needs.hosts_given and isinstance(entry.value, str) and _is_host(entry.value, needs)
    }


def _is_host(text: str, needs: Needs) -> bool:
    """Whether it can be the name of a host that is not asked for anyway."""
    return text != LOCAL and text not in needs.hosts and re.fullmatch(HOST_PATTERN, text) is not None


async def _inputs(asker: Asker, runbook: Runbook, needs: Needs) -> tuple[Entry, ...]:
    """The inputs that only a site can know."""
    due = {
        name: declared
        for name, declared in runbook.inputs.items()
        if declared.source is Source.SITE and not isinstance(declared, SecretInput)
    }
    entries = []
    for number, (name, declared) in enumerate(due.items(), start=1):
        asker.say()
        asker.say(f"Value {number} of {len(due)}: {name}")
        text = await asker.ask(_question(declared))
        said = f"{declared.ask} {declared.help} {used_in(needs.inputs.get(name, ()))}"
        entries.append(Entry(name, None if text is None else _value(declared, text), said))
    return tuple(entries)


def _question(declared: Input) -> Question:
    default = getattr(declared, "default", None)
    several = " Several, with commas between them." if isinstance(declared, ListInput) else ""

    def missing(value: str) -> str:
        try:
            inputs.parse(declared, value)
        except ValueError as error:
            return str(error)
        return ""

    return Question(
        ask=declared.ask.rstrip("?"),
        help=declared.help + several,
        default=None if default is None else str(default),
        found=declared.choices if isinstance(declared, ChoiceInput) else (),
        check=lambda text: inputs.parse(declared, text, exists=False),
        doubt=missing,
    )


def _value(declared: Input, text: str) -> str | int | tuple[str, ...]:
    """As YAML holds it."""
    match declared:
        case IntegerInput():
            return int(text)
        case ListInput():
            return inputs.list_items(text)
        case PathInput() if text.startswith("~"):
            return str(Path(text).expanduser())
    return text


async def _people(asker: Asker, needs: Needs, folder: Path) -> Entry:
    """Who may approve what two people must agree to."""
    asker.say()
    asker.say(f"Two people must agree to {', '.join(needs.witnessed)}")

    def missing(text: str) -> str:
        return "" if paths.resolve(folder, text).is_file() else f"there is no file `{text}`"

    signers = Question(
        ask="Where is the file of their public keys (allowed_signers)",
        help="OpenSSH's file of trusted keys, a line for each of them; a relative path starts at the site profile.",
        check=fits(TwoPeople, "allowed_signers"),
        doubt=missing,
    )
    keys = Entry("allowed_signers", await asker.ask(signers), said_of(TwoPeople, "allowed_signers"))
    people: list[Entry] = []
    while person := await _person(asker, people):
        people.append(person)
    comment = "At least two, such as `anna: {principal: anna@example.org, accounts: [anna]}`, each on a line below."
    below = (keys, Entry("people", tuple(people) or None, comment))
    return Entry("two_people", below, f"Who may approve what two people must agree to. {used_in(needs.witnessed)}")


async def _person(asker: Asker, known: list[Entry]) -> Entry | None:
    """One of them; None where there is no more."""
    taken = [person.key for person in known]

    def new(text: str) -> str:
        if not re.fullmatch(NAME_PATTERN, text):
            raise ValueError("expected letters, digits and underscores")
        if text in taken:
            raise ValueError(f"`{text}` is there already")
        return text

    empty = "fill in later" if not known else "no more"
    while not (name := await asker.ask(Question(ask=f"Short name of person {len(known) + 1}", empty=empty, check=new))):
        if len(known) != 1:
            return None
        asker.say("  Two people are needed.")
    principal = Question(
        ask=f"Name of {name} in that file", help=said_of(Person, "principal"), check=fits(Person, "principal")
    )
    account = Question(
        ask=f"Account of {name} on this machine", help=said_of(Person, "accounts"), empty="none", check=_account
    )
    keys = [Entry("principal", await asker.ask(principal), said_of(Person, "principal"))]
    if own := await asker.ask(account):
        keys.append(Entry("accounts", (own,), said_of(Person, "accounts")))
    return Entry(name, tuple(keys), "May drive and witness; with `may: [witness]` only the one.")


def _account(text: str) -> str:
    """The name of an account; raises ValueError."""
    if not re.fullmatch(r"[A-Za-z0-9_.][A-Za-z0-9_.@-]*", text):
        raise ValueError("this is not the name of an account")
    return text
