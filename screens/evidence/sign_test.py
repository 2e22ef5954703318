"""The sign test: what was signed and how, the signature, and both verifications."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from checks.evidence.sign_test import SignTest
from runbook.groups import groups
from screens.columns import pairs, wrap
from screens.evidence.pane import Pane, draws
from screens.words import QUIET, verdict


@draws(SignTest)
class SignTestPane(Pane[SignTest]):
    """The two halves of an ECDSA signature are shown apart, r first."""

    heading = "Sign test"

    def lines(self, width: int) -> Iterator[Content]:
        test = self.evidence
        elliptic = test.key_type.startswith("EC")
        yield from pairs(
            [
                ("token", test.token),
                ("key", f"id {test.key_id}, {test.key_type}"),
                ("statement", test.statement),
                ("mechanism", test.mechanism),
                ("hashed by", test.hashed_by),
            ],
            width,
        )
        yield Content("")
        yield Content.styled("verified in software with", QUIET)
        rows = [("token's own key", _verified(test.verified_by_token_key))]
        if test.verified_by_artefact is not None:
            rows.append((test.artefact, _verified(test.verified_by_artefact)))
        for name, found in rows:
            yield from wrap(Content.assemble(found, "  ", name), width, indent=2, hang=2)
        if test.verified_by_artefact is None:
            yield from wrap(Content.styled("no artefact was given to verify it with", QUIET), width, indent=2)
        yield Content("")
        yield from pairs([("signature", f"{test.length} bytes" + (", r‖s" if elliptic else ""))], width)
        halves = zip("rs", test.halves, strict=True) if elliptic else [("", test.signature)]
        for name, value in halves:
            yield from _half(name, value, width)


def _half(name: str, value: str, width: int) -> Iterator[Content]:
    """Hex in groups of four bytes, as many as the width holds."""
    per_row = max(1, min(6, (width - 4) // 9))
    for number, row in enumerate(groups(value, 8, per_row)):
        head = Content.styled(f"  {name if number == 0 else ' '} ", QUIET)
        yield from wrap(Content.assemble(head, " ".join(group.text for group in row)), width, hang=4)


def _verified(good: bool) -> Content:
    return verdict(good, "verified", "NOT verified")
