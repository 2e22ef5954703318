"""Why something is not done by the book."""

from __future__ import annotations

from runbook.operator import Decision
from screens.prompts.line import LinePrompt

_WORDS = {
    Decision.SKIP: ("Skip a step", "Why is {} skipped?", "A skip is a deviation"),
    Decision.DONE: ("Take it as done", "How do you know that {} is done?", "Taking it as done is a deviation"),
    Decision.RETRY: ("Run it again", "Why is {} run again?", "Running it again is a deviation"),
    Decision.WINDOW: ("Change the window", "Why is the window changed, at {}?", "The change is a deviation"),
}


class ReasonPrompt(LinePrompt):
    """The reason stands in the record."""

    def __init__(self, step: str, decision: Decision) -> None:
        title, question, deviation = _WORDS[decision]
        super().__init__(title, question.format(step), f"{deviation}: it stands in the record with this reason.")
