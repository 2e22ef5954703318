"""The runbook in the person's editor, at the step that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook.editor import runbook_page, show
from runbook.threads import in_thread
from screens.terminal import lender

if TYPE_CHECKING:
    from screens.base_app import BaseApp
    from screens.run_view import RunView


async def edit(app: BaseApp, view: RunView) -> None:
    """Until the editor is left; a step that is at work goes on meanwhile."""
    state, step = view.state, view.shown
    page = await in_thread(lambda: runbook_page(state, app.run_folder, app.runbook_path, step))
    await show(page, lender(app))
