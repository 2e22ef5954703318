"""One picture of each look, as docs/configuration.md shows them."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from syrupy.assertion import SnapshotAssertion
from textual.app import App

from runbook.errors import ExitCode
from runbook.preferences import Preferences, ThemeName
from screens.app import RunbookApp
from tests.screens.conftest import Driven, Svg
from tests.screens.contrast import DARK_PALETTES
from tests.screens.every_state import until_still
from tests.screens.samples import sample_session
from tests.screens.test_pictures import RED

NAMED = [name for name in ThemeName if name is not ThemeName.AUTO]


def in_xterm(app: App[ExitCode]) -> str:
    """The screen as SVG, in the sixteen colours that xterm has where it uses the terminal's."""
    width, height = app.size
    console = Console(
        width=width, height=height, file=io.StringIO(), force_terminal=True, color_system="truecolor", record=True
    )
    console.print(app.screen._compositor.render_update(full=True, simplify=True))
    return console.export_svg(title=app.title, theme=DARK_PALETTES["xterm"], unique_id="look")


@pytest.mark.parametrize("name", NAMED)
async def test_each_look(name: ThemeName, snapshot: SnapshotAssertion) -> None:
    app = RunbookApp(sample_session(rehearsal=True, A1_slots=RED)[0], Preferences(name))
    async with app.run_test(size=(100, 26)) as pilot:
        driven = Driven(app, pilot, [], [])
        await driven.settle()
        await driven.press("c")
        await driven.until("A1.slots failed")
        await until_still(pilot)
        assert in_xterm(app) == snapshot(extension_class=Svg)
