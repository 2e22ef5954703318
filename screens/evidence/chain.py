"""Certificates as a tree: the root, what it has signed, and what that has signed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content

from checks.evidence.ca import ChainLink
from runbook.groups import groups
from screens.columns import wrap
from screens.evidence.pane import Pane, draws, span, when
from screens.words import BAD, CALM, QUIET, verdict

_SHORT = 16
"""Characters of a SHA-256 that are shown; the record has all of them."""


def tree(chain: Sequence[ChainLink], width: int) -> Iterator[Content]:
    """`chain` from the certificate to the root, drawn from the root down."""
    for depth, link in enumerate(reversed(chain)):
        yield from _node(link, depth, last=depth == len(chain) - 1, width=width)


def _node(link: ChainLink, depth: int, *, last: bool, width: int) -> Iterator[Content]:
    """A certificate on its branch, and what is known about it beside the trunk."""
    branch = "   " * (depth - 1) + "└─ " if depth else ""
    trunk = "   " * depth + ("   " if last else "│  ")
    style = f"bold {BAD}" if link.problem else f"bold {CALM}"
    head = Content.assemble((f"{link.role}  ", style), (link.subject, "bold"))
    for number, line in enumerate(wrap(head, width - len(branch), hang=len(link.role) + 2)):
        yield Content.assemble((branch if number == 0 else trunk[: len(branch)], QUIET), line)
    if link.problem:
        for line in wrap(verdict(False, "", link.problem), width - len(trunk), hang=2):
            yield Content.assemble((trunk, QUIET), line)
    for name, value in _rows(link):
        for line in wrap(Content.assemble((f"{name:<9}", QUIET), value), width - len(trunk), hang=9):
            yield Content.assemble((trunk, QUIET), line)
    if not last:
        yield Content.styled(trunk.rstrip(), QUIET)


def _rows(link: ChainLink) -> Iterator[tuple[str, str]]:
    if link.key:
        yield "key", link.key
    yield "signed", f"with {link.signed_with}"
    yield "valid", span(link.begins, link.ends) if link.begins else f"until {when(link.ends)}"
    short = " ".join(group.text for row in groups(link.sha256[:_SHORT]) for group in row)
    yield "SHA-256", f"{short} …" if len(link.sha256) > _SHORT else short


@draws(ChainLink)
class LinkPane(Pane[ChainLink]):
    """One certificate."""

    heading = "Certificate"

    def lines(self, width: int) -> Iterator[Content]:
        yield from tree([self.evidence], width)
