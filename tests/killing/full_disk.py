"""The state folder fills up: it lies on a small tmpfs, and is made larger a little whenever a run ends for want of it.

`python -m tests.killing.full_disk KIBIBYTES TOKEN`: one case; it takes root, or a user namespace of one's own.
"""

from __future__ import annotations

import os
import subprocess
import sys

from rehearsal.token import TokenKind
from runbook.errors import ExitCode
from tests.killing.place import ROOT, Place

STEP = 16
"""KiB that are added each time."""

_MOST = 60


def run(kibibytes: int, token: TokenKind = TokenKind.SOFTHSM) -> tuple[list[str], int]:
    """Rehearse with so little room, and go on with more and more; and how often the disk was full."""
    place = Place(token)
    state = place.home / "state"
    state.mkdir()
    _mount(state, kibibytes)
    full = 0
    try:
        process = place.start(place.rehearse)
        said = place.finish(process)
        while process.returncode == ExitCode.ENVIRONMENT and full < _MOST:
            full += 1
            if "No space left" not in said:
                place.problems.append(f"it did not say why: {said[-1000:]}")
            kibibytes += STEP
            _mount(state, kibibytes, "remount,")
            if place.nothing_begun():
                return place.close(), full
            process = place.start(["resume", "--headless"])
            said = place.finish(process)
        if process.returncode:
            place.problems.append(f"it ended with {process.returncode}: {said[-1500:]}")
        place.judge()
    finally:
        subprocess.run(["umount", "--lazy", str(state)], check=True)
    return place.close(), full


def apart(kibibytes: int, token: TokenKind = TokenKind.SOFTHSM) -> subprocess.CompletedProcess[str]:
    """One case in mounts of its own."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return subprocess.run(
        [*("unshare", *user, "--mount"), sys.executable, "-m", "tests.killing.full_disk", str(kibibytes), token],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def problems(kibibytes: int, token: TokenKind = TokenKind.SOFTHSM) -> list[str]:
    """What went wrong in one case in mounts of its own."""
    done = apart(kibibytes, token)
    return [] if done.returncode == 0 else [f"{done.stdout}{done.stderr}".strip() or f"it ended with {done.returncode}"]


def _mount(folder: object, kibibytes: int, more: str = "") -> None:
    options = f"{more}size={kibibytes}k,mode=0700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)


if __name__ == "__main__":
    wrong, times = run(int(sys.argv[1]), TokenKind(sys.argv[2]))
    print(f"full {times} times")
    print("\n".join(wrong))
    sys.exit(bool(wrong))
