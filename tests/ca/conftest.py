"""Authorities, and servers that only pretend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.operator import SecretRequest
from runbook.secrets import Secret
from tests.ca.pki import Pair, make, make_intermediate, make_root
from tests.ca.rogue import Reply, Rogue
from tests.ca.step_ca_lab import NAME, PASSWORD
from tests.stand_in import StandIn


class Stage:
    """A root, an intermediate, and servers certified by them unless a test says otherwise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = make_root()
        self.intermediate = make_intermediate(self.root)
        self.root_file, _ = self.root.write(folder, "root_ca")
        self.intermediate_file, _ = self.intermediate.write(folder, "intermediate_ca")
        self._servers: list[Rogue] = []

    def leaf(self, name: str = NAME, issuer: Pair | None = None) -> Pair:
        return make(name, issuer or self.intermediate, sans=(name,))

    def serve(self, reply: Reply, leaf: Pair | None = None, *above: Pair) -> Rogue:
        """A server; without a leaf it has the right one."""
        given = (leaf, *above) if leaf is not None else (self.leaf(), self.intermediate)
        server = Rogue(self.folder, given[0], reply, *given[1:])
        self._servers.append(server)
        return server

    def without_tls(self, reply: Reply) -> Rogue:
        server = Rogue(self.folder, None, reply)
        self._servers.append(server)
        return server

    def close(self) -> None:
        for server in self._servers:
            server.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.close()


class Person:
    """Types this password, once."""

    def __init__(self, password: str = PASSWORD) -> None:
        self.password = password
        self.asked: list[SecretRequest] = []
        self.given: list[Secret] = []

    async def secret(self, request: SecretRequest) -> Secret:
        self.asked.append(request)
        assert len(self.asked) == 1, "asked twice"
        self.given.append(Secret.from_text(self.password))
        return self.given[-1]


@pytest.fixture
def context(tmp_path: Path) -> StandIn:
    folder = tmp_path / "attachments"
    folder.mkdir()
    return StandIn(folder, operator=Person())
