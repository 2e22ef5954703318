"""Objects on a token: keys and certificates, with those that are missing or too many."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from checks.evidence.objects import ObjectInfo, ObjectTable
from screens.columns import Cell, table, wrap
from screens.evidence.pane import Pane, draws
from screens.words import BAD, CALM, DOUBT, GOOD, QUIET


@draws(ObjectTable)
class ObjectsPane(Pane[ObjectTable]):
    """A row for each object; expected ids are ticked."""

    heading = "Objects on the token"

    def lines(self, width: int) -> Iterator[Content]:
        found = self.evidence
        yield from wrap(Content.assemble(("token  ", QUIET), found.token), width, hang=7)
        yield Content("")
        rows = [self._row(item) for item in found.objects]
        under = [Content.styled(_attributes(item), QUIET) for item in found.objects]
        yield from table(("", "id", "class", "label", "type"), rows, width, under=under)
        if not rows:
            yield Content.styled("  no object is visible", f"bold {DOUBT}")
        if found.missing or found.surplus or found.problems:
            yield Content("")
        for word, style, texts in (
            ("✗ missing", BAD, found.missing),
            ("+ surplus", DOUBT, found.surplus),
            ("✗", BAD, found.problems),
        ):
            for text in texts:
                yield from wrap(Content.assemble((f"{word} ", f"bold {style}"), text), width, hang=2)

    def _row(self, item: ObjectInfo) -> tuple[Cell, ...]:
        expected = self.evidence.expected_ids
        sign = Content.styled("✓", GOOD) if item.id in expected else Content.styled("+" if expected else " ", DOUBT)
        name = item.object_class.removeprefix("CKO_").lower().replace("_", " ")
        return sign, Content.styled(item.id, f"bold {CALM}"), name, item.label, item.key_type


def _attributes(item: ObjectInfo) -> str:
    said = {
        "sensitive": item.sensitive,
        "extractable": item.extractable,
        "always sensitive": item.always_sensitive,
        "never extractable": item.never_extractable,
        "local": item.local,
    }
    return ", ".join(name if value else f"not {name}" for name, value in said.items() if value is not None)
