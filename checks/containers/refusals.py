"""What an engine refuses, as errors for people: each class has the symptom that hints match."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, TypeVar

from checks.containers.engine import Engine
from checks.containers.errors import SYMPTOMS as ENGINE_SYMPTOMS
from checks.containers.errors import EngineError, EngineRefused
from checks.hosts.errors import HostError
from runbook.text import clean_line

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.errors import APIError

T = TypeVar("T")


class NotNamed(EngineError):
    """The site profile does not name this container or volume, so nothing may touch it."""

    symptom = "not in the profile"


class VolumeMissing(EngineError):
    """There is no volume of that name."""

    symptom = "volume missing"


class VolumeInUse(EngineError):
    """A container uses the volume."""

    symptom = "volume in use"


class VolumeNotEmpty(EngineError):
    """Something is in the volume that must not be there."""

    symptom = "not empty"


class ImageMissing(EngineError):
    """The engine has no image of that name, and could not fetch it."""

    symptom = "image missing"


class ContainerMissing(EngineError):
    """There is no container of that name."""

    symptom = "container missing"


class ContainerRestarting(EngineError):
    """The container ends again and again, and the engine starts it again."""

    symptom = "container restarting"


class DiskFull(EngineError):
    """The engine's disk has no more space."""

    symptom = "disk full"


SYMPTOMS: Mapping[str, str] = {
    **ENGINE_SYMPTOMS,
    **{
        kind.symptom: (kind.__doc__ or "").splitlines()[0]
        for kind in (
            NotNamed,
            VolumeMissing,
            VolumeInUse,
            VolumeNotEmpty,
            ImageMissing,
            ContainerMissing,
            ContainerRestarting,
            DiskFull,
        )
    },
}
"""For every kind of step that looks into an engine."""

_WORDS: Final[tuple[tuple[tuple[str, ...], type[EngineError], str], ...]] = (
    (("no space left", "disk quota"), DiskFull, "Make room there (`docker system df`), and do the step again."),
    (("volume is in use",), VolumeInUse, "Bring down what uses it, and do the step again."),
    (("no such volume",), VolumeMissing, "Look at `docker volume ls` there."),
    (("no such container",), ContainerMissing, "Look at `docker ps --all` there."),
    (("is restarting",), ContainerRestarting, "Read its log: `docker logs`."),
    (
        ("no such image", "pull access denied", "manifest unknown", "failed to resolve reference", "repository name"),
        ImageMissing,
        "Build it, or load it (`docker load`); look at `docker image ls` there.",
    ),
    (("permission denied", "authorization denied"), EngineRefused, "Look what the account may do there."),
)


def typed(said: str, where: str) -> EngineError:
    """The error for the engine's own words."""
    words, lower = clean_line(said, 300), said.lower()
    for signs, kind, remedy in _WORDS:
        if any(sign in lower for sign in signs):
            return kind(words, where=where, remedy=remedy)
    return EngineError(f"the engine refused: {words}", where=where, remedy="Look at its log there.")


def words_of(error: APIError) -> str:
    """What the engine said, without the SDK's own."""
    return str(error.explanation or error)


async def ask(engine: Engine, use: Callable[[DockerClient], T], *, deadline: float = 30.0) -> T:
    """`Engine.call`, with each refusal as the EngineError that fits it."""
    from docker.errors import APIError

    try:
        return await engine.call(use, deadline=deadline)
    except APIError as error:
        raise typed(words_of(error), engine.where) from None


async def tidy(engine: Engine, use: Callable[[DockerClient], object]) -> None:
    """`ask` for what is to be removed at the end, also where the step is being cancelled; what fails is left there."""
    try:
        await asyncio.shield(ask(engine, use, deadline=10.0))
    except (EngineError, HostError):
        return


def allowed_volume(engine: Engine, name: str) -> str:
    """The name, if the site profile has it under the engine's `volumes`. Raises NotNamed."""
    return _allowed(engine, name, engine.profile.volumes, "volume")


def allowed_container(engine: Engine, name: str) -> str:
    """The name, if the site profile has it under the engine's `containers`. Raises NotNamed."""
    return _allowed(engine, name, engine.profile.containers, "container")


def _allowed(engine: Engine, name: str, named: tuple[str, ...], what: str) -> str:
    if name in named:
        return name
    near = get_close_matches(name, named, n=1)
    raise NotNamed(
        f"the site profile does not name the {what} `{name}`, so it is not touched",
        where=engine.where,
        remedy=f"Did you mean `{near[0]}`?" if near else f"Add it to the engine's `{what}s` if it is meant.",
    )
