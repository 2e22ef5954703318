"""Keys and fingerprints side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from textual.content import Content

from checks.evidence.fingerprints import Fingerprint, FingerprintPair, KeyMatch, PaperFingerprint
from screens.columns import pairs, wrap
from screens.evidence.pane import Pane, draws
from screens.fingerprints import compared, drawn, shown
from screens.words import CALM, QUIET, verdict


def side_by_side(pair: FingerprintPair, width: int, pane: Pane[Any]) -> Iterator[Content]:
    """Form, both sides and what differs; OpenSSH's randomart of its keys where the pane is to show it."""
    yield from wrap(Content.styled(pair.form, f"bold {CALM}"), width)
    yield from compared(pair.left_title, pair.left, pair.right_title, pair.right, width)
    if found := pair.pictures:
        yield Content("")
        yield from wrap(
            Content.styled(f"{'▾' if pane.pictures else '▸'} randomart (key {pane.pictures_key})", QUIET), width
        )
        if pane.pictures:
            left, right = found
            yield from drawn(pair.left_title, left, pair.right_title, right, width)


@draws(FingerprintPair)
class FingerprintPane(Pane[FingerprintPair]):
    """One form on two sides."""

    heading = "Fingerprint"

    def lines(self, width: int) -> Iterator[Content]:
        yield from side_by_side(self.evidence, width, self)


@draws(Fingerprint)
class SingleFingerprintPane(Pane[Fingerprint]):
    """One form of one thing."""

    heading = "Fingerprint"

    def lines(self, width: int) -> Iterator[Content]:
        one = self.evidence
        yield from shown([(f"{one.form} of {one.title}", one.value)], width)


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
            yield from side_by_side(pair, width, self)
        if match.certificate:
            yield Content("")
            yield from wrap(Content.styled(f"the certificate {match.certificate[0].title}", f"bold {CALM}"), width)
            yield from shown([(one.form, one.value) for one in match.certificate], width)


@draws(PaperFingerprint)
class PaperFingerprintPane(Pane[PaperFingerprint]):
    """What the paper says beside what was computed."""

    heading = "Paper and file"

    def lines(self, width: int) -> Iterator[Content]:
        paper = self.evidence
        method = "typed blind, compared by the program" if paper.method == "blind" else paper.method
        hidden = [("hidden", "what was computed, where it differs: a further try is blind too")] if paper.veiled else []
        yield from pairs([("file", paper.file), ("subject", paper.subject), ("method", method), *hidden], width)
        yield Content("")
        yield from side_by_side(paper.pair, width, self)
