"""One rehearsal of the ledger in a home of its own: started, killed, taken up again, and judged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.card import state as card_state
from rehearsal.smartcard import CardPlaces
from rehearsal.token import TokenKind
from runbook.event import Event
from runbook.files.loader import load_runbook
from runbook.kind import Registry
from runbook.record.events import PinAttempt, StepFinished, StepStarted
from runbook.record.journal import read_events
from runbook.record.state import fold
from tests.killing.points import Point
from tests.rehearsal.program import processes_of

ROOT = Path(__file__).parents[2]
LEDGER = ROOT / "tests" / "killing" / "ledger.yaml"
LINES = ["begin in the beginning", "slow", "first", "seal"]
"""What stands in the ledger at the end, whatever happened on the way."""

KILLED = -9
_DEADLINE = 120.0
_PEACE = 10.0
"""Seconds within which every process of a killed program is gone."""


@dataclass
class Place:
    """Home, lab and state of one rehearsal. The path is short: there will be sockets below it."""

    token: TokenKind
    home: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="kill-", dir="/tmp")))
    problems: list[str] = field(default_factory=list)
    killed: int = 0

    @property
    def lab(self) -> Path:
        return self.home / "lab"

    @property
    def notes(self) -> Path:
        return self.home / "notes"

    @property
    def env(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "VIRTUAL_ENV") if name in os.environ}
        places = {"XDG_STATE_HOME": "state", "XDG_CONFIG_HOME": "config", "TMPDIR": "."}
        own = {name: str(self.home / folder) for name, folder in places.items()}
        return {**kept, **own, "HOME": str(self.home), "PYTHONSAFEPATH": "", "PYTHONPATH": str(ROOT)}

    @property
    def rehearse(self) -> list[str]:
        """The arguments of the run that is to be killed."""
        return ["rehearse", str(LEDGER), "--headless", "--folder", str(self.lab), "--token", self.token]

    @property
    def journal(self) -> Path | None:
        return next(iter(self.home.glob("state/hsm-runbook/runs/*/journal.jsonl")), None)

    @property
    def events(self) -> list[Event]:
        return list(read_events(self.journal)) if self.journal else []

    def start(self, arguments: Sequence[str], point: Point | None = None) -> subprocess.Popen[str]:
        """The program, through the launcher."""
        return subprocess.Popen(
            [sys.executable, "-m", "tests.killing.launcher", str(self.notes), str(point or "never"), *arguments],
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> str:
        """Wait for its end, and look at what it left; what it said."""
        said, _ = process.communicate(timeout=_DEADLINE)
        self.killed += process.returncode == KILLED
        self._compare_pins(f"after exit {process.returncode}")
        return said

    def resume(self, point: Point | None = None) -> tuple[int, str]:
        """Go on, as far as it gets: the exit code and what was said."""
        process = self.start(["resume", "--headless"], point)
        said = self.finish(process)
        return process.returncode, said

    @property
    def green(self) -> bool:
        """Whether the record says that the run has ended green: then there is nothing to go on with."""
        return fold(self.events).finished == "green"

    def complete(self) -> None:
        """Go on to the end where it was not reached, and judge it."""
        if not self.green:
            code, said = self.resume()
            self._expect(code == 0, f"resume ended with {code}: {said[-1500:]}")
        self.judge()

    def judge(self) -> None:
        """Whether the end is that of a run that nothing disturbed."""
        events = self.events
        state = fold(events)
        open_steps = {step for step in _steps() if not state.step(step).status.green}
        self._expect(state.finished == "green", f"the run ended {state.ending or 'never'}")
        self._expect(not open_steps, f"not green: {sorted(open_steps)}")
        self._expect(self.lines == LINES, f"the ledger says {self.lines}")
        self._expect(set(state.facts) == {"token_there", "begun", "sealed"}, f"the facts are {sorted(state.facts)}")
        self._expect(_paired(events), "an attempt has two ends, or began twice")
        self._compare_pins("at the end")
        verified = subprocess.run(
            [sys.executable, "-m", "runbook", "verify", "last", "--signers", str(self.lab / "people/allowed_signers")],
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        self._expect(verified.returncode == 0, f"verify says {verified.stdout}{verified.stderr}")

    def nothing_begun(self) -> bool:
        """Whether the driver died before there was a record; then nothing may have been done."""
        if self.events:
            return False
        self._expect(self.lines == [], f"without a record the ledger says {self.lines}")
        self._compare_pins("without a record")
        return True

    @property
    def lines(self) -> list[str]:
        ledger = self.lab / "ledger"
        return ledger.read_text().splitlines() if ledger.exists() else []

    def _compare_pins(self, when: str) -> None:
        """Every PIN that the card ever compared was on record before."""
        if self.token is TokenKind.CARD and CardPlaces(self.lab).state.exists():
            user = card_state.read(CardPlaces(self.lab).state).user_pin
            compared = user.checks if user else 0
            recorded = sum(isinstance(event, PinAttempt) for event in self.events)
            self._expect(compared <= recorded, f"{when} the card compared {compared} PINs, on record are {recorded}")

    def power_off(self, cut: Callable[[int, int], int]) -> None:
        """After the driver was killed: its host lost power, and all that was not synced is gone.

        `cut`: where the journal is torn, between what was synced and what was written (both in bytes).
        """
        synced: dict[str, int] = {}
        for line in self.notes.read_text().splitlines() if self.notes.exists() else []:
            path, size = json.loads(line)
            synced[path] = size
        if self.journal is not None:
            sure, size = synced.get(str(self.journal), 0), self.journal.stat().st_size
            os.truncate(self.journal, cut(sure, size) if size > sure else size)
            for file in self.journal.parent.glob("attachments/.*"):
                file.unlink()  # it has its name only once its bytes are synced

    def close(self) -> list[str]:
        """Every process has ended; what went wrong, and nothing is left on the disk unless something did."""
        until = time.monotonic() + _PEACE
        while (left := processes_of(self.home)) and time.monotonic() < until:
            time.sleep(0.05)
        self._expect(not left, f"processes are left: {left}")
        if not self.problems:
            shutil.rmtree(self.home)
        return self.problems

    def _expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.problems.append(otherwise)


def _paired(events: list[Event]) -> bool:
    """Each attempt began at most once, and ended at most once."""
    began = [(event.step, event.attempt) for event in events if isinstance(event, StepStarted)]
    ended = [(event.step, event.attempt) for event in events if isinstance(event, StepFinished)]
    return len(began) == len(set(began)) and len(ended) == len(set(ended))


def _steps() -> set[str]:
    return {step.id for _, step in load_runbook(LEDGER, Registry()).model.steps()}
