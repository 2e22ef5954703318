"""Keys and fingerprints side by side."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from checks.evidence.fingerprints import FingerprintPair, KeyMatch, PaperFingerprint
from screens.columns import pairs, wrap
from screens.evidence.pane import Pane, draws
from screens.fingerprints import compared
from screens.words import CALM, verdict


def _pair(pair: FingerprintPair, width: int) -> Iterator[Content]:
    yield from wrap(Content.styled(pair.form, f"bold {CALM}"), width)
    yield from compared(pair.left_title, pair.left, pair.right_title, pair.right, width)


@draws(FingerprintPair)
class FingerprintPane(Pane[FingerprintPair]):
    """One form on two sides."""

    heading = "Fingerprint"

    def lines(self, width: int) -> Iterator[Content]:
        yield from _pair(self.evidence, width)


@draws(KeyMatch)
class KeyMatchPane(Pane[KeyMatch]):
    """The key on the token beside the artefact that should hold the same key."""

    heading = "Key match"

    def lines(self, width: int) -> Iterator[Content]:
        match = self.evidence
        yield from pairs(
            [
                ("token", match.token),
                ("key", f"id {match.key_id}, {match.key_type}"),
                ("artefact", match.artefact),
                ("format", match.artefact_format),
                ("verdict", verdict(match.matches, "the same key", "NOT the same key")),
            ],
            width,
        )
        for pair in match.pairs:
            yield Content("")
            yield from _pair(pair, width)


@draws(PaperFingerprint)
class PaperFingerprintPane(Pane[PaperFingerprint]):
    """What the paper says beside what was computed."""

    heading = "Paper and file"

    def lines(self, width: int) -> Iterator[Content]:
        paper = self.evidence
        method = "typed blind, compared by the program" if paper.method == "blind" else paper.method
        shown = [("hidden", "what was computed, where it differs: a further try is blind too")] if paper.veiled else []
        yield from pairs([("file", paper.file), ("subject", paper.subject), ("method", method), *shown], width)
        yield Content("")
        yield from _pair(paper.pair, width)
