"""Foreign text in what is sought, in what is found and in the names of commands."""

from __future__ import annotations

from runbook.model import Runbook
from runbook.outcome import Outcome
from screens.app import RunbookApp
from screens.help_screen import HelpEntry
from tests.screens.conftest import Drive, Driven
from tests.screens.samples import RUNBOOK
from tests.screens.scripted import ends
from tests.screens.scripted import session as scripted_session
from tests.screens.test_foreign import corpus, harmless
from tests.screens.test_palette import opened, typed


@corpus
async def test_what_is_sought(drive: Drive, text: str) -> None:
    """Pasted where one types, and kept beside the keys."""
    async with drive(P_people=ends(Outcome.failed(text))) as d:
        await d.press("r", "slash")
        await d.paste(text)
        harmless(d)
        await d.press("enter")
        harmless(d)
        await d.press("escape", "tab", "slash")
        await d.paste(text)
        harmless(d)


@corpus
async def test_names_of_commands(text: str) -> None:
    """A runbook takes no such titles; were there one, nothing would come of it."""
    stages = tuple(
        stage.model_copy(
            update={"title": text, "steps": tuple(step.model_copy(update={"title": text}) for step in stage.steps)}
        )
        for stage in RUNBOOK.stages
    )
    runbook: Runbook = RUNBOOK.model_copy(update={"stages": stages})
    session, _ = scripted_session(runbook, {})
    app = RunbookApp(session)
    async with app.run_test() as pilot:
        d = Driven(app, pilot, [], [])
        await d.settle()
        await opened(d)
        harmless(d)
        await d.paste(text)
        await typed(d)
        harmless(d)
        await d.press("escape", "slash", "text:a", "down")
        harmless(d)


@corpus
async def test_what_is_sought_in_the_help(drive: Drive, text: str) -> None:
    async with drive() as d:
        await d.press("question_mark", "slash")
        await d.paste(text)
        assert d.app.screen.query_one(HelpEntry).display
        harmless(d)
