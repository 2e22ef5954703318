"""A card that is exchanged under the pool is never used for what was bound to the one before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.hsm import errors
from checks.hsm.pin import read_counter
from checks.hsm.pool import TokenPool
from rehearsal.card import state
from rehearsal.faults import Fault
from rehearsal.lab import Lab, make_lab
from rehearsal.reader import CardReader
from rehearsal.smartcard import CardPlaces
from rehearsal.swap import swap
from rehearsal.token import TokenKind
from runbook.files.loader import load_site
from runbook.secrets import Redactor


@pytest.fixture
def swappable(home: Path) -> Iterator[Lab]:
    made = make_lab(home / "lab", Fault.CARD_SWAPPED, token=TokenKind.CARD)
    with CardReader(made.folder, made.mark.fault):
        yield made


async def test_the_counter_of_another_card_is_not_read_for_this_one(swappable: Lab) -> None:
    pool = TokenPool(load_site(swappable.site).model, Redactor())
    try:
        token = pool.token("intermediate")
        survey = await token.survey()
        assert survey.problem is None
        assert (await read_counter(token)).token.serial == swappable.token.serial

        await swap(CardPlaces(swappable.folder))

        for _ in range(2):  # it stays so
            with pytest.raises(errors.TokenSwapped):
                await read_counter(token)
            with pytest.raises(errors.TokenSwapped):
                await token.objects()
        other = await asyncio.to_thread(state.read, CardPlaces(swappable.folder).other)
        again = await token.survey()  # the check of the slots looks anew, and judges what it finds
        assert again.selected is not None
        assert again.selected.token is not None
        assert again.selected.token.serial == other.serial
    finally:
        await pool.close()
