"""A lab that several tests look at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rehearsal.lab import Lab, make_lab


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    made = make_lab(None, None, lambda _: None)
    yield made
    made.remove()
