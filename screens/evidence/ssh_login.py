"""An SSH certificate and the host that let its holder in."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from checks.evidence.ssh_login import SshLogin
from screens.columns import Cell, pairs, wrap
from screens.evidence.fingerprints import side_by_side
from screens.evidence.pane import Pane, draws, span
from screens.words import verdict


@draws(SshLogin)
class SshLoginPane(Pane[SshLogin]):
    """Each statement with its tick or cross, the two keys of an SSH CA, and how the host was reached."""

    heading = "SSH certificate"

    def lines(self, width: int) -> Iterator[Content]:
        login = self.evidence
        rows: list[tuple[str, Cell]] = [
            ("key id", Content.styled(login.key_id, "bold")),
            ("principals", ", ".join(login.principals) or "none: anybody"),
            ("serial", login.serial),
            ("valid", span(login.begins, login.ends)),
            ("from", f"{login.server}, provisioner {login.provisioner}"),
            *(("" if number else "options", option) for number, option in enumerate(login.options)),
        ]
        yield from pairs(rows, width)
        yield Content("")
        for statement in login.statements:
            yield from wrap(verdict(statement.holds, statement.text, statement.text), width, hang=2)
        yield Content("")
        yield from side_by_side(login.ca, width, self)
        if login.reached:
            yield Content("")
            yield from wrap(Content.styled(f"{login.account} at {login.host}", "bold"), width)
        for line in login.reached:
            yield from wrap(line, width, indent=2, hang=2)
