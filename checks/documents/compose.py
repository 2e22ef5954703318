"""The check `compose`: one service of a Compose file, read as Compose does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar

from pydantic import Field

from checks.documents.compose_expect import Expect
from checks.documents.compose_rules import RULES, Service
from checks.documents.judging import SYMPTOMS, DocumentCheck, DocumentsParams, Finding, Source, remark, right, wrong
from checks.documents.veil import veil_text
from checks.documents.yaml_tree import parse_yaml
from checks.files.programs import ProgramNotFound
from checks.hosts.errors import HostError
from checks.hosts.looking import ask, last_words, tell
from checks.hosts.machine import Machine
from runbook.context import Context
from runbook.fields import Line
from runbook.files.document import Map, Scalar
from runbook.files.problems import Mark
from runbook.text import clean_line
from runbook.threads import in_thread

COMPOSE_SYMPTOMS: Mapping[str, str] = {
    "service missing": "The file has no service of that name.",
    "image": "A ready-made image is named where one is to be built.",
    "build": "It is not built, or from another folder or Dockerfile.",
    "build argument": "A build argument has another value.",
    "user": "The container starts as another user.",
    "restart": "The restart policy is another.",
    "variable missing": "A variable is not passed on.",
    "variable": "A variable has another text.",
    "forbidden variable": "A variable is set that must not be.",
    "discouraged variable": "A variable is set that had better not be.",
    "device": "A device is not passed on, or not with these permissions.",
    "tmpfs": "A tmpfs is not mounted.",
    "tmpfs option": "A tmpfs has another mode, owner, group or size.",
    "entrypoint": "The container begins with another command.",
    "mount": "A volume or file is not mounted where it should be.",
    "read-only": "Something is mounted writable instead of read-only, or the other way round.",
    "health check": "There is no health check, or it asks something else.",
    "time-out": "The health check gives up too early.",
    "surplus key": "The service has a key that must be gone.",
    "leftover": "Something of the time before is still there.",
    "leftover file": "A file of the time before is still in the tree.",
    "refused by compose": "Compose itself does not take the file.",
    "not followed": "A part of the service stands in another file, which is not looked at.",
}

_FIND = r"""
cd -- "$1" || exit
shift
for p in "$@"; do find . -path ./.git -prune -o -path "./$p" -print; done | head -n 20
"""
# $1: a folder; the others: patterns of paths in it.


class Params(DocumentsParams):
    """A service, and what it must be."""

    service: Line = Field(description="Its name under `services`.", examples=["step-ca"])
    expect: Expect = Field(description="How the service must be.", examples=[{"user": "0:0"}])


class Compose(DocumentCheck[Params]):
    """A service of a Compose file is as expected: build, user, variables, devices, mounts, health check.

    The file is parsed as Compose does, with `${…}` kept as text. Where the machine has `docker compose`, that
    has to take the file too; it is not needed. Other files (`extends`, `include`, `env_file`) are not followed, and
    that is told.
    """

    name = "compose"
    format = "Compose"
    Params = Params
    symptoms: ClassVar = {**SYMPTOMS, **COMPOSE_SYMPTOMS}

    async def judge(self, source: Source, machine: Machine, ctx: Context) -> Iterable[Finding]:
        findings = await in_thread(lambda: list(self._rules(source)))
        findings += await self._files(source, machine, ctx)
        return [*findings, await _compose_itself(source, machine, ctx, sudo=self.params.sudo)]

    def _rules(self, source: Source) -> Iterator[Finding]:
        root = parse_yaml(source.text)
        services = root.map("services") if isinstance(root, Map) else None
        service = services.map(self.params.service) if services else None
        if not isinstance(root, Map) or service is None:
            names = ", ".join(services.items) if services else "none"
            yield wrong(
                "service missing", f"there is no service {self.params.service} (the file has {names})", Mark(1, 1)
            )
            return
        own = Service(root, self.params.service, service)
        for rule in RULES:
            yield from rule(own, self.params.expect)
        yield from _elsewhere(own)

    async def _files(self, source: Source, machine: Machine, ctx: Context) -> list[Finding]:
        patterns = self.params.expect.without_files
        if not patterns:
            return []
        folder = source.path.rpartition("/")[0] or "."
        found = await tell(machine, ctx, _FIND, folder, *patterns, sudo=self.params.sudo, symptom="unreadable")
        if found:
            return [
                wrong("leftover file", f"{clean_line(name.removeprefix('./'))} is still in the tree") for name in found
            ]
        return [right(f"no file in the tree is {pattern}") for pattern in patterns]


def _elsewhere(service: Service) -> Iterator[Finding]:
    """What stands in other files and is not seen."""
    for key, holder in (("extends", service.map), ("env_file", service.map), ("include", service.root)):
        if key in holder.items:
            yield remark(f"what `{key}` brings along is not looked at", holder.keys[key], "not followed")
    for name, node in service.map.items.items():
        if isinstance(node, Scalar) and name.startswith("x-"):
            yield remark(f"`{name}` means nothing to Compose", service.map.keys[name])


async def _compose_itself(source: Source, machine: Machine, ctx: Context, *, sudo: bool) -> Finding:
    """What Compose says of the file, where it is installed. It needs no engine for that, and fills in nothing."""
    compose = ("docker", "compose")
    try:
        if (await ask(machine, ctx, (*compose, "version"))).exit_code != 0:
            return remark("`docker compose` is not installed there, so Compose itself was not asked")
        options = ("--file", source.path, "config", "--quiet", "--no-interpolate")
        finished = await ask(machine, ctx, (*compose, *options), sudo=sudo)
    except (ProgramNotFound, HostError):
        return remark("`docker compose` is not there, so Compose itself was not asked")
    if finished.exit_code != 0:
        return wrong("refused by compose", f"Compose does not take it: {veil_text(last_words(finished))}")
    return right("Compose itself takes the file")
