"""Kinds of steps: what a check or an action is to the engine, and how it is found.

A kind is a class, registered under the entry-point group `runbook.checks` with its name, so that another
package can add its own. Import it cheaply: foreign libraries are imported inside `run`.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import Field

from runbook.errors import EnvironmentLacks, UsageError
from runbook.fields import Model
from runbook.model import Role
from runbook.outcome import Evidence, Outcome
from runbook.site import ObjectName

if TYPE_CHECKING:
    from runbook.context import Context

GROUP = "runbook.checks"


@dataclass(frozen=True, slots=True)
class Ref:
    """Marks a parameter that names something of the runbook or the site profile, so the validator can look."""

    to: str
    """`input`, `token`, `engine`, `volume`, `container` or `host` (a host or a group)."""


InputName = Annotated[str, Ref("input"), Field(description="An input, by its name.", examples=["root_fingerprint"])]
"""The name of an input that the kind asks for itself."""

TokenName = Annotated[
    str, Ref("token"), Field(description="The token, by its name in the site profile.", examples=["intermediate"])
]
"""The name of a token of the site profile."""

EngineName = Annotated[
    str, Ref("engine"), Field(description="The engine, by its name in the site profile.", examples=["ca"])
]
"""The name of an engine of the site profile."""

VolumeName = Annotated[ObjectName, Ref("volume"), Field(examples=["ccat-ca_step-ca-data"])]
"""The name of a volume that the engine of the site profile lists under `volumes`."""

ContainerName = Annotated[ObjectName, Ref("container"), Field(examples=["ccat-ca"])]
"""The name of a container that the engine of the site profile lists under `containers`."""


class Params(Model):
    """Base of every kind's parameters: the step's own keys in the file."""


P = TypeVar("P", bound=Params)


class Kind(ABC, Generic[P]):
    """One rule, one verdict.

    The class docstring's first paragraph is what `runbook checks` prints.
    """

    name: ClassVar[str]
    role: ClassVar[Role]
    Params: ClassVar[type[Params]]
    evidence: ClassVar[tuple[type[Evidence], ...]] = ()
    """The evidence types it can give."""
    symptoms: ClassVar[Mapping[str, str]] = {}
    """Each symptom it can report, with a sentence of explanation; hints match on them."""
    loads: ClassVar[tuple[str, ...]] = ()
    """Modules that `run` imports and that take their time: they are loaded beside the event loop before it starts."""

    def __init__(self, params: P) -> None:
        self.params = params

    def plan(self) -> tuple[str, ...]:
        """What `run` will do, exactly and with the values inserted, a line each: a command as it would be typed.

        Shown at the point of no return, and what a second person approves. Touches nothing.
        """
        given = self.params.model_dump(mode="json", exclude_defaults=True)
        return (self.name, *(f"  {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in given.items()))

    @abstractmethod
    async def run(self, ctx: Context) -> Outcome:
        """Do it. Raises StepError where no verdict can be reached."""


class Check(Kind[P]):
    """Reads and judges; may be repeated freely unless it uses a PIN."""

    role = Role.CHECK


class Action(Kind[P]):
    """Changes something."""

    role = Role.ACTION


class Attestation(Kind[P]):
    """A person says that something is so."""

    role = Role.ATTESTATION


class Registry:
    """The kinds that are installed, loaded one by one when they are needed."""

    def __init__(self, kinds: Mapping[tuple[Role, str], type[Kind[Any]]] | None = None) -> None:
        self._loaded: dict[tuple[Role, str], type[Kind[Any]]] = dict(kinds or {})
        self._discover = kinds is None

    @cached_property
    def _entry_points(self) -> dict[tuple[Role, str], EntryPoint]:
        """Entry points are named `ROLE.NAME`, for example `check.slots`."""
        found: dict[tuple[Role, str], EntryPoint] = {}
        for point in entry_points(group=GROUP) if self._discover else ():
            role, _, name = point.name.partition(".")
            if role in {r.value for r in Role}:
                found[Role(role), name] = point
        return found

    def names(self, role: Role | None = None) -> list[str]:
        """The names of the kinds of that role (or of any), sorted."""
        keys = set(self._loaded) | set(self._entry_points)
        return sorted({name for kind_role, name in keys if role in (None, kind_role)})

    def get(self, role: Role, name: str) -> type[Kind[Any]]:
        """The kind of that name; raises UsageError when there is none, EnvironmentLacks when it cannot load."""
        key = (role, name)
        if key not in self._loaded:
            point = self._entry_points.get(key)
            if point is None:
                raise UsageError(f"there is no {role.value} named `{name}`", remedy="`runbook checks` lists the kinds.")
            try:
                self._loaded[key] = point.load()
            except Exception as error:  # a plug-in of somebody else's may fail in any way
                raise EnvironmentLacks(
                    f"the {role.value} `{name}` of {point.value} cannot be loaded: {error}",
                    remedy="Reinstall the package that provides it.",
                ) from error
        return self._loaded[key]

    def all(self) -> tuple[list[type[Kind[Any]]], list[EnvironmentLacks]]:
        """Every kind, loaded, sorted by name; and why others cannot be loaded: one bad plug-in hides no other kind."""
        kinds: list[type[Kind[Any]]] = []
        failures: list[EnvironmentLacks] = []
        for key in sorted(set(self._loaded) | set(self._entry_points), key=lambda key: (key[1], key[0].value)):
            try:
                kinds.append(self.get(*key))
            except EnvironmentLacks as error:
                failures.append(error)
        return kinds, failures
