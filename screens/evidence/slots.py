"""Slots and tokens: what there is, which one is meant, and what was expected beside what was found."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from checks.evidence.slots import SlotInfo, SlotTable
from screens.columns import Cell, against, flow, pairs, table, wrap
from screens.evidence.pane import Pane, draws
from screens.words import BAD, CALM, QUIET, verdict


@draws(SlotTable)
class SlotsPane(Pane[SlotTable]):
    """A row for each slot, its token's flags by name under it."""

    heading = "Slots and tokens"

    def lines(self, width: int) -> Iterator[Content]:
        evidence = self.evidence
        rows = [self._row(slot) for slot in evidence.slots]
        if rows:
            head = ("", "slot", "label", "serial", "PIN")
            yield from table(head, rows, width, under=[_under(slot, width - 3) for slot in evidence.slots])
        else:
            yield Content.styled("✗ the module shows no slot", f"bold {BAD}")
        yield Content("")
        if evidence.expected_label or evidence.expected_serial:
            yield from against(list(self._expected()), width)
        for problem in evidence.problems:
            yield from wrap(verdict(False, "", problem), width, hang=2)
        yield from pairs([("module", evidence.module)], width)

    def _row(self, slot: SlotInfo) -> tuple[Cell, ...]:
        meant = Content.styled("→", f"bold {CALM}") if slot.slot_id == self.evidence.selected else Content(" ")
        token = slot.token
        if token is None:
            return meant, str(slot.slot_id), Content.styled("empty", QUIET), "", ""
        label: Cell = Content.styled(token.label, "bold") if token.initialised else f"{token.label} (not initialised)"
        return meant, str(slot.slot_id), label, token.serial, f"{token.min_pin}–{token.max_pin}"

    def _expected(self) -> Iterator[tuple[str, str, str, bool]]:
        evidence = self.evidence
        tokens = [slot.token for slot in evidence.slots if slot.token is not None]
        chosen = next((slot.token for slot in evidence.slots if slot.slot_id == evidence.selected), None)
        shown = [chosen] if chosen else tokens
        for name, wanted, found in (
            ("label", evidence.expected_label, [token.label for token in shown]),
            ("serial", evidence.expected_serial, [token.serial for token in shown]),
        ):
            if wanted:
                good = bool(found) and all(_same(name, wanted, value) for value in found)
                yield name, wanted, ", ".join(found) or "–", good


def _under(slot: SlotInfo, width: int) -> Content:
    """Who made the token, its limits, and its flags by name."""
    token = slot.token
    if token is None:
        return Content("")
    made = f"{token.manufacturer} {token.model}, firmware {token.firmware_version}"
    return Content.assemble((f"{made}\n", QUIET), flow(token.flags, width))


def _same(name: str, wanted: str, found: str) -> bool:
    """Labels are matched as the token's selection does: OpenSC adds the PIN's name in brackets."""
    return found == wanted or (name == "label" and found == f"{wanted} (UserPIN)")
