"""The bar of keys: what fits, in its order, and always the way to the help."""

from __future__ import annotations

import pytest

from screens.widgets.key_bar import GAP, KeyBar
from tests.screens.conftest import Drive


@pytest.mark.parametrize("width", [80, 90, 100, 120, 160, 200])
async def test_the_help_is_always_named(drive: Drive, width: int) -> None:
    async with drive((width, 24)) as d:
        shown = str(d.app.run_screen.query_one(KeyBar).render()).strip().split(GAP)
        assert shown[:2] == ["r run", "c continue"]
        assert shown.count("? help") == 1
        assert len(GAP.join(shown)) <= width


async def test_beside_a_search_too(drive: Drive) -> None:
    async with drive() as d:
        await d.press("slash", "text:paper", "enter")
        bottom = d.screen.splitlines()[-1]
        assert bottom.strip().startswith("/ paper")
        assert "? help" in bottom


async def test_it_is_empty_under_a_prompt(drive: Drive) -> None:
    async with drive() as d:
        bar = d.app.run_screen.query_one(KeyBar)
        await d.press("q")
        assert not str(bar.render()).strip()
