"""sshds on loopback ports, and a person at the keyboard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from checks.hosts.hosts import Hosts
from runbook.operator import SecretRequest
from runbook.secrets import Redactor, Secret
from runbook.site import Site
from tests.hosts.ssh_bench import Bench, bench_in


class Typist:
    """Types what it was given, in order; keeps the questions."""

    def __init__(self) -> None:
        self.answers: list[str | BaseException] = []
        self.questions: list[SecretRequest] = []

    async def secret(self, request: SecretRequest) -> Secret:
        self.questions.append(request)
        assert self.answers, f"nobody expects to be asked: {request.question}"
        answer = self.answers.pop(0)
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


OpenHosts = Callable[[Site], Hosts]


@pytest.fixture
async def open_hosts() -> AsyncIterator[OpenHosts]:
    """Hosts of a site, closed with the test."""
    opened: list[Hosts] = []

    def make(site: Site) -> Hosts:
        opened.append(Hosts(site, Redactor()))
        return opened[-1]

    yield make
    for hosts in opened:
        await hosts.close()
