"""Small kinds, a small runbook, and edits that break it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from runbook.context import Context
from runbook.fields import Line, Model
from runbook.files.problems import Problem
from runbook.kind import Action, Attestation, Check, InputName, Kind, Params, TokenName
from runbook.model import Role
from runbook.outcome import Outcome


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error.msg}") from None
    return text


class Expected(Model):
    """What is expected of one object."""

    id: Line = Field(description="CKA_ID in hex.")
    size: int = Field(256, gt=0, description="Bits.")


class SlotsParams(Params):
    """Keys of `slots`."""

    token: TokenName
    count: int = Field(1, ge=0, description="How many tokens there must be.")
    expect: tuple[Expected, ...] = ()
    stdout: Annotated[str, AfterValidator(_pattern)] = ""


class Slots(Check[SlotsParams]):
    """Lists the slots and finds the token.

    More about it.
    """

    name = "slots"
    Params = SlotsParams
    symptoms = {"no token": "No slot holds a token.", "two tokens": "More than one token answers."}  # noqa: RUF012

    async def run(self, ctx: Context) -> Outcome:
        raise NotImplementedError


class PaperParams(Params):
    """Keys of `paper`."""

    input: InputName
    file: Line = "root.crt"


class Paper(Check[PaperParams]):
    """Compares with paper."""

    name = "paper"
    Params = PaperParams

    async def run(self, ctx: Context) -> Outcome:
        raise NotImplementedError


class WipeParams(Params):
    """Keys of `wipe`."""

    volume: Line
    tokens: tuple[TokenName, ...] = ()


class Wipe(Action[WipeParams]):
    """Wipes a volume."""

    name = "wipe"
    Params = WipeParams

    async def run(self, ctx: Context) -> Outcome:
        raise NotImplementedError


class AttestParams(Params):
    """The statements."""

    statements: tuple[Line, ...] = Field(min_length=1)


class Attest(Attestation[AttestParams]):
    """A person says that something is so."""

    name = "attest"
    Params = AttestParams

    async def run(self, ctx: Context) -> Outcome:
        raise NotImplementedError


KINDS: dict[tuple[Role, str], type[Kind[Any]]] = {
    (Role.CHECK, "slots"): Slots,
    (Role.CHECK, "paper"): Paper,
    (Role.ACTION, "wipe"): Wipe,
    (Role.ATTESTATION, "attest"): Attest,
}

GOOD = """\
runbook: 1
id: demo
title: A small runbook
roles: [driver, witness]
inputs:
  serial: {type: string, pattern: '[A-Z]{4}[0-9]{7}', ask: Serial, source: paper}
  fingerprint: {type: sha256, ask: Fingerprint, source: paper}
  mount: {type: directory, ask: Where, source: site}
facts:
  seated: The dongle is seated
  ours: The token is ours
stages:
  - id: A
    title: Look
    steps:
      - id: A1
        title: Seated
        attest: The dongle is seated
        establishes: [seated]
      - id: A2
        title: Slots
        check: slots
        token: intermediate
        count: 1
        expect:
          - id: 01
            size: 384
        stdout: 'ok {{ serial }}'
        requires: [seated]
        establishes: [ours]
        hints:
          - when: no token
            likely: Not seated
            try: {run: [lsusb]}
      - id: A3
        title: Paper
        check: paper
        input: fingerprint
        file: '{{ mount }}/root.crt'
        requires: [ours]
  - id: B
    title: Wipe
    steps:
      - id: B1
        title: Wipe it
        action: wipe
        volume: ca-data
        irreversible: true
        gate: {after: [A], phrase: 'WIPE {{ volume }}', two_person: true}
        probe: {check: slots, token: intermediate}
        backout: [Restore the snapshot]
"""

SITE = """\
site: 1
name: Here
tokens:
  intermediate: {module: /usr/lib/x.so, label: ccat, serial: DENK0100001}
two_people:
  allowed_signers: signers
  people:
    anna: {principal: anna@here, may: [drive]}
    ben: {principal: ben@here}
inputs:
  mount: /mnt/usb
"""


Problems = Callable[[str], list[Problem]]


@dataclass(frozen=True)
class Edit:
    """A change of the good runbook; `§` in the new text marks the place where the problem is told."""

    old: str
    new: str

    def apply(self, text: str) -> tuple[str, tuple[int, int]]:
        """The changed text and the line and column of the mark."""
        assert text.count(self.old) >= 1, f"{self.old!r} is not in the runbook"
        marked = text.replace(self.old, self.new, 1)
        before = marked[: marked.index("§")].split("\n")
        return marked.replace("§", ""), (len(before), len(before[-1]) + 1)
