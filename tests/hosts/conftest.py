"""sshds on loopback ports, and a person at the keyboard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from checks.hosts import ansible_run
from checks.hosts.channel import Connection
from checks.hosts.hosts import Hosts
from runbook.operator import Operator, SecretRequest
from runbook.secrets import Redactor, Secret
from runbook.site import Site
from tests.hosts.ssh_bench import Bench, bench_in


class Typist:
    """Types what it was given, in order; keeps the questions."""

    def __init__(self) -> None:
        self.answers: list[str | BaseException] = []
        self.questions: list[SecretRequest] = []
        self.takes = 0.0
        """Seconds for each answer."""

    async def secret(self, request: SecretRequest) -> Secret:
        self.questions.append(request)
        assert self.answers, f"nobody expects to be asked: {request.question}"
        answer = self.answers.pop(0)
        await asyncio.sleep(self.takes)
        if isinstance(answer, BaseException):
            raise answer
        return Secret.from_text(answer)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    folder = tmp_path / "bench"
    folder.mkdir()
    with bench_in(folder) as bench:
        yield bench


@pytest.fixture
def typist() -> Typist:
    return Typist()


class Reach:
    """The hosts of a site, for a person who types."""

    def __init__(self, site: Site, person: Typist) -> None:
        self.hosts = Hosts(site, Redactor())
        self._person = cast("Operator", person)

    async def connection(self, name: str) -> Connection:
        return await self.hosts.connection(name, self._person)


OpenHosts = Callable[[Site], Reach]


@pytest.fixture
async def open_hosts(typist: Typist) -> AsyncIterator[OpenHosts]:
    """Hosts of a site, closed with the test."""
    opened: list[Reach] = []

    def make(site: Site) -> Reach:
        opened.append(Reach(site, typist))
        return opened[-1]

    yield make
    for reach in opened:
        await reach.hosts.close()


@pytest.fixture
def own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for Ansible's files that no other test or program uses."""
    folder = tmp_path / "memory"
    folder.mkdir()
    folder.chmod(0o1777)
    monkeypatch.setattr(ansible_run, "_MEMORY", folder)
    return folder
