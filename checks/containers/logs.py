"""The check `docker.logs`: wait until a container's log has said what it should, and nothing that it must not."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections import Counter, deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, Field, model_validator

from checks.containers.container import BETWEEN, container_named, container_state
from checks.containers.container import SYMPTOMS as CONTAINER_SYMPTOMS
from checks.containers.engine import Engine, connected
from checks.containers.refusals import ContainerMissing, ContainerRestarting, ask
from checks.evidence.containers import LogLine, LogsRead
from checks.hosts.command import Patterns
from checks.time_left import time_left
from runbook.context import Context
from runbook.fields import Model
from runbook.kind import Check, ContainerName, EngineName, Params
from runbook.outcome import Outcome
from runbook.text import clean_line

if TYPE_CHECKING:
    from docker import DockerClient

_LAST: Final = 40
"""Lines that are kept as evidence."""
_SHOWN = 50
"""Lines shown at most of those in which something was found."""

_TAIL: Final = 10_000
"""Lines asked for at most at once: more in a second is no log of a start."""

BAD_SYMPTOMS: Mapping[str, str] = {
    "bad line": "The log holds a line that must not come.",
    "module not found": "The program cannot load its PKCS#11 module.",
    "token not present": "The module finds no token, or no slots.",
    "permission denied": "The program may not use a device or read a file.",
    "polkit": "pcscd in the container refuses its clients because polkit does not run there.",
    "PIN file": "The file with the PIN is empty, missing or cannot be read.",
    "key not found": "The token holds no key of that id or label.",
    "wrong PIN": "The token does not accept the PIN.",
}

SYMPTOMS: Mapping[str, str] = {
    **CONTAINER_SYMPTOMS,
    **BAD_SYMPTOMS,
    "not said": "The log did not say in time what it should.",
}


def _known(symptom: str) -> str:
    if symptom not in BAD_SYMPTOMS:
        raise ValueError(f"a symptom is one of {', '.join(f'`{name}`' for name in BAD_SYMPTOMS)}")
    return symptom


class Bad(Model):
    """Lines that must not come."""

    match: Patterns = Field(
        min_length=1,
        description="Patterns: a line that matches one of them is bad.",
        examples=[["token not (found|present)"]],
    )
    symptom: Annotated[str, AfterValidator(_known)] = Field(
        "bad line", description="What hints match on: " + ", ".join(BAD_SYMPTOMS) + ".", examples=["token not present"]
    )


class LogsParams(Params):
    """The container, and what its log must and must not say."""

    engine: EngineName
    container: ContainerName = Field(
        description="Its name; the site profile must have it under `containers`.", examples=["ccat-ca-step-ca-1"]
    )
    good: Patterns = Field(
        (),
        description="Patterns that must all be found in some line.",
        examples=[["Serving HTTPS on|Server listening on"]],
    )
    bad: tuple[Bad, ...] = Field(
        (),
        description="Patterns that end the step at once.",
        examples=[[{"match": ["wrong PIN|PIN_INCORRECT"], "symptom": "wrong PIN"}]],
    )
    wait: int = Field(60, ge=0, le=3600, description="Seconds to wait for `good`.", examples=[120])
    quiet: int = Field(
        0, ge=0, le=600, description="Seconds to go on after `good`, in which nothing bad may come.", examples=[5]
    )

    @model_validator(mode="after")
    def _something(self) -> LogsParams:
        if not self.good and not self.bad:
            raise ValueError("say what to look for: `good`, `bad` or both")
        return self


class DockerLogs(Check[LogsParams]):
    """A container's log has said since its start what it should, in time, and nothing that it must not.

    The lines are shown as they come. A bad one ends the step at once with its symptom, as does a container that has
    stopped or that the engine starts again and again.
    """

    name = "docker.logs"
    Params = LogsParams
    evidence = (LogsRead,)
    symptoms: ClassVar = SYMPTOMS
    loads = ("docker", "checks.containers.transport")

    def plan(self) -> tuple[str, ...]:
        params = self.params
        return (
            f"docker logs --follow {params.container}  (since its start, for up to {params.wait} s)",
            *(f"  wait for {pattern}" for pattern in params.good),
            *(f"  stop at  {pattern}" for bad in params.bad for pattern in bad.match),
            f"on the engine {params.engine} of the site profile",
        )

    async def run(self, ctx: Context) -> Outcome:
        async with connected(ctx, self.params.engine) as engine:
            return await _Watch(self.params, engine, ctx).outcome()


class _Watch:
    """One wait."""

    def __init__(self, params: LogsParams, engine: Engine, ctx: Context) -> None:
        self._params = params
        self._engine = engine
        self._ctx = ctx
        self._since = ""
        self._reader: LogReader | None = None
        self._count = 0
        self._matched: dict[str, str] = {}
        self._bad: list[tuple[str, str]] = []
        self._found: list[LogLine] = []
        self._last: deque[str] = deque(maxlen=_LAST)

    async def outcome(self) -> Outcome:
        params, now = self._params, asyncio.get_running_loop().time
        until = now() + min(params.wait, time_left(self._ctx))
        quiet_until: float | None = None
        while True:
            # The state first: lines that came before an end are read after it is seen, and none is missed.
            stopped = await self._look()
            if self._bad:
                symptom, line = self._bad[0]
                return self._failed(f"its log says: {line}", symptom)
            if stopped:
                return self._failed(*stopped)
            if not self._missed and quiet_until is None:
                quiet_until = min(now() + params.quiet, until + params.quiet) if params.good else until
            if quiet_until is not None and now() >= quiet_until:
                return Outcome.passed(self._right(), self._evidence())
            if quiet_until is None and now() >= until:
                missed = f"its log did not say within {params.wait} s: {self._missed[0]}"
                return self._failed(missed, "not said")
            await asyncio.sleep(BETWEEN / 2)

    @property
    def _missed(self) -> tuple[str, ...]:
        return tuple(pattern for pattern in self._params.good if pattern not in self._matched)

    async def _look(self) -> tuple[str, str] | None:
        """Read what is new; sentence and symptom where nothing more will come."""
        name = self._params.container
        said = await container_named(self._engine, name)
        state = container_state(self._engine, name, said)
        if said is None:
            return "there is no such container", ContainerMissing.symptom
        if self._reader is None or self._reader.container != state.id:
            self._since = _begin(said["State"])
            self._reader = LogReader(self._engine, state.id, self._since)
        for line in await self._reader.new():
            self._take(line)
        if state.status == "restarting":
            last = f"it ends again and again (last with {state.exit_code})"
            return last, ContainerRestarting.symptom
        if state.status != "running" and self._missed:
            return f"it is {state.state}", "not running"
        return None

    def _take(self, line: str) -> None:
        shown = self._ctx.redactor(line)
        self._ctx.progress(shown)
        self._count += 1
        self._last.append(shown)
        for pattern in self._missed:
            if re.search(pattern, line):
                self._matched[pattern] = shown
                self._found.append(_marked(shown, pattern, good=True))
        for bad in self._params.bad:
            if pattern := next((pattern for pattern in bad.match if re.search(pattern, line)), ""):
                self._bad.append((bad.symptom, shown))
                if len(self._found) < _SHOWN:
                    self._found.append(_marked(shown, pattern, good=False))

    def _failed(self, said: str, symptom: str) -> Outcome:
        return Outcome.failed(f"container {self._params.container}: {said}", self._evidence(), symptom=symptom)

    def _right(self) -> str:
        if not self._params.good:
            return f"nothing bad in the log of {self._params.container}"
        return f"the log of {self._params.container} says what it should"

    def _evidence(self) -> LogsRead:
        return LogsRead(
            engine=self._engine.name,
            container=self._params.container,
            since=self._since,
            lines=self._count,
            matched=tuple(f"{pattern}: {line}" for pattern, line in self._matched.items()),
            missed=self._missed,
            bad=tuple(line for _, line in self._bad),
            found=tuple(self._found),
            last=tuple(self._last),
        )


def _marked(line: str, pattern: str, *, good: bool) -> LogLine:
    """A line as it is shown, and the place of the pattern where that is shown too."""
    match = re.search(pattern, line)
    start, end = match.span() if match else (0, 0)
    return LogLine(text=line, start=start, end=end, good=good, pattern=pattern)


def _begin(state: Mapping[str, Any]) -> str:
    """From when on lines count (RFC 3339): the end of the container's run before, since its first lines may be older
    than the start that the engine notes. Of one that does not run, it is a little before its last start.
    """
    if state.get("Running") and not state.get("Restarting"):
        return str(state.get("FinishedAt", ""))
    started = dt.datetime.fromtimestamp(max(0, _seconds(str(state.get("StartedAt", ""))) - 1), dt.UTC)
    return started.strftime("%Y-%m-%dT%H:%M:%SZ")


class LogReader:
    """A container's log from a moment on, each line once, whatever order its two streams come in."""

    def __init__(self, engine: Engine, container: str, since: str) -> None:
        self.container = container
        self._engine = engine
        self._begin = _sortable(since)
        self._since = _seconds(since)
        self._seen: Counter[str] = Counter()
        """The stamped lines of the second from which the engine is asked again, and of those after it."""

    async def new(self) -> tuple[str, ...]:
        """Lines that have come since the last call, cleaned."""
        since = self._since

        def read(client: DockerClient) -> bytes:
            said: bytes = client.api.logs(
                self.container, stdout=True, stderr=True, timestamps=True, since=since or None, tail=_TAIL
            )
            return said

        stamped = [line for line in (await ask(self._engine, read)).decode(errors="replace").split("\n") if line]
        fresh, known = [], Counter(self._seen)
        for line in stamped:
            if known[line]:
                known[line] -= 1
            else:
                fresh.append(line)
        if fresh:
            self._since = max(_seconds(line.partition(" ")[0]) for line in stamped) - 1
            self._seen = Counter(line for line in stamped if _seconds(line.partition(" ")[0]) >= self._since)
        return tuple(
            clean_line(line.partition(" ")[2]) for line in fresh if _sortable(line.partition(" ")[0]) >= self._begin
        )


def _sortable(stamp: str) -> str:
    """An RFC 3339 time in UTC with all nine digits: the engine leaves out zeros at the end in some places."""
    whole, _, rest = stamp.removesuffix("Z").partition(".")
    return f"{whole}.{rest:0<9}"


def _seconds(stamp: str) -> int:
    """Whole seconds since 1970 of an RFC 3339 time in UTC; 0 for what is none."""
    try:
        return max(0, int(dt.datetime.fromisoformat(f"{stamp[:19]}+00:00").timestamp()))
    except ValueError:
        return 0
