"""Checks on every host of a group: several hosts at a time, one table, and what was green is not done again."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from checks.evidence.hosts_table import HostCell, HostRow, HostsTable, HostState
from checks.hosts.fleet import OnHosts, threshold, where
from checks.hosts.fleet_context import GroupPrompts, HostContext
from checks.hosts.hosts import Hosts
from checks.hosts.live_table import LiveTable
from checks.hosts.machine import Machine
from runbook.context import Context
from runbook.errors import JournalError, OperatorStopped, PromptCancelled, RunbookError, StepError
from runbook.outcome import Outcome, Verdict
from runbook.run.deadline import Deadline

OnMachine = Callable[[Machine, Context], Awaitable[Outcome]]

KEPT_FOR = timedelta(hours=1)
"""How old a green result of an earlier attempt may be to stand."""

MARGIN = 2.0
"""Seconds before the step's deadline at which the hosts are ended, so that the table is kept."""

DETAILS = 8
"""Lines of evidence shown beside a host that is not green; the attachment has all of them."""


async def sweep(params: OnHosts, checks: Mapping[str, OnMachine], ctx: Context, *, asked: str) -> Outcome:
    """Run the checks (by column) where `params` says: on one host as that check alone, on several as a table."""
    hosts = await ctx.use(Hosts)
    names = await members(hosts, params.on)
    if len(checks) == 1 and names == params.on and len(names) == 1:
        return await next(iter(checks.values()))(await hosts.machine(names[0], ctx), ctx)
    return await Sweep(hosts, params, names=names, checks=checks, ctx=ctx, asked=asked).outcome()


async def members(hosts: Hosts, on: Sequence[str]) -> tuple[str, ...]:
    """Every host once, in the order of the step and of the groups. Raises UnknownHost."""
    found: dict[str, None] = {}
    for name in on:
        found |= dict.fromkeys(await hosts.members(name))
    return tuple(found)


class Sweep:
    """One attempt on a group."""

    def __init__(
        self,
        hosts: Hosts,
        params: OnHosts,
        *,
        names: tuple[str, ...],
        checks: Mapping[str, OnMachine],
        ctx: Context,
        asked: str,
    ) -> None:
        self._hosts = hosts
        self._params = params
        self._checks = checks
        self._ctx = ctx
        on = where(params.on)
        self._prompts = GroupPrompts(ctx.operator, on, len(names))
        self._table = LiveTable(
            HostsTable(
                on=on,
                columns=tuple(checks),
                rows=tuple(HostRow(host=name, cells=(HostCell(),) * len(checks)) for name in names),
                at_least=threshold(params.at_least, len(names)),
                parallel=params.parallel,
                rule=hashlib.sha256(asked.encode()).hexdigest(),
            ),
            ctx,
        )
        self._said: dict[str, list[str]] = {}
        """The evidence of every host as plain lines."""

    async def outcome(self) -> Outcome:
        """The table, judged."""
        waiting = self._table.keep(self._kept())
        try:
            async with self._table.shown():
                await self._work_through(waiting)
        finally:
            self._prompts.close()
        self._table.close("the step's time was used up before it was done")
        return judged(await self._with_attachment())

    async def _work_through(self, waiting: Sequence[str]) -> None:
        """Do these hosts, several at a time."""
        queue = iter(waiting)
        workers = [asyncio.create_task(self._work(queue)) for _ in range(self._params.parallel)]
        try:
            await self._all(workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _machine(self, host: str, ctx: Context) -> Machine:
        return await self._hosts.machine(host, ctx)

    async def _all(self, workers: Sequence[asyncio.Task[None]]) -> None:
        """Until every host is done or the step's time, which stands still while a person is asked, is used up."""
        gathered = asyncio.gather(*workers)
        while not gathered.done():
            left = self._ctx.seconds_left - MARGIN
            if left <= 0:
                gathered.cancel()
                return
            await asyncio.wait([gathered], timeout=min(left, 1.0))
        gathered.result()

    def _kept(self) -> Mapping[str, HostRow]:
        """What was green in the attempt before and still stands."""
        last = self._ctx.last
        before = next((item for item in last.evidence if isinstance(item, HostsTable)), None) if last else None
        if before is None:
            return {}
        self._table.update(attempt=before.attempt + 1)
        now = self._table.table
        if (before.rule, before.columns) != (now.rule, now.columns):
            return {}
        oldest = datetime.now(UTC) - KEPT_FOR
        return {row.host: row for row in before.rows if row.state.green and datetime.fromisoformat(row.at) > oldest}

    async def _work(self, waiting: Iterator[str]) -> None:
        for host in waiting:
            await self._host(host)

    async def _host(self, host: str) -> None:
        """All checks on one host; whatever is wrong there is a row and never an exception."""
        deadline = Deadline(self._params.host_deadline or max(self._ctx.seconds_left - MARGIN, 0.1))
        ctx = HostContext(self._ctx, host, self._prompts, deadline)
        self._table.running(host)
        cells = [HostCell()] * len(self._checks)
        self._said[host] = []
        started = asyncio.get_running_loop().time()
        try:
            async with ctx.running():
                machine = await self._machine(host, ctx)
                for number, check in enumerate(self._checks.values()):
                    cells[number] = self._cell(host, await _outcome(check, machine, ctx))
        except TimeoutError:
            _rest(cells, _errored(f"not done within {_seconds(self._params.host_deadline)}", "deadline"))
        except (OperatorStopped, JournalError):
            raise
        except RunbookError as error:
            _rest(cells, _not_there(error))
        except Exception as error:  # noqa: BLE001 - one host's trouble must not end the others
            _rest(cells, _errored(f"a defect: {type(error).__name__}", "defect"))
        finally:
            self._prompts.ended(host, next((cell.symptom for cell in cells if cell.symptom), ""))
        seconds = round(asyncio.get_running_loop().time() - started, 3)
        self._table.done(host, cells, seconds)

    def _cell(self, host: str, outcome: Outcome) -> HostCell:
        lines = [line for item in outcome.evidence for line in item.plain()]
        self._said[host] += [f"{outcome.verdict.value}: {outcome.summary}", *(f"  {line}" for line in lines)]
        return HostCell(
            state=HostState.of(outcome.verdict),
            summary=outcome.summary,
            symptom=outcome.symptom,
            remedy=outcome.remedy,
            details=() if outcome.verdict.green else tuple(lines[:DETAILS]),
        )

    async def _with_attachment(self) -> HostsTable:
        said = {host: lines for host, lines in self._said.items() if lines}
        if not said:
            return self._table.table
        pieces = ("\n".join((f"== {host}", *lines, "", "")).encode() for host, lines in said.items())
        return self._table.update(attached=await self._ctx.attach("hosts.txt", pieces))


async def _outcome(check: OnMachine, machine: Machine, ctx: Context) -> Outcome:
    try:
        return await check(machine, ctx)
    except (OperatorStopped, JournalError, PromptCancelled):
        raise
    except StepError as error:
        return Outcome.errored(error.what, symptom=error.symptom, remedy=error.remedy)


def _not_there(error: RunbookError) -> HostCell:
    symptom = error.symptom if isinstance(error, StepError) else ""
    state = HostState.NOT_TRIED if isinstance(error, PromptCancelled) else HostState.ERRORED
    return HostCell(state=state, summary=error.what, symptom=symptom or "cancelled", remedy=error.remedy)


def _errored(summary: str, symptom: str) -> HostCell:
    return HostCell(state=HostState.ERRORED, summary=summary, symptom=symptom)


def _rest(cells: list[HostCell], cell: HostCell) -> None:
    """The check that could not be done, and those after it that were not tried."""
    first = next(number for number, one in enumerate(cells) if one.state is HostState.WAITING)
    cells[first] = cell
    for number in range(first + 1, len(cells)):
        cells[number] = HostCell(state=HostState.NOT_TRIED, summary="the check before it could not be done")


def _seconds(limit: float) -> str:
    return f"{limit:g} seconds" if limit else "the step's time"


def judged(table: HostsTable) -> Outcome:
    """The verdict on a table that is done: green by all hosts, a warning from the threshold on, failed below it."""
    count, red = len(table.rows), [row for row in table.sorted if row.state.red]
    said = f"{table.green} of {count} {'host is' if count == 1 else 'hosts are'} green"
    if not red:
        warned = [row.host for row in table.rows if row.state is HostState.WARNED]
        if warned:
            return Outcome.warned(f"{said}; {_listed(warned)} with a warning", table, symptom=_shared(table))
        return Outcome.passed(said, table)
    said += f"; not green: {_listed([row.host for row in red])}"
    if table.green >= table.at_least:
        return Outcome.warned(f"{said}; {table.at_least} are enough", table, symptom=_shared(table))
    verdict = Verdict.FAILED if any(row.state is HostState.FAILED for row in red) else Verdict.ERRORED
    remedy = next((row.said.remedy for row in red if row.said.remedy), "") if _shared(table) != "several hosts" else ""
    again = "A retry repeats only the hosts that are not green."
    return Outcome(verdict, said, (table,), _shared(table), f"{remedy} {again}".strip())


def _shared(table: HostsTable) -> str:
    """The symptom, where all hosts that are not green have the same."""
    symptoms = {row.said.symptom for row in table.rows if row.state is not HostState.PASSED and row.said.symptom}
    return symptoms.pop() if len(symptoms) == 1 else "several hosts"


LISTED = 8


def _listed(hosts: Sequence[str]) -> str:
    more = len(hosts) - LISTED
    return ", ".join(hosts[:LISTED]) + (f" and {more} more" if more > 0 else "")
