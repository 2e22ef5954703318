"""`python -m tests.secrecy.hostile NAME`: the sample run in a terminal, with hostile text wherever text can come."""

from __future__ import annotations

import sys
from contextlib import suppress

from runbook.errors import PromptCancelled
from runbook.outcome import Outcome
from runbook.preferences import Preferences
from runbook.record import events as ev
from runbook.text import MAX_TEXT, clean_line
from screens.main import run_session
from tests.screens.samples import EVIDENCE, sample_session
from tests.screens.scripted import ScriptedWalk
from tests.screens.test_foreign import HOSTILE, evidence, requests

TEXTS = {
    "sequences": "".join(HOSTILE[name] for name in ("escape", "clipboard", "controls", "backslashes")),
    "letters": "".join(HOSTILE[name] for name in ("bidi", "zero width", "combining", "wide", "lone surrogate")),
    "markup": " ".join(
        HOSTILE[name] for name in ("closing markup", "bold markup", "variable", "long", "lines", "unclosed markup")
    ),
    "a megabyte": "\x1b]52;c;aGFja2Vk\x07\u202e[/x]" * 50_000,
}


def main(name: str) -> int:
    """Nothing is cleaned here as it is where it enters: this is about the last line before the terminal."""
    text = TEXTS[name]

    async def ask(walk: ScriptedWalk, step: str) -> Outcome:
        # A megabyte is cut to a line where it enters; no prompt is made for more.
        for method, request in requests(text if len(text) < MAX_TEXT else clean_line(text)):
            with suppress(PromptCancelled):
                await getattr(walk.operator, method)(request)
        return Outcome.passed(text, EVIDENCE["statements"][0])

    async def show(walk: ScriptedWalk, step: str) -> Outcome:
        for line in (text, text * 2):
            walk.say(ev.StepProgress(step, line))
        walk.say(ev.NoteAdded(step, text))
        both = (*evidence(text, raw=False), *evidence(text, raw=True))
        return Outcome.failed(text, *both, remedy=text, symptom=text)

    session, _ = sample_session(rehearsal=True, P_people=ask, P_tree=show)
    return int(run_session(session, Preferences()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
