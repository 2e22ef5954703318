"""A git working tree: branch, commit, upstream, and what is not committed."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from checks.evidence.files import GitTree
from screens.columns import pairs
from screens.evidence.pane import Pane, draws
from screens.words import DOUBT, verdict


@draws(GitTree)
class GitPane(Pane[GitTree]):
    """Expected branch beside the one found."""

    heading = "Git working tree"

    def lines(self, width: int) -> Iterator[Content]:
        tree = self.evidence
        right = tree.branch == tree.expected_branch
        behind = f"{tree.ahead} ahead, {tree.behind} behind, as last fetched"
        yield from pairs(
            [
                ("folder", tree.folder),
                ("branch", verdict(right, tree.branch, f"{tree.branch}, expected {tree.expected_branch}")),
                ("commit", tree.commit),
                ("upstream", f"{tree.upstream}: {behind}" if tree.upstream else Content.styled("none", DOUBT)),
                ("changes", verdict(not tree.changes, "none", f"{len(tree.changes)} not committed")),
                *(("", change) for change in tree.changes),
            ],
            width,
        )
