"""A group of hosts on the screen: the table while it fills, and what stands first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from checks.evidence.hosts_table import HostsTable
from runbook.outcome import Outcome
from runbook.record import events as ev
from screens.evidence.hosts_table import HostsPane
from tests.screens.conftest import Drive, Driven
from tests.screens.host_samples import HALF, PASSED, row
from tests.screens.scripted import ScriptedWalk
from tests.screens.test_pictures import both_sizes, readable

Picture = Callable[[Driven, str], None]


@both_sizes
async def test_a_table_that_is_half_filled(drive: Drive, picture: Picture, size: tuple[int, int]) -> None:
    over = asyncio.Event()

    async def fill(walk: ScriptedWalk, step: str) -> Outcome:
        walk.say(ev.StepShown(step, HALF.model_copy(update={"rows": HALF.rows[:2]})))
        walk.say(ev.StepShown(step, HALF))
        await over.wait()
        done = tuple(row(one.host, PASSED) for one in HALF.rows)
        return Outcome.passed("12 of 12 hosts are green", HALF.model_copy(update={"rows": done}))

    async with drive(size, P_people=fill) as d:
        await d.press("r")
        await d.until("of 12 must be green")
        readable(d)
        table = d.screen.partition("must be green")[2]
        seen = [table.find(host) for host in ("input-b", "input-d", "input-e", "input-a")]
        assert [place for place in seen if place >= 0] == sorted(place for place in seen if place >= 0)
        assert seen[0] > 0, "failures stand first, also where there is little room"
        picture(d, "half filled")
        over.set()
        await d.settle()
        await d.press("k")
        await d.until("12 of 12 hosts are green")
        assert "running" not in d.screen


async def test_the_table_is_drawn_in_its_place(drive: Drive) -> None:
    """It does not jump: the pane that was there shows the next table."""
    go, over = asyncio.Event(), asyncio.Event()

    async def fill(walk: ScriptedWalk, step: str) -> Outcome:
        walk.say(ev.StepShown(step, HALF))
        await go.wait()
        walk.say(ev.StepShown(step, HALF.model_copy(update={"rows": (row("input-a", PASSED), *HALF.rows[1:2])})))
        await over.wait()
        return Outcome.passed("done", HALF)

    async with drive((120, 40), P_people=fill) as d:
        await d.press("r")
        await d.until("of 12 must")
        (pane,) = d.app.screen.query(HostsPane)
        go.set()
        await d.settle()
        await d.until("11 of 2 must")
        assert list(d.app.screen.query(HostsPane)) == [pane]
        over.set()
        await d.settle()


def test_hundreds_of_green_hosts_are_listed_by_name() -> None:
    rows = tuple(row(f"h{number:03}", PASSED) for number in range(300))
    table = HostsTable(on="all", columns=("x",), rows=rows, at_least=300, parallel=10)
    lines = list(HostsPane(table).lines(100))
    assert "h299" in "\n".join(line.plain for line in lines)
    assert len(lines) < 120
    assert all(line.cell_length <= 100 for line in lines)
