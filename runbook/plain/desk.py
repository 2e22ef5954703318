"""The driver's place in line mode: the run, and what can be looked at and done in it between two decisions."""

from __future__ import annotations

from collections.abc import Iterable

from runbook.plain.around import Around, Lent, Seen
from runbook.run.session import Session, Walk


class Desk:
    """Of one run under way."""

    def __init__(self, session: Session, walk: Walk, seen: Seen, terminal: Lent) -> None:
        self.walk = walk
        self._session = session
        self._around = Around(seen, session.run_folder, session.runbook_path, terminal, session.stages)

    def grave(self, step: str) -> bool:
        """Whether a person must look before this step, even where the run goes on by itself."""
        return self._session.runbook.step(step).irreversible

    async def do(self, word: str, rest: str, at: str) -> Iterable[str]:
        """What is said to a word of `runbook.plain.around.WORDS`; raises RunbookError."""
        return await self._around.do(word, rest, at, self.walk.head)
