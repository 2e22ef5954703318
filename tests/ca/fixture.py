"""Authorities for tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ca.step_ca_lab import StepCa


@pytest.fixture(scope="session")
def step_ca(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StepCa]:
    """A real step-ca with six provisioners; nobody stops it."""
    made = StepCa(tmp_path_factory.mktemp("step-ca") / "ca")
    try:
        made.start()
        yield made
    finally:
        made.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test that needs it waits while step-ca is built, where no rehearsal has done so before."""
    for item in items:
        if "step_ca" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(900))
