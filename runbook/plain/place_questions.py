"""What a site profile says of hosts, groups, tokens and engines, asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from runbook import paths
from runbook.files import inputs
from runbook.files.needs import Steps
from runbook.files.profile_text import Entry, used_in
from runbook.input_types import StringInput
from runbook.plain.questions import Asker, Question, no_doubt
from runbook.site import HOST_PATTERN, LOCAL, EngineProfile, HostProfile, TokenProfile

_LINE = StringInput(type="string", ask="A line")
_SUDO = ("password", "free", "never", "unneeded")


def fits(model: type[BaseModel], key: str) -> Callable[[str], str]:
    """A check that the text is a line which the model takes under the key."""
    known = model.model_fields[key]
    form: Any = Annotated[known.annotation, known]
    adapter: TypeAdapter[Any] = TypeAdapter(form)

    def check(text: str) -> str:
        value = inputs.parse(_LINE, text)
        try:
            adapter.validate_python(value)
        except ValidationError as error:
            said = error.errors(include_url=False, include_input=False)[0]["msg"]
            raise ValueError(said[:1].lower() + said[1:]) from None
        return value

    return check


def said_of(model: type[BaseModel], key: str) -> str:
    """The description of a key."""
    return model.model_fields[key].description or ""


def one_of(choices: Sequence[str]) -> Callable[[str], str]:
    """A check that the text is one of them."""

    def check(text: str) -> str:
        if text not in choices:
            raise ValueError(f"expected one of {', '.join(choices)}")
        return text

    return check


@dataclass(slots=True)
class Places:
    """The machines of the site as far as they were asked for."""

    asker: Asker
    aliases: Sequence[str]
    """The hosts that the user's ssh knows."""
    hosts: dict[str, Entry] = field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)

    async def ask(self, needed: Steps) -> None:
        """Ask for each name; what is a member of a group is a host too."""
        if not needed:
            return
        self.asker.say()
        self.asker.say("Machines")
        for name, steps in needed.items():
            if name not in self.hosts:
                await self._place(name, steps, set(needed))

    async def _place(self, name: str, steps: Sequence[str], needed: set[str]) -> None:
        known = f" Your ssh knows {', '.join(self.aliases[:20])}." if self.aliases else ""
        alike = [alias for alias in (name, name.replace("_", "-")) if alias in self.aliases]
        answer = await self.asker.ask(
            Question(
                ask=f"Which machine is `{name}`",
                help=f"{used_in(steps)} Its alias or address for ssh; several with commas make it a group.{known}",
                default=alike[0] if alike else None,
                check=lambda text: self._members(name, text),
            )
        )
        members = inputs.list_items(answer or "")
        others = [member for member in members if member != name and (member in needed or member in self.hosts)]
        sudo = "password"
        if len(members) > len(others):
            question = Question(
                ask="How does one become root there",
                help=said_of(HostProfile, "sudo"),
                found=_SUDO,
                default="password",
                check=one_of(_SUDO),
            )
            sudo = await self.asker.ask(question) or sudo
        if len(members) > 1 or others:
            self.groups[name] = members
            for member in members:
                if member not in others:
                    self.hosts[member] = self._host(member, member, sudo, f"A member of {name}.")
        else:
            self.hosts[name] = self._host(name, answer, sudo, used_in(steps))

    @staticmethod
    def _host(name: str, ssh: str | None, sudo: str, comment: str) -> Entry:
        keys = {"ssh": ssh, "sudo": sudo}
        return Entry(name, tuple(Entry(key, value, said_of(HostProfile, key)) for key, value in keys.items()), comment)

    def _members(self, name: str, text: str) -> str:
        members = inputs.list_items(text)
        if not members:
            raise ValueError("expected a name")
        if len(members) == 1 and members[0] not in self.groups:
            try:
                return fits(HostProfile, "ssh")(members[0])
            except ValueError:
                raise ValueError(
                    f"`{members[0]}` is neither an alias nor an address; no account goes with it"
                ) from None
        for member in members:
            if not re.fullmatch(HOST_PATTERN, member):
                raise ValueError(f"`{member}` cannot be the name of a host")
            if member == name or name in self._below(member):
                raise ValueError(f"`{name}` would be a member of itself")
        if len(set(members)) < len(members):
            raise ValueError("a name is listed twice")
        return ", ".join(members)

    def _below(self, name: str) -> set[str]:
        below = set(self.groups.get(name, ()))
        return below.union(*(self._below(member) for member in below))

    async def machine(self, ask: str, default: str) -> str:
        """This machine or one of the hosts."""
        choices = [LOCAL, *self.hosts]
        if len(choices) == 1:
            return LOCAL
        question = Question(ask=ask, found=choices, default=default, check=one_of(choices))
        return await self.asker.ask(question) or LOCAL

    async def as_root(self, what: str) -> bool:
        """Whether something on another host is reached as root."""
        question = Question(ask=what, found=("no", "yes"), default="no", check=one_of(("no", "yes")))
        return await self.asker.ask(question) == "yes"


async def token(places: Places, name: str, steps: Sequence[str], modules: Sequence[str], folder: Path) -> Entry:
    """One token; `modules` exist on this machine, and `folder` is the site profile's."""
    asker = places.asker
    asker.say()
    asker.say(f"Token {name}. {used_in(steps)}")
    via = await places.machine(f"Which machine is the token `{name}` in", LOCAL)
    far = via != LOCAL

    def missing(text: str) -> str:
        return "" if paths.resolve(folder, text).is_file() else f"there is no file `{text}` here"

    module = Question(
        ask=f"PKCS#11 module for `{name}`" + (f", on {via}" if far else ""),
        help="Path of a shared library, such as opensc-pkcs11.so."
        + ("" if far else " Those found here have a number."),
        found=() if far else modules,
        default=None if far or not modules else modules[0],
        check=fits(TokenProfile, "module"),
        doubt=no_doubt if far else missing,
    )
    keys: dict[str, str | bool | None] = {"via": via} if far else {}
    keys["module"] = await asker.ask(module)
    if far:
        keys["sudo"] = await places.as_root("Reach the module there as root")
    label = Question(
        ask=f"Label of `{name}`",
        help=f"{said_of(TokenProfile, 'label')} A token is known by its label, its serial or both.",
        empty="none",
        check=fits(TokenProfile, "label"),
    )
    keys["label"] = await asker.ask(label)
    serial = Question(
        ask=f"Serial of `{name}`",
        help="As the token itself says it.",
        empty="none" if keys["label"] else "fill in later",
        check=fits(TokenProfile, "serial"),
    )
    keys["serial"] = await asker.ask(serial)
    surplus = "serial" if keys["serial"] is None else "label"
    if keys[surplus] is None:
        del keys[surplus]
    return _named(name, keys, TokenProfile, steps)


async def engine(
    places: Places, name: str, steps: Sequence[str], containers: Sequence[str], volumes: Sequence[str]
) -> Entry:
    """One Docker engine, with what the steps name there."""
    places.asker.say()
    places.asker.say(f"Docker engine {name}. {used_in(steps)}")
    on = await places.machine(f"Which machine is the engine `{name}` on", name if name in places.hosts else LOCAL)
    keys: dict[str, Any] = {} if on == LOCAL else {"on": on}
    if on != LOCAL:
        keys["sudo"] = await places.as_root("Reach the engine there as root")
    keys |= {key: listed for key, listed in (("containers", containers), ("volumes", volumes)) if listed}
    return _named(name, keys, EngineProfile, steps)


def _named(name: str, keys: Mapping[str, Any], model: type[BaseModel], steps: Sequence[str]) -> Entry:
    below = tuple(Entry(key, value, said_of(model, key)) for key, value in keys.items())
    return Entry(name, below, used_in(steps))
