"""The first screen stands before the files are read, and nothing can be decided on it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from runbook.commands.ahead import Ahead
from runbook.errors import ExitCode, RunbookError, UsageError
from runbook.files.glancing import glance
from runbook.files.loader import load_runbook
from runbook.kind import Registry
from runbook.run.session import Session
from screens.app import RunbookApp
from screens.opening import Opening, OpeningScreen
from screens.run_screen import RunScreen
from tests.benchmarks.terminal import Terminal
from tests.screens.conftest import Drive, Driven
from tests.screens.samples import sample_session

ROOT = Path(__file__).parents[2]
HEAVY = ("pydantic", "yaml", "jinja2", "msgspec", "runbook.model")


def test_it_needs_nothing_that_reads_files() -> None:
    code = f"import sys, screens.app, screens.driver; print(*(m for m in {HEAVY} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, "\n")


def test_it_shows_what_the_files_say(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("site: 1\nname: the\u202e lab\nrehearsal: {}\n")
    seen = Ahead(ROOT / "runbook.yaml", site).seen()
    assert seen is not None
    model = load_runbook(ROOT / "runbook.yaml", Registry()).model
    assert (seen.id, seen.title, seen.rehearsal) == (model.id, model.title, True)
    assert [(stage.id, stage.title, tuple((s.id, s.title) for s in stage.steps)) for stage in model.stages] == list(
        seen.stages
    )
    assert "\u202e" not in seen.site
    assert seen.site.endswith("lab")


@pytest.mark.parametrize("content", ["", "a: [", "x: &a [*a]", "- " * 100, "!!python/object/apply:os.abort []"])
def test_what_cannot_be_read_is_not_shown(tmp_path: Path, content: str) -> None:
    (tmp_path / "runbook.yaml").write_text(content)
    assert Ahead(tmp_path / "runbook.yaml", None).seen() is None
    assert Ahead(tmp_path / "missing.yaml", None).seen() is None


class Files:
    """Files whose reading is held up until it is told how it ends."""

    def __init__(self, wrong: RunbookError | None = None) -> None:
        self.session, _ = sample_session()
        self._wrong = wrong
        self.read = threading.Event()

    def begin(self) -> Session:
        assert self.read.wait(60)
        if self._wrong:
            raise self._wrong
        return self.session


def _driven(files: Files) -> RunbookApp:
    return RunbookApp(Opening(glance(ROOT / "runbook.yaml", None), files.begin))


async def test_nothing_is_decided_before_the_files_are_read() -> None:
    files = Files()
    app = _driven(files)
    async with app.run_test(size=(110, 30)) as pilot:
        driven = Driven(app, pilot, [], [])
        await driven.until("P.people")
        await pilot.press("r", "c", "enter", "d", "s", "exclamation_mark", "colon")
        assert isinstance(app.screen, OpeningScreen)
        files.read.set()
        await driven.until("your turn")
        assert isinstance(app.screen, RunScreen)
        assert not app.run_screen.state.steps, "no key of before did anything"


async def test_the_run_then_looks_as_one_that_was_read_before(drive: Drive) -> None:
    async with drive((110, 30)) as driven:
        before = driven.app.export_screenshot(simplify=True)
    files = Files()
    files.read.set()
    app = _driven(files)
    async with app.run_test(size=(110, 30)) as pilot:
        driven = Driven(app, pilot, [], [])
        await driven.until("your turn")
        await driven.settle()
        assert app.export_screenshot(simplify=True) == before


async def test_what_is_wrong_with_the_files_ends_it() -> None:
    wrong = UsageError("there is no check named `slotz`")
    files = Files(wrong)
    app = _driven(files)
    async with app.run_test(size=(80, 24)) as pilot:
        await Driven(app, pilot, [], []).until("P.people")
        files.read.set()
        async with asyncio.timeout(60):
            while app.fault is None:
                await pilot.pause(0.01)
    assert app.fault is wrong
    assert app.return_value is ExitCode.USAGE


async def test_it_can_be_left_while_the_files_are_read() -> None:
    files = Files()
    app = _driven(files)
    async with app.run_test(size=(80, 24)) as pilot:
        await Driven(app, pilot, [], []).until("P.people")
        await pilot.press("q")
        files.read.set()
    assert app.return_value is ExitCode.STOPPED


async def test_a_small_terminal_is_told_and_the_run_waits_for_room() -> None:
    files = Files()
    app = _driven(files)
    async with app.run_test(size=(30, 8)) as pilot:
        driven = Driven(app, pilot, [], [])
        files.read.set()
        await driven.until("small")
        await pilot.resize_terminal(100, 30)
        await driven.until("your turn")
        assert isinstance(app.screen, RunScreen)


def test_a_real_start_tells_every_problem_and_records_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runbook = (ROOT / "runbook.yaml").read_text().replace("check: slots", "check: slotz").replace("id: A1.usb", "id: A")
    (tmp_path / "runbook.yaml").write_text(runbook)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    program = Path(sys.executable).with_name("runbook")
    with Terminal([str(program), "run", str(tmp_path / "runbook.yaml")]) as terminal:
        told = terminal.rest()
    screen, _, after = told.partition(b"\x1b[?1049l")
    assert b"P.people" in screen
    assert b"there is no check named `slotz`" in after
    assert b"the id `A` is already used" in after
    assert terminal.exit_status == ExitCode.USAGE
    assert not list((tmp_path / "state").rglob("journal*"))
