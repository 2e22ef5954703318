"""Slots and tokens as PKCS#11 shows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from runbook.outcome import Evidence, ForeignLine


class TokenInfo(Evidence):
    """CK_TOKEN_INFO (PKCS#11 v2.40 §3.2)."""

    kind: ClassVar[str] = "token"
    label: ForeignLine
    manufacturer: ForeignLine
    model: ForeignLine
    serial: ForeignLine
    flags: tuple[ForeignLine, ...]
    """Names such as `CKF_LOGIN_REQUIRED`, in the standard's order."""
    min_pin: int
    max_pin: int
    """PIN length limits in bytes."""
    hardware_version: ForeignLine
    firmware_version: ForeignLine
    sessions: int | None = None
    max_sessions: int | None = None
    rw_sessions: int | None = None
    max_rw_sessions: int | None = None
    """Session counts; None where the token does not say, a maximum of 0 means no limit."""
    total_public_memory: int | None = None
    free_public_memory: int | None = None
    total_private_memory: int | None = None
    free_private_memory: int | None = None
    """Bytes; None where the token does not say."""
    utc_time: ForeignLine = ""
    """Of a token with a clock."""

    @property
    def initialised(self) -> bool:
        return "CKF_TOKEN_INITIALIZED" in self.flags

    @property
    def name(self) -> str:
        """Label and serial, as a person knows the token."""
        return f"{self.label} [{self.serial}]" if self.label or self.serial else "[not initialised]"

    def plain(self) -> Iterator[str]:
        yield f"token {self.name}, {self.manufacturer} {self.model}"
        yield f"  PIN {self.min_pin}–{self.max_pin} bytes; {' '.join(self.flags)}"


class SlotInfo(Evidence):
    """CK_SLOT_INFO (PKCS#11 v2.40 §3.2) and the token in the slot, if any."""

    kind: ClassVar[str] = "slot"
    slot_id: int
    description: ForeignLine
    manufacturer: ForeignLine
    flags: tuple[ForeignLine, ...]
    hardware_version: ForeignLine
    firmware_version: ForeignLine
    token: TokenInfo | None = None

    def plain(self) -> Iterator[str]:
        yield f"slot {self.slot_id}: {self.description}"
        if self.token is None:
            yield "  empty"
        else:
            yield from (f"  {line}" for line in self.token.plain())


class SlotTable(Evidence):
    """All slots of a module, and which of them holds the token that is meant."""

    kind: ClassVar[str] = "slots"
    module: ForeignLine
    slots: tuple[SlotInfo, ...]
    expected_label: ForeignLine = ""
    expected_serial: ForeignLine = ""
    selected: int | None = None
    """The slot id of the token meant, if exactly one matched."""
    problems: tuple[ForeignLine, ...] = ()
    """What differs from what was expected, one sentence each."""

    def plain(self) -> Iterator[str]:
        yield f"module {self.module}"
        yield f"expected: label {self.expected_label or 'any'}, serial {self.expected_serial or 'any'}"
        for slot in self.slots:
            mark = "→" if slot.slot_id == self.selected else " "
            yield from (f"{mark} {line}" for line in slot.plain())
        yield from (f"! {problem}" for problem in self.problems)
