"""What is found in a CA's container that says where its keys are: its process, the device, and what it was told."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from checks.ca import mapped
from checks.ca.key_places import KeyPlaces, key_places
from checks.containers.engine import Engine
from checks.containers.inside import Unreadable, read_inside, resolved
from checks.containers.processes import Process, arguments, private_of, processes
from checks.evidence.fingerprints import FingerprintPair
from checks.evidence.signing import SigningProof
from runbook.outcome import Outcome

if TYPE_CHECKING:
    from cryptography import x509

    from checks.ca.signing import SigningParams

LIBRARY_LIMIT: Final = 32 << 20
"""Bytes of a library that is looked through."""

MOST_LIBRARIES: Final = 100
"""Libraries of a process that are looked through."""

CONFIG_LIMIT: Final = 1 << 20
"""Bytes of a configuration or a certificate."""


class KeyProof:
    """What was found in one container."""

    def __init__(self, params: SigningParams, engine: Engine, container: str) -> None:
        self._params = params
        self._engine = engine
        self._id = container
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
            places = key_places(file.content.decode("utf-8-sig"), params.module)
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

    # -- for all of them ---------------------------------------------------------------------------------------------

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
