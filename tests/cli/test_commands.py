"""The command line itself: help, versions, completion, and what happens when something breaks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runbook.cli import COMMANDS
from tests.cli.bench import Bench


def test_help_names_every_command_and_the_exit_codes(bench: Bench) -> None:
    done = bench("--help")
    assert done.returncode == 0
    for name in COMMANDS:
        assert f"  {name} " in done.stdout
    assert "4 this machine lacks something" in " ".join(done.stdout.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(bench: Bench, name: str) -> None:
    done = bench(name, "--help")
    assert done.returncode == 0, done.stderr
    assert f"Usage: runbook {name}" in done.stdout


def test_version(bench: Bench) -> None:
    from importlib.metadata import version

    assert bench("--version").stdout == f"runbook {version('hsm-runbook')}\n"


def test_an_unknown_command_is_told_with_the_nearest(bench: Bench) -> None:
    done = bench("verfy", "x")
    assert done.returncode == 2
    assert "Did you mean `verify`?" in done.stderr


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\ntry:\n from runbook.cli import main; main(['--help'])\nfinally:\n print('MODULES', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    loaded = set(done.stdout.partition("MODULES")[2].split())
    assert "click" in loaded
    assert loaded.isdisjoint({"pydantic", "textual", "yaml", "jinja2", "cryptography", "asyncio", "checks", "screens"})


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(bench: Bench, shell: str) -> None:
    done = bench("completion", shell)
    assert done.returncode == 0, done.stderr
    assert "_RUNBOOK_COMPLETE" in done.stdout
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=done.stdout, text=True, check=True)


def test_the_shell_gets_its_completions(bench: Bench) -> None:
    done = bench(_RUNBOOK_COMPLETE="bash_complete", COMP_WORDS="runbook ver", COMP_CWORD="1")
    assert done.stdout.splitlines() == ["plain,verify"]
    done = bench(_RUNBOOK_COMPLETE="bash_complete", COMP_WORDS="runbook run --he", COMP_CWORD="2")
    assert done.stdout.splitlines() == ["plain,--headless", "plain,--help"]


CRASH = """
import sys
import runbook.paths
def broken():
    secret = "648219"
    raise ZeroDivisionError(f"with {secret} in its message")
runbook.paths.runs_folder = broken
import runbook.record.runs
runbook.record.runs.runs_folder = broken
from runbook.cli import main
main(["runs"])
"""


def test_a_defect_is_told_without_values() -> None:
    done = subprocess.run([sys.executable, "-c", CRASH], capture_output=True, text=True, check=False)
    assert done.returncode == 70
    assert "a defect in the program: ZeroDivisionError" in done.stderr
    assert "runbook/record/runs.py" in done.stderr
    assert "648219" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_crash(bench: Bench) -> None:
    run = subprocess.Popen(
        bench.command("run", "--dry-run"),
        cwd=bench.folder,
        env=bench.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        said = run.stderr.read()
    assert run.returncode == 1
    assert said == ""


def test_a_full_disk_behind_standard_output_is_told(bench: Bench) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            bench.command("run", "--headless", "--answers", "answers.yaml"),
            cwd=bench.folder,
            env=bench.env,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 4
    assert "error: standard output cannot be written: No space left on device" in done.stderr
    assert "defect" not in done.stderr
    assert bench("verify", "last").returncode == 0, "the run itself is whole"


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_a_closed_standard_stream_harms_neither_the_run_nor_its_record(bench: Bench, closed: tuple[int, ...]) -> None:
    shut = "import os, sys; [os.close(int(fd)) for fd in sys.argv[1].split()]; os.execv(sys.argv[2], sys.argv[2:])"
    call = bench.command("run", "--headless", "--answers", "answers.yaml")
    done = subprocess.run(
        [sys.executable, "-c", shut, " ".join(map(str, closed)), *call],
        cwd=bench.folder,
        env=bench.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert bench("verify", "last").returncode == 0, "what is said to fd 2 is not in the journal"


def test_a_closed_standard_input_is_no_terminal(bench: Bench) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, sys; os.close(0); os.execv(sys.argv[1], sys.argv[1:])",
            *bench.command("run"),
        ],
        cwd=bench.folder,
        env=bench.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "there is no terminal to ask at" in done.stderr) == (4, True)


def test_ctrl_c_is_a_stop(bench: Bench) -> None:
    code = (
        "import runbook.record.runs\n"
        "def interrupted(): raise KeyboardInterrupt\n"
        "runbook.record.runs.list_runs = interrupted\n"
        "from runbook.cli import main\n"
        "main(['runs'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.lstrip()) == (3, "stopped\n")


def test_the_command_lines_modules_are_those_it_names() -> None:
    import runbook.commands

    found = {path.stem for path in Path(runbook.commands.__path__[0]).glob("*.py")}
    assert set(COMMANDS) <= found
