"""The Docker engines of the site profile, and that of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from checks.containers.engine import Engine
from checks.containers.errors import EngineUnreachable
from checks.containers.ways import LocalWay
from checks.doctor.finding import Finding, State
from runbook.errors import StepError
from runbook.site import EngineProfile, Site
from runbook.text import clean_line

_DEADLINE: Final = 10.0


def known(site: Site | None) -> Mapping[str, EngineProfile]:
    """The engines to look at, by the titles of their findings."""
    if site is None:
        return {"docker": EngineProfile()}
    return {f"docker engine {name}": profile for name, profile in site.engines.items()}


async def engine(title: str, profile: EngineProfile, *, needed: bool) -> Finding:
    """Whether it answers and is the one meant; that of a host is not connected to."""
    if profile.far:
        return Finding(State.OK, title, f"it is on {profile.on}, where a run looks at it through that host's `docker`")
    state = State.WRONG if needed else State.WARNING
    found = Engine(title.rpartition(" ")[2], profile, LocalWay(profile))
    try:
        async with asyncio.timeout(_DEADLINE):
            await found.connect()
            info = await found.call(lambda client: client.info())
    except TimeoutError:
        late = f"no answer within {_DEADLINE:g} s at {clean_line(profile.socket)}"
        return Finding(state, title, late, "Look at the engine's log: `journalctl -u docker`.")
    except StepError as error:
        if needed and isinstance(error, EngineUnreachable):
            state = State.MISSING
        unneeded = "" if needed else "; only steps with a Docker engine need one"
        return Finding(state, title, error.what + unneeded, error.remedy or "Start it: systemctl start docker")
    finally:
        await found.close()
    name = clean_line(str(info.get("Name", "")), 80)
    if profile.name and name != profile.name:
        advice = "Look which engine `docker context ls` names, and give its socket as `url`."
        return Finding(state, title, f"it names itself {name}, expected {profile.name}", advice)
    return Finding(State.OK, title, f"{name}: Docker {found.version.version}, socket {profile.socket}")
