"""Slots and tokens: what there is, which one is meant, and what was expected beside what was found."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from checks.evidence.slots import SlotInfo, SlotTable
from screens.columns import Cell, pairs, table, wrap
from screens.evidence.pane import Pane, draws
from screens.words import BAD, CALM, QUIET, verdict


@draws(SlotTable)
class SlotsPane(Pane[SlotTable]):
    """A row for each slot, its token's flags by name under it."""

    heading = "Slots and tokens"

    def lines(self, width: int) -> Iterator[Content]:
        evidence = self.evidence
        rows = [self._row(slot) for slot in evidence.slots]
        yield from table(("", "slot", "label", "serial", "PIN"), rows, width)
        if not rows:
            yield Content.styled("  the module shows no slot", f"bold {BAD}")
        yield Content("")
        yield from self._expected(width)
        for problem in evidence.problems:
            yield from wrap(verdict(False, "", problem), width)
        for slot in evidence.slots:
            yield from self._flags(slot, width)
        yield Content("")
        yield from pairs([("module", evidence.module)], width)

    def _row(self, slot: SlotInfo) -> tuple[Cell, ...]:
        meant = Content.styled("→", f"bold {CALM}") if slot.slot_id == self.evidence.selected else Content(" ")
        token = slot.token
        if token is None:
            return meant, str(slot.slot_id), Content.styled("empty", QUIET), "", ""
        label: Cell = token.label if token.initialised else f"{token.label} (not initialised)"
        return meant, str(slot.slot_id), label, token.serial, f"{token.min_pin}–{token.max_pin}"

    def _flags(self, slot: SlotInfo, width: int) -> Iterator[Content]:
        if slot.token is None:
            return
        token = slot.token
        yield Content("")
        made = f"{token.manufacturer} {token.model}, firmware {token.firmware_version}"
        yield from wrap(Content.styled(f"token in slot {slot.slot_id}: {made}", QUIET), width)
        yield from wrap("  ".join(token.flags), width, indent=2)

    def _expected(self, width: int) -> Iterator[Content]:
        evidence = self.evidence
        tokens = [slot.token for slot in evidence.slots if slot.token is not None]
        chosen = next((slot.token for slot in evidence.slots if slot.slot_id == evidence.selected), None)
        shown = [chosen] if chosen else tokens
        rows = []
        for name, wanted, found in (
            ("label", evidence.expected_label, [token.label for token in shown]),
            ("serial", evidence.expected_serial, [token.serial for token in shown]),
        ):
            if wanted:
                good = bool(found) and all(_same(name, wanted, value) for value in found)
                rows.append((name, wanted, ", ".join(found) or "–", verdict(good, "as expected", "different")))
        if rows:
            yield from table(("", "expected", "found", ""), rows, width)


def _same(name: str, wanted: str, found: str) -> bool:
    """Labels are matched as the token's selection does: OpenSC adds the PIN's name in brackets."""
    return found == wanted or (name == "label" and found == f"{wanted} (UserPIN)")
