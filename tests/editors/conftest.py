"""A YAML language server with the schemas of this program, as an editor beside a runbook has them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editors.language_server import Editor, editor

PACKAGES = Path(sys.prefix) / "npm"
"""Where `make test` installs the npm packages."""


@pytest.fixture(scope="session")
def server() -> Iterator[Editor]:
    with editor(PACKAGES) as started:
        yield started
