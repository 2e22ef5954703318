"""The provisioners of a step-ca, as it tells everybody of them, and the key of one that is opened by its password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from runbook.context import Context
from runbook.errors import StepError
from runbook.operator import SecretRequest
from runbook.text import clean_line

if TYPE_CHECKING:
    from checks.ca.client import Client
    from checks.ca.jwk import ProvisionerKey

MOST: Final = 1000
"""Provisioners that are read."""

SYMPTOMS: Mapping[str, str] = {
    "no provisioner": "The authority has no such provisioner, or one of another type.",
    "no encrypted key": "The authority does not give out the provisioner's encrypted key.",
    "wrong password": "The password does not open the provisioner's key.",
    "unusable key": "The provisioner's key is not what its public part says, or of a form that is not known here.",
}
"""For every kind that opens the key of a provisioner."""


class NoProvisioner(StepError):
    """The authority has no such provisioner, or one of another type."""

    symptom = "no provisioner"


class NoEncryptedKey(StepError):
    """The authority does not give out the provisioner's encrypted key."""

    symptom = "no encrypted key"


@dataclass(frozen=True, slots=True)
class Provisioner:
    """One of them."""

    type: str
    """`JWK`, `OIDC`, `ACME`, `SSHPOP`, `X5C` …"""
    name: str
    key: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The public JWK of the type `JWK`."""
    encrypted_key: str = field(default="", repr=False)
    """Its private key as a JWE in the compact form; empty: it is not in the list."""


async def provisioners(client: Client) -> tuple[Provisioner, ...]:
    """All of them, in the authority's order: `GET /provisioners`, page by page. Raises the ServerError that fits."""
    found: list[Provisioner] = []
    cursors = {""}
    cursor = ""
    while len(found) <= MOST:
        path = f"/provisioners?limit=100{f'&cursor={quote(cursor)}' if cursor else ''}"
        page = await client.json("GET", path)
        listed = page.get("provisioners") if isinstance(page, dict) else None
        if not isinstance(listed, list):
            raise client.not_json(path, "there is no list of provisioners")
        found += [_provisioner(one, client, path) for one in listed]
        cursor = page.get("nextCursor") or ""
        if not isinstance(cursor, str) or cursor in cursors:
            break
        cursors.add(cursor)
    return tuple(found)


async def ask_key(client: Client, name: str, ctx: Context, question: str) -> ProvisionerKey:
    """The key of the JWK provisioner `name`; its password is asked once, after all that can fail without it.

    Raises NoProvisioner, NoEncryptedKey, WrongPassword, UnusableKey and the ServerError that fits.
    """
    from checks.ca.jwk import open_key

    provisioner = _jwk(await provisioners(client), name, client)
    encrypted = provisioner.encrypted_key or await _encrypted_key(client, provisioner)
    password = await ctx.operator.secret(
        SecretRequest(question, f"It opens the key of the provisioner {name}, in this program's memory alone.")
    )
    try:
        ctx.redactor.learn(password)
        return await open_key(name, provisioner.key, encrypted, password)
    finally:
        password.wipe()


def _jwk(found: tuple[Provisioner, ...], name: str, client: Client) -> Provisioner:
    """The one of that name and the type JWK. Raises NoProvisioner."""
    named = [one for one in found if one.name == name]
    fitting = [one for one in named if one.type == "JWK"]
    if len(fitting) == 1:
        return fitting[0]
    has = ", ".join(clean_line(f"{one.name} ({one.type})", 100) for one in found[:20]) or "none"
    if named:
        what = f"the provisioner {name} is there {len(named)} times, {len(fitting)} of them of the type JWK"
    else:
        what = f"there is no provisioner {name}; there are: {has}"
    raise NoProvisioner(what, where=client.where, remedy="Look at the name, and whether the authority was restarted.")


async def _encrypted_key(client: Client, provisioner: Provisioner) -> str:
    """From where it is published by the key's id, if the list does not have it. Raises NoEncryptedKey."""
    kid = provisioner.key.get("kid")
    if isinstance(kid, str) and kid:
        answer = await client.ask("GET", path := f"/provisioners/{quote(kid, safe='')}/encrypted-key")
        said = client.parse(answer, path) if answer.status == 200 else None
        if isinstance(said, dict) and isinstance(said.get("key"), str) and said["key"]:
            return str(said["key"])
    raise NoEncryptedKey(
        f"the authority does not give out the encrypted key of {provisioner.name}",
        where=client.where,
        remedy="Its private key is kept elsewhere: choose a provisioner whose encrypted key the configuration has.",
    )


def _provisioner(one: object, client: Client, path: str) -> Provisioner:
    """Raises NotJson."""
    if not isinstance(one, dict) or not isinstance(one.get("type"), str) or not isinstance(one.get("name"), str):
        raise client.not_json(path, "a provisioner has no type or no name")
    key, encrypted = one.get("key"), one.get("encryptedKey")
    return Provisioner(
        one["type"],
        one["name"],
        key if isinstance(key, dict) else {},
        encrypted if isinstance(encrypted, str) else "",
    )
