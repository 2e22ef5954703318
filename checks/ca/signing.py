"""The check `ca.signing`: a CA in a container signs with the token's keys, and with no others (playbook, §G8)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from pydantic import Field

from checks.artefacts.symptoms import SYMPTOMS as ARTEFACT_SYMPTOMS
from checks.ca import key_places, mapped
from checks.ca.key_places import KeyPlaces
from checks.containers.container import container_named, container_state
from checks.containers.engine import Engine, connected
from checks.containers.inside import Unreadable, read_inside, resolved
from checks.containers.processes import Process, arguments, private_of, processes
from checks.containers.refusals import SYMPTOMS as REFUSALS
from checks.containers.refusals import ContainerMissing, ContainerRestarting
from checks.evidence.fingerprints import FingerprintPair
from checks.evidence.signing import SigningProof
from checks.hosts.command import Patterns
from runbook.context import Context
from runbook.kind import Check, ContainerName, EngineName, Params
from runbook.model import Line
from runbook.outcome import Outcome
from runbook.paths import resolve

if TYPE_CHECKING:
    from cryptography import x509

SYMPTOMS: Mapping[str, str] = {
    **REFUSALS,
    **ARTEFACT_SYMPTOMS,
    **key_places.SYMPTOMS,
    "not running": "The container does not run.",
    "unreadable": "Something could not be read in the container.",
    "no process": "The CA's process is not in the container.",
    "not mapped": "The CA's process has not loaded the PKCS#11 module.",
    "other module": "The CA's process has loaded another PKCS#11 module, or a token that is a file.",
    "replaced": "The module was replaced by another file since it was loaded.",
    "no device": "No pcscd of the container holds the device.",
    "other configuration": "The CA's process was started with another configuration.",
    "configuration changed": "The configuration was changed after the container had started.",
    "other intermediate": "The CA's intermediate certificate is another than the given one.",
}

InContainer = Annotated[str, Field(pattern=r"^/[^\x00]*$", max_length=4096)]

LIBRARY_LIMIT: Final = 32 << 20
"""Bytes of a library that is looked through."""

MOST_LIBRARIES: Final = 100

CONFIG_LIMIT: Final = 1 << 20


class SigningParams(Params):
    """Where the CA runs, and what it must be made of."""

    engine: EngineName
    container: ContainerName = Field(description="Its name; the site profile must have it under `containers`.")
    module: InContainer = Field(description="The PKCS#11 module, as the configuration names it.")
    intermediate: Line = Field(description="The intermediate certificate's file here, by the runbook's folder.")
    device: Patterns = Field(
        (r"^/dev/bus/usb/",),
        min_length=1,
        description="What pcscd must hold open: a pattern of which one must be found.",
    )
    config: InContainer = Field("/home/step/config/ca.json", description="The CA's configuration in the container.")
    process: str = Field("step-ca", pattern=r"^[^\s/\x00]{1,15}$", description="The CA's program.")


class Signing(Check[SigningParams]):
    """A CA in a container signs with the keys on the token: every sign of it, and none of another.

    Its process has the PKCS#11 module in its memory and no other that is or loads one, whatever its name; the
    container's pcscd holds the device; the configuration that the process was started with leads to PKCS#11 alone; and
    the intermediate certificate there is the given one, whose key was found on the token before.
    """

    name = "ca.signing"
    Params = SigningParams
    evidence = (SigningProof,)
    symptoms: ClassVar = SYMPTOMS
    loads = ("docker", "checks.containers.transport", "checks.artefacts.keys")

    def plan(self) -> tuple[str, ...]:
        params = self.params
        run = f"docker exec {params.container}"
        own = f"docker exec --user UID:GID {params.container}"
        return (
            f"{run} ls /proc",
            f"{run} cat /proc/PID/status …",
            f"{own} cat /proc/PID/maps  (of {params.process}; with --privileged where the kernel refuses it)",
            f"{own} ls -ln /proc/PID/fd  (of pcscd)",
            f"docker cp {params.container}:{params.config} -",
            f"docker cp {params.container}:LIBRARY -  (each that is mapped)",
            f"compare its intermediate certificate with {params.intermediate}",
            f"on the engine {params.engine} of the site profile",
        )

    async def run(self, ctx: Context) -> Outcome:
        from checks.artefacts.keys import load_certificate

        expected = await load_certificate(resolve(ctx.folder, self.params.intermediate))
        async with connected(ctx, self.params.engine) as engine:
            said = await container_named(engine, self.params.container)
            state = container_state(engine, self.params.container, said)
            if state.status != "running":
                symptom = {"": ContainerMissing.symptom, "restarting": ContainerRestarting.symptom}.get(
                    state.status, "not running"
                )
                return Outcome.failed(f"container {state.container} is {state.state}", state, symptom=symptom)
            proof = _Proof(self.params, engine, state.id, ctx)
            await proof.gather(expected, started=state.started)
        return proof.outcome()


class _Proof:
    """What was found in one container."""

    def __init__(self, params: SigningParams, engine: Engine, container: str, ctx: Context) -> None:
        self._params = params
        self._engine = engine
        self._id = container
        self._ctx = ctx
        self._right: list[str] = []
        self._problems: list[tuple[str, str]] = []
        self._notes: list[str] = []
        self._found: dict[str, Any] = {}

    async def gather(self, expected: x509.Certificate, *, started: str) -> None:
        listed = await processes(self._engine, self._id)
        await self._process(listed)
        await self._device(listed)
        places = await self._configuration(started)
        await self._intermediate(places, expected)

    def outcome(self) -> Outcome:
        params = self._params
        evidence = SigningProof(
            engine=self._engine.name,
            container=params.container,
            module=params.module,
            right=tuple(self._right),
            problems=tuple(said for _, said in self._problems),
            notes=tuple(self._notes),
            **self._found,
        )
        if not self._problems:
            return Outcome.passed(f"{params.process} in {params.container} signs with the keys on the token", evidence)
        symptom, said = self._problems[0]
        more = f" (and {len(self._problems) - 1} more)" if len(self._problems) > 1 else ""
        return Outcome.failed(f"{params.container}: {said}{more}", evidence, symptom=symptom)

    # -- its process -------------------------------------------------------------------------------------------------

    async def _process(self, listed: tuple[Process, ...]) -> None:
        params = self._params
        own = [process for process in listed if process.name == params.process]
        self._found["process"] = ", ".join(map(str, own))
        if not own:
            self._wrong("no process", f"no process {params.process} runs in it")
        module = await resolved(self._engine, self._id, params.module)
        libraries: dict[str, None] = {}
        for process in own:
            if params.config not in await arguments(self._engine, self._id, process):
                self._wrong("other configuration", f"{process} was not started with {params.config}")
            else:
                self._right.append(f"{process} was started with {params.config}")
            code = mapped.code(await self._private(process, "cat", f"/proc/{process.pid}/maps"))
            libraries |= dict.fromkeys(item.path for item in code)
            self._module(process, module, code)
        self._found["mapped"] = tuple(libraries)
        if own:
            await self._others([path for path in libraries if path != module])

    def _module(self, process: Process, module: str, code: tuple[mapped.Mapped, ...]) -> None:
        shown = module if module == self._params.module else f"{self._params.module} ({module})"
        found = [item for item in code if item.path == module]
        if not found:
            self._wrong("not mapped", f"{process} has not loaded {shown}")
        elif found[0].gone:
            self._wrong("replaced", f"{shown} was replaced since {process} loaded it")
        else:
            self._right.append(f"{process} has loaded {shown}")

    async def _others(self, paths: list[str]) -> None:
        """What else it has loaded is, and loads, no PKCS#11 module; its own program may load them, of course."""
        suspects = [path for path in paths if PurePosixPath(path).name != self._params.process]
        if len(suspects) > MOST_LIBRARIES:
            self._wrong("unreadable", f"it has loaded {len(suspects)} libraries; {MOST_LIBRARIES} are looked through")
        before = len(self._problems)
        for path in suspects[:MOST_LIBRARIES]:
            if mapped.is_soft(path):
                self._wrong("other module", f"it has loaded {path}: keys that are files")
                continue
            try:
                library = await read_inside(self._engine, self._id, path, limit=LIBRARY_LIMIT)
            except Unreadable as error:
                self._wrong("unreadable", f"it has loaded {path}, which cannot be looked at: {error.what}")
                continue
            if mapped.is_module(library.content):
                self._wrong("other module", f"it has loaded {path}, which is or loads another PKCS#11 module")
        if len(self._problems) == before:
            self._right.append(f"none of the {len(suspects)} other libraries in it is or loads a PKCS#11 module")

    # -- the device --------------------------------------------------------------------------------------------------

    async def _device(self, listed: tuple[Process, ...]) -> None:
        holders = [process for process in listed if process.name == "pcscd"]
        self._found["holder"] = ", ".join(map(str, holders))
        found: list[str] = []
        for process in holders:
            listing = await self._private(process, "ls", "-ln", f"/proc/{process.pid}/fd")
            tables = [
                await self._private(process, "cat", f"/proc/{process.pid}/net/{name}") for name in ("tcp", "tcp6")
            ]
            held = mapped.held(listing, mapped.tcp("\n".join(tables)))
            found += [item for item in held if any(re.search(pattern, item) for pattern in self._params.device)]
        self._found["devices"] = tuple(found)
        if not holders:
            self._wrong("no device", "no pcscd runs in it")
        elif not found:
            wanted = " or ".join(self._params.device)
            self._wrong("no device", f"{self._found['holder']} holds nothing open that fits {wanted}")
        else:
            self._right.append(f"{self._found['holder']} holds {', '.join(found)}")

    # -- what it was told --------------------------------------------------------------------------------------------

    async def _configuration(self, started: str) -> KeyPlaces:
        params = self._params
        file = await read_inside(self._engine, self._id, params.config, limit=CONFIG_LIMIT)
        self._found["configuration"] = params.config
        try:
            places = key_places.key_places(file.content.decode("utf-8-sig"), params.module)
        except UnicodeDecodeError:
            places = KeyPlaces(problems=[("malformed", f"{params.config} is not UTF-8")])
        self._found["keys"] = tuple(places.keys)
        self._problems += places.problems
        if not places.problems:
            self._right.append(f"{params.config} looks for all keys on the token, through {params.module}")
        changed = dt.datetime.fromtimestamp(int(file.changed), dt.UTC)
        if changed > _time(started):
            said = f"{params.config} was changed at {changed:%H:%M:%S} UTC, after the container had started"
            self._wrong("configuration changed", f"{said}: what its process reads may be older")
        return places

    async def _intermediate(self, places: KeyPlaces, expected: x509.Certificate) -> None:
        from checks.artefacts.fingerprints import certificate_sha256
        from checks.artefacts.keys import parse_certificate

        if not places.certificate:
            self._wrong("other intermediate", "the configuration names no intermediate certificate (`crt`)")
            return
        path = PurePosixPath(places.certificate)
        file = await read_inside(self._engine, self._id, str(path), limit=CONFIG_LIMIT)
        found, wanted = certificate_sha256(parse_certificate(file.content, Path(path))), certificate_sha256(expected)
        name = PurePosixPath(self._params.intermediate).name
        self._found["intermediate"] = FingerprintPair(
            form="SHA-256", left_title=name, left=wanted, right_title="in the container", right=found
        )
        if found != wanted:
            self._wrong("other intermediate", f"its intermediate certificate {path} is not {name}")
        else:
            self._right.append(f"its intermediate certificate is {name}")

    # -- --------------------------------------------------------------------------------------------------------------

    def _wrong(self, symptom: str, said: str) -> None:
        self._problems.append((symptom, said))

    async def _private(self, process: Process, *argv: str) -> str:
        said, privileged = await private_of(self._engine, self._id, process, *argv)
        if privileged:
            self._notes.append(f"{argv[-1]} was read with the engine's privileges: the kernel refuses it to {process}")
        return said


def _time(stamp: str) -> dt.datetime:
    """The engine's RFC 3339 time in UTC, to the second."""
    return dt.datetime.fromisoformat(f"{stamp[:19]}+00:00")
