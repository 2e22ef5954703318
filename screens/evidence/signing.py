"""The proof that a CA's keys are on a token."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from checks.evidence.signing import SigningProof
from screens.columns import Cell, pairs, wrap
from screens.evidence.pane import Pane, draws
from screens.fingerprints import compared
from screens.words import QUIET, verdict


@draws(SigningProof)
class SigningPane(Pane[SigningProof]):
    """Each sign with its tick or cross, then what it was read from."""

    heading = "Where the keys are"

    def lines(self, width: int) -> Iterator[Content]:
        proof = self.evidence
        yield from pairs(
            [
                ("container", Content.styled(proof.container, "bold")),
                ("engine", proof.engine),
                ("module", proof.module),
            ],
            width,
            left=_LEFT,
        )
        yield Content("")
        for problem in proof.problems:
            yield from wrap(verdict(False, "", problem), width, hang=2)
        for line in proof.right:
            yield from wrap(verdict(True, line, ""), width, hang=2)
        yield Content("")
        rows: list[tuple[str, Cell]] = [
            (name, value)
            for name, value in (
                ("process", proof.process),
                ("pcscd", proof.holder),
                *(("holds", device) for device in proof.devices),
                *(("" if number else "keys", key) for number, key in enumerate(proof.keys)),
            )
            if value
        ]
        yield from pairs(rows, width, left=_LEFT)
        if pair := proof.intermediate:
            yield Content("")
            yield from compared(pair.left_title, pair.left, pair.right_title, pair.right, width)
        for note in proof.notes:
            yield from wrap(Content.styled(f"note: {note}", QUIET), width, hang=6)


_LEFT = len("container")
"""Cells of the names, in both groups."""
