"""A seeded sample of the campaign; `make campaign` runs all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.text import clean_line
from tests.campaign import reporting, running
from tests.campaign.cases import Place, Spot, Trouble, sample

SEED = 20261121
EACH = 2
"""Cases of each fault."""
OPERATIONS = (
    Spot(Place.ALONE, "slots"),
    Spot(Place.ALONE, "match-01"),
    Spot(Place.IN_STAGE, "counter"),
    Spot(Place.IN_STAGE, "wrong-pin"),
    Spot(Place.IN_STAGE, "sign"),
    Spot(Place.IN_STAGE, "private"),
    Spot(Place.IN_STAGE, "proof"),
)


@pytest.mark.timeout(300)
async def test_whatever_happens_to_the_card_the_program_keeps_its_promises(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = sample(await running.measure_all(OPERATIONS), SEED, EACH)
    results = [one async for one in running.run(cases)]
    (tmp_path / "campaign.json").write_bytes(reporting.to_json(results, seed=SEED))
    with capsys.disabled():
        print("\n" + "\n".join(map(clean_line, reporting.table(results))))
    assert {one.trouble for one in results} == set(Trouble)
    assert [(one.name, one.violations) for one in results if one.violations] == []
