"""From files and options to a session that can be walked; everything wrong with the call is told here, at once."""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from runbook import paths
from runbook.errors import EnvironmentLacks, UsageError
from runbook.event import Event
from runbook.files.document import Document, Map
from runbook.files.loader import Loaded, check_site, load_runbook, load_site
from runbook.files.named import SITE_NAME, find_site
from runbook.files.problems import InvalidDocument, Mark, Problem, Severity
from runbook.files.selection import require_reachable, select
from runbook.input_types import Source
from runbook.kind import Registry
from runbook.model import Runbook
from runbook.people.people import driver_by_account
from runbook.record.attachments import ROLLBACK, RUNBOOK, SITE
from runbook.record.chain import START, short_head
from runbook.record.events import RunStarted
from runbook.record.journal import Journal
from runbook.record.runlock import user_name
from runbook.run.engine import Engine, Plan
from runbook.run.rollback import Rollback
from runbook.run.session import Session
from runbook.run.shell import Lend
from runbook.run.values import given_values, values_at_start
from runbook.secrets import Redactor
from runbook.site import Site
from runbook.version import program_sha256, program_version, versions

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Of the random end of a run's id: no two characters that look alike."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Files that were read and fit together."""

    runbook: Loaded[Runbook]
    site: Loaded[Site]
    values: Mapping[str, tuple[str, str]]
    """Inputs known before the start: value in its normal form, and source."""
    stages: tuple[str, ...]
    """Stages selected; empty: all."""
    registry: Registry
    rollback: Rollback | None = None
    """What is walked instead of the runbook: what a run of it did, back."""

    @property
    def walked(self) -> Runbook:
        """What is walked."""
        return self.rollback.runbook if self.rollback else self.runbook.model

    def plan(self, header: RunStarted) -> Plan:
        """What is walked: of a new run, or of one that goes on."""
        files = {RUNBOOK: self.runbook.document.content}
        if self.site.sha256:
            files[SITE] = self.site.document.content
        if self.rollback:
            files[ROLLBACK] = self.rollback.attachment
        folder = self.runbook.path.absolute().parent
        return Plan(header, self.walked, folder, self.site.model, self.values, files, self.rollback)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is odd in the files, and no obstacle."""
        given = [name for name, (_, source) in self.values.items() if source == "set"]
        return (
            *self.runbook.warnings,
            *self.site.warnings,
            *check_site(self.runbook, self.site, self.registry, given=given),
        )


def prepare(
    runbook: Path, site: Path | None = None, values: Mapping[str, str] | None = None, stages: Collection[str] = ()
) -> Prepared:
    """Read and check the files and options; touches no device and writes nothing.

    `site`: None looks beside the runbook and in the user's configuration. `values`: inputs of the command line.
    Raises UsageError (InvalidDocument with every problem) and EnvironmentLacks.
    """
    registry = Registry()
    loaded = load_runbook(runbook, registry)
    given = given_values(loaded.model, values or {})
    return fit(loaded, find_site(site, runbook), given, select(loaded.model, stages), registry)


def fit(
    runbook: Loaded[Runbook],
    site: Path | None,
    given: Mapping[str, str],
    stages: tuple[str, ...],
    registry: Registry,
) -> Prepared:
    """The runbook with this site profile (None: there is none) and the values of the command line, in normal form.

    Raises InvalidDocument, and UsageError where a profile is needed.
    """
    profile = load_site(site) if site else no_site(runbook.path)
    errors = [
        problem for problem in check_site(runbook, profile, registry, given=given) if problem.severity is Severity.ERROR
    ]
    if errors and site is None:
        raise _lacking(runbook.model, profile.path)
    if errors:
        raise InvalidDocument(errors)
    return Prepared(runbook, profile, values_at_start(runbook.model, profile, given), stages, registry)


def start(
    prepared: Prepared, redactor: Redactor | None = None, begun: Callable[[], Awaitable[None]] | None = None
) -> Session:
    """A session with a run id of its own. `redactor` may know secrets already; `begun` is called once it is on record.

    Raises EnvironmentLacks when the state folder cannot be written, and UsageError where the stages selected need
    others. The journal begins with the walk.
    """
    runbook, site, rollback = prepared.runbook, prepared.site, prepared.rollback
    require_reachable(prepared.walked, prepared.stages)
    folder = _writable(paths.runs_folder())
    run_id = new_run_id(prepared.walked.id)
    header = RunStarted(
        run_id=run_id,
        runbook_id=runbook.model.id,
        runbook_title=prepared.walked.title,
        runbook_sha256=runbook.sha256,
        site=site.model.name,
        site_sha256=site.sha256,
        program=f"hsm-runbook {program_version()}",
        host=platform.node(),
        operator=user_name(),
        rehearsal=site.model.rehearsal is not None,
        stages=prepared.stages,
        runbook_path=str(runbook.path.absolute()),
        site_path=str(site.path.absolute()),
        program_sha256=program_sha256(),
        versions=versions(),
        driver=driver_by_account(site.model.two_people) if site.model.two_people else "",
        rolls_back=rollback.run_id if rollback else "",
        rolls_back_head=rollback.head if rollback else "",
        rollback_sha256=hashlib.sha256(rollback.attachment).hexdigest() if rollback else "",
    )
    plan = prepared.plan(header)
    run_folder = folder / run_id
    known = redactor or Redactor()
    return Session(
        runbook=prepared.walked,
        runbook_path=runbook.path,
        site=site.model,
        run_id=run_id,
        run_folder=run_folder,
        stages=prepared.stages,
        start=lambda operator: RecordedWalk(
            lambda journal: Engine(plan, prepared.registry, operator, journal, known),
            lambda: Journal.create(run_folder, known),
            begun,
        ),
        rolls_back=header.rolls_back,
    )


def new_run_id(runbook_id: str) -> str:
    """Sorts by time (UTC), names the runbook, and does not repeat: `20261121-085725-hsm-cutover-k7qm`."""
    ending = "".join(secrets.choice(_ALPHABET) for _ in range(4))
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{runbook_id}-{ending}"


class RecordedWalk:
    """The walk (`runbook.run.session.Walk`) with its journal, which is closed with it."""

    def __init__(
        self,
        engine: Callable[[Journal], Engine],
        journal: Callable[[], Awaitable[Journal]],
        begun: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`begun` is called once, when the first event is on record."""
        self._begun = begun
        self._make = engine
        self._journal = journal
        self._engine: Engine | None = None
        self._stopping = ""

    async def events(self) -> AsyncGenerator[Event, None]:
        """Raises JournalError when the record cannot be begun or written."""
        journal = await self._journal()
        try:
            self._engine = self._make(journal)
            if self._stopping:
                self._engine.stop(self._stopping)
            async with aclosing(self._engine.events()) as events:
                async for event in events:
                    if self._begun is not None:
                        begun, self._begun = self._begun, None
                        await begun()
                    yield event
        finally:
            await journal.close()

    async def note(self, text: str) -> None:
        if self._engine is not None:
            await self._engine.note(text)

    async def shell(self, step: str, lend: Lend) -> int:
        if self._engine is None:
            raise UsageError("the run has not begun yet")
        return await self._engine.shell(step, lend)

    def stop(self, reason: str) -> None:
        self._stopping = reason
        if self._engine is not None:
            self._engine.stop(reason)

    @property
    def head(self) -> str:
        return self._engine.head if self._engine is not None else short_head(START)


def _lacking(runbook: Runbook, path: Path) -> UsageError:
    """There is no site profile, and what one would have to give."""
    wanted = [f"the input `{name}`" for name, declared in runbook.inputs.items() if declared.source is Source.SITE]
    tokens = {step.params.get("token") for _, step in runbook.steps()}
    wanted += sorted(f"the token `{token}`" for token in tokens if isinstance(token, str))
    if any(step.gate.two_person for _, step in runbook.steps()):
        wanted.append("`two_people`, who may approve")
    return UsageError(
        f"there is no site profile, and this runbook needs one for {', '.join(wanted)}",
        where=str(path),
        remedy="Write one (see the README) or name it with --site; to practise, `runbook rehearse` makes one.",
    )


def no_site(runbook: Path) -> Loaded[Site]:
    """What stands for a profile where there is none: a runbook that needs nothing of a site runs without one."""
    path = runbook.parent / SITE_NAME
    return Loaded(Site(site=1, name="none"), path, "", Document(path, "", (), Map(Mark(1, 1), {}, {})))


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise EnvironmentLacks(
            f"the state folder cannot be written: {error.strerror}",
            where=str(folder),
            remedy="Free some space there, or set XDG_STATE_HOME to a folder that you can write.",
        ) from error
    return folder
