"""What a certificate authority said and gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from textual.content import Content

from checks.evidence.ca import (
    BootstrapSeen,
    CertificateIssued,
    Listed,
    ProvisionersListed,
    ServerAnswer,
    Statement,
)
from screens.columns import Cell, pairs, table, wrap
from screens.evidence.chain import tree
from screens.evidence.fingerprints import side_by_side
from screens.evidence.pane import Pane, draws, octets, span, when
from screens.words import BAD, QUIET, verdict

_STATES = {
    Listed.EXPECTED: "there",
    Listed.SURPLUS: "not expected",
    Listed.MISSING: "missing",
    Listed.WRONG_TYPE: "of another type",
}


def _said(statements: Iterable[Statement], width: int) -> Iterator[Content]:
    """What does not hold comes first."""
    for one in sorted(statements, key=lambda one: one.holds):
        yield from wrap(verdict(one.holds, one.text, one.text), width, hang=2)


@draws(ServerAnswer)
class AnswerPane(Pane[ServerAnswer]):
    """The answer, and who gave it."""

    heading = "Answer over HTTPS"

    def lines(self, width: int) -> Iterator[Content]:
        answer = self.evidence
        status = verdict(answer.right, answer.status, f"{answer.status}; expected {answer.expected}")
        rows: list[tuple[str, Cell]] = [
            ("URL", Content.styled(answer.url, "bold")),
            ("status", Content.assemble(status, (f"  {octets(answer.size)}", QUIET))),
            ("server", answer.server),
            ("trusting", answer.trusting),
            ("TLS", answer.tls),
        ]
        if not answer.chain:
            rows += [
                ("certificate", answer.subject),
                ("issued by", answer.issuer),
                ("until", when(answer.ends)),
                ("SHA-256", answer.sha256),
            ]
        yield from pairs(rows, width)
        if answer.chain:
            yield Content("")
            yield from tree(answer.chain, width)


@draws(ProvisionersListed)
class ProvisionersPane(Pane[ProvisionersListed]):
    """A row for each provisioner, those that are not right with a word of why."""

    heading = "Provisioners"

    def lines(self, width: int) -> Iterator[Content]:
        listed = self.evidence
        counted = f"{listed.found} there, {listed.expected} expected"
        states = Counter(_STATES[row.state] for row in listed.rows if row.state is not Listed.EXPECTED)
        wrong = ", ".join(f"{count} {word}" for word, count in states.items())
        yield from pairs(
            [("server", listed.server), ("found", counted), ("verdict", verdict(listed.right, "the same", wrong))],
            width,
        )
        yield Content("")
        rows: list[tuple[Cell, Cell, Cell]] = []
        for row in sorted(listed.rows, key=lambda row: row.state is Listed.EXPECTED):
            why = _STATES[row.state] + (f", expected {row.expected}" if row.expected else "")
            rows.append((row.type, row.name, verdict(row.state is Listed.EXPECTED, why, why)))
        yield from table(("type", "name", ""), rows, width)


@draws(CertificateIssued)
class CertificatePane(Pane[CertificateIssued]):
    """The certificate, what was judged about it, and its way to the root."""

    heading = "Certificate issued"

    def lines(self, width: int) -> Iterator[Content]:
        issued = self.evidence
        yield from pairs(
            [
                ("subject", Content.styled(issued.subject, "bold")),
                ("names", ", ".join(issued.names) or "none"),
                ("serial", issued.serial),
                ("valid", span(issued.begins, issued.ends)),
                ("key", issued.key),
                ("signed", f"with {issued.signed_with}"),
                ("from", issued.server),
                ("by", f"the provisioner {issued.provisioner}"),
            ],
            width,
        )
        yield Content("")
        yield from _said(issued.statements, width)
        if issued.chain:
            yield Content("")
            yield from tree(issued.chain, width)
        if issued.openssl:
            yield Content("")
        for line in issued.openssl:
            yield from wrap(Content.styled(line, QUIET), width, hang=2)


@draws(BootstrapSeen)
class BootstrapPane(Pane[BootstrapSeen]):
    """What a client gets that bootstraps: a failure here is an alarm."""

    heading = "Bootstrap"

    def lines(self, width: int) -> Iterator[Content]:
        seen = self.evidence
        root = [("root", Content.styled(seen.subject, "bold"))] if seen.subject else []
        yield from pairs([("server", seen.server), *root], width)
        yield Content("")
        yield from _said(seen.statements, width)
        if not seen.right:
            yield from wrap(Content.styled("Nobody may bootstrap until this is understood.", f"bold {BAD}"), width)
        if seen.pair is not None:
            yield Content("")
            yield from side_by_side(seen.pair, width, self)
        if seen.chain:
            yield Content("")
            yield from tree(seen.chain, width)
