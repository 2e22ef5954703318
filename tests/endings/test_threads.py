"""Work in threads: what it gives, and that one which hangs does not keep the program from ending."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runbook.threads import in_thread

HANGS = """
import asyncio, sys
from runbook.people.people import signers_bytes
from runbook.site import TwoPeople

async def main():
    people = {"anna": {"principal": "anna@example.org"}, "ben": {"principal": "ben@example.org"}}
    reading = asyncio.ensure_future(signers_bytes(TwoPeople(allowed_signers=sys.argv[1], people=people)))
    print("begun", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    reading.cancel()

asyncio.run(main())
print("ended")
"""


async def test_threads_pass_on_results_and_errors() -> None:
    assert await in_thread(lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 // 0)


def test_a_file_that_never_answers_does_not_keep_the_program_from_ending(tmp_path: Path) -> None:
    """A pipe that nobody writes to stands for a share whose server is gone."""
    silent = tmp_path / "allowed_signers"
    os.mkfifo(silent)
    with subprocess.Popen(
        [sys.executable, "-c", HANGS, silent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        try:
            assert program.stdout is not None
            assert program.stdout.readline() == "begun\n"
            held = os.open(silent, os.O_WRONLY)  # comes back when it is being read
            said, _ = program.communicate("end\n", timeout=60)
            os.close(held)
        finally:
            program.kill()
    assert said == "ended\n"
    assert program.returncode == 0
