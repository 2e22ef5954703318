"""A Context for checks run without an engine: answers from a script, events in a list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from checks.hsm.pool import TokenPool
from runbook.context import Resource
from runbook.events import Event
from runbook.operator import ConfirmRequest, PinRequest
from runbook.secrets import Redactor, Secret
from runbook.site import Site


class ScriptedPins:
    """Gives the PINs and confirmations it was made with, and keeps every request and every Secret it gave."""

    def __init__(self, *pins: str, confirm: bool = True) -> None:
        self.pins = list(pins)
        self.confirm_answer = confirm
        self.requests: list[PinRequest] = []
        self.confirms: list[ConfirmRequest] = []
        self.given: list[Secret] = []

    async def pin(self, request: PinRequest) -> Secret:
        self.requests.append(request)
        assert self.pins, "the check asks for a PIN that the test does not expect"
        self.given.append(Secret.from_text(self.pins.pop(0)))
        return self.given[-1]

    async def confirm(self, request: ConfirmRequest) -> bool:
        self.confirms.append(request)
        return self.confirm_answer


class FakeContext:
    """What a check gets from the engine."""

    run_id = "20261121-r1"
    step_id = "A3.sign"
    runbook_title = "test"

    def __init__(self, site: Site, folder: Path, *pins: str, deadline: float = 10.0, confirm: bool = True) -> None:
        self.site = site
        self.folder = folder
        self.operator: Any = ScriptedPins(*pins, confirm=confirm)
        self.redactor = Redactor()
        self.events: list[Event] = []
        self.lines: list[str] = []
        self.pool = TokenPool(site, self.redactor, deadline=deadline)

    async def record(self, event: Event) -> None:
        self.events.append(event)

    def progress(self, line: str) -> None:
        self.lines.append(line)

    async def use(self, resource: type[Resource]) -> Any:
        assert resource is TokenPool
        return self.pool

    async def ask_input(self, name: str) -> str:
        raise AssertionError(f"no check here asks for an input, and this one asked for {name}")
