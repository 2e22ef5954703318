"""`python -m tests.killing.cutover`: one full rehearsal whose driver is killed once at every event of stage G.

It is resumed after each. In the end the CA must be up and proved, and its volume wiped once and not a second time.
The CA's host, its engine and the card's reader are ended with the driver each time, as a power cut would.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.full import engines
from rehearsal.full.cache import the_cache
from rehearsal.full.first_phase import VOLUME
from rehearsal.token import TokenKind
from runbook.record.state import fold
from tests.killing.place import KILLED, ROOT, Place

_MARK = "user.generation"
_DEADLINE = 900.0
_MOST = 400
"""Far more than stage G has events."""


@dataclass
class Cutover(Place):
    """The place of a full rehearsal."""

    token: TokenKind = TokenKind.CARD
    generations: int = 0
    """How many volumes of that name were seen, one after the other."""
    cache: str = field(default_factory=lambda: str(the_cache().folder.parents[1]))

    @property
    def env(self) -> dict[str, str]:
        return {**super().env, "XDG_CACHE_HOME": self.cache}

    @property
    def rehearse(self) -> list[str]:
        return ["rehearse", str(ROOT / "runbook.yaml"), "--full", "--headless", "--folder", str(self.lab)]

    @property
    def met(self) -> Path:
        return self.home / "met"

    def walk(self, arguments: Sequence[str]) -> int:
        """The program, until its end or its death; looks at the volume then."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.killing.cutover_launcher", str(self.notes), str(self.met), *arguments],
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_DEADLINE,
            check=False,
        )
        self.killed += done.returncode == KILLED
        self._expect(done.returncode in (0, KILLED), f"ended with {done.returncode}: {done.stdout[-3000:]}")
        self._look()
        return done.returncode

    def _look(self) -> None:
        """Tell the volumes apart: each that is seen for the first time gets a mark."""
        volume = engines.place(self.lab).data / "volumes" / VOLUME / "_data"
        try:
            os.getxattr(volume, _MARK)
        except FileNotFoundError:
            return
        except OSError:
            self.generations += 1
            os.setxattr(volume, _MARK, str(self.generations).encode())

    def judge(self) -> None:
        """Green with every step, verified; one volume before and one after."""
        state = fold(self.events)
        self._expect(state.finished == "green", f"the run ended {state.ending or 'never'}")
        self._expect(self.generations <= 2, f"{self.generations} volumes of that name were seen")
        said = subprocess.run(
            [sys.executable, "-m", "runbook", "verify", "last", "--signers", str(self.lab / "people/allowed_signers")],
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        self._expect(said.returncode == 0, f"verify says {said.stdout}{said.stderr}")


def main() -> int:
    """Ends with 1 if anything went wrong."""
    began = time.monotonic()
    place = Cutover()
    code = place.walk(place.rehearse)
    while code == KILLED and not place.problems and place.killed < _MOST:
        last = place.met.read_text().splitlines()[-1]
        print(f"{(time.monotonic() - began) / 60:5.1f} min  killed {place.killed}: {last}", flush=True)
        code = place.walk(["resume", "--headless"])
    place.judge()
    problems = place.close()
    print(
        f"{(time.monotonic() - began) / 60:.1f} minutes, killed {place.killed} times, {place.generations} volumes seen"
    )
    print("\n".join(problems) or "as it should be")
    if problems:
        print(f"what is left is in {place.home}")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
